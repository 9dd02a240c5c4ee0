package kube

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	v1 "k8s.io/api/core/v1"
	apires "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/app/gang"
)

// someJob is an Indexed Job of a hundred pods.
func someJob(i int, scheduler string) *batchv1.Job {
	n, indexed := int32(100), batchv1.IndexedCompletion
	return &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: fmt.Sprint("job-", i), UID: types.UID(fmt.Sprint("uid-", i))},
		Spec: batchv1.JobSpec{
			Parallelism: &n, Completions: &n, CompletionMode: &indexed,
			Template: v1.PodTemplateSpec{Spec: v1.PodSpec{
				SchedulerName: scheduler, Subdomain: "peers",
				Containers: []v1.Container{{Name: "main", Env: make([]v1.EnvVar, 50), Resources: v1.ResourceRequirements{
					Requests: v1.ResourceList{v1.ResourceCPU: *apires.NewMilliQuantity(500, apires.DecimalSI)},
				}}},
			}},
		},
	}
}

// BenchmarkJobsThatAreKept reports what is kept of each Job: of those that are none of ours, and of gangs of ours.
func BenchmarkJobsThatAreKept(b *testing.B) {
	kind := gangsOf("batch")[0]
	for name, scheduler := range map[string]string{"others": "default-scheduler", "ours": "sluice"} {
		b.Run(name, func(b *testing.B) {
			w, err := NewWatch(&Client{}, WatchOptions{Scheduler: "sluice", Gangs: []gang.Kind{kind}, Log: quietLog()}, &sink{})
			require.NoError(b, err)
			m := w.tellers[kind]
			before := heap()
			for i := range b.N {
				require.NoError(b, m.Add(someJob(i, scheduler)))
				w.sink.(*sink).take()
			}
			b.ReportMetric(float64(heap()-before)/float64(b.N), "kept-B/object")
			runtime.KeepAlive(w)
		})
	}
}

package sim

import (
	"fmt"

	v1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// nominate is somebody nominating a pod for a node, or for none: nominate POD [node=NODE].
func (s *Script) nominate(a Args, _ string) error {
	return s.changePod(a, func(p *v1.Pod) { p.Status.NominatedNodeName = a.one("node", "") })
}

// resize changes what a pod asks for, which a bound pod's kubelet has yet to answer: resize POD cpu= memory=. With a verdict, or without amounts, it is that
// answer: resize POD [granted | deferred | infeasible | done].
func (s *Script) resize(a Args, _ string) error {
	want, err := quantities(a, "cpu", "memory")
	if err != nil {
		return err
	}
	return s.changePod(a, func(p *v1.Pod) {
		c := &p.Spec.Containers[0]
		st := statusOf(p)
		for name, q := range want {
			c.Resources.Requests[name] = q
		}
		if len(want) > 0 {
			p.Generation++
		}
		p.Status.Conditions = nil
		switch {
		case a.has("granted"):
			st.AllocatedResources = c.Resources.Requests.DeepCopy()
		case a.has("done"):
			st.AllocatedResources = c.Resources.Requests.DeepCopy()
			st.Resources = &v1.ResourceRequirements{Requests: c.Resources.Requests.DeepCopy()}
		case a.has("deferred"):
			p.Status.Conditions = []v1.PodCondition{{Type: v1.PodResizePending, Status: v1.ConditionTrue, Reason: v1.PodReasonDeferred}}
		case a.has("infeasible"):
			p.Status.Conditions = []v1.PodCondition{{Type: v1.PodResizePending, Status: v1.ConditionTrue, Reason: v1.PodReasonInfeasible}}
		}
	})
}

// statusOf returns the status of a pod's only container: that of one which runs with what it asks for, if its kubelet has said nothing yet.
func statusOf(p *v1.Pod) *v1.ContainerStatus {
	if len(p.Status.ContainerStatuses) == 0 {
		now := p.Spec.Containers[0].Resources.Requests
		p.Status.ContainerStatuses = []v1.ContainerStatus{{
			Name: p.Spec.Containers[0].Name, AllocatedResources: now.DeepCopy(), Resources: &v1.ResourceRequirements{Requests: now.DeepCopy()},
		}}
	}
	return &p.Status.ContainerStatuses[0]
}

// change is a pod's owner changing what may be changed of a pod that is not bound yet: change POD [tolerate=(key)] [labels=(k=v)].
func (s *Script) change(a Args, _ string) error {
	return s.changePod(a, func(p *v1.Pod) {
		p.Generation++
		for _, key := range a.Values["tolerate"] {
			p.Spec.Tolerations = append(p.Spec.Tolerations, v1.Toleration{Key: key, Operator: v1.TolerationOpExists})
		}
		if a.has("labels") {
			p.Labels = keyValues(a.Values["labels"])
		}
	})
}

// deviceClass makes or changes a DeviceClass: class NAME [extended=RESOURCE].
func (s *Script) deviceClass(a Args, _ string) error {
	c := &resourcev1.DeviceClass{ObjectMeta: metav1.ObjectMeta{Name: a.Name}}
	if name := a.one("extended", ""); name != "" {
		c.Spec.ExtendedResourceName = &name
	}
	s.cluster.SetDeviceClass(c)
	return nil
}

func (s *Script) changePod(a Args, f func(*v1.Pod)) error {
	if s.cluster.Pod(namespace, a.Name) == nil {
		return fmt.Errorf("no such pod")
	}
	s.cluster.ChangePod(namespace, a.Name, f)
	return nil
}

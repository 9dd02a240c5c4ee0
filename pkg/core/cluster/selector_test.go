package cluster

import (
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

func named(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: "ns", Name: name} }

func service(name string, selector map[string]string) *SelectorFact {
	return ReadService(&v1.Service{ObjectMeta: named(name), Spec: v1.ServiceSpec{Selector: selector}})
}

func replicaSet(name string, selector *metav1.LabelSelector) *SelectorFact {
	return ReadReplicaSet(&appsv1.ReplicaSet{ObjectMeta: named(name), Spec: appsv1.ReplicaSetSpec{Selector: selector}})
}

// ownedBy is a pod with a controller.
func ownedBy(apiVersion, kind, name string) *v1.Pod {
	yes := true
	p := &v1.Pod{ObjectMeta: named("p")}
	p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "ReplicationController", Name: "no controller"}, {APIVersion: apiVersion, Kind: kind, Name: name, Controller: &yes}}
	return p
}

func TestPodsAreSpreadByServicesAndOwner(t *testing.T) {
	web := labels.Set{"app": "web", "tier": "front"}
	inFront := &metav1.LabelSelector{
		MatchLabels:      map[string]string{"app": "web"},
		MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "tier", Operator: metav1.LabelSelectorOpExists}},
	}
	broken := &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "tier", Operator: "Sometimes"}}}
	rs := SelectorID{ReplicaSet, "ns", "rs"}
	for name, c := range map[string]struct {
		facts []*SelectorFact
		owner SelectorID
		want  string
	}{
		"nothing selects":                          {nil, rs, ""},
		"a Service":                                {[]*SelectorFact{service("a", map[string]string{"app": "web"})}, SelectorID{}, "app=web"},
		"all Services together":                    {[]*SelectorFact{service("a", map[string]string{"app": "web"}), service("b", map[string]string{"tier": "front"})}, SelectorID{}, "app=web,tier=front"},
		"but not those of others":                  {[]*SelectorFact{service("a", map[string]string{"app": "db"}), service("b", map[string]string{"zone": ""})}, SelectorID{}, ""},
		"nor one without a selector":               {[]*SelectorFact{service("a", nil)}, SelectorID{}, ""},
		"the owner":                                {[]*SelectorFact{replicaSet("rs", inFront)}, rs, "app=web,tier"},
		"both":                                     {[]*SelectorFact{replicaSet("rs", inFront), service("b", map[string]string{"tier": "front"})}, rs, "app=web,tier=front,tier"},
		"another of that name and another kind":    {[]*SelectorFact{replicaSet("rs", inFront)}, SelectorID{StatefulSet, "ns", "rs"}, ""},
		"an owner whose selector cannot be read":   {[]*SelectorFact{replicaSet("rs", broken), service("b", map[string]string{"tier": "front"})}, rs, "tier=front"},
		"an owner without a selector":              {[]*SelectorFact{replicaSet("rs", nil)}, rs, ""},
		"an owner whose selector is for all":       {[]*SelectorFact{replicaSet("rs", &metav1.LabelSelector{})}, rs, ""},
		"the newest of what is told several times": {[]*SelectorFact{service("a", map[string]string{"app": "web"}), service("a", map[string]string{"tier": "front"})}, rs, "tier=front"},
	} {
		t.Run(name, func(t *testing.T) {
			s := New()
			for _, f := range c.facts {
				s.SetSelector(f)
			}
			require.Equal(t, c.want, s.SpreadBy("ns", web, c.owner).String())
			require.Empty(t, s.SpreadBy("other", web, c.owner).String())
			for _, f := range c.facts {
				s.RemoveSelector(f.SelectorID)
			}
			require.Empty(t, s.SpreadBy("ns", web, c.owner).String())
			require.Empty(t, s.spreads, "nothing is kept of a namespace without any")
		})
	}
	s := New()
	s.SetSelector(ReadReplicationController(&v1.ReplicationController{ObjectMeta: named("rc"), Spec: v1.ReplicationControllerSpec{Selector: web}}))
	s.SetSelector(ReadStatefulSet(&appsv1.StatefulSet{ObjectMeta: named("ss"), Spec: appsv1.StatefulSetSpec{Selector: inFront}}))
	require.Equal(t, "app=web,tier=front", s.SpreadBy("ns", web, SelectorID{ReplicationController, "ns", "rc"}).String())
	require.Equal(t, "app=web,tier", s.SpreadBy("ns", web, SelectorID{StatefulSet, "ns", "ss"}).String())
}

func TestOwnersThatSpread(t *testing.T) {
	for _, c := range []struct {
		apiVersion, kind string
		want             SelectorKind
	}{
		{"v1", "ReplicationController", ReplicationController},
		{"apps/v1", "ReplicaSet", ReplicaSet},
		{"apps/v1", "StatefulSet", StatefulSet},
		{"apps/v1", "DaemonSet", 0},
		{"batch/v1", "Job", 0},
		{"v1", "ReplicaSet", 0},
	} {
		want := SelectorID{}
		if c.want != 0 {
			want = SelectorID{c.want, "ns", "o"}
		}
		require.Equal(t, want, ownerOf(ownedBy(c.apiVersion, c.kind, "o")), c.apiVersion+"/"+c.kind)
	}
	require.Zero(t, ownerOf(&v1.Pod{}))
}

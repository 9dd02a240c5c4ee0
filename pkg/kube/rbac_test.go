package kube

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"

	"github.com/sluice-scheduler/sluice/pkg/app/gang"
)

// clusterRules are the rules of all ClusterRoles that Sluice is installed with.
func clusterRules(t *testing.T) (rules []rbacv1.PolicyRule) {
	t.Helper()
	text, err := os.ReadFile("../../deploy/base/rbac.yaml")
	require.NoError(t, err)
	for _, part := range strings.Split(string(text), "\n---\n") {
		var role rbacv1.ClusterRole
		require.NoError(t, yaml.Unmarshal([]byte(part), &role))
		if role.Kind == "ClusterRole" {
			rules = append(rules, role.Rules...)
		}
	}
	return rules
}

func grants(rules []rbacv1.PolicyRule, verb, group, resource string) bool {
	return slices.ContainsFunc(rules, func(r rbacv1.PolicyRule) bool {
		return slices.Contains(r.Verbs, verb) && slices.Contains(r.APIGroups, group) && slices.Contains(r.Resources, resource)
	})
}

// TestSluiceIsGrantedWhatTellsOfGangs: most of these kinds exist in no cluster of the tests, so none of those would miss the right.
func TestSluiceIsGrantedWhatTellsOfGangs(t *testing.T) {
	rules := clusterRules(t)
	for _, k := range gang.Kinds {
		for _, verb := range []string{"list", "watch"} {
			require.True(t, grants(rules, verb, k.Group, k.Resource), "%s %s", verb, kindName(k))
		}
	}
	for _, r := range rules {
		for _, group := range r.APIGroups {
			for _, resource := range r.Resources {
				require.True(t, strings.Contains(resource, "/") || !isCustom(group) || isRead(group, resource), "%s.%s is granted, and nobody reads it", resource, group)
			}
		}
	}
	require.True(t, grants(rules, "get", "", configMaps), "those of Spark drivers")
	require.True(t, grants(rules, "get", "scheduling.k8s.io", podGroups))
	require.True(t, grants(rules, "patch", "scheduling.k8s.io", podGroups+"/status"))
}

// isCustom reports whether the kinds of an API group may not exist, and are read for gangs alone.
func isCustom(group string) bool {
	return slices.ContainsFunc(gang.Kinds, func(k gang.Kind) bool { return k.Group == group && !k.Builtin })
}

func isRead(group, resource string) bool {
	return slices.ContainsFunc(gang.Kinds, func(k gang.Kind) bool { return k.Group == group && k.Resource == resource })
}

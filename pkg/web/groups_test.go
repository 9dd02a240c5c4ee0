package web

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/web/api"
)

func flinkGroup(namespace, name, queue string) api.Group {
	return api.Group{
		Namespace: namespace, ID: "flink/" + name, Standing: "begun", Queue: queue, Roles: []api.GroupRole{},
		Source: &api.GroupSource{Origin: "object", Object: &api.ObjectRef{Kind: "FlinkDeployment", Namespace: namespace, Name: name}},
	}
}

func someGroups(context.Context) (api.Groups, error) {
	twin := api.Group{Namespace: "rt", ID: "podgroup/clicks", Queue: "root.prod", Roles: []api.GroupRole{}}
	renamed := api.Group{
		Namespace: "rt", ID: "podgroup/x", Queue: "root.production", Roles: []api.GroupRole{}, Source: &api.GroupSource{Origin: "pod-group"},
		Overruled: []api.GroupSource{{Origin: "object", Object: &api.ObjectRef{Kind: "FlinkDeployment", Name: "ledger"}}},
	}
	return api.Groups{Leading: true, Groups: []api.Group{
		flinkGroup("lab", "model", "root.lab"), flinkGroup("rt", "clicks", "root.prod.rt"), flinkGroup("rt", "orders", "root.prod.rt"), twin, renamed,
	}}, nil
}

func oneGroup(ctx context.Context, namespace, id string) (api.GroupAnswer, bool, error) {
	all, _ := someGroups(ctx)
	for _, g := range all.Groups {
		if g.Namespace == namespace && g.ID == id {
			return api.GroupAnswer{Leading: true, Group: g}, true, nil
		}
	}
	return api.GroupAnswer{}, false, nil
}

func TestGroupsAreNarrowed(t *testing.T) {
	base := serve(t, Parts{Groups: someGroups, Group: oneGroup}, usualLimits())
	for query, want := range map[string][]string{
		"":                                {"flink/model", "flink/clicks", "flink/orders", "podgroup/clicks", "podgroup/x"},
		"?namespace=lab":                  {"flink/model"},
		"?queue=root.PROD":                {"flink/clicks", "flink/orders", "podgroup/clicks"},
		"?queue=root.prod&namespace=lab":  {},
		"?object=flinkdeployment/orders":  {"flink/orders"},
		"?object=FlinkDeployment/ledger":  {"podgroup/x"},
		"?object=SparkApplication/orders": {},
	} {
		status, got := ask[api.Groups](t, base+"/api/v1/groups"+query)
		require.Equal(t, 200, status)
		require.True(t, got.Leading)
		ids := []string{}
		for _, g := range got.Groups {
			ids = append(ids, g.ID)
		}
		require.Equal(t, want, ids, query)
	}
	_, body := get(t, base+"/api/v1/groups?namespace=none")
	require.Equal(t, "{\n  \"leading\": true,\n  \"groups\": []\n}\n", body, "a list, though empty")
}

func TestAGroupIsFoundByItsIDOrForShort(t *testing.T) {
	base := serve(t, Parts{Groups: someGroups, Group: oneGroup}, usualLimits())
	for path, want := range map[string]string{"rt/flink/orders": "flink/orders", "rt/orders": "flink/orders", "rt/flink%2Forders": "flink/orders", "rt/ledger": "podgroup/x", "rt/x": "podgroup/x"} {
		status, got := ask[api.GroupAnswer](t, base+"/api/v1/groups/"+path)
		require.Equal(t, 200, status, path)
		require.Equal(t, want, got.Group.ID)
		require.True(t, got.Leading)
	}
	for path, want := range map[string]string{
		"rt/clicks":   `several groups of namespace "rt" are called "clicks": flink/clicks, podgroup/clicks; name one of them`,
		"rt/order":    `no group "order" is known in namespace "rt"; did you mean flink/orders? There are: flink/clicks, flink/orders, podgroup/clicks, podgroup/x`,
		"rt/model":    `no group "model" is known in namespace "rt"; there is one in namespace lab`,
		"none/orders": `no group "orders" is known in namespace "none"; there is one in namespace rt`,
		"none/other":  `no group "other" is known in namespace "none", and no other`,
	} {
		status, got := ask[api.Error](t, base+"/api/v1/groups/"+path)
		require.Equal(t, 404, status, path)
		require.Equal(t, want, got.Error)
	}
}

func TestGroupsThatCannotBeToldAreAnError(t *testing.T) {
	broken := errors.New("the loop has ended")
	base := serve(t, Parts{
		Groups: func(context.Context) (api.Groups, error) { return api.Groups{}, broken },
		Group: func(context.Context, string, string) (api.GroupAnswer, bool, error) {
			return api.GroupAnswer{}, false, nil
		},
	}, usualLimits())
	for _, path := range []string{"groups", "groups/a/b"} {
		status, got := ask[api.Error](t, base+"/api/v1/"+path)
		require.Equal(t, 500, status)
		require.Contains(t, got.Error, broken.Error())
	}
}

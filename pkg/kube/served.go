package kube

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/pkg/app/gang"
)

// offer is what the API server offers of one kind.
type offer struct {
	// version is the one to ask for; empty if the kind is not served.
	version string
	// unknown: that could not be found out just now.
	unknown bool
}

// served finds out which of the kinds the API server serves, and in which version: the one that the kind names, or else the one that the server prefers, for
// what is read of objects does not differ between versions. It asks for the list of groups, which costs little, and then for what is in those of interest.
func (c *Client) served(ctx context.Context, kinds []gang.Kind) (map[gang.Kind]offer, error) {
	groups := &metav1.APIGroupList{}
	if err := c.core.RESTClient().Get().MaxRetries(0).AbsPath("/apis").Do(ctx).Into(groups); err != nil {
		return nil, fmt.Errorf("ask for the API groups: %w", err)
	}
	offers, in := map[gang.Kind]offer{}, map[string]offered{}
	for _, k := range kinds {
		offers[k] = c.offerOf(ctx, k, versionsOf(groups, k), in)
	}
	return offers, nil
}

// offerOf looks for a kind in versions of its group. What has been found to be in them is noted in in.
func (c *Client) offerOf(ctx context.Context, k gang.Kind, versions []string, in map[string]offered) offer {
	if k.Builtin {
		return offer{version: k.Version}
	}
	unknown := false
	for _, version := range versions {
		at := k.Group + "/" + version
		if _, asked := in[at]; !asked {
			in[at] = c.resources(ctx, at)
		}
		if slices.Contains(in[at].names, k.Resource) {
			return offer{version: version}
		}
		unknown = unknown || in[at].unknown
	}
	return offer{unknown: unknown}
}

// versionsOf are the versions of a kind's group, the one of the kind first and then the server's in its order.
func versionsOf(groups *metav1.APIGroupList, k gang.Kind) (versions []string) {
	for i := range groups.Groups {
		if g := &groups.Groups[i]; g.Name == k.Group {
			for _, v := range g.Versions {
				versions = append(versions, v.Version)
			}
		}
	}
	slices.SortStableFunc(versions, func(a, b string) int { return rankVersion(a, k) - rankVersion(b, k) })
	return versions
}

func rankVersion(version string, k gang.Kind) int {
	if version == k.Version {
		return 0
	}
	return 1
}

// offered are the resources of one version of a group.
type offered struct {
	names   []string
	unknown bool
}

func (c *Client) resources(ctx context.Context, groupVersion string) (o offered) {
	list := &metav1.APIResourceList{}
	err := c.core.RESTClient().Get().MaxRetries(0).AbsPath("/apis", groupVersion).Do(ctx).Into(list)
	if err != nil {
		return offered{unknown: !apierrors.IsNotFound(err)}
	}
	for i := range list.APIResources {
		o.names = append(o.names, list.APIResources[i].Name)
	}
	return o
}

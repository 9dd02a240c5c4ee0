package flink

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/sluice-scheduler/sluice/kubemark/flink/crds"
	"github.com/sluice-scheduler/sluice/pkg/manifest"
)

var (
	crdResource       = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	deployResource    = schema.GroupVersionResource{Group: "flink.apache.org", Version: "v1beta1", Resource: "flinkdeployments"}
	sessionResource   = schema.GroupVersionResource{Group: "flink.apache.org", Version: "v1beta1", Resource: "flinksessionjobs"}
	blueGreenResource = schema.GroupVersionResource{Group: "flink.apache.org", Version: "v1beta1", Resource: "flinkbluegreendeployments"}
)

// Install creates the CustomResourceDefinitions that are absent and waits until the API server serves them. Present
// ones, such as the Flink operator's own, are left as they are. Run calls it; call it yourself to apply manifests first.
func (s *Simulator) Install(ctx context.Context) error {
	definitions, err := definitions()
	if err != nil {
		return err
	}
	for _, crd := range definitions {
		_, err := s.dynamic.Resource(crdResource).Create(ctx, crd, metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("install %s: %w", crd.GetName(), err)
		}
	}
	for _, crd := range definitions {
		if err := s.served(ctx, crd.GetName()); err != nil {
			return err
		}
	}
	return s.discovered(ctx, len(definitions))
}

// discovered waits until the API server also tells clients of the kinds, which comes a moment after it serves them.
func (s *Simulator) discovered(ctx context.Context, kinds int) error {
	err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, 30*time.Second, true, func(context.Context) (bool, error) {
		list, err := s.kube.Discovery().ServerResourcesForGroupVersion(deployResource.GroupVersion().String())
		if err != nil {
			return false, nil
		}
		found := 0
		for _, r := range list.APIResources {
			if !strings.Contains(r.Name, "/") { // a subresource
				found++
			}
		}
		return found >= kinds, nil
	})
	if err != nil {
		return fmt.Errorf("wait until the API server tells of %s: %w", deployResource.GroupVersion(), err)
	}
	return nil
}

func definitions() ([]*unstructured.Unstructured, error) {
	files, err := fs.Glob(crds.Files, "*.yaml")
	if err != nil {
		return nil, err
	}
	var out []*unstructured.Unstructured
	for _, file := range files {
		data, err := crds.Files.ReadFile(file)
		if err != nil {
			return nil, err
		}
		all, err := manifest.Read(file, data)
		if err != nil {
			return nil, err
		}
		for _, o := range all {
			out = append(out, o.Unstructured)
		}
	}
	return out, nil
}

// served waits for the condition Established.
func (s *Simulator) served(ctx context.Context, name string) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, 30*time.Second, true, func(ctx context.Context) (bool, error) {
		crd, err := s.dynamic.Resource(crdResource).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			last = err
			return false, nil
		}
		conditions, _, _ := unstructured.NestedSlice(crd.Object, "status", "conditions")
		for _, c := range conditions {
			if m, ok := c.(map[string]any); ok && m["type"] == "Established" && m["status"] == "True" {
				return true, nil
			}
		}
		return false, nil
	})
	if err != nil {
		return fmt.Errorf("wait until %s is served: %w", name, errors.Join(err, last))
	}
	return nil
}

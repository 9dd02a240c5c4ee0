package flink

import (
	"context"
	"errors"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"

	"github.com/sluice-scheduler/sluice/pkg/app/flink/spec"
	"github.com/sluice-scheduler/sluice/pkg/manifest"
)

// fieldManager owns the fields that Apply sets.
const fieldManager = "sluice-apply"

// ApplyFiles reads manifest files and applies all their objects, as kubectl apply --server-side does. Everything is
// read and checked before anything is sent, so a fault in the last file leaves the cluster as it was.
func ApplyFiles(ctx context.Context, config *rest.Config, files ...string) ([]manifest.Object, error) {
	var (
		all    []manifest.Object
		faults []error
	)
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		objects, err := manifest.Read(file, data)
		faults = append(faults, err)
		all = append(all, objects...)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return all, Apply(ctx, config, all)
}

// Apply sends objects to the API server, in order, each as a server-side apply. Objects without a namespace go to
// "default". Every FlinkDeployment and FlinkSessionJob is checked first; faults name file and line.
func Apply(ctx context.Context, config *rest.Config, objects []manifest.Object) error {
	if err := Check(objects); err != nil {
		return err
	}
	config = rest.CopyConfig(config)
	config.ContentConfig = rest.ContentConfig{}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	found, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(found))
	for _, o := range objects {
		if err := applyOne(ctx, client, mapper, o); err != nil {
			return err
		}
	}
	return nil
}

// Check finds faults in Flink objects without a cluster.
func Check(objects []manifest.Object) error {
	var faults []error
	for _, o := range objects {
		if o.GroupVersionKind().Group != deployResource.Group {
			continue
		}
		var err error
		switch kind(o.GetKind()) {
		case kindDeployment:
			_, err = spec.ResolveObject(o.Unstructured)
		case kindSessionJob:
			_, err = spec.DecodeSessionJob(o.Unstructured)
		case kindBlueGreen:
			if child, e := side(o.Unstructured, blue); e != nil {
				err = e
			} else {
				_, err = spec.ResolveObject(child)
			}
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %s %s: %w", o.Where(), o.GetKind(), o.GetName(), err))
		}
	}
	return errors.Join(faults...)
}

func applyOne(ctx context.Context, client dynamic.Interface, mapper meta.RESTMapper, o manifest.Object) error {
	gvk := o.GroupVersionKind()
	mapping, err := mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if meta.IsNoMatchError(err) {
		return fmt.Errorf("%s: the cluster knows no kind %s in %s; install its CustomResourceDefinition first (a running Flink simulator does this for Flink)", o.Where(), gvk.Kind, gvk.GroupVersion())
	}
	if err != nil {
		return fmt.Errorf("%s: %w", o.Where(), err)
	}
	var target dynamic.ResourceInterface = client.Resource(mapping.Resource)
	u := o.DeepCopy()
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		if u.GetNamespace() == "" {
			u.SetNamespace("default")
		}
		target = client.Resource(mapping.Resource).Namespace(u.GetNamespace())
	}
	if _, err := target.Apply(ctx, u.GetName(), u, metav1.ApplyOptions{FieldManager: fieldManager, Force: true}); err != nil {
		return fmt.Errorf("%s: apply %s %s: %w", o.Where(), gvk.Kind, u.GetName(), err)
	}
	return nil
}

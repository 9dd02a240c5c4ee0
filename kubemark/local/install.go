package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// The service account that deploy/base/rbac.yaml gives Sluice.
const (
	sluiceNamespace = "sluice-system"
	sluiceAccount   = "sluice"
	tokenLifetime   = 24 * time.Hour
)

// fieldManager is who owns the fields that Apply sets.
const fieldManager = "sluice-cluster"

// InstallSluice applies deploy/base/rbac.yaml and returns a kubeconfig whose user is
// Sluice's service account, with a token of the TokenRequest API: whatever runs with it has
// the shipped rights and no more. The token is good for a day.
func (c *Cluster) InstallSluice(ctx context.Context) (kubeconfig string, err error) {
	source, err := c.Source()
	if err != nil {
		return "", fmt.Errorf("find deploy/base/rbac.yaml: %w", err)
	}
	file := filepath.Join(filepath.Dir(source), "deploy", "base", "rbac.yaml")
	manifest, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read Sluice's rights: %w", err)
	}
	if err := c.Apply(ctx, manifest); err != nil {
		return "", fmt.Errorf("apply %s: %w", file, err)
	}
	return c.ServiceAccountKubeconfig(ctx, sluiceNamespace, sluiceAccount)
}

// ServiceAccountKubeconfig writes a kubeconfig for a service account that exists.
func (c *Cluster) ServiceAccountKubeconfig(ctx context.Context, namespace, name string) (string, error) {
	seconds := int64(tokenLifetime / time.Second)
	req := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}}
	token, err := c.client.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, name, req, metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("request a token for service account %s/%s: %w", namespace, name, err)
	}
	return c.writeKubeconfig(namespace+"-"+name, &clientcmdapi.AuthInfo{Token: token.Status.Token})
}

// Apply applies every object of a YAML manifest, server side, as administrator; what the
// manifest says wins over what others set.
func (c *Cluster) Apply(ctx context.Context, manifest []byte) error {
	cfg := rest.CopyConfig(c.admin)
	cfg.ContentConfig = rest.ContentConfig{}
	client, err := dynamic.NewForConfig(cfg)
	if err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(c.client.Discovery()))
	docs := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifest), 4096)
	for i := 1; ; i++ {
		var u unstructured.Unstructured
		if err := docs.Decode(&u.Object); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("document %d is not YAML: %w", i, err)
		}
		if len(u.Object) == 0 {
			continue
		}
		if err := apply(ctx, client, mapper, &u); err != nil {
			return fmt.Errorf("document %d, %s %s: %w", i, u.GetKind(), u.GetName(), err)
		}
	}
}

// apply applies one object.
func apply(ctx context.Context, client dynamic.Interface, mapper *restmapper.DeferredDiscoveryRESTMapper, u *unstructured.Unstructured) error {
	gvk := u.GroupVersionKind()
	mapping, err := mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		return fmt.Errorf("the API server does not serve it: %w", err)
	}
	resource := client.Resource(mapping.Resource)
	var target dynamic.ResourceInterface = resource
	if mapping.Scope.Name() == "namespace" {
		target = resource.Namespace(orDefault(u.GetNamespace(), metav1.NamespaceDefault))
	}
	_, err = target.Apply(ctx, u.GetName(), u, metav1.ApplyOptions{FieldManager: fieldManager, Force: true})
	return err
}

// CreateNamespace makes a namespace in which pods can be created: it waits for the
// default service account, without which the API server refuses them. A namespace that
// exists already is fine.
func (c *Cluster) CreateNamespace(ctx context.Context, name string) error {
	ctx, cancel := c.startContext(ctx)
	defer cancel()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	_, err := c.client.CoreV1().Namespaces().Create(ctx, ns, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create namespace %s: %w", name, err)
	}
	for {
		_, err := c.client.CoreV1().ServiceAccounts(name).Get(ctx, "default", metav1.GetOptions{})
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the default service account of namespace %s: %w", name, context.Cause(ctx))
		case <-time.After(pollInterval):
		}
	}
}

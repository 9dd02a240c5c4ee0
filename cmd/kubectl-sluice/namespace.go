package main

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
)

// currentNamespace is the one that kubectl takes when none is given: that of the kubeconfig's current context ($KUBECONFIG or ~/.kube/config), or default.
func currentNamespace() (string, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	namespace, _, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{}).Namespace()
	if clientcmd.IsEmptyConfig(err) {
		return metav1.NamespaceDefault, nil
	}
	if err != nil {
		return "", failure{fmt.Errorf("no namespace is given, and the kubeconfig's cannot be read: %w", err)}
	}
	return namespace, nil
}

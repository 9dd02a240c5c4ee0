//go:build hollow

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	cri "k8s.io/cri-client/pkg"
	fakecri "k8s.io/cri-client/pkg/fake"
	cadvisor "k8s.io/kubernetes/pkg/kubelet/cadvisor/testing"
	"k8s.io/kubernetes/pkg/kubelet/cm"
	"k8s.io/kubernetes/pkg/kubemark"
	utilflag "k8s.io/kubernetes/pkg/util/flag"
)

// options are the node's properties.
type options struct {
	name, kubeconfig, dir string
	pods                  int
	resources, labels     map[string]string
	taints                []corev1.Taint
}

func main() {
	var o options
	cmd := &cobra.Command{
		Use: "sluice-hollow", Short: "A node of real kubelet code over a fake container runtime",
		Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	f := cmd.Flags()
	f.StringVar(&o.name, "name", "", "name of the node")
	f.StringVar(&o.kubeconfig, "kubeconfig", "", "kubeconfig with the node's identity")
	f.StringVar(&o.dir, "dir", "", "folder for the kubelet's files and sockets")
	f.IntVar(&o.pods, "max-pods", 110, "pods that the node takes")
	f.StringToStringVar(&o.resources, "resources", nil, "what the node offers, as name=quantity; cpu and memory too")
	f.StringToStringVar(&o.labels, "node-labels", nil, "labels of the node")
	f.Var(utilflag.RegisterWithTaintsVar{Value: &o.taints}, "register-with-taints", "taints of the node, as key=value:effect")
	if err := cmd.ExecuteContext(context.Background()); err != nil {
		os.Exit(1)
	}
}

// run starts the fake runtime and the kubelet, and does not return unless that fails.
func (o options) run(ctx context.Context) error {
	client, heartbeat, err := o.clients()
	if err != nil {
		return err
	}
	offers := corev1.ResourceList{}
	for name, text := range o.resources {
		if offers[corev1.ResourceName(name)], err = resource.ParseQuantity(text); err != nil {
			return fmt.Errorf("--resources: %s=%s: %w", name, text, err)
		}
	}
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return fmt.Errorf("make the node's folder: %w", err)
	}
	endpoint := "unix://" + filepath.Join(o.dir, "cri.sock")
	runtime := fakecri.NewFakeRemoteRuntime()
	if err := runtime.Start(endpoint); err != nil {
		return fmt.Errorf("start the fake container runtime: %w", err)
	}
	defer runtime.Stop()
	service, err := cri.NewRemoteRuntimeServiceBuilder().WithEndpoint(endpoint).WithConnectionTimeout(15 * time.Second).Build(ctx)
	if err != nil {
		return fmt.Errorf("connect to the fake container runtime: %w", err)
	}
	flags, config := kubemark.GetHollowKubeletConfig(&kubemark.HollowKubeletOptions{
		NodeName: o.name, MaxPods: o.pods, NodeLabels: o.labels, RegisterWithTaints: o.taints,
	})
	config.Address = "127.0.0.1"
	if err := moveRoot(flags.RootDirectory, o.dir, func(root, manifests, logs string) {
		flags.RootDirectory, config.StaticPodPath, config.PodLogsDir = root, manifests, logs
	}); err != nil {
		return err
	}
	kubemark.NewHollowKubelet(flags, config, client, heartbeat, &cadvisor.Fake{NodeName: o.name},
		runtime.ImageService, service, cm.NewStubContainerManagerWithDevicePluginResource(offers)).Run(ctx)
	return nil
}

// clients makes the kubelet's client and the one for its heartbeats.
func (o options) clients() (client, heartbeat *kubernetes.Clientset, err error) {
	config, err := clientcmd.BuildConfigFromFlags("", o.kubeconfig)
	if err != nil {
		return nil, nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	config.ContentType, config.UserAgent = "application/vnd.kubernetes.protobuf", "hollow-kubelet"
	config.QPS, config.Burst = 100, 200
	if client, err = kubernetes.NewForConfig(config); err != nil {
		return nil, nil, fmt.Errorf("make a client: %w", err)
	}
	beat := rest.CopyConfig(config)
	beat.QPS, beat.Timeout = -1, 10*time.Second
	if heartbeat, err = kubernetes.NewForConfig(beat); err != nil {
		return nil, nil, fmt.Errorf("make a client: %w", err)
	}
	return client, heartbeat, nil
}

// moveRoot removes the folder that upstream's code has made in /tmp and makes one in dir.
func moveRoot(made, dir string, set func(root, manifests, logs string)) error {
	if err := os.RemoveAll(made); err != nil {
		return fmt.Errorf("remove the unused root folder: %w", err)
	}
	folders := []string{dir, filepath.Join(dir, "manifests"), filepath.Join(dir, "logs")}
	for _, f := range folders {
		if err := os.MkdirAll(f, 0o755); err != nil {
			return fmt.Errorf("make the kubelet's folder: %w", err)
		}
	}
	set(folders[0], folders[1], folders[2])
	return nil
}

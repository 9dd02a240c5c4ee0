package kube

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"k8s.io/client-go/dynamic"
	appsv1 "k8s.io/client-go/kubernetes/typed/apps/v1"
	coordinationv1 "k8s.io/client-go/kubernetes/typed/coordination/v1"
	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	eventsv1 "k8s.io/client-go/kubernetes/typed/events/v1"
	resourcev1 "k8s.io/client-go/kubernetes/typed/resource/v1"
	storagev1 "k8s.io/client-go/kubernetes/typed/storage/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

// protobuf is the encoding for all that the API server can speak it for; it costs both sides a fraction of JSON.
const protobuf = "application/vnd.kubernetes.protobuf"

// Access says how to reach the API server.
type Access struct {
	// Kubeconfig is the path of a kubeconfig file. Empty means the service account of the pod that Sluice runs in or, outside a
	// cluster, what kubectl would use: $KUBECONFIG, then ~/.kube/config.
	Kubeconfig string
	// Agent names the program to the API server, with its version.
	Agent string
	// QPS and Burst limit the requests as config.Client says; a QPS of -1 sets no limit.
	QPS   float64
	Burst int
}

// Client is a connection to one API server. It is safe for concurrent use.
type Client struct {
	core    corev1.CoreV1Interface
	apps    appsv1.AppsV1Interface
	events  eventsv1.EventsV1Interface
	leases  coordinationv1.CoordinationV1Interface
	devices resourcev1.ResourceV1Interface
	storage storagev1.StorageV1Interface
	custom  rest.Interface // for objects that have no Go type here
	host    string

	binder, teller *poster // of bindings and of events
	rights         rights  // to prepare volumes
	groupRights    rights  // to write the status of PodGroups
}

// Connect prepares a connection. It sends nothing yet, so an API server that is down is no error here, but a kubeconfig that cannot be
// read is.
func Connect(a Access) (*Client, error) {
	cfg, err := restConfig(a.Kubeconfig)
	if err != nil {
		return nil, err
	}
	return connect(cfg, a)
}

func connect(cfg *rest.Config, a Access) (*Client, error) {
	cfg.UserAgent = a.Agent
	cfg.QPS, cfg.Burst = float32(a.QPS), a.Burst
	cfg.ContentType = protobuf
	cfg.AcceptContentTypes = protobuf + ",application/json"
	cfg.WarningHandler = rest.NoWarnings{}
	cfg.DisableCompression = true // as kube-scheduler does: to pack and unpack long lists costs both sides more than it saves between neighbours
	http, err := rest.HTTPClientFor(cfg)
	if err != nil {
		return nil, fmt.Errorf("prepare the connection to %s: %w", cfg.Host, err)
	}
	c := &Client{host: cfg.Host}
	if c.core, err = corev1.NewForConfigAndClient(cfg, http); err != nil {
		return nil, fmt.Errorf("prepare the connection to %s: %w", cfg.Host, err)
	}
	if c.apps, err = appsv1.NewForConfigAndClient(cfg, http); err != nil {
		return nil, fmt.Errorf("prepare the connection to %s: %w", cfg.Host, err)
	}
	if c.events, err = eventsv1.NewForConfigAndClient(cfg, http); err != nil {
		return nil, fmt.Errorf("prepare the connection to %s: %w", cfg.Host, err)
	}
	if c.leases, err = coordinationv1.NewForConfigAndClient(cfg, http); err != nil {
		return nil, fmt.Errorf("prepare the connection to %s: %w", cfg.Host, err)
	}
	if c.storage, err = storagev1.NewForConfigAndClient(cfg, http); err != nil {
		return nil, fmt.Errorf("prepare the connection to %s: %w", cfg.Host, err)
	}
	if c.devices, err = resourcev1.NewForConfigAndClient(cfg, http); err != nil {
		return nil, fmt.Errorf("prepare the connection to %s: %w", cfg.Host, err)
	}
	if c.custom, err = customClient(cfg, http); err != nil {
		return nil, fmt.Errorf("prepare the connection to %s: %w", cfg.Host, err)
	}
	return c, c.makePosters(cfg, http)
}

// customClient reads objects of whatever kind without their types, as JSON.
func customClient(cfg *rest.Config, http *http.Client) (rest.Interface, error) {
	cfg = dynamic.ConfigFor(cfg)
	cfg.GroupVersion, cfg.APIPath = nil, "/apis"
	return rest.UnversionedRESTClientForConfigAndClient(cfg, http)
}

// makePosters prepares what is written most.
func (c *Client) makePosters(cfg *rest.Config, http *http.Client) error {
	cfg = rest.CopyConfig(cfg)
	cfg.QPS = -1 // what is judged has been let through already
	core, err := corev1.NewForConfigAndClient(cfg, replayClient())
	if err != nil {
		return fmt.Errorf("prepare to judge answers: %w", err)
	}
	events, err := eventsv1.NewForConfigAndClient(cfg, replayClient())
	if err != nil {
		return fmt.Errorf("prepare to judge answers: %w", err)
	}
	if c.binder, err = newPoster(c.core.RESTClient(), core.RESTClient(), http, cfg.UserAgent); err != nil {
		return err
	}
	c.teller, err = newPoster(c.events.RESTClient(), events.RESTClient(), http, cfg.UserAgent)
	return err
}

// Host is the address of the API server, for log lines.
func (c *Client) Host() string { return c.host }

func restConfig(path string) (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = path
	if path == "" {
		cfg, err := rest.InClusterConfig()
		if err == nil {
			return cfg, nil
		}
		if !errors.Is(err, rest.ErrNotInCluster) {
			return nil, fmt.Errorf("read the service account of this pod: %w", err)
		}
	}
	cfg, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{}).ClientConfig()
	switch {
	case clientcmd.IsEmptyConfig(err) && path == "":
		return nil, errors.New("no API server to talk to: this is not a pod with a service account, and there is no kubeconfig; " +
			"give one with --kubeconfig FILE or $KUBECONFIG")
	case err != nil:
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	return cfg, nil
}

// RouteLog sends what client-go logs to log, as debug lines: what matters of it is said by this package in its own words. It
// concerns the whole process and is called once, at its start.
func RouteLog(log *slog.Logger) { klog.SetSlogLogger(slog.New(quiet{log.Handler()})) }

package local

import (
	"fmt"

	"github.com/sluice-scheduler/sluice/kubemark/pki"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// contextName is the one context of every kubeconfig written here.
const contextName = "sluice-local"

// writeKubeconfig writes a kubeconfig for a user of this cluster and returns its path.
func (c *Cluster) writeKubeconfig(name string, user *clientcmdapi.AuthInfo) (string, error) {
	cfg := clientcmdapi.NewConfig()
	cfg.Clusters[contextName] = &clientcmdapi.Cluster{Server: c.URL(), CertificateAuthorityData: c.ca.PEM()}
	cfg.AuthInfos[name] = user
	cfg.Contexts[contextName] = &clientcmdapi.Context{Cluster: contextName, AuthInfo: name}
	cfg.CurrentContext = contextName
	data, err := clientcmd.Write(*cfg)
	if err != nil {
		return "", fmt.Errorf("encode the kubeconfig of %s: %w", name, err)
	}
	file := name + ".kubeconfig"
	return c.dir.join(file), c.dir.write(file, data)
}

// certKubeconfig writes a kubeconfig with a new client certificate.
func (c *Cluster) certKubeconfig(file, user string, groups ...string) (string, pki.Pair, error) {
	pair, err := c.ca.Client(user, groups...)
	if err != nil {
		return "", pki.Pair{}, err
	}
	path, err := c.writeKubeconfig(file, &clientcmdapi.AuthInfo{
		ClientCertificateData: pair.Cert, ClientKeyData: pair.Key,
	})
	return path, pair, err
}

// adminConfig is what [Cluster.RESTConfig] returns: protobuf, and no limit on the
// client's side, so that only the API server's own limits are met.
func (c *Cluster) adminConfig(admin pki.Pair) *rest.Config {
	return &rest.Config{
		Host: c.URL(),
		TLSClientConfig: rest.TLSClientConfig{
			CAData: c.ca.PEM(), CertData: admin.Cert, KeyData: admin.Key,
		},
		ContentConfig: rest.ContentConfig{
			ContentType:        "application/vnd.kubernetes.protobuf",
			AcceptContentTypes: "application/vnd.kubernetes.protobuf,application/json",
		},
		QPS:       -1,
		UserAgent: "sluice-cluster",
	}
}

package config

import (
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/sluice-scheduler/sluice/pkg/config/strict"
)

// Queues says where the queues are configured: in a file, in a ConfigMap, or nowhere, which leaves the queue `root.default` alone, without any limit. A
// change of the file or the ConfigMap takes effect while Sluice runs; a change of this section needs a restart.
type Queues struct {
	// File is the path of a queues file: absolute, or relative to the folder of this file. It is looked at every two seconds, and a change
	// is taken when two looks find the same. A broken file keeps Sluice from starting; while it runs, the queues in force stay.
	File string `yaml:"file"`
	// Object is the ConfigMap that holds the queues file. Set it or File, not both.
	Object ConfigMapKey `yaml:"configMap"`
	// TrustUserAnnotation says that users and groups in annotations of pods are believed: for submit ACLs, for placement rules and for limits of users
	// and groups. Whoever may create pods may write annotations, and so take another's name, or a fresh one for each pod to
	// escape his limits. Turn it on only where something refuses pods with a false name, such as an admission webhook or policy.
	// Off, no pod has a user: queues admit whoever they admit by `*`, and a limit for the users `*` holds for all pods together.
	TrustUserAnnotation bool `yaml:"trustUserAnnotation"`
}

// ConfigMapKey names a text in a ConfigMap. The ConfigMap is watched. While it has not been read, is missing or broken since the start, Sluice follows the cluster, decides
// nothing and is not ready, since it does not know whose limits hold; later the queues in force stay.
type ConfigMapKey struct {
	// Namespace of the ConfigMap. The right to read it must be given there; see deploy/base/rbac.yaml.
	Namespace string `yaml:"namespace"`
	// Name of the ConfigMap; empty means that there is none.
	Name string `yaml:"name"`
	// Key in the ConfigMap under which the queues file stands.
	Key string `yaml:"key"`
}

// Check holds the rules of where the queues are.
func (q *Queues) Check(at *strict.Place) {
	if q.File != "" && q.Object.Name != "" {
		at.Faultf("configMap", "must not be set beside queues.file; keep one of them")
	}
	if strings.ContainsRune(q.File, 0) {
		at.Faultf("file", "must not hold a NUL character")
	}
}

// Check holds the rules of a text in a ConfigMap.
func (k *ConfigMapKey) Check(at *strict.Place) {
	if len(validation.IsDNS1123Label(k.Namespace)) > 0 {
		at.Faultf("namespace", "must be the name of a namespace: 1 to 63 lower-case letters, digits or '-', but is %q", k.Namespace)
	}
	if len(validation.IsConfigMapKey(k.Key)) > 0 {
		at.Faultf("key", "must be a key of a ConfigMap: 1 to 253 letters, digits, '-', '_' or '.', but is %q", k.Key)
	}
	switch none := Default().Queues.Object; {
	case k.Name == "" && *k != none:
		at.Faultf("name", "is missing; name the ConfigMap, or remove queues.configMap")
	case k.Name != "" && len(validation.IsDNS1123Subdomain(k.Name)) > 0:
		at.Faultf("name", "must be the name of an object: 1 to 253 lower-case letters, digits, '-' or '.', but is %q", k.Name)
	}
}

// QueuesPath returns the path of the queues file as seen from where the process is; file is the path of this configuration. It is empty if there is no queues
// file.
func (c *Configuration) QueuesPath(file string) string {
	if c.Queues.File == "" || filepath.IsAbs(c.Queues.File) {
		return c.Queues.File
	}
	return filepath.Join(filepath.Dir(file), c.Queues.File)
}

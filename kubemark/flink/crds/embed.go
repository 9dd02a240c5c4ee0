// Package crds holds the CustomResourceDefinitions that the Flink simulator installs where a cluster has none.
package crds

import "embed"

// Files are the definitions of FlinkDeployment, FlinkSessionJob and FlinkBlueGreenDeployment.
//
//go:embed *.yaml
var Files embed.FS

// Package examples holds Flink manifests of our own, for the demo, for tests, and for trying the simulator by hand
// with kubectl apply.
package examples

import "embed"

// Files are the manifests: orders.yaml (the demo's job), session.yaml (a session cluster with a job) and vision.yaml
// (TaskManagers with devices).
//
//go:embed *.yaml
var Files embed.FS

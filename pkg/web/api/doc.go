// Package api holds what the REST API of a Sluice answers with, as Go types that encode to its JSON: version v1, below /api/v1.
//
// Its promise: a field, once there, keeps its name, its type and its meaning for as long as the version does; fields may be added. It
// imports nothing of ours, so that clients may import it.
//
// Amounts are quantities as Kubernetes writes them: cpu in cores ("4", "1500m"), memory and ephemeral-storage in bytes ("512Mi", "3Gi"),
// every other resource in pieces ("8"). They are exact. What is not set is left out: no guarantee, no max, no bound.
package api

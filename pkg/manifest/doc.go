// Package manifest reads Kubernetes manifests, as files hold them: several YAML documents separated by "---", each
// with comments, lists of objects included. It is pure, keeps the line at which each object starts, and every error
// names file and line, so that a user finds the fault at once.
package manifest

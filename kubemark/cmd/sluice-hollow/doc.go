//go:build hollow

// Command sluice-hollow is a node that runs real kubelet code over a fake container
// runtime: upstream's hollow kubelet (k8s.io/kubernetes/pkg/kubemark), as the program
// kubemark runs it, with three differences that kubemark's flags do not allow: its server
// listens on loopback only, all its files and sockets are in a folder that is given, and
// the size of its machine can be set.
//
// It is compiled from main.go only with the build tag "hollow", so that ordinary builds and
// tests of this module do not compile the kubelet; package components builds it.
package main

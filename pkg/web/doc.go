// Package web serves what probes, metrics collectors and people ask a Sluice process over HTTP.
//
//	/livez       is the process of use, or should it be restarted?
//	/readyz      does it do its work: has it seen the cluster, is its loop turning?
//	/healthz     the same as /livez, under its older name
//	/metrics     Prometheus
//	/debug/dump  the state of the core as text
//	/debug/pprof profiles of the process
//	/api/v1      queues, groups and pods as JSON; its types are in package api
//
// Its promise: nothing a caller sends changes the scheduler or holds it up. Only GET and HEAD are answered, every answer has a time
// limit, one dump and few questions are under way at a time, and what lies under /debug and /api is for callers on the same machine. What is
// behind the pages is handed in as functions, so this package knows neither the core nor Kubernetes.
package web

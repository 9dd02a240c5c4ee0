// Package stand is what the benchmarks on a real control plane have in common: a control plane of its own for each measurement, the contenders as processes of their
// own with equal rights (Sluice, kube-scheduler, and the ceiling, a binder that decides nothing), and what they and the machine use.
package stand

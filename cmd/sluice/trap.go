//go:build !faultinjection

package main

import "github.com/sluice-scheduler/sluice/pkg/core"

// trap is what injects faults into the core: nothing. See trap_faults.go.
func trap() func(core.Subject) { return nil }

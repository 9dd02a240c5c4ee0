//go:build faultinjection

package main

import (
	"strings"

	"github.com/sluice-scheduler/sluice/pkg/core"
)

// trap makes the core panic when it turns to a pod or node whose name begins with panic-me. It is only in binaries built for tests, with
// -tags faultinjection.
func trap() func(core.Subject) {
	return func(s core.Subject) {
		if strings.HasPrefix(s.Name, "panic-me") {
			panic("injected fault: asked to panic over " + s.Kind + " " + s.Name)
		}
	}
}

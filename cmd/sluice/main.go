// Command sluice is the scheduler: it watches a Kubernetes cluster and places the pods whose spec.schedulerName is its own.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// version is set by the linker.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	err := command(version).ExecuteContext(ctx)
	if err == nil {
		return
	}
	if !errors.As(err, new(logged)) {
		fmt.Fprintln(os.Stderr, "sluice:", err)
	}
	os.Exit(1)
}

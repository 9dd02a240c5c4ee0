// Command bench-e2e compares Sluice end to end with kube-scheduler and with what the API server can take at most. See docs/benchmarks.md.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench-e2e:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop has been called
	}
}

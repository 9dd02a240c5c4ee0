// Command bench-flink measures how Sluice and kube-scheduler treat pods that must start together, Flink's first. See docs/benchmarks-flink.md.
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
		fmt.Fprintln(os.Stderr, "bench-flink:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop has been called
	}
}

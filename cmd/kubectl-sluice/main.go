// Command kubectl-sluice is the client of Sluice. With it in the path, `kubectl sluice` runs it.
package main

import (
	"context"
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
	code, untold := exitCode(err)
	if untold {
		fmt.Fprintln(os.Stderr, "kubectl-sluice:", err)
	}
	os.Exit(code)
}

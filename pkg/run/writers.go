package run

import (
	"context"
	"sync"
)

// writers carry out requests on goroutines that are kept for the next ones. A request goes deep, and a new goroutine would have to grow its stack again
// each time; there come to be as many as were ever busy at the same time.
type writers struct {
	jobs chan func()
	busy sync.WaitGroup // until the context has ended: all of them
}

func newWriters() *writers { return &writers{jobs: make(chan func())} }

// do has the job done by a writer that has nothing to do, or else by a new one. It does not wait. Of one context all writers end with it.
func (w *writers) do(ctx context.Context, job func()) {
	select {
	case w.jobs <- job:
	default:
		w.busy.Go(func() { w.work(ctx, job) })
	}
}

// work does the job and those that follow.
func (w *writers) work(ctx context.Context, job func()) {
	for {
		job()
		select {
		case job = <-w.jobs:
		case <-ctx.Done():
			return
		}
	}
}

// wait returns when all have ended, after their context.
func (w *writers) wait() { w.busy.Wait() }

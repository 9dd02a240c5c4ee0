package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

// dump answers with the state of the core. One dump is taken at a time, since each holds up the loop for as long as it takes; who
// asks meanwhile is told to come again.
func dump(parts Parts, limit time.Duration) http.HandlerFunc {
	turn := make(chan struct{}, 1)
	return func(w http.ResponseWriter, r *http.Request) {
		select {
		case turn <- struct{}{}:
		default:
			w.Header().Set("Retry-After", "1")
			text(w, http.StatusServiceUnavailable, "A dump is being taken for somebody else; try again in a moment.\n")
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), limit)
		defer cancel()
		state, err := take(ctx, parts.Dump, func() { <-turn })
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			parts.Log.Warn("no dump in time", "limit", limit)
			text(w, http.StatusGatewayTimeout, fmt.Sprintf("There was no dump within %s: the loop is busy or stuck (see /livez?verbose).\n", limit))
		case err != nil:
			parts.Log.Warn("no dump", "error", err)
			text(w, http.StatusInternalServerError, fmt.Sprintf("There is no dump: %s.\n", oneLine(err.Error())))
		default:
			text(w, http.StatusOK, state)
		}
	}
}

// take asks a question and waits for the answer no longer than the context allows. It calls done when the question has really ended.
func take[T any](ctx context.Context, ask func(context.Context) (T, error), done func()) (T, error) {
	ready := make(chan struct{})
	var answer T
	var failure error
	go func() {
		defer close(ready)
		defer done() // before anybody hears of it, so that who has this answer can ask again
		failure = guard(func() (err error) {
			answer, err = ask(ctx)
			return err
		})
	}()
	select {
	case <-ready:
		return answer, failure
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// promLog lets the metrics page write to our log.
type promLog struct{ log *slog.Logger }

// Println is what promhttp calls with what went wrong.
func (p promLog) Println(v ...any) {
	p.log.Warn("metrics incomplete", "error", oneLine(fmt.Sprintln(v...)))
}

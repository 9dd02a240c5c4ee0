package kube

import (
	"context"
	"log/slog"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
)

// quiet hands log records on as debug ones.
type quiet struct{ next slog.Handler }

// Enabled reports whether debug lines are wanted. Lines more detailed than client-go's plain ones are not.
func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo && q.next.Enabled(ctx, slog.LevelDebug)
}

// Handle writes the record with debug level. Errors come here without having asked whether they are wanted.
func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	if !q.Enabled(ctx, slog.LevelInfo) {
		return nil
	}
	r.Level = slog.LevelDebug
	return q.next.Handle(ctx, r)
}

// WithAttrs returns a handler that adds the attributes.
func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler { return quiet{q.next.WithAttrs(attrs)} }

// WithGroup returns a handler that opens the group.
func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.next.WithGroup(name)} }

// quietly gives client-go a context whose logger is the quiet form of log.
func quietly(ctx context.Context, log *slog.Logger) context.Context {
	return klog.NewContext(ctx, logr.FromSlogHandler(quiet{log.Handler()}))
}

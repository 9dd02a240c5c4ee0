package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Check is one named thing to be well.
type Check struct {
	// Name is shown in the verbose answer and given to ?exclude=; short, lower case, and unique in its list.
	Name string
	// Run returns nil if all is well, and otherwise what is wrong in words for an operator. It must return soon after the context
	// ends: an answer that takes longer than two seconds counts as a failure.
	Run func(context.Context) error
	// Note, if set, says what an operator should know although all is well; empty says nothing. It is shown in the verbose answer.
	Note func() string
}

// checks answers a health page the way Kubernetes' own components do: "ok" with status 200 or, with status 500 or if asked by
// ?verbose, one line per check.
func checks(page string, list []Check, limit time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		ctx, cancel := context.WithTimeout(r.Context(), limit)
		defer cancel()
		report, well := run(ctx, list, query["exclude"])
		switch {
		case !well:
			text(w, http.StatusInternalServerError, report+page+" check failed\n")
		case query.Has("verbose"):
			text(w, http.StatusOK, report+page+" check passed\n")
		default:
			text(w, http.StatusOK, "ok")
		}
	}
}

// run makes all checks at once and reports them in their order.
func run(ctx context.Context, list []Check, exclude []string) (report string, well bool) {
	answers := make([]<-chan error, len(list))
	for i, c := range list {
		if !slices.Contains(exclude, c.Name) {
			answers[i] = start(ctx, c)
		}
	}
	var b strings.Builder
	well = true
	for i, c := range list {
		if answers[i] == nil {
			fmt.Fprintf(&b, "[+]%s excluded: ok\n", c.Name)
			continue
		}
		if err := await(ctx, answers[i]); err != nil {
			well = false
			fmt.Fprintf(&b, "[-]%s failed: %s\n", c.Name, oneLine(err.Error()))
			continue
		}
		fmt.Fprintf(&b, "[+]%s ok%s\n", c.Name, c.remark())
	}
	if unknown := unmatched(list, exclude); len(unknown) > 0 {
		fmt.Fprintf(&b, "warn: some health checks cannot be excluded: no matches for %s\n", strings.Join(unknown, ", "))
	}
	return b.String(), well
}

// remark is what is to be added to an ok.
func (c *Check) remark() (text string) {
	if c.Note != nil {
		text = oneLine(c.Note())
	}
	if text == "" {
		return ""
	}
	return ": " + text
}

// start runs a check on a goroutine of its own, so that one that hangs is reported instead of hanging the page.
func start(ctx context.Context, c Check) <-chan error {
	answer := make(chan error, 1)
	go func() { answer <- guard(func() error { return c.Run(ctx) }) }()
	return answer
}

func await(ctx context.Context, answer <-chan error) error {
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-answer: // it was in time after all
		return err
	default:
		return fmt.Errorf("no answer in time: %w", context.Cause(ctx))
	}
}

// guard turns a panic into an error, as net/http does for handlers: a broken page must not end the scheduler.
func guard(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return f()
}

func unmatched(list []Check, exclude []string) []string {
	var unknown []string
	for _, name := range exclude {
		if !slices.ContainsFunc(list, func(c Check) bool { return c.Name == name }) {
			unknown = append(unknown, fmt.Sprintf("%q", name))
		}
	}
	return unknown
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

package main

import (
	"fmt"
	"io"
	"time"
	"unicode/utf8"
)

// column is where the times of steps are written.
const column = 62

// teller tells a story in steps, each a line with the time it took.
type teller struct {
	out io.Writer
}

// newTeller writes to out.
func newTeller(out io.Writer) *teller { return &teller{out: out} }

// step does something and says how it went: ✓ or ✗, what, how long. The error is the
// caller's to report.
func (t *teller) step(what string, do func() error) error {
	start := time.Now()
	err := do()
	mark := "✓"
	if err != nil {
		mark = "✗"
	}
	t.line(mark, what, time.Since(start))
	return err
}

// line writes one line of the story.
func (t *teller) line(mark, what string, took time.Duration) {
	pad := max(1, column-utf8.RuneCountInString(what))
	fmt.Fprintf(t.out, "%s %s%*s%7.1f s\n", mark, what, pad, "", took.Seconds())
}

// say writes a line that belongs to the step above it.
func (t *teller) say(format string, args ...any) { fmt.Fprintf(t.out, "  "+format+"\n", args...) }

package strict

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Severity says what a fault means for the file.
type Severity int

const (
	// Error refuses the file.
	Error Severity = iota
	// Warning names something that has no effect and leaves the file usable.
	Warning
)

// Fault is one thing wrong with a file, at one place.
type Fault struct {
	// File is the name that was given to Read.
	File string
	// Line is the line at fault, from 1.
	Line int
	// Column is the character at fault in the line, counted in Unicode code points from 1; one more than the line has if
	// something is missing at its end.
	Column int
	// Path names the value, for example `bind.maxInFlight` or `queues[2].name`; empty if the fault is of the file as a whole.
	Path string
	// Message says what is wrong and what is allowed.
	Message string
	// Source is the line at fault as it stands in the file, without its line break.
	Source string
	// Severity tells an error, which is the zero value, from a warning.
	Severity Severity
}

// Error gives the fault as `file:line:column: path: message` followed by the line at fault with a caret under the place.
func (f Fault) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: ", printable(f.File), f.Line, f.Column)
	if f.Severity == Warning {
		b.WriteString("warning: ")
	}
	if f.Path != "" {
		b.WriteString(printable(f.Path) + ": ")
	}
	b.WriteString(printable(f.Message))
	b.WriteString("\n" + excerpt(f.Line, f.Column, f.Source))
	return b.String()
}

// Faults is all that was found wrong with one file, in the order of the file.
type Faults []Fault

// Error gives every fault and a last line with their number and the outcome.
func (fs Faults) Error() string {
	if len(fs) == 0 {
		return "no faults"
	}
	var b strings.Builder
	for _, f := range fs {
		b.WriteString(f.Error() + "\n")
	}
	b.WriteString(fs.summary())
	return b.String()
}

// Err returns the faults as an error if one of them refuses the file, and nil if there are none or only warnings.
func (fs Faults) Err() error {
	if fs.count(Error) == 0 {
		return nil
	}
	return fs
}

// Warnings returns those faults that leave the file usable.
func (fs Faults) Warnings() Faults {
	return slices.DeleteFunc(slices.Clone(fs), func(f Fault) bool { return f.Severity != Warning })
}

func (fs Faults) count(s Severity) int {
	n := 0
	for _, f := range fs {
		if f.Severity == s {
			n++
		}
	}
	return n
}

func (fs Faults) summary() string {
	errors, warnings := fs.count(Error), fs.count(Warning)
	var parts []string
	if errors > 0 {
		parts = append(parts, plural(errors, "fault"))
	}
	if warnings > 0 {
		parts = append(parts, plural(warnings, "warning"))
	}
	outcome := "nothing was applied"
	if errors == 0 {
		outcome = "the file is usable"
	}
	if errors >= maxFaults || warnings >= maxFaults {
		outcome = "there may be more; " + outcome
	}
	return fmt.Sprintf("%s in %s; %s", strings.Join(parts, " and "), printable(fs[0].File), outcome)
}

func (fs Faults) sort() {
	slices.SortStableFunc(fs, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

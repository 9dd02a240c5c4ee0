package strict

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sort"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// parse gives the YAML documents in data, or the reader's complaint without its line number. The reader has panics of its own for
// states that it believes impossible; since files reach it unchecked, they are complaints here.
func parse(data []byte) (documents []*yaml.Node, problem string) {
	defer func() {
		if r := recover(); r != nil {
			problem = fmt.Sprintf("the YAML reader gave up: %v", r)
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for {
		n := new(yaml.Node)
		switch err := decoder.Decode(n); {
		case errors.Is(err, io.EOF):
			return documents, ""
		case err != nil:
			return nil, complaint(err)
		}
		documents = append(documents, n)
	}
}

func complaint(err error) string {
	return regexp.MustCompile(`^(yaml: )?(line \d+: )?`).ReplaceAllString(err.Error(), "")
}

// reportSyntax adds the fault of text that is not YAML. The reader's own line numbers are those of the enclosing block,
// so the place is searched for: the end of the shortest beginning of the file that draws the same complaint.
func (d *Document) reportSyntax(data []byte, problem string) {
	ends := runeEnds(data)
	last := shortest(len(ends), func(n int) bool {
		_, p := parse(data[:ends[n-1]])
		return p == problem
	})
	at := 0
	if last > 1 {
		at = ends[last-2]
	}
	if star := bytes.LastIndexByte(data[:at], '*'); star >= 0 && strings.HasPrefix(problem, "unknown anchor") {
		at = star
	}
	m := markAt(data, at)
	if column, ok := d.tabInIndentation(m); ok {
		m.column = column
		d.report(Error, m, "", "a tab cannot indent YAML; use spaces")
		return
	}
	d.report(Error, m, "", "not valid YAML: %s", explain(problem))
}

// shortest finds the least n, at least 1, from which on same holds up to the given most. It looks from the end in growing steps, since
// further in front a complaint of equal words may have another cause, such as text cut off in the middle.
func shortest(most int, same func(n int) bool) int {
	high, low := most, 0
	for step := 1; high > 1; step *= 2 {
		n := max(high-step, 1)
		if !same(n) {
			low = n
			break
		}
		high = n
	}
	return low + 1 + sort.Search(max(high-low-1, 0), func(i int) bool { return same(low + 1 + i) })
}

// runeEnds lists the offsets at which the characters of data end.
func runeEnds(data []byte) []int {
	ends := make([]int, 0, len(data))
	for i := 0; i < len(data); {
		_, size := utf8.DecodeRune(data[i:])
		i += size
		ends = append(ends, i)
	}
	return ends
}

func (d *Document) tabInIndentation(m mark) (column int, ok bool) {
	if m.line > len(d.lines) {
		return 0, false
	}
	line := d.lines[m.line-1]
	i := strings.IndexByte(line, '\t')
	if i < 0 || strings.TrimLeft(line[:i], " -") != "" {
		return 0, false
	}
	return i + 1, true
}

// explain adds to the reader's commonest complaints what to do about them.
func explain(problem string) string {
	hints := []struct{ part, hint string }{
		{"mapping values are not allowed", "quote a value that holds ': '; or else a line above lacks its ':', or the indentation is wrong"},
		{"could not find expected ':'", "a key needs a ':' and a space after it"},
		{"did not find expected key", "this line's indentation fits no line above it, or a quoted value goes on after its end"},
		{"did not find expected '-' indicator", "every item of a list starts with '-' at the same indentation"},
		{"did not find expected ',' or '", "a bracket opened before is not closed, or a comma is missing"},
		{"cannot start any token", "put a value that starts with this character in quotes"},
		{"unexpected end of stream", "a quote opened here is not closed"},
		{"did not find expected node content", "a value or a closing bracket is missing"},
		{"block sequence entries are not allowed", "a list starts on a line of its own"},
		{"control characters", "remove the invisible character here"},
		{"unknown anchor", "an alias (*name) needs an anchor (&name) above it; quote the value if it is meant as text"},
		{"unknown escape character", "write \\\\ for a backslash, or use single quotes"},
	}
	for _, h := range hints {
		if strings.Contains(problem, h.part) {
			return problem + " (" + h.hint + ")"
		}
	}
	return problem
}

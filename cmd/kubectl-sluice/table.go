package main

import (
	"strings"
	"unicode/utf8"
)

// side is the one that the cells of a column are flush with.
type side bool

const (
	left  side = false
	right side = true
)

// column is a column of a table.
type column struct {
	title string
	side  side
}

// table is text in columns.
type table struct {
	columns []column
	rows    [][]string
}

// block adds lines of which only the first begins with lead. The last cell of each line is a list; first is put before that of the first line.
func (t *table) block(lead []string, lines [][]string, first []string) {
	if len(lines) == 0 {
		lines = [][]string{append([]string{"-"}, make([]string, len(t.columns)-len(lead)-1)...)}
	}
	for i, line := range lines {
		if i > 0 {
			lead, first = make([]string, len(lead)), nil
		}
		row := append(append([]string{}, lead...), line...)
		if mark := &row[len(row)-1]; len(first) > 0 {
			*mark = strings.TrimSuffix(strings.Join(first, ", ")+", "+*mark, ", ")
		}
		t.rows = append(t.rows, row)
	}
}

// String writes the table with a line of titles, two spaces between columns, and none at the ends of lines.
func (t *table) String() string {
	widths := make([]int, len(t.columns))
	titles := make([]string, len(t.columns))
	for i, c := range t.columns {
		titles[i] = c.title
	}
	all := append([][]string{titles}, t.rows...)
	for _, row := range all {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, row := range all {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if t.columns[i].side == right {
				line.WriteString(pad + cell + "  ")
			} else {
				line.WriteString(cell + pad + "  ")
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}

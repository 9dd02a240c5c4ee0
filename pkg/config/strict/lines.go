package strict

import (
	"unicode/utf8"
)

// splitLines cuts data at the line breaks that the YAML reader counts (LF, CR, CR LF, NEL, LS, PS), so that its line numbers and
// ours agree. It yields at least one line.
func splitLines(data []byte) []string {
	var lines []string
	start := 0
	for i := 0; i < len(data); {
		width := breakAt(data, i)
		if width == 0 {
			_, size := utf8.DecodeRune(data[i:])
			i += size
			continue
		}
		lines = append(lines, string(data[start:i]))
		i += width
		start = i
	}
	if start < len(data) || len(lines) == 0 {
		lines = append(lines, string(data[start:]))
	}
	return lines
}

// breakAt gives the length in bytes of the line break at offset i, and 0 if there is none.
func breakAt(data []byte, i int) int {
	switch data[i] {
	case '\n':
		return 1
	case '\r':
		if i+1 < len(data) && data[i+1] == '\n' {
			return 2
		}
		return 1
	}
	switch r, size := utf8.DecodeRune(data[i:]); r {
	case '\u0085', '\u2028', '\u2029':
		return size
	}
	return 0
}

// mark is a place in a file: line and column, both from 1.
type mark struct{ line, column int }

// markAt gives the place of the byte at offset.
func markAt(data []byte, offset int) mark {
	m := mark{1, 1}
	for i := 0; i < min(offset, len(data)); {
		if width := breakAt(data, i); width > 0 {
			i += width
			m.line, m.column = m.line+1, 1
			continue
		}
		_, size := utf8.DecodeRune(data[i:])
		i += size
		m.column++
	}
	return m
}

package strict

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxExcerpt is the number of characters shown of a line; of a longer one the part around the caret.
const maxExcerpt = 120

// excerpt shows a line with its number, and below it a caret under the column.
func excerpt(line, column int, source string) string {
	text := []rune(printable(source))
	caret := min(max(column-1, 0), len(text))
	if len(text) > maxExcerpt {
		text, caret = window(text, caret)
	}
	number := fmt.Sprintf("%5d", line)
	return strings.TrimRight(fmt.Sprintf("%s | %s", number, string(text)), " ") + "\n" +
		fmt.Sprintf("%s | %s^", strings.Repeat(" ", len(number)), strings.Repeat(" ", caret))
}

// window cuts a long line to the part around the caret and marks the cuts with an ellipsis.
func window(text []rune, caret int) ([]rune, int) {
	from := max(0, min(caret-maxExcerpt/2, len(text)-maxExcerpt))
	to := min(from+maxExcerpt, len(text))
	part := make([]rune, 0, maxExcerpt+2)
	if from > 0 {
		part = append(part, '…')
		caret++
	}
	part = append(part, text[from:to]...)
	if to < len(text) {
		part = append(part, '…')
	}
	return part, caret - from
}

// printable replaces what would move a terminal's cursor, character for character, so that carets still stand right and a
// file cannot write to the terminal by way of its faults. A tab becomes one space.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r == utf8.RuneError || !unicode.IsPrint(r):
			return '�'
		}
		return r
	}, s)
}

// quote shows a value from the file inside a message: in quotes, on one line, and cut when long.
func quote(s string) string {
	const most = 60
	s = printable(strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), " "))
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return `"` + s + `"`
}

package child

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// tailBytes is how much of a log's end is looked at.
const tailBytes = 16 << 10

// Tail returns the last n lines of a file, indented, for quoting in an error; lines
// are cut at 400 characters.
func Tail(path string, n int) string {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Sprintf("  (cannot read it: %v)", err)
	}
	defer f.Close()
	if st, err := f.Stat(); err == nil && st.Size() > tailBytes {
		_, _ = f.Seek(-tailBytes, io.SeekEnd)
	}
	data, err := io.ReadAll(f)
	if err != nil {
		return fmt.Sprintf("  (cannot read it: %v)", err)
	}
	text := strings.TrimSpace(string(data))
	if text == "" {
		return "  (it is empty)"
	}
	lines := strings.Split(text, "\n")
	lines = lines[max(0, len(lines)-n):]
	for i, l := range lines {
		if len(l) > 400 {
			l = l[:400] + "…"
		}
		lines[i] = "  " + l
	}
	return strings.Join(lines, "\n")
}

package oracle

import "strings"

// deliberate are the differences on purpose, by the titles that they have in differences.md.
var deliberate = []struct {
	name string
	// covers reports whether a difference is of this kind.
	covers func(*Difference) bool
}{
	{"A spread constraint that cannot be read", func(d *Difference) bool {
		return d.Upstream.Code == Failed && starts(d.Upstream, "get constraints from pod: obtaining pod's hard topology spread constraints: ") &&
			d.Sluice.Code == Unresolvable && starts(d.Sluice, "parsing pod: topologySpreadConstraints: ")
	}},
}

// starts reports whether a verdict has one reason, which begins with a text.
func starts(v Verdict, text string) bool {
	return len(v.Reasons) == 1 && strings.HasPrefix(v.Reasons[0], text)
}

// explain names the entry that covers a difference, if one does.
func explain(d *Difference) string {
	for _, e := range deliberate {
		if d.Other == "" && e.covers(d) {
			return e.name
		}
	}
	return ""
}

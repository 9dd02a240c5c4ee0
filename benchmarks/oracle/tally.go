package oracle

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"text/tabwriter"
)

// Tally counts what has been compared.
type Tally struct {
	Worlds, Pods, Pairs uint64
	// Reached and Refused count, for each plugin, the pairs on which it had a say and those that it refused.
	Reached, Refused [len(Plugins)]uint64
	// Scored counts, for each scoring plugin, the pods whose nodes were scored by both sides; Defaulted those of PodTopologySpread that have no constraints
	// of their own.
	Scored    [len(ScorePlugins)]uint64
	Defaulted uint64
	// Marks counts the pairs on which a plugin had its say, by what about the pod makes it take a certain way.
	Marks map[mark]uint64
	// Reasons counts the texts of upstream's reasons, by code; names in them are left out.
	Reasons map[string]uint64
	// Held counts pods that Sluice does not evaluate, by field.
	Held map[string]uint64
	// Differences counts those that are not explained, by kind; Explained those that are, by the name of the entry.
	Differences, Explained map[string]uint64

	plain map[string]string
}

// NewTally returns one that has counted nothing.
func NewTally() *Tally {
	return &Tally{
		Marks: map[mark]uint64{}, Reasons: map[string]uint64{}, Held: map[string]uint64{}, Differences: map[string]uint64{}, Explained: map[string]uint64{},
		plain: map[string]string{},
	}
}

func (t *Tally) reached(plugin int) { t.Reached[plugin]++ }

func (t *Tally) judged(v Verdict) {
	t.Pairs++
	if v.Code == Fits {
		return
	}
	t.Refused[v.Plugin]++
	for _, r := range v.Reasons {
		text, known := t.plain[r]
		if !known {
			text = normal(r)
			if len(t.plain) < 1<<12 {
				t.plain[r] = text
			}
		}
		t.Reasons[text+" ("+v.Code.String()+")"]++
	}
}

// particulars are what makes texts differ that say the same.
var particulars = regexp.MustCompile(`"[^"]*"|\b[0-9]+\b|\S+/p[0-9]+\S*|\bn[0-9]+\b|\S+ CSI driver|scores \[.*|Invalid value: .*|\* is not a valid label selector operator`)

// normal leaves names and numbers out of a text, and what exactly cannot be parsed.
func normal(text string) string { return particulars.ReplaceAllString(text, "*") }

// Add adds what another has counted.
func (t *Tally) Add(o *Tally) {
	t.Worlds, t.Pods, t.Pairs = t.Worlds+o.Worlds, t.Pods+o.Pods, t.Pairs+o.Pairs
	for i := range Plugins {
		t.Reached[i] += o.Reached[i]
		t.Refused[i] += o.Refused[i]
	}
	for i := range ScorePlugins {
		t.Scored[i] += o.Scored[i]
	}
	t.Defaulted += o.Defaulted
	for m, n := range o.Marks {
		t.Marks[m] += n
	}
	for _, m := range [...][2]map[string]uint64{
		{t.Reasons, o.Reasons}, {t.Held, o.Held}, {t.Differences, o.Differences}, {t.Explained, o.Explained},
	} {
		for k, n := range m[1] {
			m[0][k] += n
		}
	}
}

// Write prints the tally as tables.
func (t *Tally) Write(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight|tabwriter.DiscardEmptyColumns)
	fmt.Fprintf(out, "%d worlds, %d pods, %d pairs of pod and node\n\n", t.Worlds, t.Pods, t.Pairs)
	fmt.Fprintln(w, "pairs\trefused\t\tplugin\t")
	for i, name := range Plugins {
		fmt.Fprintf(w, "%d\t%d\t%.1f %%\t%s\t\n", t.Reached[i], t.Refused[i], percent(t.Refused[i], t.Reached[i]), name)
	}
	fmt.Fprintln(w, "\npods scored\t\t\tplugin\t")
	for i, name := range ScorePlugins {
		fmt.Fprintf(w, "%d\t\t\t%s\t\n", t.Scored[i], name)
	}
	fmt.Fprintf(w, "%d\t\t\t%s\t\n", t.Defaulted, "PodTopologySpread by default")
	w.Flush()
	t.writeMarks(out)
	for _, part := range [...]struct {
		title  string
		counts map[string]uint64
	}{
		{"reasons", t.Reasons},
		{"pods held for fields that Sluice does not evaluate", t.Held},
		{"differences on purpose (differences.md)", t.Explained},
		{"DIFFERENCES", t.Differences},
	} {
		if len(part.counts) == 0 {
			continue
		}
		fmt.Fprintf(out, "\n%s\n", part.title)
		for _, k := range byCount(part.counts) {
			fmt.Fprintf(out, "%12d  %s\n", part.counts[k], k)
		}
	}
}

// enough is how many pairs each way through the rules and each reason should have at the least in a long run.
const enough = 1000

// writeMarks prints how many pairs took each way through the rules.
func (t *Tally) writeMarks(out io.Writer) {
	fmt.Fprint(out, "\nways through the rules: pairs, plugin, what about the pod\n")
	list := slices.SortedFunc(maps.Keys(t.Marks), func(a, b mark) int {
		x, y := slices.Index(Plugins[:], a.plugin), slices.Index(Plugins[:], b.plugin)
		return cmp.Or(cmp.Compare(x, y), cmp.Compare(a.what, b.what))
	})
	for _, m := range list {
		note := ""
		if t.Marks[m] < enough {
			note = "  (few)"
		}
		fmt.Fprintf(out, "%12d  %s: %s%s\n", t.Marks[m], m.plugin, m.what, note)
	}
}

func percent(part, whole uint64) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}

// byCount returns the keys, the most frequent first.
func byCount(m map[string]uint64) []string {
	return slices.SortedFunc(maps.Keys(m), func(a, b string) int { return cmp.Or(cmp.Compare(m[b], m[a]), cmp.Compare(a, b)) })
}

package strict_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/config/strict"
)

// tree is a configuration with every kind of field that the package reads; a queue holds queues.
type tree struct {
	Common   `yaml:",inline"`
	Queues   []queue          `yaml:"queues"`
	Limits   map[string]int64 `yaml:"limits"`
	Pause    *time.Duration   `yaml:"pause"`
	Root     *queue           `yaml:"root"`
	Share    float32          `yaml:"share"`
	Priority int8             `yaml:"priority"`
	Port     uint16           `yaml:"port"`
	Size     uint             `yaml:"size"`
	Amount   amount           `yaml:"amount"`
	Amounts  []amount         `yaml:"amounts"`
	Hidden   string           `yaml:"-"`
}

// Common is inlined into tree.
type Common struct {
	Name string `yaml:"name"`
	On   bool   `yaml:"on"`
}

type queue struct {
	Name   string  `yaml:"name"`
	Weight int     `yaml:"weight"`
	Queues []queue `yaml:"queues"`
}

// Check wants a name and a weight that is not negative.
func (q *queue) Check(at *strict.Place) {
	if !at.Has("name") {
		at.Faultf("name", "is missing")
	}
	strict.Between(at, "weight", q.Weight, 0, 100)
	if at.OK("weight") && q.Weight == 99 {
		at.Warnf("weight", "is almost too much")
	}
}

// Ignores knows the keys of another scheduler.
func (queue) Ignores(key string) (string, bool) {
	return "nodes are ordered elsewhere", key == "nodesortpolicy"
}

// amount is any text but "bad", however it is written.
type amount string

func (a *amount) UnmarshalText(text []byte) error {
	if string(text) == "bad" {
		return fmt.Errorf("must be an amount such as 100Gi, but is %q", text)
	}
	*a = amount(text)
	return nil
}

func decode(text string, into any) strict.Faults {
	return strict.Read("q.yaml", []byte(text), 1<<20).Decode(into)
}

func TestEveryKindOfFieldIsDecoded(t *testing.T) {
	var got tree
	require.NoError(t, decode(`
name: all
"on": true
queues:
- name: a
  weight: 3
  queues: [{name: b}, {name: 'c', queues: []}]
limits: {nvidia.com/gpu: 8, cpu: -1}
pause: 1m30s
root: {name: root}
share: 2.5
priority: -128
port: 65535
size: 0
amount: 100
amounts: [10Gi, "5", true, 2024-01-01, 0x10]
`, &got).Err())
	pause := 90 * time.Second
	want := tree{
		Common: Common{Name: "all", On: true},
		Queues: []queue{{Name: "a", Weight: 3, Queues: []queue{{Name: "b"}, {Name: "c", Queues: []queue{}}}}},
		Limits: map[string]int64{"nvidia.com/gpu": 8, "cpu": -1},
		Pause:  &pause, Root: &queue{Name: "root"},
		Share: 2.5, Priority: -128, Port: 65535,
		Amount: "100", Amounts: []amount{"10Gi", "5", "true", "2024-01-01", "0x10"},
	}
	require.Empty(t, cmp.Diff(want, got))
}

func TestAListOrMapReplacesTheDefaultAndASectionIsLaidOverIt(t *testing.T) {
	given := func() tree {
		return tree{
			Queues: []queue{{Name: "x"}, {Name: "y"}}, Limits: map[string]int64{"x": 1}, Root: &queue{Name: "root", Weight: 7},
		}
	}
	got := given()
	require.NoError(t, decode("queues: [{name: z}]\nlimits: {z: 2}\nroot: {name: other}\n", &got).Err())
	require.Empty(t, cmp.Diff(tree{
		Queues: []queue{{Name: "z"}}, Limits: map[string]int64{"z": 2}, Root: &queue{Name: "other", Weight: 7},
	}, got))

	got = given()
	require.NoError(t, decode("name: n\nqueues:\nlimits: null\nroot:\npause:\n", &got).Err())
	want := given()
	want.Name = "n"
	require.Empty(t, cmp.Diff(want, got))
}

func TestAliasesStandForTheirAnchors(t *testing.T) {
	var got tree
	require.NoError(t, decode("root: &r {name: r, weight: &w 5}\nqueues: [*r, {name: s, weight: *w}]\n", &got).Err())
	require.Equal(t, []queue{{Name: "r", Weight: 5}, {Name: "s", Weight: 5}}, got.Queues)
}

// ranked has a value of two forms: one number, or a number per thing.
type ranked struct {
	Rank rank `yaml:"rank"`
}

type rank struct {
	one  int8
	each map[string]int8
}

func (r *rank) Forms() (single, section any) { return &r.one, &r.each }

func TestAValueMayHaveTwoForms(t *testing.T) {
	for text, want := range map[string]rank{
		"rank: 3": {one: 3}, "rank: {a: 1, b.c: 2}": {each: map[string]int8{"a": 1, "b.c": 2}}, "rank:": {},
	} {
		var got ranked
		require.NoError(t, decode(text, &got).Err())
		require.Equal(t, want, got.Rank)
	}
	for text, want := range map[string]string{
		"rank: x":                "rank: must be a whole number from -128 to 127",
		"rank: {a: 1, b.c: 200}": `rank["b.c"]: must be a whole number`,
		"rank: [1]":              "rank: must be a whole number from -128 to 127, or 'key: value' pairs, but is a list",
	} {
		require.ErrorContains(t, decode(text, &ranked{}).Err(), want)
	}
}

// Each fault as "line:column path: message".
func TestFaults(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"list for a section", "root: [a]", []string{"1:7 root: must be a section with the keys name, weight, queues, but is a list"}},
		{"section for a list", "queues: {name: a}", []string{"1:9 queues: must be a list, one '- item' a line, but is a section of keys"}},
		{"list for a map", "limits: [1]", []string{"1:9 limits: must be 'key: value' pairs, but is a list"}},
		{"items", "queues:\n- 3\n- weight: 101\n- {name: x, wieght: 1}\n", []string{
			"2:3 queues[0]: must be a section with the keys name, weight, queues, but is the number 3",
			"3:3 queues[1].name: is missing",
			"3:11 queues[1].weight: must be between 0 and 100, but is 101",
			"4:13 queues[2].wieght: unknown key; did you mean weight?",
		}},
		{"null item", "amounts: [a, ~]", []string{
			"1:14 amounts[1]: must be text, but is null; give it a value, or remove it",
		}},
		{"map values", "limits:\n  a.b/c: x\n  cpu: 1\n  cpu: 2\n  memory:\n", []string{
			`2:10 limits["a.b/c"]: must be a whole number such as 128, but is the text "x"`,
			"4:3 limits.cpu: is set twice, first in line 3; keep one of them",
			"5:3 limits.memory: has no value; give it one, or remove the key to get the default",
		}},
		{"numbers", "priority: 128\nport: -1\nsize: -1\nshare: .inf\nname: 3\non: 'true'\n", []string{
			"1:11 priority: must be a whole number from -128 to 127, but is the number 128; that is out of range",
			"2:7 port: must be a whole number from 0 to 65535, but is the number -1; that is out of range",
			"3:7 size: must be a whole number from 0 up, but is the number -1; that is out of range",
			"4:8 share: must be a number such as 2.5, but is the number .inf",
			`5:7 name: must be text, but is the number 3; if text is meant, put it in quotes: "3"`,
			`6:5 on: must be true or false, but is the text "true"`,
		}},
		{"own text", "amount: bad\namounts: [ok, bad, [x]]\n", []string{
			`1:9 amount: must be an amount such as 100Gi, but is "bad"`,
			`2:15 amounts[1]: must be an amount such as 100Gi, but is "bad"`,
			"2:20 amounts[2]: must be text, but is a list",
		}},
		{"hidden fields", "Hidden: x\nprivate: y\n", []string{
			"1:1 Hidden: unknown key; allowed here: name, on, queues, limits, pause, root, share, priority, port, size, amount, amounts",
			"2:1 private: unknown key; allowed here: name, on, queues, limits, pause, root, share, priority, port, size, amount, amounts",
		}},
		{"warnings do not hide errors", "root: {name: r, nodesortpolicy: fair, weight: 99}\nnodesortpolicy: fair\n", []string{
			"1:17 warning root.nodesortpolicy: has no effect: nodes are ordered elsewhere",
			"1:47 warning root.weight: is almost too much",
			"2:1 nodesortpolicy: unknown key; allowed here: name, on, queues, limits, pause, root, share, priority, port, size, amount, amounts",
		}},
		{"an anchor inside itself", "queues: &q\n- name: a\n  queues: *q\n", []string{
			"2:3 queues[0].queues" + strings.Repeat("[0].queues", 32) + "[0]: is nested too deep; at most 100 levels are allowed",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, f := range decode(c.text, &tree{}) {
				severity := ""
				if f.Severity == strict.Warning {
					severity = "warning "
				}
				got = append(got, fmt.Sprintf("%d:%d %s%s: %s", f.Line, f.Column, severity, f.Path, f.Message))
			}
			require.Empty(t, cmp.Diff(c.want, got))
		})
	}
}

func TestAliasBombEndsSoonWithOneFault(t *testing.T) {
	var b strings.Builder
	b.WriteString("amounts: &a0 [x, x, x, x, x, x, x, x, x, x]\nqueues:\n- name: &n x\n  queues: &q0 [{name: *n}]\n")
	for i := 1; i < 10; i++ {
		fmt.Fprintf(&b, "- {name: y, queues: &q%d [%s]}\n", i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("{name: z, queues: *q%d}, ", i-1), 10), ", "))
	}
	faults := decode(b.String(), &tree{})
	require.Len(t, faults, 1)
	require.Contains(t, faults[0].Message, "more than the 10000 values that are allowed")
}

func TestWarningsAloneLeaveTheFileUsable(t *testing.T) {
	got := tree{}
	faults := decode("root:\n  name: r\n  nodesortpolicy: fair\n", &got)
	require.NoError(t, faults.Err())
	require.Equal(t, "r", got.Root.Name)
	require.Len(t, faults.Warnings(), 1)
	require.Equal(t, `q.yaml:3:3: warning: root.nodesortpolicy: has no effect: nodes are ordered elsewhere
    3 |   nodesortpolicy: fair
      |   ^
1 warning in q.yaml; the file is usable`, faults.Error())

	faults = decode("root:\n  nodesortpolicy: fair\n", &got)
	require.ErrorContains(t, faults.Err(), "1 fault and 1 warning in q.yaml; nothing was applied")
}

func TestManyWarningsDoNotHideAnError(t *testing.T) {
	text := "queues:\n" + strings.Repeat("- {name: q, nodesortpolicy: fair}\n", 150) + "share: x\n"
	faults := decode(text, &tree{})
	require.Len(t, faults.Warnings(), 100)
	require.ErrorContains(t, faults.Err(), "152:8: share: must be a number")
	require.ErrorContains(t, faults.Err(), "\n1 fault and 100 warnings in q.yaml; there may be more; nothing was applied")
}

func TestNoFaults(t *testing.T) {
	require.NoError(t, strict.Faults(nil).Err())
	require.Equal(t, "no faults", strict.Faults(nil).Error())
	require.Empty(t, decode("name: x", &tree{}))
}

func TestDecodeWantsAPointerToAStruct(t *testing.T) {
	require.Panics(t, func() { decode("a: b", tree{}) })
	require.Panics(t, func() { decode("a: b", new(int)) })
}

func TestFormatDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", time.Millisecond: "1ms", 10 * time.Second: "10s", 100 * time.Second: "1m40s", 5 * time.Minute: "5m", 2 * time.Hour: "2h",
		90 * time.Minute: "1h30m", time.Hour + time.Second: "1h0m1s", -5 * time.Minute: "-5m", 20 * time.Minute: "20m", 10 * time.Hour: "10h",
	} {
		require.Equal(t, want, strict.FormatDuration(d))
		back, err := time.ParseDuration(strict.FormatDuration(d))
		require.NoError(t, err)
		require.Equal(t, d, back)
	}
}

func TestEncodeIsReadBack(t *testing.T) {
	pause := 5 * time.Minute
	want := tree{
		Common: Common{Name: "5m0s"}, Queues: []queue{{Name: "null", Queues: []queue{}}}, Limits: map[string]int64{"a.b": 1},
		Pause: &pause, Root: &queue{Name: "010", Queues: []queue{}}, Share: 0.1, Amounts: []amount{},
	}
	text, err := strict.Encode(&want)
	require.NoError(t, err)
	require.Contains(t, string(text), "pause: 5m\n")
	var got tree
	require.NoError(t, decode(string(text), &got).Err(), "%s", text)
	require.Empty(t, cmp.Diff(want, got), "%s", text)
}

// Whatever a file holds, reading it ends, and its faults have a place in it.
func FuzzDecode(f *testing.F) {
	f.Add([]byte("name: all\nqueues:\n- {name: a, weight: 1, queues: [{name: b}]}\nlimits: {a.b: 1}\npause: 1s\nport: 1\nshare: 2.5\n"))
	f.Add([]byte("queues: &q\n- name: a\n  queues: *q\n"))
	f.Add([]byte("root: &r {name: r, nodesortpolicy: x}\nqueues: [*r, *r]\namounts: [!!str x, ~, 0x1]\n"))
	f.Add([]byte("limits:\n\tcpu: 1\n\u2028x: y\r\rz: \u0085"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4<<10 {
			t.Skip("no more to find in a larger file")
		}
		for _, fault := range strict.Read("fuzz.yaml", data, 1<<20).Decode(&tree{}) {
			require.GreaterOrEqual(t, fault.Line, 1)
			require.GreaterOrEqual(t, fault.Column, 1)
			require.LessOrEqual(t, fault.Column, len([]rune(fault.Source))+1)
			require.Contains(t, string(data), fault.Source)
			require.Len(t, strings.Split(fault.Error(), "\n"), 3)
		}
	})
}

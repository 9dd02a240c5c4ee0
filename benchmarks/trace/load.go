package trace

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Load reads a trace from two files of a directory: the nodes' list and the pods' list. An error names file and line.
func Load(dir, nodes, pods string) (*Trace, error) {
	t := &Trace{}
	err := readRows(filepath.Join(dir, nodes), []string{"sn", "cpu_milli", "memory_mib", "gpu", "model"}, func(r *row) {
		t.Machines = append(t.Machines, Machine{
			Name: r.text("sn"), MilliCPU: r.number("cpu_milli"), MemoryMiB: r.number("memory_mib"), GPUs: r.number("gpu"), Model: r.text("model"),
		})
		if m := t.Machines[len(t.Machines)-1]; (m.GPUs > 0) != (m.Model != "") {
			r.fail("a node has a GPU model if and only if it has GPUs, this one has %d GPUs and model %q", m.GPUs, m.Model)
		}
	})
	if err != nil {
		return nil, err
	}
	err = readRows(filepath.Join(dir, pods), []string{"name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli"}, func(r *row) {
		t.Timed = t.Timed || r.has("creation_time")
		t.Tasks = append(t.Tasks, r.task())
	})
	if err != nil {
		return nil, err
	}
	return t, t.check(nodes)
}

// check reports a trace that cannot be used although each line is right.
func (t *Trace) check(file string) error {
	seen := map[string]bool{}
	for _, m := range t.Machines {
		if seen[m.Name] {
			return fmt.Errorf("%s: node %q is listed twice", file, m.Name)
		}
		seen[m.Name] = true
	}
	return nil
}

func (r *row) task() Task {
	task := Task{Name: r.text("name"), Demand: Demand{
		MilliCPU: r.number("cpu_milli"), MemoryMiB: r.number("memory_mib"), GPUs: r.number("num_gpu"),
	}}
	share := r.number("gpu_milli")
	switch {
	case share > 1000:
		r.fail("gpu_milli is a share of one GPU, at most 1000, not %d", share)
	case task.GPUs > 1 && share != 1000:
		r.fail("%d GPUs can only be whole ones, not %d thousandths each", task.GPUs, share)
	case task.GPUs == 0 && share > 0:
		r.fail("gpu_milli is %d where num_gpu is 0", share)
	}
	if r.has("gpu_spec") {
		task.Models = models(r.fields["gpu_spec"])
	}
	if r.has("creation_time") {
		created, deleted := r.number("creation_time"), r.number("deletion_time")
		from := created
		if r.fields["scheduled_time"] != "" {
			from = r.number("scheduled_time")
		}
		if deleted < from {
			r.fail("the pod is deleted at %d, before it starts at %d", deleted, from)
		}
		task.Created, task.Life = time.Duration(created)*time.Second, time.Duration(deleted-from)*time.Second
	}
	return task
}

// models sorts a list of GPU models and drops doubles, so that equal demands read alike.
func models(list string) string {
	if list == "" {
		return ""
	}
	names := strings.Split(list, "|")
	slices.Sort(names)
	return strings.Join(slices.Compact(names), "|")
}

// row is a line of a CSV file. The first fault met is kept.
type row struct {
	fields map[string]string
	err    error
}

func (r *row) has(column string) bool {
	_, ok := r.fields[column]
	return ok
}

func (r *row) text(column string) string { return r.fields[column] }

func (r *row) number(column string) int64 {
	n, err := strconv.ParseInt(strings.TrimSuffix(r.fields[column], ".0"), 10, 64)
	if err != nil || n < 0 {
		r.fail("%s: %q is not a whole number of at least 0", column, r.fields[column])
	}
	return n
}

func (r *row) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

// readRows calls f for every line after the header, which must name the columns.
func readRows(path string, columns []string, f func(*row)) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("trace: %w", err)
	}
	defer file.Close() //nolint:errcheck // read only
	in := csv.NewReader(file)
	header, err := in.Read()
	if err != nil {
		return fmt.Errorf("%s:1: header: %w", path, err)
	}
	for _, c := range columns {
		if !slices.Contains(header, c) {
			return fmt.Errorf("%s:1: the header lacks the column %q", path, c)
		}
	}
	for count := 0; ; count++ {
		values, err := in.Read()
		if errors.Is(err, io.EOF) && count > 0 {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: after %d lines: %w", path, count+1, err)
		}
		line, _ := in.FieldPos(0)
		r := &row{fields: map[string]string{}}
		for i, c := range header {
			r.fields[c] = values[i]
		}
		if f(r); r.err != nil {
			return fmt.Errorf("%s:%d: %w", path, line, r.err)
		}
	}
}

package stand

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ticks is how many clock ticks of /proc make a second: USER_HZ, which is 100 on every Linux that Go runs on.
const ticks = 100

// Usage is what a process has used so far.
type Usage struct {
	// CPU in seconds since its start, of user and kernel, to a hundredth.
	CPU float64 `json:"cpuSeconds"`
	// Peak is the most resident memory it ever had, in MiB.
	Peak float64 `json:"peakMiB"`
}

// UsageOf reads what a process has used.
func UsageOf(pid int) (u Usage, err error) {
	stat, err := readStat(pid)
	if err != nil {
		return u, err
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return u, fmt.Errorf("read the memory of process %d: %w", pid, err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			if err != nil {
				return u, fmt.Errorf("read the memory of process %d: %w", pid, err)
			}
			u.Peak = kib / 1024
		}
	}
	u.CPU = stat.cpu
	return u, nil
}

// procStat is what is of interest in /proc/PID/stat.
type procStat struct {
	parent int
	cpu    float64
}

func readStat(pid int) (procStat, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return procStat{}, fmt.Errorf("read the CPU time of process %d: %w", pid, err)
	}
	return parseStat(data)
}

// parseStat reads fields 4, 14 and 15 of proc_pid_stat(5). They are counted from the parenthesis that ends the name, which may hold anything.
func parseStat(data []byte) (s procStat, err error) {
	fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
	if len(fields) < 13 {
		return s, fmt.Errorf("unexpected form of /proc/PID/stat: %q", data)
	}
	var n [3]int
	for i, at := range []int{1, 11, 12} {
		if n[i], err = strconv.Atoi(string(fields[at])); err != nil {
			return s, fmt.Errorf("unexpected form of /proc/PID/stat: %w", err)
		}
	}
	return procStat{parent: n[0], cpu: float64(n[1]+n[2]) / ticks}, nil
}

// family is the CPU time in seconds of this process and its children: control plane, kubelets, scheduler.
func family() (seconds float64, err error) {
	paths, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	self := os.Getpid()
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		s, err := parseStat(data)
		if err != nil {
			return 0, err
		}
		if s.parent == self || filepath.Base(filepath.Dir(path)) == strconv.Itoa(self) {
			seconds += s.cpu
		}
	}
	return seconds, nil
}

// machine is the CPU time in seconds that the whole machine has been busy.
func machine() (seconds float64, err error) {
	f, err := os.Open("/proc/stat")
	if err != nil {
		return 0, err
	}
	defer f.Close()
	line, err := bufio.NewReader(f).ReadString('\n')
	if err != nil {
		return 0, fmt.Errorf("read /proc/stat: %w", err)
	}
	// cpu user nice system idle iowait irq softirq steal …
	fields := strings.Fields(line)
	for i, field := range fields[:min(len(fields), 9)] {
		if i == 0 || i == 4 || i == 5 {
			continue
		}
		n, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return 0, fmt.Errorf("read /proc/stat: %w", err)
		}
		seconds += n / ticks
	}
	return seconds, nil
}

// Load notes how many CPU seconds the machine and our own processes have used.
type Load struct{ machine, family float64 }

// ReadLoad notes it now.
func ReadLoad() (l Load, err error) {
	if l.machine, err = machine(); err != nil {
		return l, err
	}
	l.family, err = family()
	return l, err
}

// Own is the CPU seconds that our own processes used between two notes.
func Own(from, to Load) float64 { return to.family - from.family }

// Foreign is the share of the machine's CPU time that others used between two notes, from 0 to 1.
func Foreign(from, to Load) float64 {
	busy := to.machine - from.machine
	if busy <= 0 {
		return 0
	}
	return max(0, busy-(to.family-from.family)) / busy
}

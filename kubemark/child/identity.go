package child

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Identity tells one process from every other that had or will have its id.
type Identity struct {
	// PID is the process id.
	PID int `json:"pid"`
	// Boot is the kernel's id of this boot: ids and start times begin anew with each.
	Boot string `json:"boot"`
	// Start is when it started, in clock ticks since boot (proc(5), stat field 22).
	Start uint64 `json:"start"`
	// Program is the base name of its executable.
	Program string `json:"program"`
}

// Identify reads the identity of a running process.
func Identify(pid int) (Identity, error) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return Identity{}, fmt.Errorf("read the boot id: %w", err)
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Identity{}, fmt.Errorf("look at process %d: %w", pid, err)
	}
	start, err := startTime(string(stat))
	if err != nil {
		return Identity{}, fmt.Errorf("look at process %d: %w", pid, err)
	}
	exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	if err != nil {
		return Identity{}, fmt.Errorf("look at process %d: %w", pid, err)
	}
	return Identity{
		PID: pid, Boot: strings.TrimSpace(string(boot)), Start: start,
		Program: program(strings.TrimSuffix(exe, " (deleted)")),
	}, nil
}

// startTime takes field 22 from a line of /proc/PID/stat. The program's name in field
// 2 may hold spaces and parentheses, so fields are counted from the last one.
func startTime(stat string) (uint64, error) {
	i := strings.LastIndexByte(stat, ')')
	fields := strings.Fields(stat[i+1:])
	if i < 0 || len(fields) < 20 {
		return 0, errors.New("unexpected form of /proc/PID/stat")
	}
	if fields[0] == "Z" {
		return 0, os.ErrProcessDone
	}
	return strconv.ParseUint(fields[19], 10, 64)
}

// Alive tells whether exactly this process still runs.
func (id Identity) Alive() bool {
	now, err := Identify(id.PID)
	return err == nil && now == id
}

// kill ends the process and its group if it is still this one, and waits until it is
// gone. The handle is taken before the check, so that the process cannot be replaced by
// another between check and signal.
func (id Identity) kill() (killed bool, err error) {
	p, err := os.FindProcess(id.PID)
	if err != nil {
		return false, nil //nolint:nilerr // there is no such process
	}
	defer p.Release() //nolint:errcheck // nothing to do about it
	if !id.Alive() {
		return false, nil
	}
	if pgid, err := syscall.Getpgid(id.PID); err == nil && pgid == id.PID {
		_ = syscall.Kill(-pgid, syscall.SIGKILL)
	}
	if err := p.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return false, fmt.Errorf("end process %d (%s): %w", id.PID, id.Program, err)
	}
	for range 500 {
		if !id.Alive() {
			return true, nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false, fmt.Errorf("process %d (%s) does not end", id.PID, id.Program)
}

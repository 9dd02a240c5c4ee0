package child

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// Spec says what to run.
type Spec struct {
	// Name is what messages call it.
	Name string
	// Path is the program, Args its arguments without the program's name.
	Path string
	Args []string
	// Env is added to the environment of the owner.
	Env []string
	// Dir is its working folder.
	Dir string
	// Log is the file that gets its output, appended.
	Log string
}

// Process is a running or ended child.
type Process struct {
	spec Spec
	id   Identity
	cmd  *exec.Cmd
	done chan struct{}
	err  error // set before done is closed
}

// Start runs a child in a process group of its own, so that a Ctrl-C in the terminal
// reaches the owner alone, which then stops its children in order.
func Start(spec Spec) (*Process, error) {
	log, err := os.OpenFile(spec.Log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", spec.Name, err)
	}
	defer log.Close()
	cmd := exec.Command(spec.Path, spec.Args...)
	cmd.Env = append(os.Environ(), spec.Env...)
	cmd.Dir = spec.Dir
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	p := &Process{spec: spec, cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", spec.Name, err)
	}
	return p, nil
}

// run starts the child and waits for its end. The parent-death signal is tied to the
// thread that starts the child, so that thread is kept until the child has ended.
func (p *Process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := p.cmd.Start(); err != nil {
		started <- err
		return
	}
	id, err := Identify(p.cmd.Process.Pid)
	if err != nil {
		id = Identity{PID: p.cmd.Process.Pid} // it has ended already; matches nothing
	}
	p.id = id
	started <- nil
	p.err = p.cmd.Wait()
	close(p.done)
}

// Name is what messages call the child.
func (p *Process) Name() string { return p.spec.Name }

// Identity tells the child from every other process.
func (p *Process) Identity() Identity { return p.id }

// Log is the file with the child's output.
func (p *Process) Log() string { return p.spec.Log }

// Done is closed when the child has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Running tells whether the child has not ended yet.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// ExitCode is the child's exit code, -1 while it runs or if a signal ended it.
func (p *Process) ExitCode() int {
	if p.Running() {
		return -1
	}
	return p.cmd.ProcessState.ExitCode()
}

// Failure describes how the child ended and quotes the end of its log; nil while it runs.
func (p *Process) Failure() error {
	if p.Running() {
		return nil
	}
	how := "exit status 0"
	if p.err != nil {
		how = p.err.Error()
	}
	return fmt.Errorf("%s ended (%s); the end of %s:\n%s", p.spec.Name, how, p.spec.Log, Tail(p.spec.Log, 15))
}

// Signal sends a signal to the child; to one that has ended it does nothing.
func (p *Process) Signal(sig syscall.Signal) error {
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("send %v to %s: %w", sig, p.spec.Name, err)
	}
	return nil
}

// Kill ends the child and its process group at once (SIGKILL) and waits for the end.
func (p *Process) Kill() error {
	if !p.Running() {
		return nil
	}
	// The child is not reaped while run waits for it, so its group's id is its own.
	if err := syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("kill %s: %w", p.spec.Name, err)
	}
	<-p.done
	return nil
}

// Stop asks the child to end (SIGTERM) and kills it when it has not within grace. It
// returns whether the child ended by itself.
func (p *Process) Stop(grace time.Duration) (graceful bool, err error) {
	if err := p.Signal(syscall.SIGTERM); err != nil {
		return false, err
	}
	select {
	case <-p.done:
		return true, nil
	case <-time.After(grace):
		return false, p.Kill()
	}
}

// WaitUntil calls ready every interval until it returns nil, the child ends or ctx is
// done; in the latter cases the error quotes the child's log and ready's last answer.
func (p *Process) WaitUntil(ctx context.Context, interval time.Duration, ready func(context.Context) error) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return p.Failure()
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w (last answer: %v); the end of %s:\n%s",
				p.spec.Name, context.Cause(ctx), err, p.spec.Log, Tail(p.spec.Log, 15))
		case <-tick.C:
		}
	}
}

// program is the base name of an executable's path as /proc shows it.
func program(path string) string { return filepath.Base(path) }

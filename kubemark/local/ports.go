package local

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// Ports are taken below the range that Linux uses for outgoing connections (32768 up),
// so that no connection of anybody occupies one between choosing and listening.
const (
	firstPort = 21000
	lastPort  = 31999
)

// ports holds the ports of one cluster. A port stays reserved among all clusters of
// this user, by a lock on a file named after it, while its owner runs: a killed API
// server finds its port still free when it is started again.
type ports struct {
	dir  string
	held []*os.File
}

// take reserves a free loopback port.
func (p *ports) take() (int, error) {
	if err := os.MkdirAll(p.dir, 0o755); err != nil {
		return 0, fmt.Errorf("make the folder of port reservations: %w", err)
	}
	for range 200 {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		f, err := p.reserve(port)
		if err != nil {
			return 0, err
		}
		if f != nil {
			p.held = append(p.held, f)
			return port, nil
		}
	}
	return 0, fmt.Errorf("no free port found on 127.0.0.1 between %d and %d in 200 tries; "+
		"see what listens there with: ss -ltn", firstPort, lastPort)
}

// reserve locks the port's file if nobody has and nobody listens; nil if it is taken.
func (p *ports) reserve(port int) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(p.dir, strconv.Itoa(port)), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("reserve port %d: %w", port, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, nil
		}
		return nil, fmt.Errorf("reserve port %d: %w", port, err)
	}
	l, err := net.Listen("tcp", loopback(port))
	if err != nil {
		f.Close()
		return nil, nil //nolint:nilerr // somebody else listens there: the next port, then
	}
	return f, l.Close()
}

// release gives all ports back.
func (p *ports) release() {
	for _, f := range p.held {
		f.Close()
	}
	p.held = nil
}

// loopback is the address of a port on this machine only.
func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

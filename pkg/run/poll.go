package run

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"time"
)

// lookEvery is how often files are looked at. They are read rather than watched, because a mounted ConfigMap is swapped by a symbolic link, which
// file watches miss.
const lookEvery = 2 * time.Second

// largestFile is how much of a file is read, at most one byte more than any of our files may have, so that an endless one ends.
const largestFile = 1<<20 + 1

// polled is a file that is looked at again and again. What it says is handed on when it has changed and two looks find the same: a look may come while
// somebody writes, and half a file may be a sound one with other contents.
//
//	as handed on ── other contents ──> changed ── the same at the next look ──> handed on
//	     └── cannot be read: the error is handed on, once ── read again ──> handed on
type polled struct {
	path string
	read func(string) ([]byte, error)
	// take is called with what the file says, or why it cannot be read.
	take func(data []byte, err error)

	// seen is what was handed on last, fresh what the last look found, nil if it could not read. failed is the error that was handed on, if nothing else
	// was since.
	seen, fresh []byte
	failed      string
}

// poll prepares to follow a file. What it says at the beginning is handed on too: it may have changed since it was loaded.
func poll(path string, take func(data []byte, err error)) *polled {
	return &polled{path: path, read: readBounded, take: take}
}

func (f *polled) look() {
	data, err := f.read(f.path)
	if err != nil {
		f.fresh = nil
		if why := err.Error(); why != f.failed {
			f.failed = why
			f.take(nil, err)
		}
		return
	}
	isSteady := f.fresh != nil && bytes.Equal(data, f.fresh)
	f.fresh = data
	if !isSteady || f.failed == "" && f.seen != nil && bytes.Equal(data, f.seen) {
		return
	}
	f.seen, f.failed = data, ""
	f.take(data, nil)
}

// lookAt looks at files until the context ends.
func lookAt(ctx context.Context, files []*polled) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			for _, f := range files {
				f.look()
			}
		}
	}
}

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, largestFile))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return data, nil
}

package config

import (
	"fmt"
	"io"
	"os"

	"github.com/sluice-scheduler/sluice/pkg/config/strict"
)

// MaxBytes is the size of the largest configuration file that is read. It is far beyond any sensible one, and small enough that
// a wrong path (a log, a device) costs nothing.
const MaxBytes = 1 << 20

// Load reads the configuration file at path. See Parse for its errors; one from the file system names the path.
func Load(path string) (*Configuration, error) {
	data, err := read(path)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	return Parse(path, data)
}

// Parse lays the YAML in data over Default. The name stands for the file in faults. If anything is wrong, the configuration is nil
// and the error is of type strict.Faults and holds every fault that was found.
func Parse(name string, data []byte) (*Configuration, error) {
	d := strict.Read(name, data, MaxBytes)
	// A file of another kind gets one fault, not one for every key that is foreign here.
	if kind, ok := d.Text("kind"); ok && kind != Kind {
		return nil, d.Refuse("kind", "must be %s, but is %q", Kind, kind)
	}
	if version, ok := d.Text("apiVersion"); ok && version != APIVersion {
		return nil, d.Refuse("apiVersion", "must be %s, but is %q", APIVersion, version)
	}
	c := Default()
	if err := d.Decode(c).Err(); err != nil {
		return nil, err
	}
	return c, nil
}

// YAML writes the configuration as a file that Parse reads back to an equal one, every field included.
func (c *Configuration) YAML() ([]byte, error) { return strict.Encode(c) }

// read reads at most one byte more than Parse accepts, so that an endless file ends.
func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, MaxBytes+1))
}

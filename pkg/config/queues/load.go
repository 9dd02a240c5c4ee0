package queues

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"

	"github.com/sluice-scheduler/sluice/pkg/config/strict"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/order"
)

// MaxBytes is the size of the largest queues file that is read: that of the largest ConfigMap.
const MaxBytes = 1 << 20

// hashLength is how many hex digits of a SHA-256 sum identify a file.
const hashLength = 12

// Loaded is what a queues file says.
type Loaded struct {
	// Tree is valid and not nil. Its hash is the beginning of the SHA-256 sum of the file, in hex.
	Tree *cluster.Tree
	// NodeOrder is the node order that YuniKorn's nodesortpolicy asks for, named OrderName; nil if the file has none. It is that of the queue root,
	// unless root names another.
	NodeOrder *order.Spec
	// Orders are the places where the file names a node order, or makes one, in the order of the file; see CheckOrders.
	Orders []OrderUse
	// Warnings name what in the file has no effect, in the order of the file.
	Warnings strict.Faults
}

// Load reads the queues file at path. See Parse for its errors; one from the file system names the path.
func Load(path string) (*Loaded, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the queues: %w", err)
	}
	defer f.Close()
	return Read(path, f)
}

// Read reads a queues file from r; the name stands for it in faults. See Parse for its errors; one from r names it.
func Read(name string, r io.Reader) (*Loaded, error) {
	// At most one byte more than Parse accepts, so that an endless file ends.
	data, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read the queues from %s: %w", name, err)
	}
	return Parse(name, data)
}

// Parse reads the YAML in data. The name stands for the file in faults. If anything is wrong, the result is nil and the error is of type
// strict.Faults and holds every fault and warning that was found.
func Parse(name string, data []byte) (*Loaded, error) {
	d := strict.Read(name, data, MaxBytes)
	if kind, ok := d.Text("kind"); ok { // one fault, not one for every key that is foreign here
		hint := ""
		if kind == "ConfigMap" {
			hint = "; give the text below its key queues.yaml alone"
		}
		return nil, d.Refuse("kind", "must not be there: a queues file has no kind, and this is a %q%s", kind, hint)
	}
	var f file
	faults := d.Decode(&f)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	tree := &cluster.Tree{Hash: hex.EncodeToString(sum[:])[:hashLength], Root: f.built.root.spec, Rules: f.built.rules}
	return &Loaded{Tree: tree, NodeOrder: f.built.order, Orders: f.built.uses, Warnings: faults.Warnings()}, nil
}

// Default returns the tree that holds when there is no queues file: root with the one leaf root.default, to which everybody may submit, without
// any limit. Each call returns a tree of its own.
func Default() *cluster.Tree {
	spec := func(name string) *cluster.QueueSpec {
		return &cluster.QueueSpec{Name: name, Weight: 1, Sort: cluster.SortFIFO, Preemption: cluster.Preemption{Delay: defaultDelay}}
	}
	root, leaf := spec(rootName), spec("default")
	root.Parent, root.Submit, root.Children = true, cluster.ACL{Everybody: true}, []*cluster.QueueSpec{leaf}
	root.Template = spec("")
	return &cluster.Tree{Hash: "default", Root: root}
}

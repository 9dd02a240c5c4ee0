package flink

import (
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/sim"
)

// TestScripts runs every file below testdata as a transcript: go test ./pkg/sim/flink -rewrite writes the expected effects anew.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		s := newScript()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			args := sim.Args{Values: map[string][]string{}}
			for i, arg := range d.CmdArgs {
				if i == 0 && len(arg.Vals) == 0 {
					args.Name = arg.Key
				}
				args.Values[arg.Key] = arg.Vals
			}
			out, err := s.Do(d.Cmd, args, d.Input)
			require.NoError(t, err, d.Pos)
			return out
		})
	})
}

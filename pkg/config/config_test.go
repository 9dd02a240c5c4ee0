package config_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	kubescheduler "k8s.io/kube-scheduler/config/v1"

	"github.com/sluice-scheduler/sluice/pkg/config"
	"github.com/sluice-scheduler/sluice/pkg/core/order"
)

const header = "apiVersion: config.sluice.dev/v1alpha1\nkind: SluiceConfiguration\n"

func TestNothingSetGivesTheDefaults(t *testing.T) {
	for name, text := range map[string]string{
		"header only":       header,
		"header in quotes":  "apiVersion: \"config.sluice.dev/v1alpha1\"\nkind: 'SluiceConfiguration'\n",
		"JSON":              `{"apiVersion": "config.sluice.dev/v1alpha1", "kind": "SluiceConfiguration"}`,
		"document marks":    "---\n" + header + "...\n",
		"leading document":  "# a chart's comment\n---\n" + header,
		"trailing document": header + "---\n# nothing\n",
		"empty sections":    header + "nodes:\nbind: {}\nlog: null\n# level: debug\n",
		"byte order mark":   "\ufeff" + header,
		"Windows lines":     strings.ReplaceAll(header, "\n", "\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			c, err := config.Parse("sluice.yaml", []byte(text))
			require.NoError(t, err)
			require.Empty(t, cmp.Diff(config.Default(), c))
		})
	}
}

func TestEveryFieldIsTakenFromTheFile(t *testing.T) {
	c, err := config.Parse("sluice.yaml", []byte(header+`
schedulerName: batch.example
otherSchedulerNames: [default-scheduler]
nodes: {selector: "pool=batch,arch in (amd64,arm64),!reserved"}
backoff: {initial: 250ms, max: 1m30s}
retryAfter: 1h
starvationAfter: 20m
step: {budget: 1}
bind: {maxInFlight: 1024, minInFlight: 1024, timeout: 10m}
volumes: {bindTimeout: 1s}
gang: {holdFor: 0s, reentryFor: 24h, configMapWithin: 3s}
status: {countsEvery: 0s}
events: {maxInFlight: 1}
nodeOrders:
- name: pack
  evaluators:
  - scoringStrategy: {type: MostAllocated, resources: [{name: cpu, weight: 2}, {name: nvidia.com/gpu}]}
    withRequest: true
    weight: 5
  - scoringStrategy: {type: RequestedToCapacityRatio, requestedToCapacityRatio: {shape: [{utilization: 0, score: 1}, {utilization: 100, score: 9}]}}
  - {type: Balanced, resources: [cpu, memory]}
  - {type: NodeLabel, label: disk, values: {ssd: 100}}
  - {type: InterPodAffinity, hardPodAffinityWeight: 0, ignorePreferredTermsOfExistingPods: true}
  - {type: InterPodAffinity, weight: 2}
scarceResources: {detectBelow: 10, always: [example.com/fpga], never: [nvidia.com/gpu]}
queues: {configMap: {namespace: batch, name: queues.batch, key: tree}, trustUserAnnotation: true}
leaderElection:
  enabled: false
  namespace: batch
  name: sluice.batch
  leaseDuration: 1h
  renewDeadline: 121ms
  retryPeriod: 100ms
web: {address: "[::1]:0"}
log: {level: debug, format: json}
stateDirectory: /var/lib/sluice
client: {qps: 0.5, burst: 1}
`))
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(&config.Configuration{
		APIVersion:    config.APIVersion,
		Kind:          config.Kind,
		SchedulerName: "batch.example", OtherSchedulerNames: []string{"default-scheduler"},
		Nodes:           config.Nodes{Selector: "pool=batch,arch in (amd64,arm64),!reserved"},
		Backoff:         config.Backoff{Initial: 250 * time.Millisecond, Max: 90 * time.Second},
		RetryAfter:      time.Hour,
		StarvationAfter: 20 * time.Minute,
		Step:            config.Step{Budget: 1},
		Bind:            config.Bind{MaxInFlight: 1024, MinInFlight: 1024, Timeout: 10 * time.Minute},
		Volumes:         config.Volumes{BindTimeout: time.Second},
		Gang:            config.Gang{HoldFor: 0, ReentryFor: 24 * time.Hour, ConfigMapWithin: 3 * time.Second},
		Status:          config.Status{CountsEvery: 0},
		Events:          config.Events{MaxInFlight: 1},
		NodeOrders: []config.NodeOrder{{Name: "pack", Evaluators: []config.Evaluator{
			{Weight: 5, WithRequest: true, ScoringStrategy: &config.ScoringStrategy{ScoringStrategy: kubescheduler.ScoringStrategy{
				Type:      kubescheduler.MostAllocated,
				Resources: []kubescheduler.ResourceSpec{{Name: "cpu", Weight: 2}, {Name: "nvidia.com/gpu"}},
			}}},
			{ScoringStrategy: &config.ScoringStrategy{ScoringStrategy: kubescheduler.ScoringStrategy{
				Type: kubescheduler.RequestedToCapacityRatio,
				RequestedToCapacityRatio: &kubescheduler.RequestedToCapacityRatioParam{
					Shape: []kubescheduler.UtilizationShapePoint{{Utilization: 0, Score: 1}, {Utilization: 100, Score: 9}},
				},
			}}},
			{Type: "Balanced", Resources: []string{"cpu", "memory"}},
			{Type: "NodeLabel", Label: "disk", Values: map[string]int64{"ssd": 100}},
			{Type: "InterPodAffinity", HardPodAffinityWeight: new(int64), IgnorePreferredTermsOfExistingPods: true},
			{Type: "InterPodAffinity", Weight: 2},
		}}},
		ScarceResources: config.ScarceResources{DetectBelow: 10, Always: []string{"example.com/fpga"}, Never: []string{"nvidia.com/gpu"}},
		Queues: config.Queues{
			Object: config.ConfigMapKey{Namespace: "batch", Name: "queues.batch", Key: "tree"}, TrustUserAnnotation: true,
		},
		LeaderElection: config.LeaderElection{
			Namespace: "batch", Name: "sluice.batch",
			LeaseDuration: time.Hour, RenewDeadline: 121 * time.Millisecond, RetryPeriod: 100 * time.Millisecond,
		},
		Web:            config.Web{Address: "[::1]:0"},
		Log:            config.Log{Level: "debug", Format: "json"},
		StateDirectory: "/var/lib/sluice",
		Client:         config.Client{QPS: 0.5, Burst: 1},
	}, c))
	requireRoundTrip(t, c)
	require.Empty(t, cmp.Diff([]order.Spec{{Name: "pack", Evaluators: []order.Evaluator{
		{Kind: order.RequestMostAllocated, Weight: 5, Resources: []order.Resource{{Name: "cpu", Weight: 2}, {Name: "nvidia.com/gpu", Weight: 1}}},
		{Kind: order.RequestedToCapacityRatio, Weight: 1, Shape: []order.Point{{Utilization: 0, Score: 1}, {Utilization: 100, Score: 9}}},
		{Kind: order.Balanced, Weight: 1, Resources: []order.Resource{{Name: "cpu", Weight: 1}, {Name: "memory", Weight: 1}}},
		{Kind: order.NodeLabel, Weight: 1, Label: "disk", Values: map[string]int64{"ssd": 100}},
		{Kind: order.InterPodAffinity, Weight: 1, OwnTerms: true},
		{Kind: order.InterPodAffinity, Weight: 2, HardWeight: 1},
	}}}, c.Orders()))
	require.Equal(t, order.ScarceSpec{Below: 10, Always: []string{"example.com/fpga"}, Never: []string{"nvidia.com/gpu"}}, c.Scarce())
}

// The values at the ends of what is allowed; what lies beyond them is in testdata/faults.
func TestExtremesAreAccepted(t *testing.T) {
	for _, line := range []string{
		"schedulerName: s", "schedulerName: " + strings.Repeat("s", 63), "schedulerName: default-scheduler",
		"nodes: {selector: ''}", "nodes: {selector: 'a!=b, c notin (d), e, f>3'}",
		"backoff: {initial: 1ms, max: 1ms}", "backoff: {initial: 1h, max: 1h}",
		"retryAfter: 1s", "retryAfter: 24h", "step: {budget: 1000000000}",
		"bind: {maxInFlight: 1, minInFlight: 1}", "bind: {timeout: 1s}",
		"status: {countsEvery: 1h}", "events: {maxInFlight: 256}",
		"leaderElection: {leaseDuration: 11s}", "leaderElection: {renewDeadline: 2401ms}", "leaderElection: {retryPeriod: 8s}",
		"web: {address: ':10270'}", "web: {address: 'localhost:65535'}", "web: {address: '0.0.0.0:0'}",
		"client: {qps: -1}", "client: {qps: 100000, burst: 100000}", "client: {qps: 1e-3}",
		"queues: {file: ../q/queues.yaml}", "queues: {configMap: {name: q}}", "queues: {configMap: {name: '', key: queues.yaml}}",
		"stateDirectory: ''", "bind: &b {timeout: 2s}", "log: {level: &l warn}\n",
	} {
		c, err := config.Parse("sluice.yaml", []byte(header+line))
		require.NoError(t, err, line)
		requireRoundTrip(t, c)
	}
}

func TestDefaultsWrittenAndReadAreEqual(t *testing.T) {
	requireRoundTrip(t, config.Default())
	require.NotSame(t, config.Default(), config.Default())
}

func TestStatePathFallsBackToTheTemporaryFolder(t *testing.T) {
	c := config.Default()
	require.Equal(t, filepath.Join("/tmp", "sluice"), c.StatePath("/tmp"))
	c.StateDirectory = "/var/lib/sluice"
	require.Equal(t, "/var/lib/sluice", c.StatePath("/tmp"))
}

func TestThePathOfTheQueuesIsThatBesideTheConfiguration(t *testing.T) {
	c := config.Default()
	require.Empty(t, c.QueuesPath("/etc/sluice/sluice.yaml"))
	c.Queues.File = "queues.yaml"
	require.Equal(t, "/etc/sluice/queues.yaml", c.QueuesPath("/etc/sluice/sluice.yaml"))
	require.Equal(t, "queues.yaml", c.QueuesPath("sluice.yaml"))
	c.Queues.File = "/etc/queues.yaml"
	require.Equal(t, "/etc/queues.yaml", c.QueuesPath("sluice.yaml"))
}

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sluice.yaml")
	require.NoError(t, os.WriteFile(path, []byte(header+"log: {level: debug}\n"), 0o600))
	c, err := config.Load(path)
	require.NoError(t, err)
	require.Equal(t, "debug", c.Log.Level)

	require.NoError(t, os.WriteFile(path, []byte(header+"log: {level: loud}\n"), 0o600))
	_, err = config.Load(path)
	require.ErrorContains(t, err, path+":3:14: log.level: ")
}

func TestLoadSaysWhichFileItCouldNotRead(t *testing.T) {
	folder := t.TempDir()
	_, err := config.Load(filepath.Join(folder, "none.yaml"))
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, filepath.Join(folder, "none.yaml"))
	_, err = config.Load(folder)
	require.ErrorContains(t, err, folder)
}

func TestHugeAndEndlessInputIsRefused(t *testing.T) {
	_, err := config.Parse("huge", make([]byte, config.MaxBytes+1))
	require.ErrorContains(t, err, "huge:1:1: the file has 1048577 bytes, more than the 1048576 that are allowed")
	if runtime.GOOS != "windows" {
		_, err = config.Load("/dev/zero")
		require.ErrorContains(t, err, "more than the 1048576")
	}
	_, err = config.Parse("deep", []byte(header+"a: "+strings.Repeat("[", 200_000)))
	require.ErrorContains(t, err, "exceeded max depth")
}

func TestFaultsEndAtAHundred(t *testing.T) {
	_, err := config.Parse("many", []byte(header+strings.Repeat("? [no key]\n", 1000)))
	require.ErrorContains(t, err, "\n100 faults in many; there may be more; nothing was applied")
}

func requireRoundTrip(t *testing.T, c *config.Configuration) {
	t.Helper()
	text, err := c.YAML()
	require.NoError(t, err)
	again, err := config.Parse("again", text)
	require.NoError(t, err, "%s", text)
	require.Empty(t, cmp.Diff(c, again), "%s", text)
}

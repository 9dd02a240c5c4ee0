package config

import (
	"path/filepath"
	"time"
)

// Default returns the configuration that holds when a file sets nothing but apiVersion and kind. Each call returns a value of
// its own.
func Default() *Configuration {
	return &Configuration{
		APIVersion:          APIVersion,
		Kind:                Kind,
		SchedulerName:       "sluice",
		OtherSchedulerNames: []string{},
		Nodes:               Nodes{Selector: ""},
		Backoff:             Backoff{Initial: time.Second, Max: 10 * time.Second},
		RetryAfter:          5 * time.Minute,
		StarvationAfter:     5 * time.Minute,
		Step:                Step{Budget: 200_000},
		Bind:                Bind{MaxInFlight: 128, MinInFlight: 2, Timeout: 30 * time.Second},
		Volumes:             Volumes{BindTimeout: 10 * time.Minute},
		Gang:                Gang{HoldFor: 10 * time.Minute, ReentryFor: 5 * time.Minute, ConfigMapWithin: 10 * time.Second},
		Status:              Status{CountsEvery: time.Minute},
		Events:              Events{MaxInFlight: 16},
		NodeOrders:          []NodeOrder{},
		ScarceResources:     ScarceResources{DetectBelow: 90, Always: []string{}, Never: []string{}},
		Queues:              Queues{Object: ConfigMapKey{Namespace: "sluice-system", Key: "queues.yaml"}},
		LeaderElection: LeaderElection{
			Enabled:       true,
			Namespace:     "sluice-system",
			Name:          "sluice",
			LeaseDuration: 15 * time.Second,
			RenewDeadline: 10 * time.Second,
			RetryPeriod:   2 * time.Second,
		},
		Web:            Web{Address: "127.0.0.1:10270"},
		Log:            Log{Level: "info", Format: "text"},
		StateDirectory: "",
		Client:         Client{QPS: -1, Burst: 100},
	}
}

// StatePath returns the folder for what must outlive a crash: StateDirectory, or a folder sluice in temp if that is
// empty. The caller passes os.TempDir() as temp, which keeps this package free of the environment.
func (c *Configuration) StatePath(temp string) string {
	if c.StateDirectory != "" {
		return c.StateDirectory
	}
	return filepath.Join(temp, "sluice")
}

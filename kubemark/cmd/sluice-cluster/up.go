package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluice-scheduler/sluice/kubemark/autoscaler"
	"github.com/sluice-scheduler/sluice/kubemark/local"
	"github.com/sluice-scheduler/sluice/kubemark/simnode"
)

// up is what the command up may be told.
type up struct {
	cluster    local.Options
	group      simnode.Group
	hollow     local.HollowOptions
	startDelay time.Duration
	sluice     bool
	dropIn     bool
	binary     string
	config     string
	flink      bool
	stopFlink  func() error
	autoscale  []string
	scaling    autoscaler.Options
}

// upCommand runs a cluster until Ctrl-C.
func upCommand(opts *local.Options) *cobra.Command {
	var u up
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Run a cluster until Ctrl-C",
		Example: `  # 100 simulated nodes
  sluice-cluster up

  # 2,000 simulated nodes of 64 CPUs with 8 GPUs each, 10 hollow nodes, kube-scheduler, Sluice
  sluice-cluster up --nodes 2000 --cpu 64 --extended nvidia.com/gpu=8 --hollow 10 --kube-scheduler --with-sluice

  # five nodes, and up to ten more with GPUs that come half a minute after pods need them
  sluice-cluster up --nodes 5 --with-sluice --autoscale name=gpu,max=10,nvidia.com/gpu=8 --autoscale-delay 30s

  # ten nodes, and Flink's operator: kubectl apply a FlinkDeployment whose pods name Sluice
  sluice-cluster up --nodes 10 --with-sluice --flink

  # Sluice in the place of kube-scheduler: it places every pod, also those that name no scheduler
  sluice-cluster up --drop-in`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			u.cluster.Source, u.cluster.Components = opts.Source, opts.Components
			return u.run(cmd.Context(), cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&u.cluster.Dir, "dir", "", "folder for data, kubeconfigs and logs (default: a temporary one, removed at the end)")
	f.BoolVar(&u.cluster.Keep, "keep", false, "leave the temporary folder in place at the end")
	f.BoolVar(&u.cluster.KubeScheduler, "kube-scheduler", false, "run kube-scheduler too, for pods that do not name Sluice")
	f.BoolVar(&u.cluster.NoNodeLifecycle, "no-node-lifecycle", false, "do not taint nodes that fail, nor evict their pods")
	f.IntVar(&u.group.Count, "nodes", 100, "number of simulated nodes")
	f.StringVar(&u.group.CPU, "cpu", "32", "CPUs of a simulated node")
	f.StringVar(&u.group.Memory, "memory", "128Gi", "memory of a simulated node")
	f.IntVar(&u.group.Pods, "pods", 110, "pods that a simulated node takes")
	f.StringToStringVar(&u.group.Extended, "extended", nil, "extended resources of a simulated node, as name=amount")
	f.StringToStringVar(&u.group.Labels, "labels", nil, "labels of simulated nodes, as key=value")
	f.DurationVar(&u.startDelay, "start-delay", 0, "time a simulated pod takes from admission to Running")
	f.IntVar(&u.hollow.Count, "hollow", 0, "number of hollow nodes, of 4 CPUs and 8 GiB")
	f.BoolVar(&u.sluice, "with-sluice", false, "run Sluice with its default configuration")
	f.BoolVar(&u.dropIn, "drop-in", false, "run Sluice in the place of kube-scheduler, for pods that name no scheduler")
	f.StringArrayVar(&u.autoscale, "autoscale", nil, "a group of simulated nodes that an autoscaler adds and removes, as name=gpu,max=10,cpu=32,memory=128Gi,nvidia.com/gpu=8 with min=0; may be given several times")
	f.DurationVar(&u.scaling.Delay, "autoscale-delay", 0, "time from the autoscaler's decision until a new node is ready")
	f.DurationVar(&u.scaling.Interval, "autoscale-interval", 10*time.Second, "how often the autoscaler looks")
	f.DurationVar(&u.scaling.Unneeded, "autoscale-unneeded", 10*time.Minute, "after how long the autoscaler removes an empty node")
	f.BoolVar(&u.flink, "flink", false, "run the simulated Flink operator, so that a FlinkDeployment becomes a JobManager and TaskManagers")
	f.StringVar(&u.config, "config", "", "configuration `file` for the Sluice that --with-sluice or --drop-in runs")
	f.StringVar(&u.binary, "sluice", "", "the sluice program (default: $SLUICE_BINARY or bin/sluice of the checkout)")
	return cmd
}

// run starts everything and waits.
func (u *up) run(ctx context.Context, out io.Writer) (err error) {
	if u.group.Count < 0 || u.hollow.Count < 0 {
		return fmt.Errorf("--nodes %d --hollow %d: give numbers from 0", u.group.Count, u.hollow.Count)
	}
	if u.dropIn && (u.cluster.KubeScheduler || u.sluice) {
		return errors.New("--drop-in runs Sluice in the place of kube-scheduler: give neither --kube-scheduler nor --with-sluice with it")
	}
	if u.config != "" && !u.sluice && !u.dropIn {
		return errors.New("--config is for the Sluice that --with-sluice or --drop-in runs: give one of them with it")
	}
	for _, text := range u.autoscale {
		g, err := autoscaler.ParseGroup(text)
		if err != nil {
			return fmt.Errorf("--autoscale: %w", err)
		}
		u.scaling.Groups = append(u.scaling.Groups, g)
	}
	t := newTeller(out)
	u.cluster.Progress = out
	c, err := u.start(ctx, t)
	if c != nil {
		defer func() { err = errors.Join(err, t.step("stopped", func() error { return u.stop(c) })) }()
	}
	if err != nil {
		return unlessInterrupted(ctx, err)
	}
	fmt.Fprintf(out, `
  export KUBECONFIG=%s
  %s get nodes

  kubectl   %s
  logs      %s

Ctrl-C ends the cluster.
`, c.Kubeconfig(), c.Kubectl(), c.Kubectl(), logs(c))
	<-ctx.Done()
	fmt.Fprintln(out)
	return nil
}

// start brings everything up, a step at a time.
func (u *up) start(ctx context.Context, t *teller) (c *local.Cluster, err error) {
	err = t.step("control plane", func() error {
		c, err = local.Start(ctx, u.cluster)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := u.simulate(ctx, t, c); err != nil {
		return c, err
	}
	if u.hollow.Count > 0 {
		if err := t.step(strconv.Itoa(u.hollow.Count)+" hollow nodes ready", func() error {
			_, err := c.AddHollow(ctx, u.hollow)
			return err
		}); err != nil {
			return c, err
		}
	}
	if u.flink {
		if err := t.step("Flink's operator and JobManagers (simulated) watch", func() (err error) {
			_, u.stopFlink, err = simulateFlink(ctx, c)
			return err
		}); err != nil {
			return c, err
		}
	}
	if u.sluice || u.dropIn {
		return c, u.startSluice(ctx, t, c)
	}
	return c, nil
}

// stop ends Flink and the cluster.
func (u *up) stop(c *local.Cluster) (err error) {
	if u.stopFlink != nil {
		err = u.stopFlink()
	}
	return errors.Join(err, c.Stop())
}

// simulate adds the simulated nodes, and the autoscaler if groups are given.
func (u *up) simulate(ctx context.Context, t *teller, c *local.Cluster) error {
	if u.group.Count == 0 && len(u.scaling.Groups) == 0 {
		return nil
	}
	var fleet *simnode.Fleet
	err := t.step(strconv.Itoa(u.group.Count)+" simulated nodes ready", func() (err error) {
		fleet, err = c.Simulate(ctx, simnode.Options{Groups: []simnode.Group{u.group}, StartDelay: u.startDelay})
		return err
	})
	if err != nil || len(u.scaling.Groups) == 0 {
		return err
	}
	return t.step("autoscaler looks at pods that wait for nodes", func() error {
		_, err := c.Autoscale(ctx, fleet, u.scaling)
		return err
	})
}

// startSluice runs Sluice beside kube-scheduler or in its place.
func (u *up) startSluice(ctx context.Context, t *teller, c *local.Cluster) error {
	what, config := "Sluice ready", ""
	if u.dropIn {
		what, config = "Sluice ready, in the place of kube-scheduler", "schedulerName: default-scheduler\n"
	}
	if u.config != "" {
		text, err := os.ReadFile(u.config)
		if err != nil {
			return fmt.Errorf("--config: %w", err)
		}
		config += string(text)
	}
	var s *local.Sluice
	err := t.step(what, func() (err error) {
		s, err = c.StartSluice(ctx, local.SluiceOptions{Binary: u.binary, Config: config})
		return err
	})
	if err == nil {
		t.say("for kubectl sluice: export SLUICE_SERVER=%s", s.URL())
	}
	return err
}

// unlessInterrupted drops an error whose cause is that the user pressed Ctrl-C.
func unlessInterrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluice-scheduler/sluice/kubemark/components"
	"github.com/sluice-scheduler/sluice/kubemark/flink"
	"github.com/sluice-scheduler/sluice/kubemark/local"
	"github.com/sluice-scheduler/sluice/kubemark/simnode"
)

// demo is the story of Sluice on one screen.
type demo struct {
	cluster local.Options
	nodes   int
	binary  string
	once    bool
	timeout time.Duration

	tell      *teller
	c         *local.Cluster
	sluice    *local.Sluice
	flink     *flink.Simulator
	stopFlink func() error
}

// demoCommand tells the story.
func demoCommand(opts *local.Options) *cobra.Command {
	var d demo
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show Sluice placing a Flink job on a real control plane",
		Long: `Start a real Kubernetes control plane, simulated nodes and Sluice; submit a Flink job as Flink's users
do; show how long each step takes, two jobs for which there is not room, of which one starts whole and the other not at all, a tenant whose queue reaches its maximum until that is raised, and a
pod that can never fit with the reason Sluice gives.
Then the cluster stays for you to play with, until Ctrl-C.`,
		Example: `  sluice-cluster demo
  sluice-cluster demo --once    # end by itself: exit code 0 when all was placed, else 1 and the reason`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d.cluster.Source, d.cluster.Components = opts.Source, opts.Components
			return d.run(cmd.Context(), cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&d.binary, "sluice", "", "the sluice program (default: $SLUICE_BINARY or bin/sluice of the checkout)")
	f.BoolVar(&d.once, "once", false, "end when all is placed, instead of waiting for Ctrl-C")
	f.IntVar(&d.nodes, "nodes", 100, "number of simulated nodes")
	f.DurationVar(&d.timeout, "timeout", 2*time.Minute, "how long the job may take to be placed")
	return cmd
}

// run tells the story, says what to try next, and cleans up.
func (d *demo) run(ctx context.Context, out io.Writer) (err error) {
	if d.nodes < 1 || d.timeout <= 0 {
		return fmt.Errorf("--nodes %d --timeout %v: give at least one node and some time", d.nodes, d.timeout)
	}
	d.tell, d.cluster.Progress = newTeller(out), out
	fmt.Fprintf(out, "Sluice on Kubernetes %s, on this machine\n\n", components.Version)
	defer func() { err = errors.Join(err, d.stop()) }()
	for _, chapter := range []func(context.Context) error{
		d.startCluster, d.addNodes, d.startSluice, d.flinkJob, d.rivals, d.batchTenant, d.impossiblePod,
	} {
		if err := chapter(ctx); err != nil {
			if d.c != nil && ctx.Err() == nil {
				d.c.KeepFolder()
				err = fmt.Errorf("%w\nthe logs are kept in %s", err, filepath.Dir(d.c.Log("any")))
			}
			return unlessInterrupted(ctx, err)
		}
	}
	if d.once {
		return nil
	}
	d.tryNext(out)
	<-ctx.Done()
	fmt.Fprintln(out)
	return d.tell.step("stopped and cleaned up", d.stop)
}

// stop ends everything; a second call does nothing.
func (d *demo) stop() (err error) {
	if d.stopFlink != nil {
		err = d.stopFlink()
		d.stopFlink = nil
	}
	if d.c != nil {
		err = errors.Join(err, d.c.Stop())
	}
	return err
}

// startCluster is the first chapter. It begins with building Kubernetes, once.
func (d *demo) startCluster(ctx context.Context) error {
	_, err := components.Ensure(ctx, components.Options{
		Source: d.cluster.Source, Dir: d.cluster.Components, Progress: d.cluster.Progress,
	})
	if err != nil {
		return err
	}
	return d.tell.step("control plane: etcd, API server, controllers", func() error {
		d.c, err = local.Start(ctx, d.cluster)
		return err
	})
}

// addNodes adds the nodes, their pods taking a moment to start.
func (d *demo) addNodes(ctx context.Context) error {
	return d.tell.step(strconv.Itoa(d.nodes)+" simulated nodes ready (32 CPUs, 128 GiB, three zones)", func() error {
		_, err := d.c.Simulate(ctx, simnode.Options{
			Groups:     []simnode.Group{{Name: "node", Count: d.nodes}},
			StartDelay: 300 * time.Millisecond,
		})
		return err
	})
}

// startSluice runs Sluice with its own rights, and with queues for two tenants.
func (d *demo) startSluice(ctx context.Context) error {
	return d.tell.step("Sluice ready, as service account sluice-system/sluice", func() error {
		if _, err := d.c.InstallSluice(ctx); err != nil {
			return err
		}
		if err := d.setTenants(ctx, batchCPUs); err != nil {
			return err
		}
		var err error
		d.sluice, err = d.c.StartSluice(ctx, local.SluiceOptions{Binary: d.binary, Config: queuesConfig})
		return err
	})
}

// impossiblePod shows what Sluice says of a pod that no node can ever take.
func (d *demo) impossiblePod(ctx context.Context) error {
	var message string
	err := d.tell.step("a pod that asks for 1,000 CPUs waits, and says why:", func() (err error) {
		message, err = d.reason(ctx, sluicePod("too-large", "1000"))
		return err
	})
	if err == nil {
		d.tell.say("  %s", message)
	}
	return err
}

// tryNext says what a newcomer can do now.
func (d *demo) tryNext(out io.Writer) {
	fmt.Fprintf(out, `
Try next, in another terminal:
  export KUBECONFIG=%s
  alias kubectl=%s
  kubectl get pods -o wide
  kubectl describe pod too-large
  kubectl delete pod too-large
  kubectl edit configmap -n %s %s
Sluice:  %s   (%s/metrics, %s/debug/dump)
Logs:    %s
Ctrl-C ends and cleans up.
`, d.c.Kubeconfig(), d.c.Kubectl(), queuesNamespace, queuesMap, d.sluice.URL(), d.sluice.URL(), d.sluice.URL(), logs(d.c))
}

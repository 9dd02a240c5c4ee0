package main

import (
	"fmt"
	"io"
	"log/slog"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/sluice-scheduler/sluice/pkg/config"
	"github.com/sluice-scheduler/sluice/pkg/config/queues"
	"github.com/sluice-scheduler/sluice/pkg/kube"
	"github.com/sluice-scheduler/sluice/pkg/run"
)

// command is the tree of commands.
func command(version string) *cobra.Command {
	root := &cobra.Command{
		Use:   "sluice",
		Short: "A batch scheduler for Kubernetes",
		Long: `Sluice is a batch scheduler for Kubernetes. It runs beside the default scheduler and
places the pods that ask for it with

    spec:
      schedulerName: sluice

It leaves all other pods alone, but counts the room they take.`,
		Example: `  # place pods in the cluster that kubectl talks to
  sluice run

  # what an operator may set, with all defaults, is described in docs/configuration.md
  sluice run --config sluice.yaml --kubeconfig ~/.kube/config`,
		SilenceUsage:      true,
		SilenceErrors:     true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.AddCommand(runCommand(version), versionCommand(version))
	return root
}

func runCommand(version string) *cobra.Command {
	var file, kubeconfig string
	c := &cobra.Command{
		Use:   "run",
		Short: "Run the scheduler until it is told to stop",
		Long: `Run the scheduler.

It reads the nodes and pods of the cluster, waits until it leads (of several Sluices one leads,
the others stand by), and then places pods until it gets SIGTERM or Ctrl-C. Then it writes what
it has decided already, hands over to the next, and ends with exit code 0. It ends with exit code
1 when it cannot go on; start it again then: it rebuilds all it knows from the API server.

While it runs, its web address (http://127.0.0.1:10270 unless configured) tells how it does:
/readyz, /metrics, /debug/dump and more; / lists them.`,
		Example: `  # all defaults, in the cluster that kubectl talks to
  sluice run

  # another configuration, another cluster
  sluice run --config sluice.yaml --kubeconfig /etc/sluice/kubeconfig

  # check a configuration: one with faults is refused with all of them, before anything is started
  sluice run --config sluice.yaml

  # then let it place a pod
  kubectl run hello --image=busybox --overrides='{"spec":{"schedulerName":"sluice"}}' -- sleep 60`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, tree, err := load(file)
			if err != nil {
				return err
			}
			log := logger(c.ErrOrStderr(), cfg.Log)
			kube.RouteLog(log)
			defer run.PaceCollections()()
			err = run.Run(c.Context(), run.Options{
				Config: cfg, ConfigFile: file, Queues: tree, Kubeconfig: kubeconfig, Version: version, Log: log, Trap: trap(),
			})
			if err != nil {
				log.Error("cannot go on, ending: " + err.Error())
				return logged{err}
			}
			return nil
		},
	}
	c.Flags().StringVar(&file, "config", "", "configuration `file` (YAML); without it, all defaults hold")
	c.Flags().StringVar(&kubeconfig, "kubeconfig", "",
		"kubeconfig `file` of the cluster; without it, the service account when run as a pod, else $KUBECONFIG or ~/.kube/config")
	return c
}

// load reads the configuration, or takes the defaults without a file, and the queues file that it names, if any.
func load(file string) (*config.Configuration, *queues.Loaded, error) {
	if file == "" {
		return config.Default(), nil, nil
	}
	cfg, err := config.Load(file)
	if err != nil {
		return nil, nil, err
	}
	tree, err := run.LoadQueues(cfg, file)
	return cfg, tree, err
}

// logged is an error that the log tells already, in the format that its collectors read.
type logged struct{ error }

func versionCommand(version string) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		Run: func(c *cobra.Command, _ []string) {
			fmt.Fprintf(c.OutOrStdout(), "sluice %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		},
	}
}

// logger writes as configured. The configuration has been checked, so its words are known ones.
func logger(w io.Writer, cfg config.Log) *slog.Logger {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	options := &slog.HandlerOptions{Level: levels[cfg.Level]}
	if cfg.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

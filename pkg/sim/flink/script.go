package flink

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/sluice-scheduler/sluice/pkg/sim"
	"github.com/sluice-scheduler/sluice/pkg/sim/flink/jobmanager"
)

// script is a scenario with Flink jobs: what sim.Script understands, and
//
//	flink NAME [parallelism=] [slots=] [cpu=] [memory=] [queue=] [mode=batch] [delay=] [maps=] [runs=] [resource/name=] [plain]
//	upgrade NAME [pause=]
//	kill NAME
//	report [NAME]
//
// delay is how long the main method takes before it asks for TaskManagers, maps how much later than the JobManager's pod its ConfigMaps come, runs how long the job takes; plain: there is no
// FlinkDeployment to read. kill deletes the JobManager's pod. Lines below flink are its flinkConfiguration.
type script struct {
	*sim.Script
	world *World
	jobs  map[string]*Job
	costs map[*Job]*cost
}

// newScript returns a script on an empty world.
func newScript() *script {
	s := &script{Script: sim.NewScript(), jobs: map[string]*Job{}, costs: map[*Job]*cost{}}
	s.world = &World{Cluster: s.Cluster(), StartAfter: 2 * time.Second, RedeployAfter: time.Second}
	s.world.Act = s.act
	s.Add("flink", s.submit)
	s.Add("upgrade", s.upgrade)
	s.Add("kill", s.kill)
	s.Add("report", s.report)
	return s
}

// act lets the jobs act, and counts what starting in part costs them.
func (s *script) act() (next time.Duration, moved bool, err error) {
	next, moved, err = s.world.turn()
	for _, j := range s.world.jobs {
		s.costs[j].look(j)
	}
	return next, moved, err
}

func (s *script) submit(a sim.Args, input string) (string, error) {
	manifest, err := manifestOf(a, input)
	if err != nil {
		return "", err
	}
	j, err := s.world.Submit(manifest)
	if err != nil {
		return "", err
	}
	s.jobs[a.Name], s.costs[j] = j, &cost{}
	_, j.Hidden = a.Values["plain"]
	for key, into := range map[string]*time.Duration{"delay": &j.rules.StartDelay, "maps": &j.ConfigAfter, "runs": &j.rules.Work.RunFor} {
		if v := a.Values[key]; len(v) > 0 {
			if *into, err = time.ParseDuration(v[0]); err != nil {
				return "", err
			}
		}
	}
	return "", nil
}

// manifestOf writes the FlinkDeployment.
func manifestOf(a sim.Args, input string) (string, error) {
	one := func(key, absent string) string {
		if v := a.Values[key]; len(v) > 0 {
			return v[0]
		}
		return absent
	}
	conf := map[string]string{}
	if err := yaml.Unmarshal([]byte(input), &conf); err != nil {
		return "", err
	}
	conf["taskmanager.numberOfTaskSlots"], conf["execution.checkpointing.interval"] = one("slots", "1"), "60 s"
	if one("mode", "") == "batch" {
		conf["execution.runtime-mode"] = "BATCH"
	}
	for key, v := range a.Values {
		if strings.Contains(key, "/") {
			conf["external-resources"], conf["external-resource.device.amount"], conf["external-resource.device.kubernetes.config-key"] = "device", v[0], key
		}
	}
	labels := map[string]string{}
	if queue := one("queue", ""); queue != "" {
		labels["queue"] = queue
	}
	size := func(cpu, memory string) map[string]any {
		return map[string]any{"resource": map[string]any{"cpu": cpu, "memory": memory}}
	}
	number, err := strconv.Atoi(one("parallelism", "1"))
	if err != nil {
		return "", err
	}
	text, err := yaml.Marshal(map[string]any{
		"apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment", "metadata": map[string]any{"name": a.Name},
		"spec": map[string]any{
			"flinkVersion": "v1_20", "image": "flink:1.20", "serviceAccount": "flink", "flinkConfiguration": conf,
			"podTemplate": map[string]any{"metadata": map[string]any{"labels": labels}, "spec": map[string]any{"schedulerName": sim.Scheduler}},
			"jobManager":  size("1", "1024m"), "taskManager": size(one("cpu", "1"), one("memory", "1024m")),
			"job": map[string]any{"jarURI": "local:///job.jar", "parallelism": number, "upgradeMode": "last-state"},
		},
	})
	return string(text), err
}

// kill deletes a job's JobManager.
func (s *script) kill(a sim.Args, _ string) (string, error) {
	j := s.jobs[a.Name]
	if j == nil {
		return "", fmt.Errorf("no such job")
	}
	j.KillJobManager()
	return "", nil
}

// upgrade is the operator renewing a job.
func (s *script) upgrade(a sim.Args, _ string) (string, error) {
	j := s.jobs[a.Name]
	if j == nil {
		return "", fmt.Errorf("no such job")
	}
	s.world.Act = nil // nobody acts before all of it is gone
	defer func() { s.world.Act = s.act }()
	if v := a.Values["pause"]; len(v) > 0 {
		pause, err := time.ParseDuration(v[0])
		if err != nil {
			return "", err
		}
		s.world.RedeployAfter = pause
	}
	return "", j.Upgrade(func(map[string]any) {})
}

// report says where the jobs stand and what has gone wrong.
func (s *script) report(a sim.Args, _ string) (string, error) {
	var text strings.Builder
	for _, j := range s.world.jobs {
		if name := j.cr.GetName(); a.Name == "" || a.Name == name {
			s.costs[j].look(j)
			exist, bound := j.TaskManagers()
			n, c := j.Counts(), s.costs[j]
			fmt.Fprintf(&text, "%s %s taskmanagers=%d/%d waiting=%d timeouts=%d restarts=%d wasted=%v partial=%d\n", name, j.State(), len(bound), j.cluster.TaskManagers,
				len(exist)-len(bound), n.SlotTimeouts, n.Restarts, c.wasted, c.partial)
		}
	}
	return text.String(), nil
}

// cost is what a start in part wastes.
type cost struct {
	// wasted is for how long, in all, TaskManagers had nodes while others of their job that existed had none and the job did not run; partial is how often that began.
	wasted  time.Duration
	partial int
	// at is until when that is counted, idle how many wasted their time then; counted: as partial, which what is over within a moment is not.
	at      time.Duration
	idle    int
	counted bool
}

func (c *cost) look(j *Job) {
	now := j.world.Now()
	c.wasted += time.Duration(c.idle) * (now - c.at)
	if c.idle > 0 && now > c.at && !c.counted {
		c.counted = true
		c.partial++
	}
	exist, bound := j.TaskManagers()
	idle := 0
	if len(exist) > len(bound) && j.State() != jobmanager.Running {
		idle = len(bound)
	}
	c.counted = c.counted && idle > 0
	c.at, c.idle = now, idle
}

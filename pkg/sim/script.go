package sim

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/pkg/config"
	"github.com/sluice-scheduler/sluice/pkg/core"
)

// Args are a command's arguments: key=value, key=(v1,v2) or a bare word, which is a key without values. The first bare word is also the
// name of what the command is about.
type Args struct {
	Name   string
	Values map[string][]string
}

// Script runs a scenario, one command at a time.
type Script struct {
	cluster *Cluster
	out     strings.Builder
	// refuse holds, by pod name, why the next bind of that pod is refused; keep says that its answer is kept back, and kept holds it then.
	refuse map[string]string
	keep   map[string]bool
	kept   map[string]core.Bind
	// spoil says, by pod name, why the next PrepareVolumes of that pod fails; stall that it is not answered.
	spoil map[string]string
	stall map[string]bool
	// more are commands beside those of this package. isBrief: of effects only binds are shown; isSilent: not even those. counts are effects by kind.
	more              map[string]Command
	isBrief, isSilent bool
	counts            map[string]int
}

// Command does what a scenario says, with the text below it, and returns what there is to show beside its effects.
type Command func(a Args, input string) (shown string, err error)

// Add makes a command known, beside those that are; it must be none of them.
func (s *Script) Add(name string, do Command) { s.more[name] = do }

// Cluster returns the cluster on which the script runs.
func (s *Script) Cluster() *Cluster { return s.cluster }

// NewScript returns a script on an empty cluster.
func NewScript() *Script {
	s := &Script{}
	s.begin()
	return s
}

func (s *Script) begin() {
	s.cluster = New(core.Config{StarvationAfter: 5 * time.Minute})
	s.refuse, s.keep, s.kept = map[string]string{}, map[string]bool{}, map[string]core.Bind{}
	s.cluster.Log = s.log
	s.cluster.Answer = s.answer
	s.spoil, s.stall = map[string]string{}, map[string]bool{}
	s.cluster.Refuse = s.refuseVolumes
	s.more, s.counts = map[string]Command{}, map[string]int{}
}

// Do runs one command and returns what it caused. Input is the text below the command, if any. An unknown command or argument is an error.
func (s *Script) Do(command string, args Args, input string) (string, error) {
	s.out.Reset()
	do, ok := commands[command]
	if more := s.more[command]; more != nil {
		do = func(s *Script, a Args, input string) error {
			shown, err := more(a, input)
			s.out.WriteString(shown)
			return err
		}
	} else if !ok {
		return "", fmt.Errorf("no such command: %s", command)
	}
	if err := do(s, args, input); err != nil {
		return "", fmt.Errorf("%s %s: %w", command, args.Name, err)
	}
	return s.out.String(), nil
}

// commands are all that a scenario can say.
var commands = map[string]func(*Script, Args, string) error{
	"node":     (*Script).node,
	"pod":      (*Script).pod,
	"apply":    (*Script).apply,
	"cordon":   (*Script).cordon,
	"label":    (*Script).label,
	"taint":    (*Script).taint,
	"delete":   (*Script).deleted,
	"finish":   (*Script).finish,
	"bind":     (*Script).bind,
	"ungate":   (*Script).ungate,
	"relabel":  (*Script).relabel,
	"declare":  (*Script).declare,
	"refuse":   (*Script).refused,
	"keep":     (*Script).keepAnswer,
	"answer":   (*Script).answered,
	"run":      (*Script).run,
	"step":     (*Script).step,
	"restart":  (*Script).restart,
	"clear":    (*Script).clear,
	"relist":   (*Script).relist,
	"standby":  (*Script).standby,
	"lead":     (*Script).lead,
	"explain":  (*Script).explain,
	"dump":     (*Script).dump,
	"stats":    (*Script).stats,
	"scarcity": (*Script).scarcity,
	"orders":   (*Script).orders,
	"queues":   (*Script).queues,
	"survey":   (*Script).survey,

	"class":        (*Script).deviceClass,
	"nominate":     (*Script).nominate,
	"resize":       (*Script).resize,
	"change":       (*Script).change,
	"claim":        (*Script).claim,
	"volume":       (*Script).volume,
	"storageclass": (*Script).class,
	"csinode":      (*Script).csiNode,
	"csidriver":    (*Script).csiDriver,
	"capacity":     (*Script).capacity,
	"attachment":   (*Script).attachment,
	"bind-claim":   (*Script).bindClaim,
	"provision":    (*Script).provision,
	"spoil":        (*Script).spoiled,
	"stall":        (*Script).stalled,
	"hide":         (*Script).hide,
	"service":      (*Script).service,
	"replicaset":   (*Script).replicaSet,

	"brief":   (*Script).brief,
	"effects": (*Script).effects,
	"object":  (*Script).object,
	"lose":    (*Script).lose,
	"rooms":   (*Script).rooms,

	"namespace": (*Script).namespace,
	"rejected":  (*Script).rejected,
}

func (s *Script) printf(format string, args ...any) { fmt.Fprintf(&s.out, format+"\n", args...) }

func (s *Script) log(at time.Duration, e core.Effect) {
	s.counts[strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", e), "core."))]++
	if _, binds := e.(core.Bind); s.isSilent || s.isBrief && !binds {
		return
	}
	switch e := e.(type) {
	case core.Bind:
		s.printf("%v bind %s to %s", at, e.Pod.Name, e.Node)
	case core.PrepareVolumes:
		s.printf("%v prepare %s on %s:%s", at, e.Pod.Name, e.Node, preparations(e))
	case core.Recall:
		s.printf("%v recall %s", at, e.UID)
	case core.Condition:
		nomination := ""
		if e.Nominates {
			nomination = " (nominated for " + cmp.Or(e.Nominated, "nothing") + ")"
		}
		s.printf("%v condition %s %s%s: %s", at, e.Pod.Name, e.Reason, nomination, e.Message)
	case core.GroupStatus:
		s.printf("%v status of %s %s: %s", at, e.Group.Name, statusWord(e), e.Message)
	case core.Announce:
		s.printf("%v event %s %s %s: %s", at, e.Pod.Name, e.Type, e.Reason, e.Note)
	case core.AnnounceObject:
		s.printf("%v event %s %s %s %s: %s", at, e.Object.Kind, e.Object.Name, e.Type, e.Reason, e.Note)
	}
}

// statusWord is the reason that a group's condition comes to have.
func statusWord(e core.GroupStatus) string {
	if e.Scheduled {
		return core.ReasonScheduled
	}
	return e.Reason
}

func (s *Script) answer(b core.Bind) (core.BindDone, bool) {
	done := core.BindDone{UID: b.Pod.UID, Node: b.Node}
	if s.keep[b.Pod.Name] {
		delete(s.keep, b.Pod.Name)
		s.kept[b.Pod.Name] = b
		return done, false
	}
	if why, ok := s.refuse[b.Pod.Name]; ok {
		delete(s.refuse, b.Pod.Name)
		done.Outcome, done.Message = core.Refused, why
	}
	return done, true
}

// one returns the single value of an argument, or what stands for its absence.
func (a Args) one(key, absent string) string {
	if v := a.Values[key]; len(v) > 0 {
		return v[0]
	}
	return absent
}

func (a Args) has(key string) bool { _, ok := a.Values[key]; return ok }

func (a Args) number(key string, absent int) (int, error) {
	if !a.has(key) {
		return absent, nil
	}
	return strconv.Atoi(a.one(key, ""))
}

// names returns the name itself, or name-1 … name-count.
func (a Args) names() ([]string, error) {
	count, err := a.number("count", 0)
	if err != nil {
		return nil, err
	}
	if a.Name == "" {
		return nil, fmt.Errorf("needs a name")
	}
	if count == 0 {
		return []string{a.Name}, nil
	}
	names := make([]string, count)
	for i := range names {
		names[i] = fmt.Sprintf("%s-%d", a.Name, i+1)
	}
	return names, nil
}

func (s *Script) cordon(a Args, _ string) error {
	return s.changeNode(a, func(n *v1.Node) { n.Spec.Unschedulable = !a.has("off") })
}

func (s *Script) label(a Args, _ string) error {
	return s.changeNode(a, func(n *v1.Node) { n.Labels = keyValues(a.Values["set"]) })
}

func (s *Script) taint(a Args, _ string) error {
	return s.changeNode(a, func(n *v1.Node) { n.Spec.Taints = taintList(a.Values["set"]) })
}

func (s *Script) changeNode(a Args, f func(*v1.Node)) error {
	old := s.cluster.Node(a.Name)
	if old == nil {
		return fmt.Errorf("no such node")
	}
	n := old.DeepCopy()
	f(n)
	s.cluster.SetNode(n)
	return nil
}

func (s *Script) deleted(a Args, _ string) error {
	if a.has("node") {
		s.cluster.DeleteNode(a.one("node", ""))
		return nil
	}
	if a.has("class") {
		s.cluster.DeleteDeviceClass(a.one("class", ""))
		return nil
	}
	if s.deleteObject(a) {
		return nil
	}
	name := a.one("pod", "")
	if s.cluster.Pod(namespace, name) == nil {
		return fmt.Errorf("no such pod: %s", name)
	}
	if a.has("graceful") {
		s.cluster.ChangePod(namespace, name, func(p *v1.Pod) {
			at := metav1.NewTime(s.cluster.now)
			p.DeletionTimestamp = &at
		})
		return nil
	}
	s.cluster.DeletePod(namespace, name)
	return nil
}

func (s *Script) finish(a Args, _ string) error {
	s.cluster.ChangePod(namespace, a.Name, func(p *v1.Pod) { p.Status.Phase = v1.PodSucceeded })
	return nil
}

// bind is another scheduler binding a pod.
func (s *Script) bind(a Args, _ string) error {
	s.cluster.ChangePod(namespace, a.Name, func(p *v1.Pod) { p.Spec.NodeName = a.one("node", "") })
	return nil
}

func (s *Script) ungate(a Args, _ string) error {
	s.cluster.ChangePod(namespace, a.Name, func(p *v1.Pod) { p.Spec.SchedulingGates = nil })
	return nil
}

func (s *Script) refused(a Args, _ string) error {
	s.refuse[a.Name] = a.one("why", "refused")
	return nil
}

func (s *Script) keepAnswer(a Args, _ string) error {
	s.keep[a.Name] = true
	return nil
}

func (s *Script) answered(a Args, _ string) error {
	b, ok := s.kept[a.Name]
	if !ok {
		return fmt.Errorf("no bind of it is kept")
	}
	delete(s.kept, a.Name)
	outcomes := map[string]core.Outcome{"bound": core.Bound, "refused": core.Refused, "recalled": core.Recalled}
	outcome, ok := outcomes[a.one("outcome", "bound")]
	if !ok {
		return fmt.Errorf("outcome is one of bound, refused, recalled")
	}
	s.cluster.Finish(b, core.BindDone{UID: b.Pod.UID, Node: b.Node, Outcome: outcome, Message: a.one("why", "refused")})
	return nil
}

func (s *Script) run(a Args, _ string) error {
	d, err := time.ParseDuration(a.one("for", "0s"))
	if err != nil {
		return err
	}
	return s.cluster.Run(d)
}

func (s *Script) step(Args, string) error {
	_, err := s.cluster.Step()
	return err
}

func (s *Script) restart(Args, string) error { s.cluster.Restart(); return nil }
func (s *Script) relist(Args, string) error  { s.cluster.Relist(); return nil }
func (s *Script) standby(Args, string) error { s.cluster.tell(core.Lead{}); return nil }
func (s *Script) lead(Args, string) error    { s.cluster.tell(core.Lead{On: true}); return nil }

func (s *Script) rejected(a Args, _ string) error {
	p := s.cluster.Pod(namespace, a.Name)
	if p == nil {
		return fmt.Errorf("no such pod")
	}
	s.cluster.tell(core.PodRejected{UID: p.UID, Node: p.Spec.NodeName, Reason: a.one("reason", "OutOfcpu")})
	s.cluster.ChangePod(namespace, a.Name, func(p *v1.Pod) { p.Status.Phase = v1.PodFailed })
	return nil
}

func (s *Script) explain(a Args, _ string) error {
	x := s.cluster.Core.Explain(namespace, a.Name)
	s.printf("%s %s queue=%s node=%s attempts=%d reason=%s", x.Pod.Name, x.Standing, x.Queue, x.Node, x.Attempts, x.Reason)
	if x.Message != "" {
		s.printf("%s", x.Message)
	}
	for _, n := range x.Counts {
		s.printf("  %d × %s (resolvable by removing pods: %t)", n.Nodes, n.Reason, n.Reason.Code == 0)
	}
	return nil
}

func (s *Script) dump(Args, string) error {
	s.out.WriteString(s.cluster.Core.Dump())
	if n := s.cluster.Core.Stats(); n.Assumed > 0 || n.Backoff > 0 || n.Ready > 0 {
		return nil // not at rest: a rebuilt core could not know what is under way
	}
	return s.cluster.CompareWithRebuild()
}

func (s *Script) stats(Args, string) error {
	n := s.cluster.Core.Stats()
	s.printf("scheduled=%d unschedulable=%d refused=%d recalled=%d stolen=%d elsewhere=%d woken=%d rejected=%v", n.Scheduled,
		n.Unschedulable, n.Refused, n.Recalled, n.Stolen, n.Elsewhere, n.Woken, n.Rejected)
	if n.Preparing > 0 || n.VolumesFailed > 0 {
		s.printf("preparing=%d volumesFailed=%d", n.Preparing, n.VolumesFailed)
	}
	s.printf("ready=%d parked=%d backoff=%d gated=%d held=%d assumed=%d shapes=%d", n.Ready, n.Parked, n.Backoff, n.Gated, n.Held,
		n.Assumed, n.Shapes)
	return nil
}

func (s *Script) scarcity(Args, string) error {
	for _, u := range s.cluster.Core.Scarcity() {
		s.printf("%s on %d nodes: %d free, %d stranded", u.Resource, u.Nodes, u.Free, u.Stranded)
	}
	return nil
}

// orders replaces the node orders by those of a configuration file's text.
func (s *Script) orders(_ Args, input string) error {
	header := "apiVersion: " + config.APIVersion + "\nkind: " + config.Kind + "\n"
	c, err := config.Parse("orders", []byte(header+input))
	if err != nil {
		return err
	}
	s.cluster.tell(core.OrdersSet{Orders: c.Orders(), Scarce: c.Scarce()})
	return nil
}

package run

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/config"
	"github.com/sluice-scheduler/sluice/pkg/config/queues"
	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/kube"
)

const configHeader = "apiVersion: config.sluice.dev/v1alpha1\nkind: SluiceConfiguration\n"

// newSettings returns settings whose log and events nobody looks at.
func newSettings(c *config.Configuration, l *queues.Loaded) *Settings {
	return NewSettings(c, l, "queues.yaml", NewInbox(), slog.New(slog.DiscardHandler), func(kube.Notice) {})
}

// desk is where settings are changed and what comes of it is looked at.
type desk struct {
	*testing.T
	*Settings
	inbox  *Inbox
	log    bytes.Buffer
	events []kube.Notice
	// about is the kind of the object that the events must be about.
	about string
}

// newDesk starts with a configuration and queues; empty queues are those of a ConfigMap that has not been read.
func newDesk(t *testing.T, configuration, tree string) *desk {
	t.Helper()
	d := &desk{T: t, inbox: NewInbox(), about: "ConfigMap"}
	c, err := config.Parse("sluice.yaml", []byte(configHeader+configuration))
	require.NoError(t, err)
	var l *queues.Loaded
	if tree != "" {
		l, err = queues.Parse("queues.yaml", []byte(tree))
		require.NoError(t, err)
	}
	d.Settings = NewSettings(c, l, "queues.yaml", d.inbox, slog.New(slog.NewTextHandler(&d.log, nil)), func(n kube.Notice) { d.events = append(d.events, n) })
	return d
}

// outcome is what came of a change: what the core is told, what the log says, and the events.
type outcome struct {
	orders []string
	hash   string
	said   string
	events []string
}

// take returns what came of all since the last call.
func (d *desk) take() (o outcome) {
	for _, e := range d.inbox.Take() {
		switch e := e.(type) {
		case core.OrdersSet:
			require.Empty(d, o.hash, "orders come before the queues that name them")
			o.orders = strings.Split(orderNames(e.Orders), ", ")
		case core.QueuesSet:
			o.hash = e.Tree.Hash
		}
	}
	o.said = d.log.String()
	d.log.Reset()
	for _, n := range d.events {
		require.Equal(d, d.about, n.Kind)
		o.events = append(o.events, n.Type+" "+n.Reason+": "+n.Note)
	}
	d.events = nil
	return o
}

// configure changes the configuration file.
func (d *desk) configure(text string) outcome {
	d.TakeConfig("sluice.yaml", []byte(configHeader+text), nil)
	return d.take()
}

// queue changes the queues file.
func (d *desk) queue(text string) outcome {
	d.TakeQueues([]byte(text), nil)
	return d.take()
}

// text changes the ConfigMap.
func (d *desk) text(data string, err error) outcome {
	x := kube.Text{Object: core.PodRef{UID: "u", Namespace: "batch", Name: "queues"}, Data: []byte(data), Err: err}
	d.TakeText(x)
	return d.take()
}

func (d *desk) standing(source string) standing {
	_, all := d.standings()
	return all[source]
}

func nodeOrder(name string) string {
	return "nodeOrders: [{name: " + name + ", evaluators: [{scoringStrategy: {type: MostAllocated}}]}]\n"
}

// TestConfigurationChanges: well, badly, and in what needs a restart.
func TestConfigurationChanges(t *testing.T) {
	d := newDesk(t, "", "queues: [{name: a}]\n")
	require.Equal(t, []string{"default"}, d.take().orders)

	require.Equal(t, outcome{}, d.configure(""), "nothing has changed")
	o := d.configure(nodeOrder("pack"))
	require.Equal(t, []string{"pack"}, o.orders)
	require.Contains(t, o.said, "orders=pack")

	o = d.configure("nodeOrders: [{name: pack, evaluators: [{scoringStrategy: {type: Most}}]}]\n")
	require.Empty(t, o.orders)
	require.Contains(t, o.said, "the running one stays")
	require.Contains(t, o.said, "^", "the fault is shown with its caret")
	require.True(t, d.standing("configuration").faulty)
	o = d.configure("nodeOrders: [{name: pack, evaluators: [{scoringStrategy: {type: Most}}]}]\n")
	require.Empty(t, o.said, "once")
	o = d.configure(nodeOrder("Pack"))
	require.Empty(t, o.orders)
	require.Contains(t, o.said, "lower-case letters", "another fault is told, too")
	require.Equal(t, outcome{}, d.configure(nodeOrder("pack")), "back to what is running")
	require.False(t, d.standing("configuration").faulty)

	o = d.configure("schedulerName: other\nscarceResources: {detectBelow: 7}\n")
	require.Equal(t, []string{"default"}, o.orders)
	require.Contains(t, o.said, "keys=schedulerName")

	d.TakeConfig("sluice.yaml", nil, errors.New("no such file"))
	o = d.take()
	require.Empty(t, o.orders)
	require.Contains(t, o.said, "no such file")
	require.Equal(t, outcome{}, d.configure("schedulerName: other\nscarceResources: {detectBelow: 7}\n"))
	require.False(t, d.standing("configuration").faulty)
	require.EqualValues(t, 2, d.standing("configuration").applied)
	require.EqualValues(t, 3, d.standing("configuration").refused)
	require.False(t, d.standing("queues").faulty)
}

const (
	oneQueue  = "queues: [{name: a}]\n"
	twoQueues = "queues: [{name: a}, {name: b}]\n"
	badQueues = "queues:\n- name: a\n  wieght: 3\n- {}\n"
)

// TestQueuesChange: well, badly, back again, and away.
func TestQueuesChange(t *testing.T) {
	d := newDesk(t, "", oneQueue)
	o := d.take()
	require.NotEmpty(t, o.hash)
	require.Contains(t, o.said, "queues=2")
	<-d.Read()
	require.NoError(t, d.Check())
	require.Equal(t, outcome{}, d.queue(oneQueue), "nothing has changed")

	o = d.queue(twoQueues)
	require.Len(t, o.hash, 12)
	require.Contains(t, o.said, "the queues are in force")
	require.Contains(t, o.said, "hash="+o.hash)
	require.Contains(t, o.said, "queues=3")

	o = d.queue(badQueues)
	require.Empty(t, o.hash)
	require.Contains(t, o.said, "the queues are refused; those in force stay:")
	require.Contains(t, o.said, "queues.yaml:3:3: queues[0].wieght: unknown key; did you mean weight?")
	require.Contains(t, o.said, "queues.yaml:4:3: queues[1]: needs a name")
	require.Contains(t, o.said, "^")
	require.Equal(t, 1, strings.Count(o.said, "level=ERROR"), "all faults in one record")
	require.NoError(t, d.Check(), "the last good ones are in force")
	require.True(t, d.standing("queues").faulty)
	require.Equal(t, outcome{}, d.queue(badQueues), "said once")

	o = d.queue(twoQueues)
	require.Empty(t, o.hash, "those in force")
	require.Contains(t, o.said, "the queues are again those in force")
	require.False(t, d.standing("queues").faulty)

	d.TakeQueues(nil, errors.New("open queues.yaml: no such file"))
	o = d.take()
	require.Contains(t, o.said, "the queues cannot be read; those in force stay: open queues.yaml: no such file")
	require.True(t, d.standing("queues").faulty)
	require.NotEmpty(t, d.queue(oneQueue).hash)

	o = d.queue("queues: [{name: a, properties: {application.unschedasks.backoff: 3}}]\n")
	require.Contains(t, o.said, "level=WARN")
	require.Contains(t, o.said, "has no effect")
	require.EqualValues(t, 3, d.standing("queues").applied)
	require.EqualValues(t, 2, d.standing("queues").refused)
	require.Empty(t, o.events, "who stands by says nothing in events")
}

// TestWhatBecomesOfAFileIsToldOfTheLease by which the leader leads, for a file is no object that events could be about.
func TestWhatBecomesOfAFileIsToldOfTheLease(t *testing.T) {
	d := newDesk(t, "", oneQueue)
	d.about = "Lease"
	d.queue(badQueues)
	lease := core.PodRef{UID: "l", Namespace: "sluice-system", Name: "sluice"}
	d.lead(lease)
	o := d.take()
	require.Len(t, o.events, 1)
	require.Contains(t, o.events[0], "Warning QueuesRefused: In force stay: 2 queues, hash ")
	require.Contains(t, o.events[0], "queues.yaml:3:3: queues[0].wieght: unknown key")
	o = d.queue(twoQueues)
	require.Equal(t, []string{"Normal QueuesApplied: In force: 3 queues, hash " + o.hash + "."}, o.events)

	d.TakeQueues(nil, errors.New("open queues.yaml: no such file"))
	o = d.take()
	require.Len(t, o.events, 1)
	require.Contains(t, o.events[0], "open queues.yaml: no such file")
}

// TestWithoutALeaseAFileHasNoEvents: the log and the metrics tell.
func TestWithoutALeaseAFileHasNoEvents(t *testing.T) {
	d := newDesk(t, "", oneQueue)
	d.lead(core.PodRef{})
	o := d.queue(badQueues)
	require.Contains(t, o.said, "the queues are refused")
	require.Empty(t, o.events)
}

// TestLimitsOfUsersWantUsers: whoever writes some is told that users are not read.
func TestLimitsOfUsersWantUsers(t *testing.T) {
	const limited = "queues: [{name: a, limits: [{users: [ann], maxapplications: 1}]}, {name: b}]\n"
	const warning = "trustUserAnnotation"
	d := newDesk(t, "", "queues: [{name: a}]\n")
	require.NotContains(t, d.take().said, warning)
	said := d.queue(limited).said
	require.Contains(t, said, warning)
	require.Contains(t, said, "queues=root.a\n")
	d = newDesk(t, "queues: {trustUserAnnotation: true}\n", limited)
	require.NotContains(t, d.take().said, warning)
}

// TestANodeOrderIsRenamedInBothFiles one after the other: what does not fit together waits for the other half.
func TestANodeOrderIsRenamedInBothFiles(t *testing.T) {
	const named = "queues: [{name: a, nodeOrder: pack}]\n"
	renamed := strings.Replace(named, "pack", "spread", 1)
	for name, first := range map[string]string{"configuration first": "configuration", "queues first": "queues"} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, nodeOrder("pack"), named)
			d.take()
			var o outcome
			if first == "configuration" {
				o = d.configure(nodeOrder("spread"))
				require.Contains(t, o.said, "queues name node orders that it does not have")
			} else {
				o = d.queue(renamed)
				require.Contains(t, o.said, "the queues are refused; those in force stay")
			}
			require.Contains(t, o.said, "queues.yaml:1:31: queues[0].nodeOrder: must be a node order of sluice.yaml")
			require.Empty(t, o.orders)
			require.Empty(t, o.hash)
			require.True(t, d.standing(first).faulty)
			require.Equal(t, 1, strings.Count(o.said, "level="), o.said)

			if first == "configuration" {
				o = d.queue(renamed)
			} else {
				o = d.configure(nodeOrder("spread"))
			}
			require.Equal(t, []string{"spread"}, o.orders)
			require.NotEmpty(t, o.hash)
			require.False(t, d.standing("configuration").faulty)
			require.False(t, d.standing("queues").faulty)
		})
	}
}

// TestTheOtherHalfGoesOn: while one of the two does not fit, changes of the other that fit take effect.
func TestTheOtherHalfGoesOn(t *testing.T) {
	d := newDesk(t, nodeOrder("pack"), "queues: [{name: a, nodeOrder: pack}]\n")
	d.take()
	require.Empty(t, d.configure(nodeOrder("spread")).orders)
	require.NotEmpty(t, d.queue("queues: [{name: a, nodeOrder: pack}, {name: b}]\n").hash)
	require.True(t, d.standing("configuration").faulty)
	require.Empty(t, d.queue(badQueues).hash)
	require.True(t, d.standing("queues").faulty)
	o := d.configure(nodeOrder("pack") + "scarceResources: {detectBelow: 3}\n")
	require.Equal(t, []string{"pack"}, o.orders)
	require.False(t, d.standing("configuration").faulty)
	require.True(t, d.standing("queues").faulty, "the newest are broken still")
	require.NotContains(t, o.said, "again those in force")
}

// TestANodesortpolicyJoinsTheNodeOrders, after those of the configuration.
func TestANodesortpolicyJoinsTheNodeOrders(t *testing.T) {
	d := newDesk(t, nodeOrder("pack"), oneQueue)
	d.take()
	o := d.queue("nodesortpolicy: {type: fair}\n" + oneQueue)
	require.Equal(t, []string{"pack", "nodesortpolicy"}, o.orders)
	require.NotEmpty(t, o.hash)
	o = d.configure("")
	require.Equal(t, []string{"default", "nodesortpolicy"}, o.orders)
	o = d.configure(nodeOrder("nodesortpolicy"))
	require.Empty(t, o.orders)
	require.Contains(t, o.said, "sluice.yaml has one of that name")
	o = d.queue(oneQueue)
	require.Equal(t, []string{"nodesortpolicy"}, o.orders, "now the configuration's may have the name")
}

// TestAConfigMapThatIsNotThereHolds everything until there is one that is in order.
func TestAConfigMapThatIsNotThereHolds(t *testing.T) {
	d := newDesk(t, "", "")
	require.Empty(t, d.take().hash)
	require.EqualError(t, d.Check(), "the queues have not been read from queues.yaml yet, so nothing is decided")
	require.Equal(t, []string{"pack"}, d.configure(nodeOrder("pack")).orders, "the configuration may change meanwhile")
	require.ErrorContains(t, d.Check(), "have not been read")

	d.TakeText(kube.Text{Err: errors.New("there is no ConfigMap batch/queues")})
	o := d.take()
	require.Contains(t, o.said, "the queues cannot be read; none are in force yet, so nothing is decided: there is no ConfigMap batch/queues")
	require.Empty(t, o.events, "there is nothing that they could be about")
	require.EqualError(t, d.Check(), "no queues are in force, so nothing is decided: there is no ConfigMap batch/queues")

	o = d.text(badQueues, nil)
	require.Equal(t, []string{"Warning QueuesRefused: Nothing is decided, for no queues are in force.\n" +
		"queues.yaml:3:3: queues[0].wieght: unknown key; did you mean weight?\nqueues.yaml:4:3: queues[1]: needs a name"}, o.events)
	require.ErrorContains(t, d.Check(), "unknown key")
	select {
	case <-d.Read():
		t.Fatal("nothing may be decided yet")
	default:
	}

	o = d.text(oneQueue, nil)
	<-d.Read()
	require.NoError(t, d.Check())
	require.Equal(t, []string{"Normal QueuesApplied: In force: 2 queues, hash " + o.hash + "."}, o.events)
	require.EqualValues(t, 0, d.standing("queues").applied, "the first are no change")
}

// TestOnlyTheLeaderTellsInEvents what becomes of the ConfigMap; who begins to lead tells what is amiss.
func TestOnlyTheLeaderTellsInEvents(t *testing.T) {
	d := newDesk(t, "", "")
	d.text(oneQueue, nil)
	require.Empty(t, d.text(twoQueues, nil).events)
	require.Empty(t, d.text(badQueues, nil).events)
	require.Empty(t, d.text(twoQueues, nil).events)
	d.text(badQueues, nil)
	d.lead(core.PodRef{Name: "sluice"})
	o := d.take()
	require.Len(t, o.events, 1)
	require.Contains(t, o.events[0], "Warning QueuesRefused: In force stay: 3 queues, hash ")
	o = d.text(twoQueues, nil)
	require.Len(t, o.events, 1, "back to those in force")
	require.Contains(t, o.events[0], "Normal QueuesApplied: In force: 3 queues")
	require.Len(t, d.text(oneQueue, nil).events, 1)
	require.Empty(t, d.text(oneQueue, nil).events)
	o = d.text("", errors.New("ConfigMap batch/queues was deleted"))
	require.Len(t, o.events, 1)
	require.Contains(t, o.events[0], "In force stay: 2 queues")
	require.Contains(t, o.events[0], "was deleted")
}

// What was not read at the start cannot be looked at: the log says so.
func TestAnEvaluatorThatNeedsMoreToBeReadWaitsForTheNextStart(t *testing.T) {
	d := newDesk(t, "", "queues: [{name: a}]")
	d.take()
	o := d.configure("nodeOrders: [{name: near, evaluators: [{type: ImageLocality}, {type: DefaultSpread}]}]\n")
	require.Equal(t, []string{"near"}, o.orders)
	require.Contains(t, o.said, "until the next start")
	require.Contains(t, o.said, "ImageLocality, DefaultSpread")
	d = newDesk(t, "nodeOrders: [{name: near, evaluators: [{type: ImageLocality}]}]\n", "queues: [{name: a}]")
	d.take()
	require.NotContains(t, d.configure("nodeOrders: [{name: near, evaluators: [{type: ImageLocality, weight: 2}]}]\n").said, "until the next start")
}

package config

import (
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/sluice-scheduler/sluice/pkg/config/strict"
)

// renewFactor is by how much the renew deadline must exceed the retry period: client-go waits up to that much longer than a
// period between two tries (leaderelection.JitterFactor).
const renewFactor = 1.2

// Check holds the rules of the top level.
func (c *Configuration) Check(at *strict.Place) {
	if !at.Has("apiVersion") {
		at.Faultf("apiVersion", "is missing; add the line 'apiVersion: %s'", APIVersion)
	}
	if !at.Has("kind") {
		at.Faultf("kind", "is missing; add the line 'kind: %s'", Kind)
	}
	checkSchedulerName(at, "schedulerName", c.SchedulerName)
	for i, name := range c.OtherSchedulerNames {
		key := fmt.Sprintf("otherSchedulerNames[%d]", i)
		checkSchedulerName(at, key, name)
		if at.OK(key) && slices.Contains(c.Schedulers()[:1+i], name) {
			at.Faultf(key, "is named already: %s", name)
		}
	}
	strict.Between(at, "retryAfter", c.RetryAfter, time.Second, 24*time.Hour)
	strict.Between(at, "starvationAfter", c.StarvationAfter, 0, 24*time.Hour)
	for i, o := range c.NodeOrders {
		for j, p := range c.NodeOrders[:i] {
			if o.Name == p.Name && o.Name != "" {
				at.Faultf(fmt.Sprintf("nodeOrders[%d].name", i), "is that of nodeOrders[%d] already: %s", j, o.Name)
				break
			}
		}
	}
	if c.StateDirectory != "" && !filepath.IsAbs(c.StateDirectory) {
		at.Faultf("stateDirectory", "must be an absolute path such as /var/lib/sluice, or empty, but is %q", c.StateDirectory)
	}
	if strings.ContainsRune(c.StateDirectory, 0) {
		at.Faultf("stateDirectory", "must not hold a NUL character")
	}
}

// checkSchedulerName asks for what every place accepts that the name goes to: pods, label values, and the reporting controller of
// events, whose length is the shortest.
func checkSchedulerName(at *strict.Place, key, name string) {
	const most = 63
	problems := validation.IsDNS1123Subdomain(name)
	if len(name) > most || len(problems) > 0 {
		at.Faultf(key, "must be 1 to %d lower-case letters, digits, '-' or '.', with a letter or digit at both ends, but is %q",
			most, name)
	}
}

// Check holds the rules of the node selector.
func (n *Nodes) Check(at *strict.Place) {
	if _, err := labels.Parse(n.Selector); err != nil {
		reason := strings.Join(strings.Fields(err.Error()), " ")
		at.Faultf("selector", "must be a label selector such as pool=batch,arch in (amd64,arm64),!reserved: %s", reason)
	}
}

// Check holds the rules of the backoff.
func (b *Backoff) Check(at *strict.Place) {
	strict.Between(at, "initial", b.Initial, time.Millisecond, time.Hour)
	strict.Between(at, "max", b.Max, time.Millisecond, time.Hour)
	strict.Ascending(at, "initial", b.Initial, "max", b.Max)
}

// Check holds the rules of a step.
func (s *Step) Check(at *strict.Place) { strict.Between(at, "budget", s.Budget, 1, 1_000_000_000) }

// Check holds the rules of binding.
func (b *Bind) Check(at *strict.Place) {
	strict.Between(at, "maxInFlight", b.MaxInFlight, 1, 1024)
	strict.Between(at, "minInFlight", b.MinInFlight, 1, 1024)
	strict.Between(at, "timeout", b.Timeout, time.Second, 10*time.Minute)
	strict.Ascending(at, "minInFlight", b.MinInFlight, "maxInFlight", b.MaxInFlight)
}

// Check holds the rules of volumes.
func (v *Volumes) Check(at *strict.Place) {
	strict.Between(at, "bindTimeout", v.BindTimeout, time.Second, 24*time.Hour)
}

// Check holds the rules of gangs.
func (g *Gang) Check(at *strict.Place) {
	strict.Between(at, "holdFor", g.HoldFor, 0, 24*time.Hour)
	strict.Between(at, "reentryFor", g.ReentryFor, 0, 24*time.Hour)
	strict.Between(at, "configMapWithin", g.ConfigMapWithin, 0, 10*time.Minute)
}

// Check holds the rules of the condition writes.
func (s *Status) Check(at *strict.Place) {
	strict.Between(at, "countsEvery", s.CountsEvery, 0, time.Hour)
}

// Check holds the rules of the event writes.
func (e *Events) Check(at *strict.Place) { strict.Between(at, "maxInFlight", e.MaxInFlight, 1, 256) }

// Check holds the rules of the election. They hold with the election off as well, so that turning it on breaks nothing.
func (l *LeaderElection) Check(at *strict.Place) {
	if len(validation.IsDNS1123Label(l.Namespace)) > 0 {
		at.Faultf("namespace", "must be the name of a namespace: 1 to 63 lower-case letters, digits or '-', but is %q", l.Namespace)
	}
	if len(validation.IsDNS1123Subdomain(l.Name)) > 0 {
		at.Faultf("name", "must be the name of an object: 1 to 253 lower-case letters, digits, '-' or '.', but is %q", l.Name)
	}
	strict.Between(at, "leaseDuration", l.LeaseDuration, time.Second, time.Hour)
	if at.OK("leaseDuration") && l.LeaseDuration%time.Second != 0 {
		at.Faultf("leaseDuration", "must be whole seconds, since a Lease counts in seconds, but is %s", strict.FormatDuration(l.LeaseDuration))
	}
	strict.Between(at, "renewDeadline", l.RenewDeadline, 100*time.Millisecond, time.Hour)
	strict.Between(at, "retryPeriod", l.RetryPeriod, 100*time.Millisecond, time.Hour)
	l.checkOrder(at)
}

// checkOrder holds the rules between the times: a leader must have given up before another may believe that it is gone, and must have
// had a second try before it gives up.
func (l *LeaderElection) checkOrder(at *strict.Place) {
	text := strict.FormatDuration
	if at.OK("leaseDuration", "renewDeadline") && l.LeaseDuration <= l.RenewDeadline {
		if at.First("leaseDuration", "renewDeadline") == "leaseDuration" {
			at.Faultf("leaseDuration", "must be longer than leaderElection.renewDeadline, which is %s, but is %s",
				text(l.RenewDeadline), text(l.LeaseDuration))
		} else {
			at.Faultf("renewDeadline", "must be shorter than leaderElection.leaseDuration, which is %s, but is %s",
				text(l.LeaseDuration), text(l.RenewDeadline))
		}
	}
	least := time.Duration(renewFactor * float64(l.RetryPeriod))
	if !at.OK("renewDeadline", "retryPeriod") || l.RenewDeadline > least {
		return
	}
	if at.First("renewDeadline", "retryPeriod") == "renewDeadline" {
		at.Faultf("renewDeadline", "must be longer than %v times leaderElection.retryPeriod, so above %s, but is %s",
			renewFactor, text(least), text(l.RenewDeadline))
		return
	}
	at.Faultf("retryPeriod", "times %v must stay below leaderElection.renewDeadline, which is %s, but is %s",
		renewFactor, text(l.RenewDeadline), text(least))
}

// Check holds the rules of the web server.
func (w *Web) Check(at *strict.Place) {
	host, port, err := net.SplitHostPort(w.Address)
	if err != nil {
		at.Faultf("address", "must be host:port such as 127.0.0.1:10270 or [::1]:10270, but is %q", w.Address)
		return
	}
	if _, err := netip.ParseAddr(host); err != nil && host != "" && host != "localhost" {
		at.Faultf("address", "must name an IP address of this machine, localhost or nothing before the port, but names %q", host)
		return
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		at.Faultf("address", "must end with a port from 0 to 65535, but ends with %q", port)
	}
}

// Check holds the rules of the log.
func (l *Log) Check(at *strict.Place) {
	strict.OneOf(at, "level", l.Level, "debug", "info", "warn", "error")
	strict.OneOf(at, "format", l.Format, "text", "json")
}

// Check holds the rules of the client.
func (c *Client) Check(at *strict.Place) {
	if c.QPS != -1 && (c.QPS <= 0 || c.QPS > 100_000) {
		at.Faultf("qps", "must be -1 (no limit) or above 0 and at most 100000, but is %v", c.QPS)
	}
	strict.Between(at, "burst", c.Burst, 1, 100_000)
}

package kube

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// Limits on asking after pods that vanished: how many at a time, and how many may wait. Beyond, they are not asked after: the
// answers are counted, nothing more depends on them.
const (
	looksAtATime = 4
	looksWaiting = 1000
)

// verifier finds out whether pods that vanished soon after they were bound were refused by their kubelet. The watch cannot tell: a pod
// that fails leaves its selection, and the event shows the pod as it was before.
type verifier struct {
	look    func(context.Context, core.PodRef) (Sight, Answer)
	sink    Sink
	log     *slog.Logger
	waiting atomic.Int64
	turn    chan struct{}
}

func newVerifier(look func(context.Context, core.PodRef) (Sight, Answer), sink Sink, log *slog.Logger) *verifier {
	return &verifier{look: look, sink: sink, log: log, turn: make(chan struct{}, looksAtATime)}
}

// check asks after the pod and tells the sink if its kubelet refused it. It does not wait for the answer.
func (v *verifier) check(ctx context.Context, f *cluster.PodFact) {
	if v.waiting.Add(1) > looksWaiting {
		v.waiting.Add(-1)
		return
	}
	go func() {
		defer v.waiting.Add(-1)
		select {
		case v.turn <- struct{}{}:
			defer func() { <-v.turn }()
		case <-ctx.Done():
			return
		}
		ctx, cancel := context.WithTimeout(ctx, lookTimeout)
		defer cancel()
		sight, answer := v.look(ctx, core.PodRef{UID: f.UID, Namespace: f.Namespace, Name: f.Name})
		if answer.Verdict != Done || !kubeletRefusal(sight.Failed) {
			return
		}
		v.log.Warn("a kubelet refused a pod that Sluice had bound; its owner creates another",
			"pod", f.Namespace+"/"+f.Name, "node", f.Node, "reason", sight.Failed)
		v.sink.Put(core.PodRejected{UID: f.UID, Node: f.Node, Reason: sight.Failed})
	}()
}

// kubeletRefusal reports whether a failed pod's reason is one of those that the kubelet gives at admission
// (k8s.io/kubernetes/pkg/kubelet/lifecycle/predicate.go; OutOf is followed by the resource).
func kubeletRefusal(reason string) bool {
	return strings.HasPrefix(reason, "OutOf") || slices.Contains([]string{
		"NodePorts", "NodeAffinity", "NodeName", "TaintToleration", "UnexpectedAdmissionError", "TopologyAffinityError",
		"PodOSSelectorNodeLabelDoesNotMatch", "PodOSNotSupported", "InvalidNodeInfo", "UnexpectedPredicateFailureType",
	}, reason)
}

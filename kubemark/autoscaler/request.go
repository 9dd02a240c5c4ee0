package autoscaler

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// Definition is the CustomResourceDefinition of ProvisioningRequests, for clusters that do not have it.
//
//go:embed provreq.yaml
var Definition []byte

// Requests is where ProvisioningRequests live in the API.
var Requests = schema.GroupVersionResource{Group: "autoscaling.x-k8s.io", Version: "v1", Resource: "provisioningrequests"}

// The classes of ProvisioningRequests that are served.
const (
	// CheckCapacity asks whether the pods have room on the nodes there are.
	CheckCapacity = "check-capacity.autoscaling.x-k8s.io"
	// BestEffortAtomic asks for nodes for all of the pods, or none.
	BestEffortAtomic = "best-effort-atomic-scale-up.autoscaling.x-k8s.io"
	// Consumes is the annotation by which a pod says which request its room was asked for by. Such pods do not make the cluster grow by themselves.
	Consumes = "autoscaling.x-k8s.io/consume-provisioning-request"
)

// booked is how long the room of a request that was provisioned is kept for its pods.
const booked = 10 * time.Minute

// request is a ProvisioningRequest:
//
//	(new) ──▶ Accepted ──all have room, nodes ordered for what is missing──▶ Provisioned ──10 min──▶ BookingExpired
//	              └──too late, by the parameter ValidUntilSeconds──▶ Failed
type request struct {
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		PodSets []struct {
			PodTemplateRef struct {
				Name string `json:"name"`
			} `json:"podTemplateRef"`
			Count int `json:"count"`
		} `json:"podSets"`
		ProvisioningClassName string            `json:"provisioningClassName"`
		Parameters            map[string]string `json:"parameters"`
	} `json:"spec"`
	Status struct {
		Conditions []metav1.Condition `json:"conditions"`
	} `json:"status"`
}

func (r *request) is(condition string) bool {
	return meta.IsStatusConditionTrue(r.Status.Conditions, condition)
}

// requests lists those that are not over, the oldest first. A cluster that does not know the kind has none.
func (a *Autoscaler) requests(ctx context.Context) (all []*request, err error) {
	if a.opts.Dynamic == nil {
		return nil, nil
	}
	list, err := a.opts.Dynamic.Resource(Requests).List(ctx, metav1.ListOptions{})
	if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list ProvisioningRequests: %w", err)
	}
	for i := range list.Items {
		r := &request{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(list.Items[i].Object, r); err != nil {
			return nil, fmt.Errorf("read ProvisioningRequest %s: %w", list.Items[i].GetName(), err)
		}
		served := r.Spec.ProvisioningClassName == CheckCapacity || r.Spec.ProvisioningClassName == BestEffortAtomic
		if served && !r.is("Failed") && !r.is("BookingExpired") {
			all = append(all, r)
		}
	}
	slices.SortStableFunc(all, func(x, y *request) int { return x.CreationTimestamp.Compare(y.CreationTimestamp.Time) })
	return all, nil
}

// pods are what a request asks room for, without those that exist already and consume it.
func (a *Autoscaler) pods(ctx context.Context, r *request, exist []corev1.Pod) (pods []*corev1.Pod, err error) {
	there := 0
	for i := range exist {
		if p := &exist[i]; p.Namespace == r.Namespace && p.Annotations[Consumes] == r.Name && p.Spec.NodeName != "" {
			there++
		}
	}
	for _, set := range r.Spec.PodSets {
		t, err := a.client.CoreV1().PodTemplates(r.Namespace).Get(ctx, set.PodTemplateRef.Name, metav1.GetOptions{})
		if err != nil {
			return nil, fmt.Errorf("read PodTemplate %s: %w", set.PodTemplateRef.Name, err)
		}
		for range set.Count {
			if there > 0 {
				there--
				continue
			}
			name := fmt.Sprintf("%s-%d", r.Name, len(pods))
			pods = append(pods, &corev1.Pod{
				ObjectMeta: metav1.ObjectMeta{Namespace: r.Namespace, Name: name, UID: types.UID(string(r.UID) + "/" + name)}, Spec: t.Template.Spec,
			})
		}
	}
	largestFirst(pods)
	return pods, nil
}

// serve looks at the requests: what is booked keeps its room, and nodes are ordered for what is asked, whole or not at all. exist are all pods.
func (a *Autoscaler) serve(ctx context.Context, p *picture, exist []corev1.Pod) error {
	all, err := a.requests(ctx)
	if err != nil {
		return err
	}
	for _, r := range all {
		pods, err := a.pods(ctx, r, exist)
		if err != nil {
			a.opts.Log.Warn("autoscaler: a ProvisioningRequest cannot be looked at", "name", r.Name, "error", err)
			continue
		}
		if err := a.serveOne(ctx, p, r, pods); err != nil {
			return err
		}
	}
	return nil
}

func (a *Autoscaler) serveOne(ctx context.Context, p *picture, r *request, pods []*corev1.Pod) error {
	if c := meta.FindStatusCondition(r.Status.Conditions, "Provisioned"); c != nil && c.Status == metav1.ConditionTrue {
		if a.now().Sub(c.LastTransitionTime.Time) >= booked {
			return a.say(ctx, r, "BookingExpired", metav1.ConditionTrue, "BookingExpired", "the room is not kept any more")
		}
		p.keep(pods)
		return nil
	}
	if !r.is("Accepted") {
		if err := a.say(ctx, r, "Accepted", metav1.ConditionTrue, "Accepted", "will be looked at"); err != nil {
			return err
		}
	}
	if p.all(pods, p.there) {
		p.keep(pods)
		return a.say(ctx, r, "Provisioned", metav1.ConditionTrue, "CapacityIsFound", "all pods have room on the nodes there are")
	}
	if r.Spec.ProvisioningClassName == BestEffortAtomic {
		ordered, err := a.order(ctx, p, pods)
		if ordered || err != nil {
			return err
		}
	}
	if seconds, err := strconv.Atoi(r.Spec.Parameters["ValidUntilSeconds"]); err == nil &&
		a.now().Sub(r.CreationTimestamp.Time) >= time.Duration(seconds)*time.Second || r.Spec.Parameters["noRetry"] == "true" {
		return a.say(ctx, r, "Failed", metav1.ConditionTrue, "CapacityIsNotFound", "there is no room for all pods")
	}
	return a.say(ctx, r, "Provisioned", metav1.ConditionFalse, "CapacityIsNotFound", "there is no room for all pods; it is tried again")
}

// order orders the nodes that are missing for all of the pods, if the groups may grow so much. What is on its way for them keeps being theirs.
func (a *Autoscaler) order(ctx context.Context, p *picture, pods []*corev1.Pod) (ordered bool, err error) {
	if p.all(pods, len(p.rooms)) {
		p.keep(pods)
		return true, nil
	}
	trial := picture{sizes: slices.Clone(p.sizes)}
	for _, room := range p.rooms {
		trial.rooms = append(trial.rooms, room.Clone())
	}
	trial.waiting = pods
	options, left := a.decide(trial)
	if len(left) > 0 {
		return false, nil
	}
	for _, o := range options {
		a.grow(ctx, o)
		p.sizes[o.group] += o.nodes
	}
	p.keep(squeezable(pods, options))
	return true, nil
}

// squeezable are the pods that no new nodes were ordered for: they have room on what there is.
func squeezable(pods []*corev1.Pod, options []option) (rest []*corev1.Pod) {
	for _, p := range pods {
		if !slices.ContainsFunc(options, func(o option) bool { return slices.Contains(o.helped, p) }) {
			rest = append(rest, p)
		}
	}
	return rest
}

// say writes a condition, unless it stands.
func (a *Autoscaler) say(ctx context.Context, r *request, condition string, status metav1.ConditionStatus, reason, message string) error {
	changed := meta.SetStatusCondition(&r.Status.Conditions, metav1.Condition{
		Type: condition, Status: status, Reason: reason, Message: message, ObservedGeneration: r.Generation, LastTransitionTime: metav1.NewTime(a.now()),
	})
	if !changed {
		return nil
	}
	a.opts.Log.Info("autoscaler: ProvisioningRequest", "namespace", r.Namespace, "name", r.Name, condition, status, "reason", reason)
	data, err := json.Marshal(map[string]any{"status": map[string]any{"conditions": r.Status.Conditions}})
	if err != nil {
		return err
	}
	_, err = a.opts.Dynamic.Resource(Requests).Namespace(r.Namespace).Patch(ctx, r.Name, types.MergePatchType, data, metav1.PatchOptions{}, "status")
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("write the status of ProvisioningRequest %s: %w", r.Name, err)
	}
	return nil
}

// keep takes room for pods that do not exist yet.
func (p *picture) keep(pods []*corev1.Pod) {
	squeeze(pods, p.rooms)
}

// all says whether all of the pods have room on the first n rooms, without taking any.
func (p *picture) all(pods []*corev1.Pod, n int) bool {
	rooms := slices.Clone(p.rooms[:n])
	for i, r := range rooms {
		rooms[i] = r.Clone()
	}
	return len(squeeze(pods, rooms)) == 0
}

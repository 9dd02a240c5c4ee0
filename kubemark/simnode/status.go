package simnode

import (
	"fmt"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// plan is what a pod's annotations say its program would do.
type plan struct {
	finite bool
	runFor time.Duration
	exit   int32
}

// planOf reads the annotations; an unreadable one is an error that names it.
func planOf(pod *corev1.Pod) (plan, error) {
	var p plan
	if text, ok := pod.Annotations[RunFor]; ok {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return p, fmt.Errorf("annotation %s: %q is not a duration such as 30s or 5m", RunFor, text)
		}
		p.finite, p.runFor = true, d
	}
	if text, ok := pod.Annotations[ExitCode]; ok {
		code, err := strconv.ParseUint(text, 10, 8)
		if err != nil {
			return p, fmt.Errorf("annotation %s: %q is not an exit code from 0 to 255", ExitCode, text)
		}
		p.exit = int32(code)
	}
	return p, nil
}

// refused is the status of a pod that was not admitted: like a kubelet's, it has no
// start time and no containers.
func refused(pod *corev1.Pod, r *refusal) corev1.PodStatus {
	s := *pod.Status.DeepCopy()
	s.Phase, s.Reason, s.Message = corev1.PodFailed, r.reason, r.message
	s.ObservedGeneration = pod.Generation
	return s
}

// running is the status of a pod whose containers all run and are ready.
func running(pod *corev1.Pod, hostIP, podIP string, now time.Time) corev1.PodStatus {
	t := metav1.NewTime(now)
	s := *pod.Status.DeepCopy()
	s.Phase, s.StartTime, s.ObservedGeneration = corev1.PodRunning, &t, pod.Generation
	s.HostIP, s.HostIPs = hostIP, []corev1.HostIP{{IP: hostIP}}
	if pod.Spec.HostNetwork {
		podIP = hostIP
	}
	s.PodIP, s.PodIPs = podIP, []corev1.PodIP{{IP: podIP}}
	for _, kind := range []corev1.PodConditionType{
		corev1.PodReadyToStartContainers, corev1.PodInitialized, corev1.PodReady, corev1.ContainersReady,
		corev1.PodScheduled, // already so, unless the pod was created with a node
	} {
		setCondition(&s, kind, corev1.ConditionTrue, "", t, pod.Generation)
	}
	s.InitContainerStatuses, s.ContainerStatuses = nil, nil
	for _, c := range pod.Spec.InitContainers {
		state := terminated(0, t, t)
		if sidecar(c) {
			state = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: t}}
		}
		s.InitContainerStatuses = append(s.InitContainerStatuses, containerStatus(pod, c, state))
	}
	for _, c := range pod.Spec.Containers {
		state := corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: t}}
		s.ContainerStatuses = append(s.ContainerStatuses, containerStatus(pod, c, state))
	}
	return s
}

// finished is the status of a pod whose containers have all exited with the given code.
func finished(pod *corev1.Pod, exit int32, now time.Time) corev1.PodStatus {
	t := metav1.NewTime(now)
	s := *pod.Status.DeepCopy()
	s.Phase, s.ObservedGeneration = corev1.PodSucceeded, pod.Generation
	reason := "PodCompleted"
	if exit != 0 {
		s.Phase, reason = corev1.PodFailed, "PodFailed"
	}
	setCondition(&s, corev1.PodReady, corev1.ConditionFalse, reason, t, pod.Generation)
	setCondition(&s, corev1.ContainersReady, corev1.ConditionFalse, reason, t, pod.Generation)
	setCondition(&s, corev1.PodReadyToStartContainers, corev1.ConditionFalse, "", t, pod.Generation)
	exited := func(list []corev1.ContainerStatus, code int32) {
		for i := range list {
			if r := list[i].State.Running; r != nil {
				list[i].State = terminated(code, r.StartedAt, t)
			}
			list[i].Ready = false
			list[i].Started = new(bool)
		}
	}
	exited(s.InitContainerStatuses, 0)
	exited(s.ContainerStatuses, exit)
	return s
}

// sidecar tells whether an init container stays.
func sidecar(c corev1.Container) bool {
	return c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
}

// containerStatus is the status of a container that was started.
func containerStatus(pod *corev1.Pod, c corev1.Container, state corev1.ContainerState) corev1.ContainerStatus {
	started := state.Running != nil
	return corev1.ContainerStatus{
		Name: c.Name, Image: c.Image, ImageID: "simulated://" + c.Image,
		ContainerID: "simulated://" + string(pod.UID) + "/" + c.Name,
		State:       state, Ready: true, Started: &started,
	}
}

// terminated is the state of a container that has exited.
func terminated(code int32, from, to metav1.Time) corev1.ContainerState {
	reason := "Completed"
	if code != 0 {
		reason = "Error"
	}
	return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
		ExitCode: code, Reason: reason, StartedAt: from, FinishedAt: to,
	}}
}

// setCondition sets a condition and keeps the others, PodScheduled among them. The time
// of transition changes only with the status.
func setCondition(s *corev1.PodStatus, kind corev1.PodConditionType, status corev1.ConditionStatus, reason string, t metav1.Time, generation int64) {
	next := corev1.PodCondition{Type: kind, Status: status, Reason: reason, LastTransitionTime: t, ObservedGeneration: generation}
	for i, c := range s.Conditions {
		if c.Type == kind {
			if c.Status == status {
				next.LastTransitionTime = c.LastTransitionTime
			}
			s.Conditions[i] = next
			return
		}
	}
	s.Conditions = append(s.Conditions, next)
}

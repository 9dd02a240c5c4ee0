package cluster

import v1 "k8s.io/api/core/v1"

// unsupported lists the fields of a pod that restrict where it may run and that fit does not evaluate. Preferences
// (preferredDuringScheduling…, ScheduleAnyway) restrict nothing and are not listed.
func unsupported(pod *v1.Pod) []string {
	if len(pod.Spec.ResourceClaims) > 0 {
		return []string{"spec.resourceClaims"}
	}
	return nil
}

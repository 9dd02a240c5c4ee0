package run

import "github.com/prometheus/client_golang/prometheus"

// Names of all metrics. Those with the prefix scheduler_ mean what kube-scheduler's of the same name mean.
const (
	nameAttempts      = "scheduler_schedule_attempts_total"
	namePending       = "scheduler_pending_pods"
	nameVisited       = "sluice_nodes_visited_total"
	nameBinds         = "sluice_binds_total"
	nameStolen        = "sluice_stolen_rooms_total"
	nameRejected      = "sluice_kubelet_rejected_pods_total"
	nameElsewhere     = "sluice_bound_elsewhere_total"
	nameWoken         = "sluice_woken_groups_total"
	nameHeld          = "sluice_held_pods"
	nameAssumed       = "sluice_assumed_pods"
	namePreparing     = "sluice_preparing_pods"
	nameVolumesFailed = "sluice_volume_preparations_failed_total"
	nameNodes         = "sluice_nodes"
	namePods          = "sluice_pods"
	nameShapes        = "sluice_shapes"
	nameQuarantined   = "sluice_quarantined_objects"
	nameOutages       = "sluice_api_outages_total"
	nameRelists       = "sluice_watch_relists_total"
	nameUnreadable    = "sluice_unreadable_objects_total"
	nameInbox         = "sluice_inbox_events"
	nameWrites        = "sluice_api_requests_total"
	nameWriteSeconds  = "sluice_api_request_duration_seconds"
	nameBindSeconds   = "sluice_bind_duration_seconds"
	namePodSeconds    = "sluice_pod_bound_after_seconds"
	nameInFlight      = "sluice_api_requests_in_flight"
	nameLimit         = "sluice_api_requests_in_flight_limit"
	nameOutbox        = "sluice_outbox_length"
	nameEventsRetried = "sluice_events_retried_total"
	nameEventsDropped = "sluice_events_dropped_total"
	nameMoot          = "sluice_moot_conditions_total"
	nameStepSeconds   = "sluice_step_duration_seconds"
	nameStepEvents    = "sluice_step_events_total"
	nameLeader        = "sluice_leader"
	nameBuild         = "sluice_build_info"
	nameScarce        = "sluice_scarce_units"
	nameConfigFaulty  = "sluice_config_faulty"
	nameConfigReloads = "sluice_config_reloads_total"
	nameConfigLoaded  = "sluice_config_loaded_timestamp_seconds"
	nameQueuesInfo    = "sluice_queues_info"
	nameApps          = "sluice_applications"
	nameQuotaRefused  = "sluice_quota_refusals_total"
	nameReservations  = "sluice_reservations_total"
	nameExpired       = "sluice_reservations_expired_total"

	nameGroups        = "sluice_groups"
	nameGroupsBegun   = "sluice_groups_begun_total"
	nameBeganAfter    = "sluice_group_begun_after_seconds"
	nameExpected      = "sluice_expected_pods"
	nameRooms         = "sluice_kept_rooms"
	nameRoomsKept     = "sluice_rooms_kept_total"
	nameRoomsTaken    = "sluice_rooms_taken_total"
	nameRoomsLapsed   = "sluice_rooms_lapsed_total"
	nameGroupsDrained = "sluice_group_drains_total"
	nameHeadStarts    = "sluice_group_head_starts_total"

	nameQueueUsed       = "sluice_queue_used"
	nameQueueGuaranteed = "sluice_queue_guaranteed"
	nameQueueMax        = "sluice_queue_max"
	nameQueuePending    = "sluice_queue_pending_pods"
	nameQueueApps       = "sluice_queue_running_applications"
)

// about says what a metric means and which labels it has.
type about struct {
	name   string
	kind   string
	labels []string
	help   string
}

// catalogue lists all metrics in the order of docs/metrics.md.
func catalogue() []about {
	return []about{
		{nameAttempts, "counter", []string{"result", "profile"}, "Attempts to place a pod, by result (scheduled, unschedulable, error) and schedulerName."},
		{namePending, "gauge", []string{"queue"}, "Pods that are not bound: active (about to be tried), backoff (waiting out a refusal), unschedulable (waiting for room, or held), quota (its queue, user or group has too little left), gated, reserved (room is kept for them on a node as it falls free), gathered (they start with others of their group)."},
		{nameHeld, "gauge", nil, "Of the unschedulable pods, those held for a reason of their own, such as a placement field that Sluice does not evaluate."},
		{nameAssumed, "gauge", nil, "Pods that have been given a node and whose bind has not been answered."},
		{namePreparing, "gauge", nil, "Of the assumed pods, those whose volume claims are being bound before they are."},
		{nameVolumesFailed, "counter", nil, "Pods that left their node again because their volume claims could not be bound."},
		{nameBinds, "counter", []string{"outcome"}, "Binds answered: bound, refused, recalled (taken back before they were sent)."},
		{nameBindSeconds, "histogram", nil, "Time from the decision to the confirmed bind, in seconds."},
		{namePodSeconds, "histogram", nil, "Time from the creation of a pod to its confirmed bind, in seconds; creation times are whole seconds."},
		{nameStolen, "counter", nil, "Rooms that another scheduler took after Sluice had assumed them; the pod was placed anew."},
		{nameRejected, "counter", []string{"reason"}, "Pods bound by Sluice that a kubelet refused at admission, by its reason."},
		{nameElsewhere, "counter", nil, "Pods of Sluice that another scheduler bound."},
		{nameQuotaRefused, "counter", nil, "Times that pods of equal requests and equal accounts were held back, because their queue, user or group had too little left."},
		{nameReservations, "counter", nil, "Times that room was kept on a node for a pod that had waited long."},
		{nameExpired, "counter", nil, "Times that it was given up again, because nothing more fell free there, or the node or the pod changed."},
		{nameGroups, "gauge", []string{"standing"}, "Groups of pods that start together, by where they stand: loose, empty, invalid, gathering, held, waiting, held-back, parked, draining, begun, lapsed, over."},
		{nameGroupsBegun, "counter", nil, "Groups that got room for all that they need to start."},
		{nameBeganAfter, "histogram", nil, "Time from the creation of a group's oldest pod until the group got room for all that it needs, in seconds; creation times are whole seconds."},
		{nameExpected, "gauge", nil, "Pods of groups that do not exist yet and are expected."},
		{nameRooms, "gauge", nil, "Of the expected pods, those for which room is kept."},
		{nameRoomsKept, "counter", nil, "Rooms that were kept for expected pods."},
		{nameRoomsTaken, "counter", nil, "Of these, those that the real pod took when it came."},
		{nameRoomsLapsed, "counter", nil, "Times that the rooms of a group were given up because its pods did not come in time."},
		{nameGroupsDrained, "counter", nil, "Times that nodes began to be drained for a group that had waited long."},
		{nameHeadStarts, "counter", nil, "Times that the first pods of a group were started without the others, so that an autoscaler sees what they need."},
		{nameWoken, "counter", nil, "Groups of equal pods that were woken because a node changed so that they fit."},
		{nameVisited, "counter", nil, "Nodes looked at while deciding."},
		{nameNodes, "gauge", nil, "Nodes known that Sluice may use."},
		{namePods, "gauge", nil, "Pods known, of all schedulers, that have not ended."},
		{nameApps, "gauge", nil, "Applications known: those that have pods which have not ended."},
		{nameShapes, "gauge", nil, "Distinct demands among the pods known."},
		{nameQuarantined, "gauge", nil, "Objects set aside because they made the core panic; see the log of the last start and quarantine.json."},
		{nameScarce, "gauge", []string{"resource", "state"}, "Units of each scarce resource, in pieces: free, and stranded (free on nodes where no usual request for it fits any more). Counted every ten seconds."},
		{nameStepSeconds, "histogram", nil, "Time that one step of the core took, in seconds."},
		{nameStepEvents, "counter", nil, "Events taken in by the core."},
		{nameInbox, "gauge", nil, "Events that wait for the next step."},
		{nameOutbox, "gauge", []string{"kind"}, "Writes that are owed to the API server: bind, volumes, condition, group, event."},
		{nameInFlight, "gauge", nil, "Requests in flight, without event writes."},
		{nameLimit, "gauge", nil, "Requests that may be in flight at present, without event writes; follows the API server's latency."},
		{nameWrites, "counter", []string{"kind", "verdict"}, "Requests answered, by kind (bind, look, volumes, condition, group, event) and verdict (done, busy, conflict, gone, refused, unknown)."},
		{nameWriteSeconds, "histogram", []string{"kind"}, "Time to the answer of a request, in seconds."},
		{nameMoot, "counter", nil, "Conditions that were not written because the pod was bound first."},
		{nameEventsRetried, "counter", nil, "Event writes that failed and were tried again."},
		{nameEventsDropped, "counter", nil, "Events given up because the API server refused them for good."},
		{nameOutages, "counter", nil, "Times that the API server stopped to answer the watches."},
		{nameRelists, "counter", nil, "Times that all nodes or pods were read anew because a watch could not be resumed."},
		{nameUnreadable, "counter", nil, "Objects that made reading them panic; they are held."},
		{nameConfigFaulty, "gauge", []string{"source"}, "1 while the newest configuration or queues (source) cannot be taken, so that those in force stay; the log says why."},
		{nameConfigReloads, "counter", []string{"source", "result"}, "Changes of the configuration or the queues (source) that took effect (result applied) or were turned down (refused)."},
		{nameConfigLoaded, "gauge", []string{"source"}, "When the newest configuration or queues (source) were last found in order and are in force since, in seconds since 1970."},
		{nameQueuesInfo, "gauge", []string{"hash"}, "Always 1; the label identifies the queues in force. Absent while there are none, and nothing is decided."},
		{nameQueueUsed, "gauge", []string{"queue", "resource"}, "What a configured queue holds of each resource of which something is configured, held or waited for, with all below it: cpu in cores, memory and ephemeral-storage in bytes, others in pieces."},
		{nameQueueGuaranteed, "gauge", []string{"queue", "resource"}, "What a configured queue is owed of a resource; absent where nothing is."},
		{nameQueueMax, "gauge", []string{"queue", "resource"}, "The most that a configured queue may hold of a resource; absent where it has no max of its own."},
		{nameQueuePending, "gauge", []string{"queue"}, "Pods that wait in a configured queue, and below it."},
		{nameQueueApps, "gauge", []string{"queue"}, "Applications of a configured queue, and below it, of which pods hold something."},
		{nameLeader, "gauge", nil, "1 while this process leads, 0 while it stands by."},
		{nameBuild, "gauge", []string{"version"}, "Always 1; the label tells the version."},
	}
}

func lookUp(name string) about {
	for _, a := range catalogue() {
		if a.name == name {
			return a
		}
	}
	panic("no such metric: " + name)
}

func counter(name string) prometheus.CounterOpts {
	return prometheus.CounterOpts{Name: name, Help: lookUp(name).help}
}

func gauge(name string) prometheus.GaugeOpts {
	return prometheus.GaugeOpts{Name: name, Help: lookUp(name).help}
}

// histogram has count buckets, each twice the one before.
func histogram(name string, first float64, count int) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{Name: name, Help: lookUp(name).help, Buckets: prometheus.ExponentialBuckets(first, 2, count)}
}

func desc(name string) *prometheus.Desc {
	a := lookUp(name)
	return prometheus.NewDesc(name, a.help, a.labels, nil)
}

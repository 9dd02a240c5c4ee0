package queues

// Ignores knows the keys that YuniKorn writes or reads at the top of a file.
func (file) Ignores(key string) (why string, ok bool) {
	switch key {
	case "checksum":
		return "YuniKorn keeps its checksum there; Sluice computes its own", true
	}
	return partition{}.Ignores(key)
}

// Ignores knows the keys of a partition that concern YuniKorn's process alone.
func (partition) Ignores(key string) (why string, ok bool) {
	switch key {
	case "statedumpfilepath":
		return "Sluice writes no state dumps; the web address shows the state at /debug/dump", true
	case "usergroupresolver":
		return "Sluice takes users and groups from the pod and looks none up", true
	}
	return "", false
}

// Ignores knows the properties that steer something which Sluice does in another way.
func (properties) Ignores(key string) (why string, ok bool) {
	switch key {
	case "application.unschedasks.backoff", "application.unschedasks.backoff.delay":
		return "a pod that fits nowhere waits for what could help it and costs nothing meanwhile, so there is no backoff", true
	}
	return "", false
}

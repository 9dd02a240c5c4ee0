package gang

import "strings"

// sparkConfig reports whether a ConfigMap's name is one that spark-submit gives to that of a driver: spark-drv-HASH-conf-map.
func sparkConfig(name string) bool {
	return strings.HasPrefix(name, "spark-drv-") && strings.HasSuffix(name, "-conf-map")
}

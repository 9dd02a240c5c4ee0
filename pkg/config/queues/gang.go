package queues

import (
	"time"

	"github.com/sluice-scheduler/sluice/pkg/config/strict"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// longestWait bounds startFirstAfter.
const longestWait = 24 * time.Hour

// gang reads what a queue, or a template, says of gangs: in a section of its own, or in properties. What neither says stays empty, and is then the parent's.
func (b *builder) gang(at string, in *gang, p *properties) (g cluster.GangSpec) {
	section, props := at+".gang", at+".properties"
	key, value := b.either(section, "scaleUp", in.ScaleUp, props, gangScaleUp, p.GangScaleUp)
	if value != "" {
		word, _ := strict.OneOfText(b.at, key, value, string(cluster.ScaleUpNone), string(cluster.ScaleUpStartFirst), string(cluster.ScaleUpRequest))
		if g.ScaleUp = cluster.ScaleUp(word); g.ScaleUp == cluster.ScaleUpRequest {
			b.at.Warnf(key, "is not carried out yet: gangs wait as with none. start-first makes autoscalers add nodes")
		}
	}
	key, value = b.either(section, "startFirstAfter", in.StartFirstAfter, props, gangStartFirst, p.GangStartFirst)
	if value == "" {
		return g
	}
	switch d, err := duration(value); {
	case err != nil:
		b.at.Faultf(key, "must be a duration such as 30s, 5m or 1h30m, but is %q%s", value, err)
	case d == 0 || d > longestWait:
		b.at.Faultf(key, "must be above 0s and at most 24h, but is %q", value)
	default:
		g.StartFirstAfter = d
	}
	return g
}

// either gives what is set in one of two places, and where. In both is one too many.
func (b *builder) either(section, name string, value *text, props, property string, other *text) (key, set string) {
	key, property = strict.Entry(section, name), strict.Entry(props, property)
	switch {
	case other.or("") == "":
		return key, value.or("")
	case value.or("") != "":
		b.at.Faultf(property, "is set by gang.%s of the same queue already; remove one", name)
	}
	return property, string(*other)
}

package oracle

// theme says what a world is mostly about, so that each plugin is reached by many pairs and refuses some of them, neither most nor few. Numbers are
// percentages unless they say otherwise.
type theme struct {
	name string
	// weight is how many worlds of all have the theme.
	weight int

	// Of nodes. crowd is how often as many pods are on them as usual, less one.
	cordoned, tainted, scarce, crowd int
	// sparse is how many of the labels are missing.
	sparse int
	// soft is how many spread constraints only ask.
	soft int
	// moving is how many of the changes are, beyond the usual ones, nodes that come, go or are described anew, so that domains appear and vanish.
	moving int
	// Of pods that come.
	selector, affinity, named, preferred, ports, tolerant, requests, tuned int
	// Of these placedTerms is how many placed pods have any.
	podAffinity, podAnti, podLiking, spread, placedTerms, volumes, features int
	// local is how many of the claims and volumes are of a class that nobody provisions; then pods have several claims and few of these are bound.
	local int
	// spoilt is how many of the requirements of selectors of pods cannot be read.
	spoilt int
	// nominated is how many pods that wait are nominated for a node; then some have a priority.
	nominated int
	// likes: nodes have images and pods belong to services and controllers, for the sake of scores; images is how many containers have one.
	likes  bool
	images int
}

// plain is the common ground of themes: little that refuses.
var plain = theme{sparse: 20, soft: 20, cordoned: 12, tainted: 14, scarce: 6, selector: 6, affinity: 8, named: 1, preferred: 10, ports: 4, tolerant: 20, requests: 40, tuned: 4}

// themes are all there are.
var themes = func() []theme {
	with := func(name string, weight int, change func(*theme)) theme {
		t := plain
		t.name, t.weight = name, weight
		change(&t)
		return t
	}
	return []theme{
		with("taints", 8, func(t *theme) { t.cordoned, t.tainted, t.tolerant = 60, 60, 70 }),
		with("affinity", 12, func(t *theme) { t.selector, t.affinity, t.named = 40, 60, 12 }),
		with("ports", 8, func(t *theme) { t.ports, t.crowd = 85, 3 }),
		with("resources", 16, func(t *theme) { t.scarce, t.requests, t.tuned, t.crowd = 40, 90, 40, 2 }),
		with("neighbours", 16, func(t *theme) { t.podAffinity, t.podAnti, t.placedTerms, t.podLiking, t.spoilt = 45, 50, 15, 20, 3 }),
		with("spread", 14, func(t *theme) {
			t.spread, t.tainted, t.affinity, t.crowd, t.spoilt, t.sparse, t.moving = 90, 20, 15, 2, 1, 5, 40
		}),
		with("volumes", 22, func(t *theme) { t.volumes, t.cordoned, t.tainted = 75, 4, 6 }),
		with("local volumes", 5, func(t *theme) { t.volumes, t.local, t.cordoned, t.tainted = 85, 85, 2, 3 }),
		with("features", 5, func(t *theme) { t.features, t.cordoned, t.tainted = 75, 2, 3 }),
		with("nominees", 10, func(t *theme) {
			t.nominated, t.scarce, t.tuned, t.requests, t.ports = 60, 25, 30, 70, 35
			t.podAffinity, t.podAnti, t.spread = 8, 12, 12
		}),
		with("scores", 10, func(t *theme) {
			t.likes, t.images, t.podLiking, t.preferred, t.placedTerms, t.spread, t.spoilt = true, 70, 40, 40, 40, 25, 3
			t.cordoned, t.tainted, t.selector, t.affinity, t.soft = 3, 30, 2, 2, 70
		}),
		with("mixed", 10, func(t *theme) {
			t.cordoned, t.tainted, t.selector, t.affinity, t.named, t.ports, t.tuned = 10, 25, 20, 25, 4, 25, 20
			t.podAffinity, t.podAnti, t.placedTerms, t.spread, t.volumes, t.features, t.nominated = 10, 15, 10, 25, 15, 4, 5
		}),
	}
}()

// pickTheme draws a theme by weight.
func pickTheme(d draw) *theme {
	all := 0
	for i := range themes {
		all += themes[i].weight
	}
	at := d.IntN(all)
	for i := range themes {
		if at -= themes[i].weight; at < 0 {
			return &themes[i]
		}
	}
	panic("weights do not add up")
}

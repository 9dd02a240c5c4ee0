package cluster

import "strings"

// Foresee returns the queue in which an application of such a claim would be if its first pod came now, or the lowest above it that stands where that one is yet to be made. It is nil
// where no queue would take it. Nothing is made.
func (s *State) Foresee(namespace string, c *Claim) *Queue {
	space := s.space(namespace)
	p := &petition{namespace: namespace, user: c.User, groups: c.Groups, want: strings.ToLower(c.Queue), from: c.QueueFrom, space: space}
	if p.want == "" && space.Queue != "" {
		p.want, p.from = strings.ToLower(space.Queue), space.QueueFrom
	}
	barring := s.barring
	defer func() { s.barring = barring }()
	at, _ := s.byRules(p)
	var q *Queue
	if at != nil {
		q = at.above
	} else if of := s.standing(DefaultQueue); of != nil && of.Leaf() {
		q = of
	}
	if q == nil || !q.Admits(p.user, p.groups) {
		return nil
	}
	return q
}

package run

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/web/api"
)

// surveyFor is how long a survey of the queues is handed out before another is made: at most ten a second, however many ask.
const surveyFor = 100 * time.Millisecond

// Asked is the core as questions see it. They are put between steps.
type Asked interface {
	Leading() bool
	QueueSnapshot() *core.QueueSnapshot
	Explain(namespace, name string) core.Explanation
	Groups() []core.GroupSurvey
	Group(namespace, id string) (survey core.GroupSurvey, known bool)
}

// Queries answers the questions of the API. They take turns, so that at most one of them is put to the loop between two steps.
type Queries struct {
	loop *Loop
	core Asked
	turn chan struct{}

	// survey is what was told last, at that time, answer the same in the API's words once it was asked for so; whose turn it is may touch them.
	survey   *core.QueueSurvey
	answer   *api.Queues
	surveyed time.Time
	groups   groupList
}

// NewQueries puts questions to the core through the loop that owns it.
func NewQueries(l *Loop, c Asked) *Queries {
	return &Queries{loop: l, core: c, turn: make(chan struct{}, 1)}
}

// Queues returns the tree of queues. It is a tenth of a second old at most, and shared: do not change it. The loop copies some numbers; fair shares are
// computed here.
func (q *Queries) Queues(ctx context.Context) (api.Queues, error) {
	if err := q.take(ctx); err != nil {
		return api.Queues{}, err
	}
	defer q.yield()
	if err := q.renew(ctx); err != nil {
		return api.Queues{}, err
	}
	if q.answer == nil {
		answer := queuesOf(*q.survey)
		q.answer = &answer
	}
	return *q.answer, nil
}

// Survey returns the same in the words of the core, for figures.
func (q *Queries) Survey(ctx context.Context) (*core.QueueSurvey, error) {
	if err := q.take(ctx); err != nil {
		return nil, err
	}
	defer q.yield()
	if err := q.renew(ctx); err != nil {
		return nil, err
	}
	return q.survey, nil
}

// renew makes another survey when the last one is too old.
func (q *Queries) renew(ctx context.Context) error {
	if q.survey != nil && time.Since(q.surveyed) < surveyFor {
		return nil
	}
	snapshot, err := question(ctx, q.loop, q.core.QueueSnapshot)
	if err != nil {
		return err
	}
	survey := snapshot.Survey()
	q.surveyed, q.survey, q.answer = time.Now(), &survey, nil
	return nil
}

// Pod says why a pod is where it is; known is false when there is no such pod.
func (q *Queries) Pod(ctx context.Context, namespace, name string) (pod api.Pod, known bool, err error) {
	if err := q.take(ctx); err != nil {
		return pod, false, err
	}
	defer q.yield()
	x, err := question(ctx, q.loop, func() (p explained) {
		p.Explanation, p.leading = q.core.Explain(namespace, name), q.core.Leading()
		p.Counts = slices.Clone(p.Counts) // they belong to the core
		return p
	})
	return podOf(x), x.Standing != core.StandingUnknown, err
}

// explained is an explanation with who gave it.
type explained struct {
	core.Explanation
	leading bool
}

func (q *Queries) take(ctx context.Context) error {
	select {
	case q.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the turn: %w", ctx.Err())
	}
}

func (q *Queries) yield() { <-q.turn }

// question has f called between two steps and returns its answer.
func question[T any](ctx context.Context, l *Loop, f func() T) (T, error) {
	answer := make(chan T, 1)
	if err := l.ask(ctx, func() { answer <- f() }); err != nil {
		var none T
		return none, err
	}
	return <-answer, nil
}

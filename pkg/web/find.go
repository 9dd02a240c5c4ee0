package web

import (
	"fmt"
	"strings"

	"github.com/sluice-scheduler/sluice/pkg/config/strict"
	"github.com/sluice-scheduler/sluice/pkg/web/api"
)

// shownNear is how many queues are named to who asked for one that is not there.
const shownNear = 20

// find returns the queue of a path. When there is none, the error names what may have been meant and what there is nearby.
func find(root *api.Queue, path string) (*api.Queue, error) {
	q := root
	if !isOnWay(q, path) {
		return nil, notFound(root, path)
	}
	for q.Name != path {
		next := childOnWay(q, path)
		if next == nil {
			return nil, notFound(q, path)
		}
		q = next
	}
	return q, nil
}

// isOnWay reports whether a queue is that of the path or above it.
func isOnWay(q *api.Queue, path string) bool {
	rest, ok := strings.CutPrefix(path, q.Name)
	return ok && (rest == "" || rest[0] == '.')
}

func childOnWay(q *api.Queue, path string) *api.Queue {
	for i := range q.Queues {
		if isOnWay(&q.Queues[i], path) {
			return &q.Queues[i]
		}
	}
	return nil
}

// notFound says that there is no queue of the path; last is the last queue on the way to it, or the root.
func notFound(last *api.Queue, path string) error {
	message := fmt.Sprintf("there is no queue %q", path)
	if near, ok := meant(last, path); ok {
		message += fmt.Sprintf("; did you mean %s? Below", near)
	} else {
		message += "; below"
	}
	if len(last.Queues) == 0 {
		return missing(fmt.Sprintf("%s %s there are none", message, last.Name))
	}
	return missing(fmt.Sprintf("%s %s there are: %s", message, last.Name, namesOf(last.Queues)))
}

// namesOf lists queues, but not too many.
func namesOf(queues []api.Queue) string {
	names := make([]string, len(queues))
	for i := range queues {
		names[i] = queues[i].Name
	}
	return listed(names)
}

// meant guesses the queue that somebody meant: one whose full path ends as he wrote, or a child that reads like what he wrote next.
func meant(last *api.Queue, path string) (name string, ok bool) {
	if name, ok = endsIn(last, "."+path); ok {
		return name, true
	}
	next, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(path, last.Name), "."), ".")
	var words []string
	for i := range last.Queues {
		words = append(words, strings.TrimPrefix(last.Queues[i].Name, last.Name+"."))
	}
	if name, ok = strict.Nearest(next, words); ok {
		name = last.Name + "." + name
	}
	return name, ok
}

// endsIn returns the first queue below q whose full path ends so.
func endsIn(q *api.Queue, end string) (name string, ok bool) {
	if strings.HasSuffix(q.Name, end) {
		return q.Name, true
	}
	for i := range q.Queues {
		if name, ok = endsIn(&q.Queues[i], end); ok {
			return name, true
		}
	}
	return "", false
}

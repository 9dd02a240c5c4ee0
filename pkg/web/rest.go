package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// apiRoot is what all questions of the API begin with. Below it everything is answered in JSON, refusals included.
const apiRoot = "/api/"

// askedAtOnce is how many questions are under way at a time.
const askedAtOnce = 4

// missing is what is asked about and is not there.
type missing string

// Error says what is not there.
func (m missing) Error() string { return string(m) }

// questions lists the pages of the API that the parts have something for.
func questions(parts Parts, l limits) []page {
	d := desk{parts: parts, limits: l, slots: make(chan struct{}, askedAtOnce)}
	var pages []page
	if parts.Queues != nil {
		pages = append(pages,
			page{"/api/v1/queues", "the tree of queues as JSON (same machine only)", d.answer(d.queues)},
			page{"/api/v1/queues/{path...}", "a queue and all below it (same machine only)", d.answer(d.queues)})
	}
	if parts.Pod != nil {
		pages = append(pages, page{"/api/v1/pods/{namespace}/{name}", "why a pod is where it is, as JSON (same machine only)", d.answer(d.pod)})
	}
	return append(pages, groupQuestions(d)...)
}

// desk is where questions are taken. It is the same for all, so that they share the slots.
type desk struct {
	parts  Parts
	limits limits
	slots  chan struct{}
}

// answer turns a question into a page.
func (d desk) answer(question func(context.Context, *http.Request) (any, error)) http.HandlerFunc {
	return local(foreignQuestion, func(w http.ResponseWriter, r *http.Request) {
		select {
		case d.slots <- struct{}{}:
		default:
			busy(w, fmt.Sprintf("%d questions are being answered already; try again in a moment", askedAtOnce))
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), d.limits.question)
		defer cancel()
		value, err := take(ctx, func(ctx context.Context) (any, error) { return question(ctx, r) }, func() { <-d.slots })
		if err != nil {
			d.refuse(w, r, err)
			return
		}
		object(w, http.StatusOK, value)
	})
}

func (d desk) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var m missing
	switch {
	case errors.As(err, &m):
		failure(w, http.StatusNotFound, m.Error())
	case errors.Is(err, context.DeadlineExceeded):
		d.parts.Log.Warn("no answer in time", "path", r.URL.Path, "limit", d.limits.question)
		busy(w, fmt.Sprintf("there was no answer within %s: the loop is busy or stuck (see /livez?verbose)", d.limits.question))
	case errors.Is(err, context.Canceled):
		busy(w, "the caller has gone")
	default:
		d.parts.Log.Warn("no answer", "path", r.URL.Path, "error", err)
		failure(w, http.StatusInternalServerError, "there is no answer: "+oneLine(err.Error()))
	}
}

// foreignQuestion refuses a caller from elsewhere.
func foreignQuestion(w http.ResponseWriter) {
	failure(w, http.StatusForbidden, "the API answers callers on the same machine only, until it can check who calls; "+
		"from elsewhere, go through kubectl port-forward")
}

// pod answers why a pod is where it is.
func (d desk) pod(ctx context.Context, r *http.Request) (any, error) {
	namespace, name := r.PathValue("namespace"), r.PathValue("name")
	pod, known, err := d.parts.Pod(ctx, namespace, name)
	if err == nil && !known {
		err = missing(fmt.Sprintf("no pod %q is known in namespace %q; pods that have ended are forgotten", name, namespace))
	}
	return pod, err
}

// queues answers with the queue that the path names, or else the root, and all below it.
func (d desk) queues(ctx context.Context, r *http.Request) (any, error) {
	tree, err := d.parts.Queues(ctx)
	if err != nil {
		return nil, err
	}
	if path := r.PathValue("path"); path != "" {
		q, err := find(&tree.Queue, strings.ToLower(path))
		if err != nil {
			return nil, err
		}
		tree.Queue = *q
	}
	return tree, nil
}

// nothing answers what lies below the root of the API and is no question.
func nothing(pages []page) http.HandlerFunc {
	return local(foreignQuestion, func(w http.ResponseWriter, r *http.Request) {
		var paths []string
		for _, p := range pages {
			paths = append(paths, p.name())
		}
		failure(w, http.StatusNotFound, fmt.Sprintf("there is no %q here; there are: %s", r.URL.Path, strings.Join(paths, ", ")))
	})
}

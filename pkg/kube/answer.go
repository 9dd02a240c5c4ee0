package kube

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Verdict is what is known after a request has been answered, or has not.
type Verdict uint8

const (
	// Done: the API server has done it.
	Done Verdict = iota
	// Busy: it was not done, and may be asked for again later: 429, credentials that are being renewed, nobody listening.
	Busy
	// Conflict: it was not done since the object is no longer as assumed (409).
	Conflict
	// Gone: it was not done since the object is not there, or its namespace is being deleted.
	Gone
	// Refused: it was not done and asking again as it is would not help: every other 4xx.
	Refused
	// Unknown: it may have been done or not, or may still be: a timeout, a cut connection, a 5xx.
	Unknown
)

// String names the verdict as metrics do.
func (v Verdict) String() string {
	return [...]string{"done", "busy", "conflict", "gone", "refused", "unknown"}[v]
}

// Answer is how a request to the API server ended.
type Answer struct {
	Verdict Verdict
	// After is how long the server asks not to be asked again by anybody of this process (Retry-After); zero if it did not say.
	After time.Duration
	// Err says why, unless Done. It is nil if Done.
	Err error
}

// answerOf judges the error of a request.
//
// A 503 counts as Unknown rather than Busy: API servers give it before they touch anything, but what stands between (a
// load balancer) gives it after losing an answer as well. Its Retry-After is honoured all the same.
func answerOf(err error) Answer {
	if err == nil {
		return Answer{}
	}
	a := Answer{Verdict: Unknown, Err: err}
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		if neverSent(err) {
			a.Verdict = Busy
		}
		return a
	}
	if seconds, ok := apierrors.SuggestsClientDelay(err); ok {
		a.After = time.Duration(seconds) * time.Second
	}
	a.Verdict = verdictOf(err, int(status.Status().Code))
	return a
}

func verdictOf(err error, code int) Verdict {
	switch {
	case code == http.StatusTooManyRequests, code == http.StatusUnauthorized:
		return Busy
	case code == http.StatusConflict:
		return Conflict
	case code == http.StatusNotFound, code == http.StatusGone, apierrors.HasStatusCause(err, v1.NamespaceTerminatingCause):
		return Gone
	case code == http.StatusRequestTimeout: // it was read too slowly, so perhaps it was read
		return Unknown
	case code >= 400 && code < 500:
		return Refused
	}
	return Unknown
}

// neverSent reports whether the request cannot have reached the server: there was no connection to send it on.
func neverSent(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return false
	}
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

package kube

import (
	"maps"
	"slices"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// rights follows for which resources a right to write something has been found missing.
//
//	granted ── a request is forbidden ──> missing ── something was written ──> granted
type rights struct {
	mu      sync.Mutex
	missing map[string]bool // by resource
}

// heed draws from the outcome of a request what it says of the rights; that something could be read says nothing of writing.
func (r *rights) heed(resource string, wrote bool, err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil && wrote:
		delete(r.missing, resource)
	case unauthorized(err):
		if r.missing == nil {
			r.missing = map[string]bool{}
		}
		r.missing[resource] = true
	}
	return err
}

// unauthorized tells a missing right from what admission forbids, by the words that API servers use for every authorizer.
func unauthorized(err error) bool {
	return apierrors.IsForbidden(err) && (strings.Contains(err.Error(), " cannot get resource ") || strings.Contains(err.Error(), " cannot patch resource "))
}

// list names the resources for which it is missing.
func (r *rights) list() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(maps.Keys(r.missing))
}

// MissingRights names the resources that Prepare was not allowed to read or to patch when it last tried.
func (c *Client) MissingRights() []string { return c.rights.list() }

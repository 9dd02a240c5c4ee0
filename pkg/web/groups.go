package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/sluice-scheduler/sluice/pkg/config/strict"
	"github.com/sluice-scheduler/sluice/pkg/web/api"
)

// groupQuestions are the pages about groups, if the parts have something for them.
func groupQuestions(d desk) (pages []page) {
	if d.parts.Groups != nil {
		pages = append(pages, page{"/api/v1/groups", "pods that start together; ?namespace=, ?queue= and ?object=KIND/NAME narrow it (same machine only)", d.answer(d.groups)})
	}
	if d.parts.Groups != nil && d.parts.Group != nil {
		pages = append(pages, page{"/api/v1/groups/{namespace}/{id...}", "a group and what it waits for, as JSON (same machine only)", d.answer(d.group)})
	}
	return pages
}

// groups answers with all groups, or those of a namespace, of a queue and all below it, or of an object.
func (d desk) groups(ctx context.Context, r *http.Request) (any, error) {
	all, err := d.parts.Groups(ctx)
	if err != nil {
		return nil, err
	}
	ask := r.URL.Query()
	all.Groups = slices.DeleteFunc(slices.Clone(all.Groups), func(g api.Group) bool {
		namespace, queue, object := ask.Get("namespace"), strings.ToLower(ask.Get("queue")), ask.Get("object")
		return namespace != "" && g.Namespace != namespace || queue != "" && !isIn(g.Queue, queue) || object != "" && !isOf(&g, object)
	})
	if all.Groups == nil {
		all.Groups = []api.Group{}
	}
	return all, nil
}

// isIn reports whether a queue is another or below it.
func isIn(queue, path string) bool { return queue == path || strings.HasPrefix(queue, path+".") }

// isOf reports whether one of a group's sources is an object, named KIND/NAME, the kind in letters of any case.
func isOf(g *api.Group, object string) bool {
	kind, name, _ := strings.Cut(object, "/")
	return slices.ContainsFunc(sourcesOf(g), func(s api.GroupSource) bool {
		return s.Object != nil && s.Object.Name == name && strings.EqualFold(s.Object.Kind, kind)
	})
}

func sourcesOf(g *api.Group) []api.GroupSource {
	if g.Source == nil {
		return nil
	}
	return append([]api.GroupSource{*g.Source}, g.Overruled...)
}

// group answers with the group of an id, or with the only one that is called so for short: by the end of its id, or by its object's name.
func (d desk) group(ctx context.Context, r *http.Request) (any, error) {
	namespace, id := r.PathValue("namespace"), r.PathValue("id")
	group, known, err := d.parts.Group(ctx, namespace, id)
	if err != nil || known {
		return group, err
	}
	all, err := d.parts.Groups(ctx)
	if err != nil {
		return nil, err
	}
	g, err := findGroup(all.Groups, namespace, id)
	if err != nil {
		return nil, err
	}
	return api.GroupAnswer{Leading: all.Leading, Group: *g}, nil
}

// findGroup returns the only group of a namespace that is called so for short.
func findGroup(all []api.Group, namespace, name string) (*api.Group, error) {
	var meant []*api.Group
	var here, there []string
	for i := range all {
		g := &all[i]
		called := strings.HasSuffix(g.ID, "/"+name) ||
			slices.ContainsFunc(sourcesOf(g), func(s api.GroupSource) bool { return s.Object != nil && s.Object.Name == name })
		switch {
		case g.Namespace == namespace && called:
			meant = append(meant, g)
		case g.Namespace == namespace:
			here = append(here, g.ID)
		case called || g.ID == name:
			there = append(there, g.Namespace)
		}
	}
	switch len(meant) {
	case 1:
		return meant[0], nil
	case 0:
		return nil, noGroup(namespace, name, here, there)
	}
	var ids []string
	for _, g := range meant {
		ids = append(ids, g.ID)
	}
	return nil, missing(fmt.Sprintf("several groups of namespace %q are called %q: %s; name one of them", namespace, name, listed(ids)))
}

// noGroup says that there is no such group, and what may have been meant.
func noGroup(namespace, name string, here, there []string) error {
	text := fmt.Sprintf("no group %q is known in namespace %q", name, namespace)
	near, ok := nearGroup(name, here)
	switch {
	case len(there) > 0:
		text += fmt.Sprintf("; there is one in namespace %s", listed(there))
	case ok:
		text += fmt.Sprintf("; did you mean %s? There are: %s", near, listed(here))
	case len(here) > 0:
		text += fmt.Sprintf("; there are: %s", listed(here))
	default:
		text += ", and no other"
	}
	return missing(text)
}

// nearGroup guesses the id that somebody meant, by the whole or by its end.
func nearGroup(name string, ids []string) (id string, ok bool) {
	var words []string
	for _, id := range ids {
		words = append(words, id, id[strings.LastIndex(id, "/")+1:])
	}
	word, ok := strict.Nearest(name, words)
	if !ok {
		return "", false
	}
	return ids[slices.Index(words, word)/2], true
}

// listed names some, but not too many.
func listed(names []string) string {
	list := strings.Join(names[:min(len(names), shownNear)], ", ")
	if more := len(names) - shownNear; more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return list
}

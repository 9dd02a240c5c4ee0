package app

import (
	"encoding/json"
	"slices"
	"strings"
)

// user reads on whose behalf a pod was made: from our annotations, or else from the one that YuniKorn's admission controller writes.
// Groups without a user do not count.
func user(m *marks) (name string, groups []string) {
	if name, _ = m.annotation(UserAnnotation); name != "" {
		return name, m.groups(strings.Split(m.pod.Annotations[GroupsAnnotation], ","), "annotation "+GroupsAnnotation)
	}
	if m.pod.Annotations[GroupsAnnotation] != "" {
		m.fault("annotation " + GroupsAnnotation + " is ignored: annotation " + UserAnnotation + " is missing")
	}
	return yunikornUserInfo(m)
}

func yunikornUserInfo(m *marks) (name string, groups []string) {
	text := m.pod.Annotations[yunikornUser]
	if text == "" {
		return "", nil
	}
	from := "annotation " + yunikornUser
	var info struct {
		User   string   `json:"user"`
		Groups []string `json:"groups"`
	}
	if err := json.Unmarshal([]byte(text), &info); err != nil {
		m.fault(from + ` is ignored: it is not JSON like {"user": "ann", "groups": ["dev"]}`)
		return "", nil
	}
	if name = m.tame(info.User, from); name == "" {
		m.fault(from + " is ignored: it names no user")
		return "", nil
	}
	return name, m.groups(info.Groups, from)
}

// groups are sorted, each once, without empty ones.
func (m *marks) groups(written []string, from string) []string {
	var groups []string
	for _, g := range written {
		if g = m.tame(g, from); g != "" {
			groups = append(groups, g)
		}
	}
	slices.Sort(groups)
	return slices.Compact(groups)
}

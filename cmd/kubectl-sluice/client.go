package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluice-scheduler/sluice/pkg/web/api"
)

const (
	// usualServer is where a Sluice with all defaults listens, and where kubectl port-forward brings one.
	usualServer = "http://127.0.0.1:10270"
	// serverVariable names another server.
	serverVariable = "SLUICE_SERVER"
	// patience is how long an answer may take; a Sluice gives up sooner and says why.
	patience = 15 * time.Second
)

// forward is what to do when no Sluice can be reached.
const forward = `A Sluice answers callers on its own machine only. If it runs in a pod, forward its port, leave that running, and try again:

    kubectl port-forward -n NAMESPACE POD 10270

If it was started on this machine (./sluice run), name the address it listens on by --server or ` + serverVariable + `, unless that is
` + usualServer + `.`

// server is a Sluice that can be asked.
type server struct{ url string }

// addServerFlag lets a command name a server.
func addServerFlag(c *cobra.Command, url *string) {
	c.Flags().StringVar(url, "server", "", "`URL` of a Sluice (default $"+serverVariable+", or else "+usualServer+")")
}

// serverAt takes the URL of the flag, or else of the environment, or else the usual one. An error is about the usage.
func serverAt(flag string) (server, error) {
	at := cmp.Or(flag, os.Getenv(serverVariable), usualServer)
	u, err := url.Parse(at)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return server{}, fmt.Errorf("the server %q is not a URL such as %s", at, usualServer)
	}
	return server{strings.TrimSuffix(at, "/")}, nil
}

// get asks for a path and decodes the answer into value, of which it returns the text too.
func (s server) get(ctx context.Context, value any, path ...string) (text []byte, err error) {
	return s.ask(ctx, value, nil, path...)
}

// ask does so and narrows the answer by the parameters that are not empty.
func (s server) ask(ctx context.Context, value any, only map[string]string, path ...string) (text []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	at := s.url + "/api/v1"
	for _, part := range path {
		at += "/" + url.PathEscape(part)
	}
	at += query(only)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, failure{fmt.Errorf("ask %s: %w", s.url, err)}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, s.unreachable(err)
	}
	defer resp.Body.Close()
	text, err = io.ReadAll(resp.Body)
	if err != nil {
		return nil, failure{fmt.Errorf("read the answer of %s: %w", s.url, err)}
	}
	if resp.StatusCode != http.StatusOK {
		return nil, s.refused(resp, text)
	}
	if err := json.Unmarshal(text, value); err != nil {
		return nil, s.stranger(resp)
	}
	return text, nil
}

// query writes the parameters that are not empty.
func query(only map[string]string) string {
	q := url.Values{}
	for name, value := range only {
		if value != "" {
			q.Set(name, value)
		}
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// unreachable says what to do when there was no answer.
func (s server) unreachable(err error) error {
	var deeper *url.Error
	if errors.As(err, &deeper) {
		err = deeper.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return failure{fmt.Errorf("%s has not answered within %s", s.url, patience)}
	}
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	return failure{fmt.Errorf("cannot reach a Sluice at %s: %w\n\n%s", s.url, err, forward)}
}

// refused repeats what a Sluice said.
func (s server) refused(resp *http.Response, text []byte) error {
	var said api.Error
	switch {
	case json.Unmarshal(text, &said) != nil || said.Error == "":
		return s.stranger(resp)
	case resp.StatusCode == http.StatusForbidden:
		return failure{fmt.Errorf("%s\n\n%s", said.Error, forward)}
	}
	return failure{errors.New(said.Error)}
}

// stranger says that somebody else answered, or a Sluice without the API.
func (s server) stranger(resp *http.Response) error {
	return failure{fmt.Errorf("%s does not answer as this version of Sluice does: status %s, %s; is it a Sluice, and not older than this command?",
		s.url, resp.Status, cmp.Or(resp.Header.Get("Content-Type"), "no content type"))}
}

package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// answering is a server that gives one answer to everything.
func answering(t *testing.T, status int, kind, body string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestWhatServersSayIsPassedOn(t *testing.T) {
	for name, c := range map[string]struct {
		status     int
		kind, body string
		want       string
	}{
		"foreign":     {403, "application/json", `{"error": "only from here"}`, "only from here\n\n" + forward},
		"busy":        {503, "application/json", `{"error": "try again"}`, "try again"},
		"a stranger":  {200, "text/html", "<html>", "%s does not answer as this version of Sluice does: status 200 OK, text/html; is it a Sluice, and not older than this command?"},
		"an old one":  {404, "text/plain", "no page", "%s does not answer as this version of Sluice does: status 404 Not Found, text/plain; is it a Sluice, and not older than this command?"},
		"other words": {500, "application/json", `{"fault": 1}`, "%s does not answer as this version of Sluice does: status 500 Internal Server Error, application/json; is it a Sluice, and not older than this command?"},
	} {
		t.Run(name, func(t *testing.T) {
			url := answering(t, c.status, c.kind, c.body)
			for _, args := range [][]string{
				{"queues"},
				{"queues", "root.a", "-o", "json"},
				{"explain", "pod", "a/b"},
				{"groups"},
				{"explain", "group", "a/b"},
				{"explain", "flinkdep", "a/b"},
			} {
				out, _, err := client("", append(args, "--server", url+"/")...)
				require.Empty(t, out)
				code, untold := exitCode(err)
				require.Equal(t, exitFailed, code)
				require.True(t, untold)
				want := c.want
				if want[0] == '%' {
					want = fmt.Sprintf(want, url)
				}
				require.EqualError(t, err, want)
			}
		})
	}
}

func TestPathsReachTheServerAsTheyAreMeant(t *testing.T) {
	var asked string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.RequestURI
		fmt.Fprint(w, `{"leading": true, "queue": {"name": "root.a/b#c?"}}`)
	}))
	defer s.Close()
	t.Setenv(serverVariable, s.URL)
	_, _, err := client("", "queues", "root.a/b#c?")
	require.NoError(t, err)
	require.Equal(t, "/api/v1/queues/root.a%2Fb%23c%3F", asked)
}

func TestTheFlagGoesBeforeTheEnvironment(t *testing.T) {
	t.Setenv(serverVariable, answering(t, 503, "application/json", `{"error": "the environment"}`))
	_, _, err := client("", "queues")
	require.EqualError(t, err, "the environment")
	_, _, err = client("", "queues", "--server", answering(t, 503, "application/json", `{"error": "the flag"}`))
	require.EqualError(t, err, "the flag")
}

func TestAStandbyIsNoted(t *testing.T) {
	url := answering(t, 200, "application/json", `{"leading": false, "queue": {"name": "root"}}`)
	out, problems, err := client("", "queues", "--server", url)
	require.NoError(t, err)
	require.Equal(t, "note: the Sluice at "+url+" stands by; what the leader has decided and not yet bound is shown as pending\n", problems)
	require.Contains(t, out, "root")
	out, problems, err = client("", "queues", "--server", url, "-o", "json")
	require.NoError(t, err)
	require.Empty(t, problems)
	require.Equal(t, `{"leading": false, "queue": {"name": "root"}}`, out, "as it is")
}

func TestWrongUsageHasItsExitCode(t *testing.T) {
	for _, args := range [][]string{
		{"qeues"},
		{"queues", "a", "b"},
		{"queues", "-o", "yaml"},
		{"queues", "--sever", "x"},
		{"queues", "--server", "localhost:10270"},
		{"queues", "--server", "ftp://x"},
		{"validate"},
		{"explain", "job"},
		{"explain", "pod"},
		{"explain", "pod", "/x"},
		{"explain", "pod", "a/b/c"},
		{"explain", "pod", "-n", "a", "a/b"},
		{"explain", "pod", "-n", "a", ""},
		{"explain", "pod", "-n", "a", "b", "c"},
		{"explain", "pod", "a/b", "-o", "wide"},
		{"explain", "group"},
		{"explain", "group", ""},
		{"explain", "group", "/name"},
		{"explain", "group", "a/"},
		{"explain", "group", "a/b", "-o", "wide"},
		{"explain", "flinkdeployment", "a/b", "--server", "nowhere"},
		{"groups", "name"},
		{"groups", "-n", "a", "-A"},
		{"groups", "-o", "yaml"},
	} {
		out, _, err := client("", args...)
		code, untold := exitCode(err)
		require.Equal(t, exitWrongUsage, code, "%v: %v", args, err)
		require.True(t, untold)
		require.Empty(t, out)
	}
	code, untold := exitCode(nil)
	require.Zero(t, code)
	require.False(t, untold)
}

func TestHelpNamesThePluginAndTheWayToTheServer(t *testing.T) {
	out, _, err := client("", "queues", "--help")
	require.NoError(t, err)
	for _, part := range []string{"kubectl sluice queues [PATH]", "kubectl port-forward -n NAMESPACE POD 10270", "$SLUICE_SERVER", usualServer} {
		require.Contains(t, out, part)
	}
	out, _, err = client("", "explain")
	require.NoError(t, err)
	require.Contains(t, out, "kubectl sluice explain pod [NAMESPACE/]NAME")
}

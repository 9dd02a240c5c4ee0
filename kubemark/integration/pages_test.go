package integration

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// page reads a page of the instance.
func (i *instance) page(path string) (string, error) {
	req, err := http.NewRequestWithContext(i.scene.ctx, http.MethodGet, i.URL()+path, nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s: %s", path, resp.Status, body)
	}
	return string(body), err
}

// dump reads the state of the core.
func (i *instance) dump() string {
	i.scene.Helper()
	text, err := i.page("/debug/dump")
	require.NoError(i.scene, err)
	return text
}

// ask puts a question to the API.
func (i *instance) ask(path string) (answer map[string]any) {
	i.scene.Helper()
	text, err := i.page("/api/v1/" + path)
	require.NoError(i.scene, err)
	require.NoError(i.scene, json.Unmarshal([]byte(text), &answer))
	return answer
}

// metric is the sum of the series of a name that have all the labels, written name="value"; 0 if there is none.
func (i *instance) metric(name string, labels ...string) float64 {
	i.scene.Helper()
	text, err := i.page("/metrics")
	require.NoError(i.scene, err)
	sum := 0.0
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		series, value, ok := strings.Cut(lines.Text(), " ")
		if !ok || series != name && !strings.HasPrefix(series, name+"{") {
			continue
		}
		if !hasLabels(series, labels) {
			continue
		}
		v, err := strconv.ParseFloat(value, 64)
		require.NoError(i.scene, err, lines.Text())
		sum += v
	}
	return sum
}

func hasLabels(series string, labels []string) bool {
	for _, l := range labels {
		if !strings.Contains(series, l) {
			return false
		}
	}
	return true
}

// awaitMetric waits until a metric has a value.
func (i *instance) awaitMetric(want float64, name string, labels ...string) {
	i.scene.Helper()
	i.scene.eventually(fmt.Sprintf("%s%v of %s is %v", name, labels, i.name, want), func() error {
		if got := i.metric(name, labels...); got != want {
			return fmt.Errorf("it is %v", got)
		}
		return nil
	})
}

// awaitLeading waits until the instance leads.
func (i *instance) awaitLeading() {
	i.scene.Helper()
	i.awaitMetric(1, "sluice_leader")
}

// sameAsRebuilt starts a Sluice that reads the cluster anew and follows as a standby, and waits until the accounts of the instance equal
// its: all that the instance has lived through has left no trace. Both read the same watch, so they are equal once both have seen its end.
func (i *instance) sameAsRebuilt() *instance {
	i.scene.Helper()
	rebuilt := i.scene.sluice(options{config: quickElection})
	i.scene.eventually("the live accounts equal rebuilt ones", func() error {
		live, fresh := i.dump(), rebuilt.dump()
		if live != fresh {
			return errors.New("rebuilt (-), live (+):\n" + cmp.Diff(strings.Split(fresh, "\n"), strings.Split(live, "\n")))
		}
		if !strings.Contains(live, "\npod ") {
			return errors.New("the dump lists no pods:\n" + live)
		}
		return nil
	})
	return rebuilt
}

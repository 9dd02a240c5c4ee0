package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/sluice-scheduler/sluice/pkg/web/api"
)

// text answers with plain text that no browser takes for anything else and nobody keeps.
func text(w http.ResponseWriter, status int, body string) {
	write(w, "text/plain; charset=utf-8", status, []byte(body))
}

// object answers with JSON, indented, for people read it as well.
func object(w http.ResponseWriter, status int, value any) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		failure(w, http.StatusInternalServerError, "the answer cannot be written as JSON: "+err.Error())
		return
	}
	write(w, "application/json", status, b.Bytes())
}

// failure answers a question of the API with what is wrong.
func failure(w http.ResponseWriter, status int, message string) {
	object(w, status, api.Error{Error: message})
}

// busy asks to come again.
func busy(w http.ResponseWriter, message string) {
	w.Header().Set("Retry-After", "1")
	failure(w, http.StatusServiceUnavailable, message)
}

func write(w http.ResponseWriter, kind string, status int, body []byte) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(body) //nolint:errcheck // an error means that the caller has gone
}

package web

import (
	"fmt"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"strings"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// page is one path and what it is for.
type page struct {
	path, about string
	serve       http.HandlerFunc
}

// name is the path as people write it.
func (p page) name() string { return strings.ReplaceAll(p.path, "...}", "}") }

// pagesOf lists the pages that the parts have something for.
func pagesOf(parts Parts, l limits) []page {
	pages := []page{
		{"/livez", "is the process of use (?verbose shows each check, ?exclude=NAME leaves one out)", checks("livez", parts.Live, l.check)},
		{"/readyz", "is it doing its work (the same parameters)", checks("readyz", parts.Ready, l.check)},
		{"/healthz", "the same as /livez", checks("healthz", parts.Live, l.check)},
	}
	if parts.Metrics != nil {
		pages = append(pages, page{"/metrics", "figures for Prometheus", metrics(parts)})
	}
	if parts.Dump != nil {
		pages = append(pages, page{"/debug/dump", "the state of the core as text (same machine only)", local(foreignPage, dump(parts, l.dump))})
	}
	return append(pages, page{"/debug/pprof/", "profiles of the process (same machine only)", local(foreignPage, profile)})
}

// handler is the whole site.
func handler(parts Parts, l limits) http.Handler {
	asked := questions(parts, l)
	pages := append(pagesOf(parts, l), asked...)
	mux := http.NewServeMux()
	mux.HandleFunc(apiRoot, nothing(asked))
	for _, p := range pages {
		mux.Handle(p.path, p.serve)
	}
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		text(w, http.StatusOK, "Sluice, a batch scheduler for Kubernetes. What can be asked here:\n\n"+contents(pages))
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		text(w, http.StatusNotFound, fmt.Sprintf("There is no page %q here. There are:\n\n%s", r.URL.Path, contents(pages)))
	})
	return readOnly(mux)
}

// readOnly refuses every method that could be meant to change something.
func readOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			if strings.HasPrefix(r.URL.Path, apiRoot) {
				failure(w, http.StatusMethodNotAllowed, fmt.Sprintf("the API can only be read: use GET instead of %q", r.Method))
				return
			}
			text(w, http.StatusMethodNotAllowed, fmt.Sprintf("These pages can only be read: use GET instead of %q.\n", r.Method))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// local answers callers on this machine only, by the address they come from. kubectl port-forward is one of them.
func local(refuse func(http.ResponseWriter), next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		from, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil || !from.Addr().Unmap().IsLoopback() {
			refuse(w)
			return
		}
		next(w, r)
	}
}

// foreignPage refuses a caller from elsewhere.
func foreignPage(w http.ResponseWriter) {
	text(w, http.StatusForbidden, "This page answers callers on the same machine only. From elsewhere, go through kubectl port-forward.\n")
}

func metrics(parts Parts) http.HandlerFunc {
	return promhttp.HandlerFor(parts.Metrics, promhttp.HandlerOpts{
		ErrorLog:            promLog{parts.Log},
		ErrorHandling:       promhttp.ContinueOnError, // one broken figure must not hide all others
		MaxRequestsInFlight: 4,
		EnableOpenMetrics:   true,
	}).ServeHTTP
}

// profile leads to the standard profiles.
func profile(w http.ResponseWriter, r *http.Request) {
	switch strings.TrimPrefix(r.URL.Path, "/debug/pprof/") {
	case "cmdline":
		pprof.Cmdline(w, r)
	case "profile":
		pprof.Profile(w, r)
	case "symbol":
		pprof.Symbol(w, r)
	case "trace":
		pprof.Trace(w, r)
	default:
		pprof.Index(w, r)
	}
}

func contents(pages []page) string {
	width := 0
	for _, p := range pages {
		width = max(width, len(p.name()))
	}
	var b strings.Builder
	for _, p := range pages {
		fmt.Fprintf(&b, "  %-*s %s\n", width, p.name(), p.about)
	}
	return b.String()
}

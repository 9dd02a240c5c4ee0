package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sluice-scheduler/sluice/pkg/web/api"
)

// Parts is what the pages show. All functions may be called from several goroutines at a time.
type Parts struct {
	// Live are the checks of /livez and /healthz. One that fails asks for a restart of the process. Without any, a process that answers
	// counts as alive.
	Live []Check
	// Ready are the checks of /readyz. One that fails asks for patience. Without any, it is always ready.
	Ready []Check
	// Dump gives the text of /debug/dump. It must return soon after the context ends. Nil makes the page answer 404.
	Dump func(context.Context) (string, error)
	// Queues gives the whole tree for /api/v1/queues and what lies below it. It must return soon after the context ends. Nil makes the pages
	// answer 404.
	Queues func(context.Context) (api.Queues, error)
	// Pod says for /api/v1/pods/{namespace}/{name} why a pod is where it is; known is false when there is no such pod. It must return soon
	// after the context ends. Nil makes the page answer 404.
	Pod func(ctx context.Context, namespace, name string) (pod api.Pod, known bool, err error)
	// Groups gives all groups for /api/v1/groups, Group one of them for /api/v1/groups/{namespace}/{id}; known is false when there is none of that id. They must return soon after the
	// context ends. Nil makes the pages answer 404.
	Groups func(context.Context) (api.Groups, error)
	Group  func(ctx context.Context, namespace, id string) (group api.GroupAnswer, known bool, err error)
	// Metrics are the figures of /metrics. Nil makes the page answer 404.
	Metrics prometheus.Gatherer
	// Log takes what goes wrong while answering. Nil keeps quiet.
	Log *slog.Logger
}

// limits are the times that the server allows.
type limits struct {
	check    time.Duration // for all checks of one page
	dump     time.Duration // for a dump
	question time.Duration // for an answer of the API
	shutdown time.Duration // for answers under way when the server stops
}

func usualLimits() limits {
	return limits{check: 2 * time.Second, dump: 10 * time.Second, question: 5 * time.Second, shutdown: 5 * time.Second}
}

// Server is the HTTP server of one process. It listens from the moment Listen returns and answers while Serve runs.
type Server struct {
	listener net.Listener
	http     *http.Server
	limits   limits
}

// Listen opens address, a host:port of which port 0 takes a free one, for the given parts.
func Listen(address string, parts Parts) (*Server, error) {
	return listen(address, parts, usualLimits())
}

func listen(address string, parts Parts, l limits) (*Server, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("open the web address %s: %w", address, err)
	}
	if parts.Log == nil {
		parts.Log = slog.New(slog.DiscardHandler)
	}
	return &Server{
		listener: listener,
		limits:   l,
		http: &http.Server{
			Handler:           handler(parts, l),
			ReadHeaderTimeout: 5 * time.Second,
			ReadTimeout:       10 * time.Second,
			// A profile runs for 30 s unless asked otherwise, and is refused if it would outlast this.
			WriteTimeout:   2 * time.Minute,
			IdleTimeout:    time.Minute,
			MaxHeaderBytes: 16 << 10,
			ErrorLog:       slog.NewLogLogger(parts.Log.Handler(), slog.LevelWarn),
		},
	}, nil
}

// Address is the host:port that the server listens on, with the port that it got.
func (s *Server) Address() string { return s.listener.Addr().String() }

// Serve answers requests until the context ends. Then it takes no new ones, gives those under way five seconds, and
// returns nil. Any other end is an error. Serve is called once.
func (s *Server) Serve(ctx context.Context) error {
	ended := make(chan error, 1)
	go func() { ended <- s.http.Serve(s.listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve web pages on %s: %w", s.Address(), err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.limits.shutdown)
	defer cancel()
	if s.http.Shutdown(grace) != nil {
		s.http.Close() // who is still waiting was given the time
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("stop serving web pages on %s: %w", s.Address(), err)
	}
	return nil
}

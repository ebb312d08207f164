//go:build !release

// Package temporalserver runs a Temporal server and its Web UI inside this process, with all of
// its state in one SQLite file. It is for development and tests: everything listens on 127.0.0.1
// and nothing asks for a password. The folder must be locked by the caller, because two servers
// on one file would ruin it. This package alone links the server, which takes long: import it
// from commands, never from workflows or activities.
package temporalserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"time"

	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/temporal"

	"prospector/internal/errkind"
)

const host = "127.0.0.1"

// Options says what to start. Dir is required, the rest has defaults.
type Options struct {
	Dir              string        // holds temporal.db; created if it is not there
	Port             int           // of the API; 0 = any free one
	UIPort           int           // of the Web UI; 0 = any free one
	NoUI             bool          // leave the Web UI out
	Namespace        string        // "default" unless said
	Retention        time.Duration // how long finished runs are kept; 30 days unless said
	SearchAttributes []string      // of type Keyword; at most ten
	Logger           *slog.Logger  // slog.Default() unless said
	LogLevel         slog.Leveler  // slog.LevelError unless said
}

func (o *Options) setDefaults() {
	if o.Namespace == "" {
		o.Namespace = "default"
	}
	if o.Retention == 0 {
		o.Retention = 30 * 24 * time.Hour
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.LogLevel == nil {
		o.LogLevel = slog.LevelError
	}
}

// Server is a running Temporal server.
type Server struct {
	address, uiURL string
	stop           []func()
	once           sync.Once
}

// Address is host:port of the API.
func (s *Server) Address() string { return s.address }

// UIURL is the address of the Web UI, empty without one.
func (s *Server) UIURL() string { return s.uiURL }

// Stop stops what runs, last started first, and returns when it is done: about a second later.
// It may be called twice.
func (s *Server) Stop() {
	s.once.Do(func() {
		for i := len(s.stop) - 1; i >= 0; i-- {
			s.stop[i]()
		}
	})
}

// Start starts the server and returns when a client can call it, the namespace and its search
// attributes are usable and the Web UI answers. When it fails, what was started is stopped.
func Start(ctx context.Context, options Options) (*Server, error) {
	options.setDefaults()
	s := &Server{}
	if err := s.start(ctx, options); err != nil {
		s.Stop()
		var known *errkind.Error
		if errors.As(err, &known) {
			return nil, err
		}
		return nil, fmt.Errorf("start the temporal server: %w", err)
	}
	return s, nil
}

func (s *Server) start(ctx context.Context, options Options) error {
	ports, err := allocate(options)
	if err != nil {
		return err
	}
	logger := &serverLogger{log: options.Logger, level: options.LogLevel}
	conf, err := newConfig(ports, options)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	server, err := run(conf, ports, logger)
	if err != nil {
		return logger.explain(err)
	}
	s.stop = append(s.stop, func() {
		if err := server.Stop(); err != nil {
			logger.Error("stop the temporal server: " + err.Error())
		}
	})
	s.address = net.JoinHostPort(host, strconv.Itoa(ports.frontend))
	if err := prepareNamespace(ctx, s.address, options, logger.slog()); err != nil {
		return logger.explain(err)
	}
	if options.NoUI {
		return nil
	}
	stopUI, err := startUI(ctx, s.address, ports.ui, options.Namespace)
	if err != nil {
		return err
	}
	s.stop = append(s.stop, stopUI)
	s.uiURL = "http://" + net.JoinHostPort(host, strconv.Itoa(ports.ui))
	return nil
}

// run builds and starts the server. It panics in places where it expects its logger's Fatal to
// end the process; here that is an error.
func run(conf *config.Config, ports ports, logger *serverLogger) (server temporal.Server, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			server, err = nil, fmt.Errorf("the server panicked: %v", cause)
		}
	}()
	auth, err := authorization(conf, logger)
	if err != nil {
		return nil, err
	}
	// Static hosts: the four services find each other without the gossip ring and its ports.
	local := func(port int) static.Hosts {
		return static.SingleLocalHost(net.JoinHostPort(host, strconv.Itoa(port)))
	}
	server, err = temporal.NewServer(append(auth,
		temporal.WithConfig(conf),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(map[primitives.ServiceName]static.Hosts{
			primitives.FrontendService: local(ports.frontend),
			primitives.HistoryService:  local(ports.history),
			primitives.MatchingService: local(ports.matching),
			primitives.WorkerService:   local(ports.worker),
		}),
		temporal.WithLogger(logger),
		temporal.WithDynamicConfigClient(dynamicConfig()),
	)...)
	if err != nil {
		return nil, err
	}
	return server, server.Start()
}

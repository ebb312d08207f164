// Package server serves the read API /api/v1 on loopback. It changes nothing, logs no values, answers only who has a token, with what
// that principal may see, and records in the audit who was shown rows and who was refused.
package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"prospector/internal/access"
	"prospector/internal/api"
	"prospector/internal/catalog"
	"prospector/internal/errkind"
	"prospector/internal/store"
	"prospector/internal/workspace"
)

// Store is what the API needs of the store.
type Store interface {
	Browse(ctx context.Context, q store.ProfileQuery) ([]store.Profile, *store.Position, error)
	Profile(ctx context.Context, n store.Namespace, partnerID string, asOf time.Time) (store.ProfileDetail, error)
	MembershipsOf(ctx context.Context, namespace, partnerID string, parts map[string]string) ([]store.ProfileMembership, error)
	Provenance(ctx context.Context, n store.Namespace, partnerID string) (store.Provenance, error)
	Count(ctx context.Context, namespaces, others []store.Namespace, asOf time.Time) (store.Counts, error)
	Members(ctx context.Context, q store.MemberQuery) ([]store.Member, *store.Position, error)
	Overlap(ctx context.Context, parts map[string]string) ([]store.Overlap, error)
	Preview(ctx context.Context, q store.PreviewQuery) (store.Preview, error)
	Explain(ctx context.Context, n store.Namespace, partnerID string, q store.PreviewQuery) (store.Explanation, error)
	ListBatches(ctx context.Context, d store.Dataset, q store.BatchQuery) ([]store.BatchRecord, string, error)
	Batch(ctx context.Context, d store.Dataset, id string) (store.BatchDetail, error)
	BatchSpans(ctx context.Context, d store.Dataset, batch string) ([]store.BatchSpan, error)
	Quarantined(ctx context.Context, d store.Dataset, q store.QuarantineQuery) ([]store.QuarantinedRow, *store.QuarantinePosition, error)
	ExportQuarantine(ctx context.Context, d store.Dataset, q store.QuarantineQuery, each func(store.QuarantinedRow) error) error
	Labels(ctx context.Context, d store.Dataset) (map[string][]string, error) // under which its rows were loaded
}

// Memberships is the record of evaluations, and of who declared what.
type Memberships interface {
	LatestMemberships(ctx context.Context, except string) (map[string]catalog.Membership, error)
	LatestResults(ctx context.Context) ([]catalog.Membership, error)
	AudienceHistory(ctx context.Context, audience string, limit int) ([]catalog.Membership, error)
	ObjectChanges(ctx context.Context, kind string) ([]catalog.ObjectChange, error)
}

// Options are what the API reads from.
type Options struct {
	Store       Store
	Memberships Memberships
	Lineage     Lineage
	Audit       Audit
	Access      func() (access.Rules, error)                                                      // nil: the machine's token may everything, and there is no other
	OIDC        func(ctx context.Context, i access.Issuer, token string) (access.Identity, error) // verifies a token of an issuer; nil: none is taken
	Workspace   func(context.Context) (*workspace.Workspace, error)                               // the one that was applied
	Dataset     func(w *workspace.Workspace, d *workspace.Dataset) store.Dataset                  // as the store takes it
	Log         *slog.Logger
}

// Limits of what one request may take.
const (
	readTime  = time.Minute // of one answer
	chunkTime = time.Minute // in which a client takes the next part of an export
	atOnce    = 8           // requests
)

type server struct {
	Options
	slots     chan struct{}
	strangers strangers
}

// Server is the running API.
type Server struct {
	address string
	dataDir string
	http    *http.Server
	served  chan error
	stop    func() error // once
}

// Start listens on address, a port of this machine's loopback, and publishes address and a new token in the data directory. With
// anyPort, a port that is taken is replaced by a free one.
func Start(dataDir, address string, anyPort bool, o Options) (*Server, error) {
	listener, err := listen(address, anyPort)
	if err != nil {
		return nil, err
	}
	e := api.Endpoint{Address: "http://" + listener.Addr().String(), Token: newToken()}
	s := &Server{address: e.Address, dataDir: dataDir, served: make(chan error, 1), http: &http.Server{
		Handler: Handler(e.Token, o), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: api.MostBytes,
		ErrorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelError)}}
	if err := e.Publish(dataDir); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	s.stop = sync.OnceValue(s.end)
	go func() { s.served <- s.http.Serve(listener) }()
	return s, nil
}

func listen(address string, anyPort bool) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return nil, errkind.New(errkind.Invalid, "", fmt.Errorf("--api-address %q is no port of this machine's loopback", address), "write for example 127.0.0.1:7080; rows are not served to other machines")
	}
	listener, err := net.Listen("tcp", address)
	if err != nil && anyPort {
		listener, err = net.Listen("tcp", net.JoinHostPort(host, "0"))
	}
	if err != nil {
		return nil, errkind.New(errkind.Conflict, "", fmt.Errorf("listen on %s: %w", address, err), "give another port with --api-address, or 127.0.0.1:0 for any free one")
	}
	return listener, nil
}

// Address is the API's, such as http://127.0.0.1:7080.
func (s *Server) Address() string { return s.address }

// Stop withdraws the endpoint, and ends requests that are not done within a second.
func (s *Server) Stop() error { return s.stop() }

func (s *Server) end() error {
	err := api.Withdraw(s.dataDir)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if s.http.Shutdown(ctx) != nil {
		err = errors.Join(err, s.http.Close())
	}
	if served := <-s.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// Handler answers requests that carry the token.
func Handler(token string, o Options) http.Handler {
	s := &server{Options: o, slots: make(chan struct{}, atOnce)}
	mux := http.NewServeMux()
	config := huma.DefaultConfig("Prospector", "1")
	config.Info.Description = "What is in the profile store, in audiences, in quarantine and in batches. It only reads: whatever changes something is a workflow. Who is shown rows, who signs in and who is refused, is in the audit."
	config.OpenAPIPath, config.DocsPath, config.SchemasPath, config.CreateHooks = "/api/v1/openapi", "", "", nil
	config.RejectUnknownQueryParameters = true
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer", Description: "The token in api.json of the data directory, of a principal of the access file, or of the OpenID Connect issuer that the file names."}}
	config.Security = []map[string][]string{{"token": {}}}
	routes := humago.New(mux, config)
	s.profiles(routes)
	s.counts(routes)
	s.audiences(routes)
	s.preview(routes)
	s.policies(routes)
	s.batches(routes)
	s.quarantine(routes)
	s.audit(routes)
	s.signIn(routes)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		writeProblem(w, errkind.New(errkind.Missing, "", errors.New("there is nothing at this address"), "see /api/v1/openapi.json"))
	})
	return s.authorized(token, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, api.MostBodyBytes)
		mux.ServeHTTP(w, r)
	}))
}

// answer is a body as the API's library wants it.
type answer[T any] struct{ Body T }

// register registers a read that needs permissions: it waits for its turn, is stopped when it takes too long or nobody waits for it
// any more, and its errors are problems.
func register[I, T any](s *server, routes huma.API, o huma.Operation, do func(ctx context.Context, in *I) (T, error), needs ...access.Permission) {
	o.Description = described(needs)
	huma.Register(routes, o, func(ctx context.Context, in *I) (*answer[T], error) {
		if err := s.mayDo(ctx, needs); err != nil {
			return nil, s.failed(ctx, o.OperationID, err)
		}
		ctx, cancel := context.WithTimeoutCause(ctx, readTime, errTooSlow)
		defer cancel()
		done, err := s.turn(ctx)
		if err != nil {
			return nil, problemOf(err)
		}
		defer done()
		body, err := do(ctx, in)
		if err != nil {
			return nil, s.failed(ctx, o.OperationID, err)
		}
		return &answer[T]{body}, nil
	})
}

func described(needs []access.Permission) string {
	if len(needs) == 0 {
		return "Needs a token, and no permission."
	}
	texts := make([]string, len(needs))
	for i, p := range needs {
		texts[i] = string(p)
	}
	return "Needs the permission " + strings.Join(texts, " and ") + "."
}

func (s *server) mayDo(ctx context.Context, needs []access.Permission) error {
	return callerOf(ctx).Needs(needs...)
}

var errTooSlow = errkind.New(errkind.Transient, "", fmt.Errorf("the read took longer than %s and was stopped", readTime), "ask for less: one namespace, or fewer columns")

// turn waits until few enough requests are under way. done must be called.
func (s *server) turn(ctx context.Context) (done func(), err error) {
	select {
	case s.slots <- struct{}{}:
		return func() { <-s.slots }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// failed logs what an operator must see, records what was refused, and makes a problem of the error. What was asked for is not
// logged: it holds values.
func (s *server) failed(ctx context.Context, operation string, err error) *problem {
	kind := errkind.Of(err)
	if kind == errkind.Denied {
		s.denied(ctx, callerOf(ctx), operation, err)
	}
	if kind == errkind.Internal || kind == errkind.Transient && !errors.Is(err, context.Canceled) && !errors.Is(err, io.ErrClosedPipe) {
		s.Log.Error("a read failed", "kind", kind, "error", err)
	}
	return problemOf(err)
}

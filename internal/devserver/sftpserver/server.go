//go:build !release

// Package sftpserver serves one folder over SFTP inside this process, for development and tests. It
// listens on 127.0.0.1, knows one user with a password, and keeps that user inside the folder. It
// behaves like OpenSSH where our drivers care, but has no fsync extension.
package sftpserver

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"prospector/internal/errkind"
)

const (
	host    = "127.0.0.1"
	opStart = "start the SFTP server"
)

// Options describe a server. All but Port and Refuse are needed.
type Options struct {
	Dir         string // what is served; created if it is not there
	HostKeyFile string // the private host key; made once, so that a restart keeps it
	Port        int    // 0 = any free one
	User        string
	Password    string

	Refuse func(method, path string) error // if given, asked before a file is renamed or removed: its error is the answer
}

// Server is a running SFTP server.
type Server struct {
	listener net.Listener
	root     *os.Root
	hostKey  string
	config   *ssh.ServerConfig
	refuse   func(method, path string) error
	running  sync.WaitGroup
	once     sync.Once

	mu      sync.Mutex
	live    map[*liveConn]struct{}
	stopped bool
}

// Address is host:port.
func (s *Server) Address() string { return s.listener.Addr().String() }

// HostKey is the public host key, one line as in authorized_keys.
func (s *Server) HostKey() string { return s.hostKey }

// Start starts the server and returns when a client can connect. ctx is for the start only.
func Start(ctx context.Context, options Options) (*Server, error) {
	if options.Dir == "" || options.HostKeyFile == "" || options.User == "" || options.Password == "" {
		return nil, errkind.New(errkind.Invalid, opStart, errors.New("a folder, a file for the host key, a user and a password are needed"), "give all four")
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", opStart, err)
	}
	signer, err := hostKey(options.HostKeyFile)
	if err != nil {
		return nil, fmt.Errorf("%s: host key: %w", opStart, err)
	}
	if err := os.MkdirAll(options.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("%s: %w", opStart, err)
	}
	root, err := os.OpenRoot(options.Dir)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", opStart, err)
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(options.Port)))
	if err != nil {
		_ = root.Close()
		return nil, errkind.New(errkind.Conflict, opStart, fmt.Errorf("port %d on %s cannot be used: %w", options.Port, host, err),
			"stop the process that listens there, or choose another port (0 takes any free one)")
	}
	s := &Server{listener: listener, root: root, refuse: options.Refuse, live: map[*liveConn]struct{}{}, config: &ssh.ServerConfig{PasswordCallback: login(options)}}
	s.config.AddHostKey(signer)
	s.hostKey = strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
	s.running.Go(s.accept)
	return s, nil
}

// login compares in constant time, whatever the lengths.
func login(options Options) func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) {
	same := func(a, b string) int {
		x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
		return subtle.ConstantTimeCompare(x[:], y[:])
	}
	return func(c ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
		if same(c.User(), options.User)&same(string(password), options.Password) == 1 {
			return &ssh.Permissions{}, nil
		}
		return nil, errors.New("wrong user or password")
	}
}

// Stop closes the connections and returns when all is released. It may be called twice.
func (s *Server) Stop() {
	s.once.Do(func() {
		s.mu.Lock()
		s.stopped = true
		s.mu.Unlock()
		_ = s.listener.Close()
		s.CutAll()
		s.running.Wait()
		_ = s.root.Close()
	})
}

// CutAll cuts the live connections, as a network that fails does. New ones are accepted.
func (s *Server) CutAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.live {
		c.cut()
	}
}

// SilenceAll makes the live connections fall silent without closing them. New ones are accepted.
func (s *Server) SilenceAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.live {
		c.silent.Store(true)
	}
}

func (s *Server) accept() {
	for {
		tcp, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(10 * time.Millisecond) // too many open files, say
			continue
		}
		c := &liveConn{Conn: tcp, closed: make(chan struct{})}
		s.mu.Lock()
		if s.stopped {
			s.mu.Unlock()
			_ = c.Close()
			return
		}
		s.live[c] = struct{}{}
		s.mu.Unlock()
		s.running.Go(func() {
			s.serve(c)
			_ = c.Close()
			s.mu.Lock()
			delete(s.live, c)
			s.mu.Unlock()
		})
	}
}

//go:build !release

// Package objectstore runs an S3 server (versitygw) whose buckets are folders on this machine, for
// development and tests. The server changes its process's working directory and may exist once per
// process, so it runs in a child: the same program, started again. Start is the parent's side,
// ServeUntilEOF the child's. The child ends with its parent, however that ends.
package objectstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"prospector/internal/connect"
	"prospector/internal/devserver"
	"prospector/internal/errkind"
)

const (
	host         = "127.0.0.1"
	startTimeout = 30 * time.Second
	attempts     = 5 // to find a port that nobody takes before the child does
	opStart      = "start the object store"
)

// Options describe an object store. Dir, AccessKey and SecretKey are needed.
type Options struct {
	Dir       string // holds the buckets; created if it is not there
	Port      int    // 0 = any free one
	AccessKey string
	SecretKey string
	Command   []string // starts the child, which calls ServeUntilEOF; this program without arguments unless said
}

// Server is a running object store.
type Server struct {
	options Options
	port    int
	child   *child
}

// Endpoint is the address for S3 clients, which must put the bucket into the path.
func (s *Server) Endpoint() string {
	return "http://" + net.JoinHostPort(host, strconv.Itoa(s.port))
}

// Stop ends the server and returns when it is gone. It may be called twice.
func (s *Server) Stop() { s.child.stop() }

// Done is closed when the server has ended, by Stop or by itself.
func (s *Server) Done() <-chan struct{} { return s.child.done }

// Err says why the server ended by itself; nil while it runs and after Stop.
func (s *Server) Err() error { return s.child.ended() }

// Start starts the server and returns when it answers. ctx is for the start only.
func Start(ctx context.Context, options Options) (*Server, error) {
	if err := options.prepare(); err != nil {
		return nil, err
	}
	for attempt := 1; ; attempt++ {
		port := options.Port
		if port == 0 {
			var err error
			if port, err = devserver.FreePort(0); err != nil {
				return nil, fmt.Errorf("%s: %w", opStart, err)
			}
		}
		c, err := startChild(ctx, options.Command, settings{
			Dir: options.Dir, Port: port, AccessKey: options.AccessKey, SecretKey: options.SecretKey,
		})
		switch {
		case err == nil:
			return &Server{options: options, port: port, child: c}, nil
		case !errors.Is(err, errPortTaken):
			return nil, err
		case options.Port != 0:
			return nil, errkind.New(errkind.Conflict, opStart, fmt.Errorf("port %d on %s cannot be used: %w", port, host, err),
				"stop the process that listens there, or choose another port (0 takes any free one)")
		case attempt == attempts:
			return nil, fmt.Errorf("%s: %w", opStart, err)
		}
	}
}

func (o *Options) prepare() error {
	switch {
	case o.Dir == "":
		return errkind.New(errkind.Invalid, opStart, errors.New("no folder is given"), "")
	case o.AccessKey == "" || o.SecretKey == "":
		return errkind.New(errkind.Invalid, opStart, errors.New("no access key or no secret key is given"), "")
	}
	var err error
	if o.Dir, err = filepath.Abs(o.Dir); err != nil { // the child runs elsewhere
		return fmt.Errorf("%s: %w", opStart, err)
	}
	if err := os.MkdirAll(buckets(o.Dir), 0o700); err != nil {
		return errkind.New(errkind.Denied, opStart, err, "give a folder that you may write to")
	}
	if len(o.Command) == 0 {
		program, err := os.Executable()
		if err != nil {
			return fmt.Errorf("%s: %w", opStart, err)
		}
		o.Command = []string{program}
	}
	return nil
}

// CreateBucket makes a bucket unless it is there already.
func (s *Server) CreateBucket(ctx context.Context, name string) error {
	client, err := connect.S3(ctx, connect.S3Options{
		Endpoint: s.Endpoint(), Bucket: name, AccessKey: s.options.AccessKey, SecretKey: s.options.SecretKey, PathStyle: true,
	})
	if err != nil {
		return err
	}
	_, err = client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(name)})
	var owned *types.BucketAlreadyOwnedByYou
	if errors.As(err, &owned) {
		return nil
	}
	if ended := s.Err(); ended != nil && err != nil {
		err = ended
	}
	return connect.S3Error("create bucket "+name, err)
}

// buckets and metadata are next to each other: the server refuses metadata among the buckets.
func buckets(dir string) string  { return filepath.Join(dir, "buckets") }
func metadata(dir string) string { return filepath.Join(dir, "metadata") }

// environment is the variable that makes a process the child; it holds settings as JSON. Others
// can see a process's arguments, but not its environment.
const environment = "PROSPECTOR_OBJECT_STORE"

type settings struct {
	Dir       string `json:"dir"`
	Port      int    `json:"port"`
	AccessKey string `json:"accessKey"`
	SecretKey string `json:"secretKey"`
}

func (s settings) variable() (string, error) {
	text, err := json.Marshal(s)
	return environment + "=" + string(text), err
}

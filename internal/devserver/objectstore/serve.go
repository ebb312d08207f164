//go:build !release

package objectstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
	"github.com/versity/versitygw/s3api"

	"prospector/internal/errkind"
)

// graceTimeout is how long requests may take to end once the parent is gone.
const graceTimeout = 2 * time.Second

// MainIfChild serves and ends the process, if Start of this package started it. Test binaries call
// it first in TestMain.
func MainIfChild() {
	if os.Getenv(environment) == "" {
		return
	}
	if ServeUntilEOF() != nil {
		os.Exit(1) // the parent has been told why
	}
	os.Exit(0)
}

// ServeUntilEOF is the child: it serves until its standard input ends, which it does when the
// parent stops it or is gone. It tells the parent on standard output when it is ready or why it
// cannot be.
func ServeUntilEOF() error {
	text, found := os.LookupEnv(environment)
	if !found {
		return errkind.New(errkind.Invalid, opStart, errors.New("it is not started by its parent"), "use the command that needs an object store; it starts this one")
	}
	os.Unsetenv(environment)
	tell := os.Stdout
	silent, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("%s: %w", opStart, err)
	}
	os.Stdout = silent // the server greets there; its errors go to standard error
	err = serve(text, func() { fmt.Fprintln(tell, saysReady) })
	switch {
	case err == nil:
	case errors.Is(err, syscall.EADDRINUSE):
		fmt.Fprintln(tell, saysPortTaken)
	default:
		fmt.Fprintln(tell, saysFailed+err.Error())
	}
	return err
}

func serve(text string, ready func()) error {
	var s settings
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return fmt.Errorf("read %s: %w", environment, err)
	}
	backend, err := openBackend(s.Dir)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		ended <- embedgw.RunVersityGW(ctx, backend, &embedgw.Config{
			RootUserAccess:    s.AccessKey,
			RootUserSecret:    s.SecretKey,
			Ports:             []string{net.JoinHostPort(host, strconv.Itoa(s.Port))},
			MaxConnections:    1024,
			MaxRequests:       512,
			MultipartMaxParts: 10_000,
			KeepAlive:         true,
			Quiet:             true,
			S3Options:         []s3api.Option{s3api.WithOnListen(ready)},
		})
	}()
	eof := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(eof)
	}()
	select {
	case err := <-ended:
		if err == nil {
			err = errors.New("the server ended by itself")
		}
		return err
	case <-eof:
	}
	cancel()
	select {
	case <-ended:
	case <-time.After(graceTimeout):
	}
	return nil
}

// openBackend keeps what S3 knows of an object beyond its bytes in extended attributes, or in
// files of their own where the file system has none or they were begun.
func openBackend(dir string) (*posix.Posix, error) {
	options := posix.PosixOpts{
		CopyObjectThreshold: 5 << 30, // copies are refused without
		Concurrency:         128,
		ValidateBucketNames: true,
	}
	options.SetNewDirPerm(0o700)
	options.SetNewFilePerm(0o600)
	if _, err := os.Stat(metadata(dir)); err != nil && hasAttributes(buckets(dir)) {
		return posix.New(buckets(dir), meta.XattrMeta{}, options)
	}
	options.SideCarDir = metadata(dir)
	if err := os.MkdirAll(options.SideCarDir, 0o700); err != nil {
		return nil, err
	}
	sidecar, err := meta.NewSideCar(options.SideCarDir)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", options.SideCarDir, err)
	}
	return posix.New(buckets(dir), sidecar, options)
}

// hasAttributes writes one: some file systems answer to reading only.
func hasAttributes(dir string) bool {
	probe, err := os.CreateTemp(dir, ".probe-*")
	if err != nil {
		return false
	}
	defer os.Remove(probe.Name())
	defer probe.Close()
	return meta.XattrMeta{}.StoreAttribute(probe, "", "", "probe", []byte("x")) == nil
}

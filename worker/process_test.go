//go:build !release

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"prospector/internal/connect"
	"prospector/internal/destination"
	"prospector/internal/destination/s3destination"
	"prospector/internal/destination/sftpdestination"
	"prospector/internal/temporalclient"
	"prospector/testdata/partnerdata"
)

// asWorker makes the test binary the worker command, so that tests run the real one in processes of
// its own and can kill it.
const asWorker = "PROSPECTOR_TEST_AS_WORKER"

func TestMain(m *testing.M) {
	if os.Getenv(asWorker) != "" {
		main()
		return
	}
	if folders := filepath.SplitList(os.Getenv(asLoader)); len(folders) == 2 {
		if err := loadFolder(folders[0], folders[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// command is the worker command on free ports, with its data in dir.
func command(t *testing.T, dir string, environment []string, arguments ...string) *exec.Cmd {
	t.Helper()
	executable, err := os.Executable()
	require.NoError(t, err)
	arguments = append(arguments, "--data-dir", dir, "--temporal-port", "0", "--ui-port", "0", "--s3-port", "0", "--sftp-port", "0", "--api-address", "127.0.0.1:0")
	c := exec.Command(executable, arguments...)
	c.Env = append(append(os.Environ(), asWorker+"=1"), environment...)
	return c
}

// devProcess is a running `worker dev`.
type devProcess struct {
	t                         *testing.T
	command                   *exec.Cmd
	client                    *temporalclient.Client
	ui, s3, sftp, hostKeyFile string
	stderr                    *bytes.Buffer
	exited                    chan error
}

func startDev(t *testing.T, dir string, environment []string, arguments ...string) *devProcess {
	t.Helper()
	c := command(t, dir, environment, append([]string{"dev"}, arguments...)...)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	d := &devProcess{t: t, command: c, stderr: &bytes.Buffer{}, exited: make(chan error, 1), hostKeyFile: filepath.Join(dir, "sftp_host_key")}
	c.Stderr = d.stderr
	require.NoError(t, c.Start())
	t.Cleanup(func() { _ = c.Process.Kill() })

	addresses := map[string]string{}
	address := regexp.MustCompile(`^  (Temporal Web UI|Temporal|S3|SFTP)  +(\S+)`)
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "Stop") {
		if match := address.FindStringSubmatch(lines.Text()); match != nil {
			addresses[match[1]] = match[2]
		}
	}
	require.Len(t, addresses, 4, "worker dev did not start: %s", d.stderr)
	go func() {
		_, _ = io.Copy(io.Discard, out)
		d.exited <- c.Wait()
	}()
	d.ui, d.s3, d.sftp = addresses["Temporal Web UI"], addresses["S3"], addresses["SFTP"]
	d.client, err = temporalclient.Dial(t.Context(), temporalclient.Settings{Address: addresses["Temporal"], Namespace: "default"}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(d.client.Close)
	return d
}

// stop does what Ctrl-C does, and expects a clean end.
func (d *devProcess) stop() {
	d.t.Helper()
	require.NoError(d.t, d.command.Process.Signal(os.Interrupt))
	require.NoError(d.t, d.waitForExit(), "%s", d.stderr)
}

func (d *devProcess) waitForExit() error {
	d.t.Helper()
	select {
	case err := <-d.exited:
		return err
	case <-time.After(time.Minute):
		d.t.Fatalf("worker dev did not end: %s", d.stderr)
		return nil
	}
}

func (d *devProcess) s3Destination(bucket string) destination.Destination {
	d.t.Helper()
	out, err := s3destination.New(d.t.Context(), connect.S3Options{Endpoint: d.s3, Region: "us-east-1", Bucket: bucket, AccessKey: devUser, SecretKey: devSecret, PathStyle: true})
	require.NoError(d.t, err)
	return out
}

func (d *devProcess) putAcme(path string, content []byte) {
	d.t.Helper()
	server := d.s3Destination("acme-drop")
	require.NoError(d.t, server.Put(d.t.Context(), path, bytes.NewReader(content), int64(len(content)), destination.Hooks{}))
	require.NoError(d.t, server.Close())
}

func (d *devProcess) putMerk(hostKey, path string, content []byte) {
	d.t.Helper()
	server, err := sftpdestination.New(d.t.Context(), connect.SFTPOptions{Address: d.sftp, User: devUser, Password: devSecret, HostKey: hostKey, Folder: "merk"})
	require.NoError(d.t, err)
	require.NoError(d.t, server.Put(d.t.Context(), path, bytes.NewReader(content), int64(len(content)), destination.Hooks{}))
	require.NoError(d.t, server.Close())
}

type identified interface{ WorkflowID() string }

// run starts a workflow and waits for it.
func (d *devProcess) run(workflow any, in identified, result any) error {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), 10*time.Minute) // a thousand files take a while
	defer cancel()
	return execute(ctx, d.client, in.WorkflowID(), workflow, in, result)
}

func sizes(r report) map[string]int64 {
	out := map[string]int64{}
	for _, m := range r.Evaluation.Memberships {
		out[m.Audience] = m.Size()
	}
	return out
}

// small files of the same kind as the demo's.
const smallRows = 3000

func acmeFile(t *testing.T, seed uint64) []byte {
	t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	_, err := partnerdata.Acme(zipped, smallRows, seed)
	require.NoError(t, err)
	require.NoError(t, zipped.Close())
	return out.Bytes()
}

func merkFile(t *testing.T, seed uint64) []byte {
	t.Helper()
	var out bytes.Buffer
	_, err := partnerdata.Merk(&out, smallRows, seed)
	require.NoError(t, err)
	return out.Bytes()
}

// hostKey reads the public half of a dev server's host key.
func hostKey(t *testing.T, d *devProcess) string {
	t.Helper()
	key, err := os.ReadFile(d.hostKeyFile)
	require.NoError(t, err)
	signer, err := ssh.ParsePrivateKey(key)
	require.NoError(t, err)
	return string(ssh.MarshalAuthorizedKey(signer.PublicKey()))
}

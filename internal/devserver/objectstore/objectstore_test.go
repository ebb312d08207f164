//go:build !release

package objectstore

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"prospector/internal/connect"
	"prospector/internal/errkind"
)

const parentEnvironment = "PROSPECTOR_TEST_PARENT" // holds the folder

func TestMain(m *testing.M) {
	MainIfChild()
	if dir := os.Getenv(parentEnvironment); dir != "" {
		parent(dir)
	}
	os.Exit(m.Run())
}

// parent starts an object store, says where it is, and waits to be killed.
func parent(dir string) {
	os.Unsetenv(parentEnvironment)
	s, err := Start(context.Background(), options(dir))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(s.Endpoint())
	select {}
}

func options(dir string) Options {
	return Options{Dir: dir, AccessKey: "test", SecretKey: "not-a-secret"}
}

func start(t *testing.T, o Options) *Server {
	t.Helper()
	s, err := Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	return s
}

func client(t *testing.T, s *Server) *s3.Client {
	t.Helper()
	c, err := connect.S3(t.Context(), connect.S3Options{Endpoint: s.Endpoint(), Bucket: "any", AccessKey: "test", SecretKey: "not-a-secret", PathStyle: true})
	require.NoError(t, err)
	return c
}

func requireStored(t *testing.T, s *Server, key, want string) {
	t.Helper()
	object, err := client(t, s).GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("leads"), Key: aws.String(key)})
	require.NoError(t, err)
	defer object.Body.Close()
	content, err := io.ReadAll(object.Body)
	require.NoError(t, err)
	require.Equal(t, want, string(content))
	require.NotEmpty(t, aws.ToString(object.ETag))
}

// listens tells whether anything answers at the server's address.
func listens(endpoint string) bool {
	connection, err := net.Dial("tcp", strings.TrimPrefix(endpoint, "http://"))
	if err == nil {
		connection.Close()
	}
	return err == nil
}

func TestServer(t *testing.T) {
	t.Chdir(t.TempDir()) // the child runs elsewhere: a relative folder must still be this one
	s := start(t, options("store"))
	require.NoError(t, s.CreateBucket(t.Context(), "leads"))
	require.NoError(t, s.CreateBucket(t.Context(), "leads"))
	_, err := client(t, s).PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("leads"), Key: aws.String("in/a.csv"), Body: strings.NewReader("email\n")})
	require.NoError(t, err)
	requireStored(t, s, "in/a.csv", "email\n")
	require.FileExists(t, "store/buckets/leads/in/a.csv")
	_, err = client(t, s).CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: aws.String("leads"), Key: aws.String("copy.csv"), CopySource: aws.String("leads/in/a.csv")})
	require.NoError(t, err)

	// A second one cannot have the same port.
	taken := options(t.TempDir())
	taken.Port = s.port
	_, err = Start(t.Context(), taken)
	require.Equal(t, errkind.Conflict, errkind.Of(err))
	require.ErrorContains(t, err, fmt.Sprintf("port %d on 127.0.0.1 cannot be used", s.port))

	s.Stop()
	s.Stop() // harmless
	require.NoError(t, s.Err())
	require.False(t, listens(s.Endpoint()))
	require.Error(t, s.CreateBucket(t.Context(), "later"))

	again := options("store")
	again.Port = s.port
	s = start(t, again)
	require.Equal(t, fmt.Sprintf("http://127.0.0.1:%d", again.Port), s.Endpoint())
	requireStored(t, s, "in/a.csv", "email\n")
	requireStored(t, s, "copy.csv", "email\n")
}

// A folder that holds metadata files stands for a file system without extended attributes.
func TestSidecarMetadata(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(metadata(dir), 0o700))
	s := start(t, options(dir))
	require.NoError(t, s.CreateBucket(t.Context(), "leads"))
	_, err := client(t, s).PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("leads"), Key: aws.String("a.csv"), Body: strings.NewReader("x")})
	require.NoError(t, err)
	requireStored(t, s, "a.csv", "x")
	s.Stop()
	requireStored(t, start(t, options(dir)), "a.csv", "x")
	entries, err := os.ReadDir(metadata(dir))
	require.NoError(t, err)
	require.NotEmpty(t, entries)
}

func TestCrashedChild(t *testing.T) {
	s := start(t, options(t.TempDir()))
	require.NoError(t, s.Err())
	require.NoError(t, s.child.command.Process.Kill())
	<-s.Done()
	require.ErrorContains(t, s.Err(), "its process ended by itself: signal: killed")
	require.ErrorContains(t, s.CreateBucket(t.Context(), "leads"), "its process ended by itself")
	s.Stop()
}

func TestKilledParent(t *testing.T) {
	program, err := os.Executable()
	require.NoError(t, err)
	command := exec.Command(program)
	command.Env = append(os.Environ(), parentEnvironment+"="+t.TempDir())
	command.Stderr = t.Output()
	stdout, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	var endpoint string
	_, err = fmt.Fscanln(stdout, &endpoint)
	require.NoError(t, err)
	require.True(t, listens(endpoint))

	require.NoError(t, command.Process.Kill())
	require.Error(t, command.Wait())
	require.Eventually(t, func() bool { return !listens(endpoint) }, 30*time.Second, 20*time.Millisecond)
}

func TestFailedStart(t *testing.T) {
	_, err := Start(t.Context(), Options{Dir: t.TempDir()})
	require.Equal(t, errkind.Invalid, errkind.Of(err))

	o := options(t.TempDir())
	o.Command = []string{"false"}
	_, err = Start(t.Context(), o)
	require.ErrorContains(t, err, "its process ended before it was ready: exit status 1")

	o.Command = []string{"echo", "hello"}
	_, err = Start(t.Context(), o)
	require.ErrorContains(t, err, "does not serve objects")

	o.Command = []string{"/no/such/program"}
	_, err = Start(t.Context(), o)
	require.ErrorIs(t, err, os.ErrNotExist)

	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Start(cancelled, options(t.TempDir()))
	require.ErrorIs(t, err, context.Canceled)

	require.ErrorContains(t, ServeUntilEOF(), "not started by its parent")
}

func TestReportsWhyItCannotServe(t *testing.T) {
	o := options(t.TempDir())
	o.Port = 70_000
	_, err := Start(t.Context(), o)
	require.ErrorContains(t, err, "start the object store: ")
	require.ErrorContains(t, err, "70000")
}

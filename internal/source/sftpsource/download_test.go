//go:build !release

package sftpsource

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/connect"
	"prospector/internal/devserver/faultproxy"
	"prospector/internal/devserver/sftpserver"
	"prospector/internal/devserver/sftpserver/sshdtest"
	"prospector/internal/errkind"
	"prospector/internal/source"
	"prospector/internal/source/ranged"
)

const (
	large      = 20_000_000  // more than a connection's buffers hold
	stallLimit = time.Second // short for a silence, and long for a machine with much to do
)

// half reads the first half of a large file, does something, and reads the rest.
func half(t *testing.T, d dropPoint, then func(file string)) (left int64, err error) {
	t.Helper()
	d.put(t, "a.csv", make([]byte, large))
	s := d.open(t)
	f, err := s.Stat(t.Context(), "a.csv")
	require.NoError(t, err)
	body, err := s.Open(t.Context(), f, 0)
	require.NoError(t, err)
	defer func() { require.NoError(t, body.Close()) }()
	_, err = io.CopyN(io.Discard, body, large/2)
	require.NoError(t, err)
	then(filepath.Join(d.dir, "a.csv"))
	left, err = io.Copy(io.Discard, body)
	return left, err
}

func TestChangedWhileReading(t *testing.T) {
	for name, change := range map[string]func(*testing.T, string){
		"touched": func(t *testing.T, file string) { touch(t, file, time.Now().Add(-time.Hour)) },
		"grown": func(t *testing.T, file string) {
			opened, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
			require.NoError(t, err)
			_, err = opened.Write(make([]byte, 10))
			require.NoError(t, err)
			require.NoError(t, opened.Close())
		},
		"cut short": func(t *testing.T, file string) { require.NoError(t, os.Truncate(file, large-1)) },
		"replaced": func(t *testing.T, file string) {
			require.NoError(t, os.WriteFile(file+".new", make([]byte, large), 0o600))
			touch(t, file+".new", time.Now().Add(-time.Hour))
			require.NoError(t, os.Rename(file+".new", file))
		},
		"removed": func(t *testing.T, file string) { require.NoError(t, os.Remove(file)) },
	} {
		t.Run(name, func(t *testing.T) {
			left, err := half(t, newDropPoint(t), func(file string) { change(t, file) })
			requireKind(t, errkind.Conflict, err)
			require.Less(t, left, int64(large/2), "the last bytes are held back")
		})
	}
}

func TestStalledDownload(t *testing.T) {
	t.Parallel()
	d := newDropPoint(t)
	d.options.StallLimit = stallLimit
	left, err := half(t, d, func(string) { d.server.SilenceAll() })
	require.NoError(t, err, "new connections are not silent")
	require.EqualValues(t, large/2, left)
}

// A reader that takes its time is not the server's silence.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	d := newDropPoint(t)
	d.options.StallLimit = stallLimit
	left, err := half(t, d, func(string) { time.Sleep(2 * stallLimit) })
	require.NoError(t, err)
	require.EqualValues(t, large/2, left)
}

// random is content that repeats nowhere, the same in every run.
func random(size int) []byte {
	content := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{3}).Read(content)
	return content
}

// proxied puts a network that fails before a drop point.
func proxied(t *testing.T, d dropPoint) (dropPoint, *faultproxy.Proxy) {
	t.Helper()
	proxy, err := faultproxy.Start(t.Context(), d.options.Address)
	require.NoError(t, err)
	t.Cleanup(proxy.Stop)
	d.options.Address = proxy.Address()
	return d, proxy
}

// withOpenSSH is a drop point on OpenSSH's server.
func withOpenSSH(t *testing.T) dropPoint {
	t.Helper()
	server := sshdtest.Start(t)
	return dropPoint{dir: server.Dir, options: connect.SFTPOptions{
		Address: server.Address, User: server.User, PrivateKey: server.PrivateKey, HostKey: server.HostKey,
	}}
}

// begin opens a file for reading.
func begin(t *testing.T, s *Source) (source.File, io.ReadCloser) {
	t.Helper()
	f, err := s.Stat(t.Context(), "a.csv")
	require.NoError(t, err)
	body, err := s.Open(t.Context(), f, 0)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, body.Close()) })
	return f, body
}

func TestManyCuts(t *testing.T) {
	for name, server := range map[string]func(*testing.T) dropPoint{"the Go server": newDropPoint, "OpenSSH": withOpenSSH} {
		t.Run(name, func(t *testing.T) {
			const size, cuts = 200_000_000, 20
			d, proxy := proxied(t, server(t))
			content := random(size)
			d.put(t, "a.csv", content)
			s := d.open(t)
			proxy.CutEvery(faultproxy.Down, size/cuts-500_000, faultproxy.Reset)
			_, body := begin(t, s)
			sum := sha256.New()
			_, err := io.Copy(sum, body)
			require.NoError(t, err, "after %d cuts", proxy.Cuts())
			want := sha256.Sum256(content)
			require.Equal(t, want[:], sum.Sum(nil))
			require.GreaterOrEqual(t, proxy.Cuts(), cuts)
		})
	}
}

// Less than a part moves between two cuts.
func TestCutsInEveryPart(t *testing.T) {
	d, proxy := proxied(t, newDropPoint(t))
	content := random(20_000_000)
	d.put(t, "a.csv", content)
	s := d.open(t)
	s.reading.Patience = ranged.Patience{First: time.Millisecond}
	proxy.CutEvery(faultproxy.Down, 2_000_000, faultproxy.Fin)
	_, body := begin(t, s)
	got, err := io.ReadAll(body)
	require.NoError(t, err, "after %d cuts", proxy.Cuts())
	require.True(t, bytes.Equal(content, got))
	require.GreaterOrEqual(t, proxy.Cuts(), 10)
}

// The bytes that are handed out before the Conflict are all of the old version, wherever the change
// finds the parts.
func TestReplacedWhileReading(t *testing.T) {
	for name, replace := range map[string]func(*testing.T, string, []byte){
		"by a rename": func(t *testing.T, file string, content []byte) {
			require.NoError(t, os.WriteFile(file+".new", content, 0o600))
			require.NoError(t, os.Rename(file+".new", file))
		},
		"in place": func(t *testing.T, file string, content []byte) {
			require.NoError(t, os.WriteFile(file, content, 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			const size = 100_000_000
			before := random(size)
			d := newDropPoint(t)
			d.put(t, "a.csv", before)
			_, body := begin(t, d.open(t))
			got := make([]byte, 1_000_000)
			_, err := io.ReadFull(body, got)
			require.NoError(t, err)
			replace(t, filepath.Join(d.dir, "a.csv"), make([]byte, size+1))
			rest, err := io.ReadAll(body)
			requireKind(t, errkind.Conflict, err)
			require.True(t, bytes.HasPrefix(before, append(got, rest...)))
		})
	}
}

func TestLostServer(t *testing.T) {
	d, proxy := proxied(t, newDropPoint(t))
	d.put(t, "a.csv", random(50_000_000))
	s := d.open(t)
	s.reading.Patience = ranged.Patience{Attempts: 3, First: time.Millisecond}
	_, body := begin(t, s)
	proxy.Refuse(true)
	proxy.CutAll(faultproxy.Reset)
	_, err := io.Copy(io.Discard, body)
	requireKind(t, errkind.Transient, err)
}

// EC-34: a server that lets a user in once only, in ways that are seen: it hangs up on further
// connections, it refuses their sign-in, it leaves them without an answer.
func TestOneConnectionOnly(t *testing.T) {
	content := random(40_000_000)
	for name, restrict := range map[string]func(*testing.T, dropPoint, *faultproxy.Proxy){
		"hangs up": func(_ *testing.T, _ dropPoint, proxy *faultproxy.Proxy) { proxy.Refuse(true) },
		"refuses the sign-in": func(t *testing.T, d dropPoint, proxy *faultproxy.Proxy) {
			other, err := sftpserver.Start(t.Context(), sftpserver.Options{
				Dir: t.TempDir(), HostKeyFile: d.hostKeyFile, User: "test", Password: "another",
			})
			require.NoError(t, err)
			t.Cleanup(other.Stop)
			proxy.Redirect(other.Address())
		},
		"does not answer": func(t *testing.T, _ dropPoint, proxy *faultproxy.Proxy) { proxy.Redirect(silent(t)) },
	} {
		t.Run(name, func(t *testing.T) {
			d, proxy := proxied(t, newDropPoint(t))
			d.put(t, "a.csv", content)
			s := d.open(t)
			f, err := s.Stat(t.Context(), "a.csv")
			require.NoError(t, err)
			restrict(t, d, proxy)
			for range 2 {
				body, err := s.Open(t.Context(), f, 0)
				require.NoError(t, err)
				got, err := io.ReadAll(body)
				require.NoError(t, err)
				require.True(t, bytes.Equal(content, got))
				require.NoError(t, body.Close())
			}
			if name == "refuses the sign-in" {
				require.True(t, s.lonely.Load())
				require.LessOrEqual(t, proxy.Total(), maxLanes, "a refused sign-in is not repeated: the user could be locked out")
			}
			require.Greater(t, proxy.Total(), 1, "further connections were tried")
		})
	}
}

// silent is a server that accepts connections and says nothing.
func silent(t *testing.T) string {
	t.Helper()
	behind := newDropPoint(t)
	proxy, err := faultproxy.Start(t.Context(), behind.options.Address)
	require.NoError(t, err)
	t.Cleanup(proxy.Stop)
	proxy.Stall()
	return proxy.Address()
}

func TestSeveralConnections(t *testing.T) {
	d, proxy := proxied(t, newDropPoint(t))
	content := random(100_000_000)
	d.put(t, "a.csv", content)
	d.put(t, "small.csv", []byte("12345"))
	s := d.open(t)
	small, err := s.Stat(t.Context(), "small.csv")
	require.NoError(t, err)
	body, err := s.Open(t.Context(), small, 0)
	require.NoError(t, err)
	got, err := io.ReadAll(body)
	require.NoError(t, err)
	require.Equal(t, "12345", string(got))
	require.NoError(t, body.Close())
	require.Equal(t, 1, proxy.Total(), "one part needs one connection")

	_, body = begin(t, s)
	got, err = io.ReadAll(body)
	require.NoError(t, err)
	require.True(t, bytes.Equal(content, got))
	require.Greater(t, proxy.Total(), 1)
	require.LessOrEqual(t, proxy.Total(), maxLanes)
	require.NoError(t, body.Close())
	require.NoError(t, s.Close())
	require.Eventually(t, func() bool { return proxy.Open() == 0 }, 30*time.Second, time.Millisecond)
}

// Neither a reader that is closed early nor one that is left behind holds anything.
func TestUnfinishedReaders(t *testing.T) {
	d, proxy := proxied(t, newDropPoint(t))
	d.put(t, "a.csv", make([]byte, 5*large))
	s := d.open(t)
	f, err := s.Stat(t.Context(), "a.csv")
	require.NoError(t, err)
	body, err := s.Open(t.Context(), f, 0)
	require.NoError(t, err)
	require.NoError(t, body.Close())
	_, err = body.Read(make([]byte, 1))
	require.Error(t, err)
	require.Eventually(t, func() bool { return proxy.Open() == 0 }, 30*time.Second, time.Millisecond)

	ctx, cancel := context.WithCancel(t.Context())
	body, err = s.Open(ctx, f, 0)
	require.NoError(t, err)
	_, err = io.CopyN(io.Discard, body, large)
	require.NoError(t, err)
	cancel()
	require.Eventually(t, func() bool { return proxy.Open() == 0 }, 30*time.Second, time.Millisecond)
	_, err = io.Copy(io.Discard, body)
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, body.Close())
}

func TestReadAt(t *testing.T) {
	content := random(100_000)
	for _, size := range []int{0, 1, 999, 1000, 1001, 100_000} {
		p := make([]byte, size)
		n, err := readAt(bytes.NewReader(content), p, 0, 1000)
		require.NoError(t, err)
		require.Equal(t, size, n)
		require.True(t, bytes.Equal(content[:size], p))
	}
	p := make([]byte, 20_000)
	n, err := readAt(bytes.NewReader(content[:55_555]), p, 40_000, 1000)
	require.Equal(t, io.EOF, err)
	require.Equal(t, 15_555, n)
	require.True(t, bytes.Equal(content[40_000:55_555], p[:n]))
}

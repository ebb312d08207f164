//go:build !release

package sftpsource

import (
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh/knownhosts"

	"prospector/internal/connect"
	"prospector/internal/devserver/faultproxy"
	"prospector/internal/devserver/sftpserver/sshdtest"
	"prospector/internal/source"
)

// BenchmarkTransfer downloads a file from OpenSSH's server with the driver and with OpenSSH's own client,
// in turn, and reports both and their ratio: on loopback, with a round trip of 50 ms, and where the server
// allows no further connection.
func BenchmarkTransfer(b *testing.B) {
	for name, test := range map[string]struct {
		size    int
		latency time.Duration
		single  bool
	}{
		"loopback": {500_000_000, 0, false}, "50ms": {200_000_000, 25 * time.Millisecond, false}, "50ms, one connection": {200_000_000, 25 * time.Millisecond, true},
	} {
		b.Run(name, func(b *testing.B) { benchmark(b, test.size, test.latency, test.single) })
	}
}

func benchmark(b *testing.B, size int, latency time.Duration, single bool) {
	server := sshdtest.Start(b)
	proxy, err := faultproxy.Start(b.Context(), server.Address)
	require.NoError(b, err)
	b.Cleanup(proxy.Stop)
	proxy.Latency(latency)
	address := server.Address
	if latency > 0 {
		address = proxy.Address()
	}
	require.NoError(b, os.WriteFile(filepath.Join(server.Dir, "a.csv"), random(size), 0o600))
	target := filepath.Join(b.TempDir(), "a.csv")
	s, err := New(b.Context(), connect.SFTPOptions{Address: address, User: server.User, PrivateKey: server.PrivateKey, HostKey: server.HostKey})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, s.Close()) })
	f, err := s.Stat(b.Context(), "a.csv")
	require.NoError(b, err)
	client := openSSHClient(b, server, address, target)
	var ours, theirs time.Duration
	for b.Loop() {
		proxy.Refuse(single)
		ours += took(b, func() { save(b, s, f, target) })
		proxy.Refuse(false)
		if client != nil {
			theirs += took(b, func() { client(b) })
		}
	}
	rate := func(d time.Duration) float64 { return float64(size) * float64(b.N) / 1e6 / d.Seconds() }
	b.ReportMetric(rate(ours), "driver-MB/s")
	if client != nil {
		b.ReportMetric(rate(theirs), "sftp-MB/s")
		b.ReportMetric(rate(ours)/rate(theirs), "ratio")
	}
}

func took(b *testing.B, f func()) time.Duration {
	b.Helper()
	begin := time.Now()
	f()
	return time.Since(begin)
}

func save(b *testing.B, s *Source, f source.File, target string) {
	b.Helper()
	body, err := s.Open(b.Context(), f, 0)
	require.NoError(b, err)
	out, err := os.Create(target)
	require.NoError(b, err)
	n, err := io.Copy(out, body)
	require.NoError(b, err)
	require.Equal(b, f.Size, n)
	require.NoError(b, out.Close())
	require.NoError(b, body.Close())
}

// openSSHClient downloads to the same place, or is nil when it is not installed.
func openSSHClient(b *testing.B, server *sshdtest.Server, address, target string) func(*testing.B) {
	b.Helper()
	program, err := exec.LookPath("sftp")
	if err != nil {
		b.Log("sftp is not installed: there is nothing to compare with; install openssh-client")
		return nil
	}
	host, port, err := net.SplitHostPort(address)
	require.NoError(b, err)
	dir := b.TempDir()
	key, known := filepath.Join(dir, "key"), filepath.Join(dir, "known_hosts")
	require.NoError(b, os.WriteFile(key, []byte(server.PrivateKey), 0o600))
	require.NoError(b, os.WriteFile(known, []byte(knownhosts.Normalize(address)+" "+server.HostKey+"\n"), 0o600))
	return func(b *testing.B) {
		b.Helper()
		command := exec.Command(program, "-q", "-b", "-", "-P", port, "-i", key, "-o", "UserKnownHostsFile="+known, "-o", "StrictHostKeyChecking=yes",
			"-o", "Ciphers=aes128-gcm@openssh.com", server.User+"@"+host)
		command.Stdin = strings.NewReader("get a.csv " + target + "\n")
		said, err := command.CombinedOutput()
		require.NoError(b, err, "%s", said)
	}
}

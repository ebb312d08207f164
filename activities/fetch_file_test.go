//go:build !release

package activities

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/connect"
	"prospector/internal/destination"
	"prospector/internal/destination/s3destination"
	"prospector/internal/devserver/faultproxy"
	"prospector/internal/devserver/objectstore"
	"prospector/internal/devserver/sftpserver"
	"prospector/internal/devserver/sftpserver/sshdtest"
	"prospector/internal/errkind"
	"prospector/internal/source"
	"prospector/internal/source/s3source"
	"prospector/internal/source/sftpsource"
)

func TestMain(m *testing.M) {
	objectstore.MainIfChild()
	os.Exit(m.Run())
}

// behindProxy is a drop point that is reached through a network that fails.
type behindProxy struct {
	source source.Source
	proxy  *faultproxy.Proxy
	put    func(t *testing.T, content []byte) // a.csv
}

const shortStall = time.Second

func onS3(t *testing.T) behindProxy {
	server, err := objectstore.Start(t.Context(), objectstore.Options{Dir: t.TempDir(), AccessKey: "test", SecretKey: "not-a-secret"})
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	require.NoError(t, server.CreateBucket(t.Context(), "drop"))
	proxy := startProxy(t, strings.TrimPrefix(server.Endpoint(), "http://"))
	options := connect.S3Options{Endpoint: server.Endpoint(), Bucket: "drop", AccessKey: "test", SecretKey: "not-a-secret", PathStyle: true}
	direct, err := s3destination.New(t.Context(), options)
	require.NoError(t, err)
	options.Endpoint, options.StallLimit = "http://"+proxy.Address(), shortStall
	s, err := s3source.New(t.Context(), options)
	require.NoError(t, err)
	return behindProxy{s, proxy, func(t *testing.T, content []byte) {
		require.NoError(t, direct.Put(t.Context(), "a.csv", bytes.NewReader(content), int64(len(content)), destination.Hooks{}))
	}}
}

func onSFTP(t *testing.T) behindProxy {
	dir := t.TempDir()
	server, err := sftpserver.Start(t.Context(), sftpserver.Options{Dir: dir, HostKeyFile: filepath.Join(t.TempDir(), "host_key"), User: "test", Password: "not-a-secret"})
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	return sftpThrough(t, dir, connect.SFTPOptions{Address: server.Address(), User: "test", Password: "not-a-secret", HostKey: server.HostKey(), Folder: "/"})
}

func onOpenSSH(t *testing.T) behindProxy {
	server := sshdtest.Start(t)
	dir, err := os.MkdirTemp(server.Dir, "drop-*")
	require.NoError(t, err)
	return sftpThrough(t, dir, connect.SFTPOptions{Address: server.Address, User: server.User, PrivateKey: server.PrivateKey, HostKey: server.HostKey, Folder: filepath.Base(dir)})
}

func sftpThrough(t *testing.T, dir string, options connect.SFTPOptions) behindProxy {
	proxy := startProxy(t, options.Address)
	options.Address, options.StallLimit = proxy.Address(), shortStall
	s, err := sftpsource.New(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return behindProxy{s, proxy, func(t *testing.T, content []byte) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "a.csv"), content, 0o600))
	}}
}

func startProxy(t *testing.T, target string) *faultproxy.Proxy {
	proxy, err := faultproxy.Start(context.Background(), target)
	require.NoError(t, err)
	t.Cleanup(proxy.Stop)
	return proxy
}

var servers = map[string]func(*testing.T) behindProxy{"s3": onS3, "sftp": onSFTP, "openssh": onOpenSSH}

func randomBytes(n int) []byte {
	out := make([]byte, n)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(out)
	return out
}

func fetch(t *testing.T, d behindProxy, report func(int64)) (path, sum string, err error) {
	t.Helper()
	f, err := d.source.Stat(t.Context(), "a.csv")
	require.NoError(t, err)
	path = filepath.Join(t.TempDir(), "raw")
	sum, err = download(t.Context(), d.source, f, path, nil, report)
	return path, sum, err
}

// A connection that is cut 20 times, by reset and by a clean end, and that stalls, gives the same bytes.
func TestDownloadSurvivesTheNetwork(t *testing.T) {
	const cuts, size = 20, 200_000_000
	content := randomBytes(size)
	want := sha256.Sum256(content)
	for name, open := range servers {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			d.put(t, content)
			done := 0
			path, sum, err := fetch(t, d, func(at int64) {
				if done < cuts && at > int64(done+1)*size/(cuts+2) {
					done++
					how := faultproxy.Reset
					if done%2 == 0 {
						how = faultproxy.Fin
					}
					if done == 7 {
						d.proxy.Stall()
						time.AfterFunc(2*shortStall, d.proxy.Resume)
					}
					d.proxy.CutAll(how)
				}
			})
			require.NoError(t, err)
			require.Equal(t, cuts, done)
			require.Equal(t, hex.EncodeToString(want[:]), sum)
			got, err := os.ReadFile(path)
			require.NoError(t, err)
			require.True(t, bytes.Equal(content, got))
		})
	}
}

// A file that the partner replaces in the middle of a download fails it, and no byte of either is kept as the other.
func TestDownloadOfAReplacedFile(t *testing.T) {
	content := randomBytes(120_000_000) // more than all that buffers
	for name, open := range servers {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			d.put(t, content)
			replaced := false
			path, _, err := fetch(t, d, func(at int64) {
				if !replaced && at > 10_000_000 {
					replaced = true
					d.put(t, content[1:])
					d.proxy.CutAll(faultproxy.Reset)
				}
			})
			require.Equal(t, errkind.Conflict, errkind.Of(err), "%v", err)
			require.NoFileExists(t, path)
		})
	}
}

// A server that is gone for good ends the download after a few attempts, and the next one goes on where it was.
func TestDownloadGivesUpAndGoesOn(t *testing.T) {
	d := onSFTP(t)
	content := randomBytes(3 * syncEvery / 2)
	d.put(t, content)
	f, err := d.source.Stat(t.Context(), "a.csv")
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "raw")
	gone := false
	_, err = download(t.Context(), d.source, f, path, nil, func(at int64) {
		if !gone && at > syncEvery+1_000_000 {
			gone = true
			d.proxy.Refuse(true)
			d.proxy.CutAll(faultproxy.Reset)
		}
	})
	require.Equal(t, errkind.Transient, errkind.Of(err), "%v", err)
	d.proxy.Refuse(false)
	var first int64
	sum, err := download(t.Context(), d.source, f, path, nil, func(at int64) {
		if first == 0 {
			first = at
		}
	})
	require.NoError(t, err)
	require.GreaterOrEqual(t, first, int64(syncEvery))
	want := sha256.Sum256(content)
	require.Equal(t, fmt.Sprintf("%x", want), sum)
}

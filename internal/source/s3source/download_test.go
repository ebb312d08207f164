//go:build !release

package s3source

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/connect"
	"prospector/internal/devserver/faultproxy"
	"prospector/internal/errkind"
	"prospector/internal/source"
	"prospector/internal/source/ranged"
)

// random is content that repeats nowhere, the same in every run.
func random(size int) []byte {
	content := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{2}).Read(content)
	return content
}

// faulty is a drop point with one object, whose server answers properly unless fault, which gets the
// number of the request, says that it has answered.
func faulty(t *testing.T, content []byte, fault func(n int64, w http.ResponseWriter, r *http.Request) bool) (*Source, source.File) {
	t.Helper()
	var requests atomic.Int64
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Amz-Security-Token") != "temporary" { // SR-9
			w.WriteHeader(http.StatusForbidden)
			return
		}
		w.Header().Set("ETag", `"v1"`)
		if !fault(requests.Add(1), w, r) {
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
		}
	}))
	t.Cleanup(web.Close)
	s := open(t, connect.S3Options{Endpoint: web.URL, Bucket: "b", AccessKey: accessKey, SecretKey: secretKey, SessionToken: "temporary", PathStyle: true})
	s.reading.PartSize = 10
	s.reading.Patience = ranged.Patience{Attempts: 3, First: time.Millisecond}
	return s, source.File{Path: "a.csv", Size: int64(len(content)), ETag: "v1"}
}

// partly begins a proper answer, but ends after n bytes.
func partly(w http.ResponseWriter, r *http.Request, content string, n int) {
	first, last, status := 0, len(content)-1, http.StatusOK
	if asked := r.Header.Get("Range"); asked != "" {
		_, _ = fmt.Sscanf(asked, "bytes=%d-%d", &first, &last)
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", first, last, len(content)))
		status = http.StatusPartialContent
	}
	w.Header().Set("Content-Length", strconv.Itoa(last-first+1))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, content[first:first+n])
	w.(http.Flusher).Flush()
}

const digits = "0123456789"

func readAll(t *testing.T, s *Source, f source.File) (string, error) {
	t.Helper()
	body, err := s.Open(t.Context(), f, 0)
	require.NoError(t, err)
	defer func() { require.NoError(t, body.Close()) }()
	content, err := io.ReadAll(body)
	return string(content), err
}

func TestCutDownload(t *testing.T) {
	s, f := faulty(t, []byte(digits), func(n int64, w http.ResponseWriter, r *http.Request) bool {
		if n > 1 {
			require.Equal(t, "bytes=5-9", r.Header.Get("Range"))
			require.Equal(t, `"v1"`, r.Header.Get("If-Match"))
			return false
		}
		partly(w, r, digits, 5)
		return true // the connection ends
	})
	content, err := readAll(t, s, f)
	require.NoError(t, err)
	require.Equal(t, digits, content)
}

func TestCutForGood(t *testing.T) {
	s, f := faulty(t, []byte(digits), func(n int64, w http.ResponseWriter, r *http.Request) bool {
		if n == 1 {
			partly(w, r, digits, 5)
		} else {
			partly(w, r, digits, 0)
		}
		return true
	})
	content, err := readAll(t, s, f)
	require.True(t, strings.HasPrefix(digits[:5], content))
	var known *errkind.Error
	require.ErrorAs(t, err, &known)
	require.Equal(t, errkind.Transient, known.Kind)
	require.ErrorContains(t, err, "read s3://b/a.csv: ")
}

func TestStalledDownload(t *testing.T) {
	for name, silent := range map[string]func(http.ResponseWriter, *http.Request){
		"in an answer":     func(w http.ResponseWriter, r *http.Request) { partly(w, r, digits+digits, 5); <-r.Context().Done() },
		"before an answer": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, f := faulty(t, []byte(digits+digits), func(n int64, w http.ResponseWriter, r *http.Request) bool {
				if n != 2 {
					return false
				}
				silent(w, r)
				return true
			})
			s.stall = 200 * time.Millisecond
			content, err := readAll(t, s, f)
			require.NoError(t, err, "one stall is survived")
			require.Equal(t, digits+digits, content)

			s, f = faulty(t, []byte(digits+digits), func(n int64, _ http.ResponseWriter, r *http.Request) bool {
				if n == 1 {
					return false
				}
				<-r.Context().Done()
				return true
			})
			s.stall = 200 * time.Millisecond
			_, err = readAll(t, s, f)
			require.Equal(t, errkind.Transient, errkind.Of(err))
			require.ErrorContains(t, err, "read s3://b/a.csv: no byte has moved for 200ms")
		})
	}
}

// A server that ignores If-Match must not make one version pass for another, nor one that ignores
// ranges the beginning for the rest.
func TestIgnoredConditions(t *testing.T) {
	s, f := faulty(t, []byte(digits), func(_ int64, _ http.ResponseWriter, r *http.Request) bool {
		r.Header.Del("If-Match")
		return false
	})
	f.ETag = "v0"
	for _, offset := range []int64{0, 5} {
		_, err := s.Open(t.Context(), f, offset)
		require.Equal(t, errkind.Conflict, errkind.Of(err))
	}
	f.ETag, f.Size = "v1", 11
	for _, offset := range []int64{0, 5, 10} {
		_, err := s.Open(t.Context(), f, offset)
		require.Equal(t, errkind.Conflict, errkind.Of(err), "%v", err)
	}

	s, f = faulty(t, []byte(digits), func(_ int64, _ http.ResponseWriter, r *http.Request) bool {
		r.Header.Del("Range")
		return false
	})
	_, err := s.Open(t.Context(), f, 5)
	require.Equal(t, errkind.Invalid, errkind.Of(err))
	require.ErrorContains(t, err, "range")
}

// The SDK checks a file that is one part; its wrong bytes must not end in io.EOF.
func TestWrongChecksum(t *testing.T) {
	s, f := faulty(t, []byte(digits), func(_ int64, w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("x-amz-checksum-crc32", "AAAAAA==")
		return false
	})
	body, err := s.Open(t.Context(), f, 0)
	if err == nil { // else the answer was complete at once
		defer body.Close()
		_, err = io.ReadAll(body)
	}
	require.Equal(t, errkind.Transient, errkind.Of(err))
	require.ErrorContains(t, err, "damaged on their way")
}

// EC-35: a session token that expires in the middle of a download, which is made of parts.
func TestExpiredSessionToken(t *testing.T) {
	expired := func(w http.ResponseWriter) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>")
	}
	requireExpired := func(err error) {
		t.Helper()
		require.Equal(t, errkind.Denied, errkind.Of(err), "%v", err)
		require.ErrorContains(t, err, "The provided token has expired")
		require.ErrorContains(t, err, "renew the session token and start the run again")
		require.NotContains(t, err.Error(), "temporary")
	}
	content := random(1000)
	var late atomic.Int64
	s, f := faulty(t, content, func(n int64, w http.ResponseWriter, _ *http.Request) bool {
		if n <= 20 {
			return false
		}
		late.Add(1)
		expired(w)
		return true
	})
	got, err := readAll(t, s, f)
	requireExpired(err)
	require.ErrorContains(t, err, "read s3://b/a.csv: ")
	require.True(t, bytes.HasPrefix(content, []byte(got)))
	require.LessOrEqual(t, late.Load(), int64(reading.Parallel), "nothing is tried again")

	_, err = s.Open(t.Context(), f, 0)
	requireExpired(err)
	_, err = s.List(t.Context(), "*")
	requireExpired(err)
	_, err = s.Stat(t.Context(), "a.csv") // whose own answer has no body
	requireExpired(err)
}

// proxied is a drop point of the real server behind a network that fails, with one object.
func proxied(t *testing.T, content []byte) (*Source, *faultproxy.Proxy, source.File) {
	t.Helper()
	o := dropPoint(t)
	put(t, open(t, o), "partners/acme/a.csv", content)
	proxy, err := faultproxy.Start(t.Context(), strings.TrimPrefix(server.Endpoint(), "http://"))
	require.NoError(t, err)
	t.Cleanup(proxy.Stop)
	o.Endpoint = "http://" + proxy.Address()
	s := open(t, o)
	f, err := s.Stat(t.Context(), "a.csv")
	require.NoError(t, err)
	return s, proxy, f
}

func TestManyCuts(t *testing.T) {
	for name, how := range map[string]faultproxy.Cut{"reset": faultproxy.Reset, "clean end": faultproxy.Fin} {
		t.Run(name, func(t *testing.T) { manyCuts(t, how) })
	}
}

func manyCuts(t *testing.T, how faultproxy.Cut) {
	const size, cuts = 200_000_000, 20
	content := random(size)
	s, proxy, f := proxied(t, content)
	proxy.CutEvery(faultproxy.Down, size/cuts-500_000, how)
	body, err := s.Open(t.Context(), f, 0)
	require.NoError(t, err)
	defer body.Close()
	sum := sha256.New()
	_, err = io.Copy(sum, body)
	require.NoError(t, err, "after %d cuts", proxy.Cuts())
	want := sha256.Sum256(content)
	require.Equal(t, want[:], sum.Sum(nil))
	require.GreaterOrEqual(t, proxy.Cuts(), cuts)
}

func TestStalledNetwork(t *testing.T) {
	content := random(20_000_000)
	s, proxy, f := proxied(t, content)
	s.stall = 300 * time.Millisecond
	s.reading.PartSize = 1 << 20
	body, err := s.Open(t.Context(), f, 0)
	require.NoError(t, err)
	defer body.Close()
	var got bytes.Buffer
	_, err = io.CopyN(&got, body, 2_000_000)
	require.NoError(t, err)
	proxy.Stall()
	timer := time.AfterFunc(3*s.stall, proxy.Resume)
	defer timer.Stop()
	_, err = io.Copy(&got, body)
	require.NoError(t, err)
	require.True(t, bytes.Equal(content, got.Bytes()))
}

// The bytes that are handed out before the Conflict are all of the old version.
func TestReplacedWhileReading(t *testing.T) {
	before := random(20_000_000)
	s, _, f := proxied(t, before)
	s.reading.PartSize = 1 << 20
	body, err := s.Open(t.Context(), f, 0)
	require.NoError(t, err)
	defer body.Close()
	got := make([]byte, 1000)
	_, err = io.ReadFull(body, got)
	require.NoError(t, err)
	put(t, s, "partners/acme/a.csv", make([]byte, len(before)))
	rest, err := io.ReadAll(body)
	require.Equal(t, errkind.Conflict, errkind.Of(err))
	require.True(t, bytes.HasPrefix(before, append(got, rest...)))
}

func TestCancelledDownload(t *testing.T) {
	s, proxy, f := proxied(t, random(20_000_000))
	ctx, cancel := context.WithCancel(t.Context())
	body, err := s.Open(ctx, f, 0)
	require.NoError(t, err)
	proxy.Stall()
	cancel()
	_, err = io.Copy(io.Discard, body)
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, body.Close())
}

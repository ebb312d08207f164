//go:build !release

package s3destination

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"

	"prospector/internal/connect"
	"prospector/internal/destination"
	"prospector/internal/destination/destinationtest"
	"prospector/internal/devserver/objectstore"
	"prospector/internal/errkind"
)

const accessKey, secretKey = "test", "not-a-secret"

var (
	server  *objectstore.Server
	buckets atomic.Int64
)

func TestMain(m *testing.M) {
	objectstore.MainIfChild()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "s3destination-*")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	server, err = objectstore.Start(context.Background(), objectstore.Options{Dir: dir, AccessKey: accessKey, SecretKey: secretKey})
	if err != nil {
		panic(err)
	}
	defer server.Stop()
	return m.Run()
}

// folder is a folder of a new bucket.
func folder(t *testing.T) connect.S3Options {
	t.Helper()
	o := connect.S3Options{
		Endpoint: server.Endpoint(), Bucket: fmt.Sprintf("exports-%d", buckets.Add(1)), Prefix: "audiences/",
		AccessKey: accessKey, SecretKey: secretKey, PathStyle: true,
	}
	require.NoError(t, server.CreateBucket(t.Context(), o.Bucket))
	return o
}

func open(t *testing.T, o connect.S3Options) *Destination {
	t.Helper()
	d, err := New(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

// uploads are the unfinished ones, which no listing of objects shows.
func uploads(t *testing.T, d *Destination) []types.MultipartUpload {
	t.Helper()
	listed, err := d.client.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: aws.String(d.options.Bucket)})
	require.NoError(t, err)
	return listed.Uploads
}

func TestSuite(t *testing.T) {
	destinationtest.Run(t, func(t *testing.T) destinationtest.Folder {
		d := open(t, folder(t))
		return destinationtest.Folder{
			Destination: d,
			Unfinished:  func(t *testing.T) int { return len(uploads(t, d)) },
			Names: func(t *testing.T) []string {
				listed, err := d.client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(d.options.Bucket)})
				require.NoError(t, err)
				var names []string
				for _, object := range listed.Contents {
					name, below := strings.CutPrefix(aws.ToString(object.Key), "audiences/")
					require.True(t, below, "%s is outside the folder", aws.ToString(object.Key))
					names = append(names, name)
				}
				return names
			},
			Content: func(t *testing.T, key string) []byte {
				object, err := d.client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String(d.options.Bucket), Key: aws.String("audiences/" + key)})
				require.NoError(t, err)
				defer object.Body.Close()
				content, err := io.ReadAll(object.Body)
				require.NoError(t, err)
				return content
			},
		}
	})
}

func TestErrors(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	dead := "http://" + free.Addr().String()
	free.Close()
	for name, test := range map[string]struct {
		change func(*connect.S3Options)
		kind   errkind.Kind
		text   string
	}{
		"wrong secret":   {func(o *connect.S3Options) { o.SecretKey = "wrong" }, errkind.Denied, "check the access key and the secret key"},
		"missing bucket": {func(o *connect.S3Options) { o.Bucket = "no-such-bucket" }, errkind.Missing, "create the bucket"},
		"dead endpoint":  {func(o *connect.S3Options) { o.Endpoint = dead }, errkind.Transient, "check that the endpoint " + dead},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := folder(t)
			test.change(&o)
			d := open(t, o)
			for _, size := range []int{10, partSize + 1} {
				err := d.Put(t.Context(), "a.csv", bytes.NewReader(make([]byte, size)), int64(size), destination.Hooks{})
				require.Equal(t, test.kind, errkind.Of(err), "%v", err)
				require.ErrorContains(t, err, test.text)
				require.NotContains(t, err.Error(), o.SecretKey)
				t.Log(err)
			}
			_, err := d.ReadBack(t.Context(), "a.csv", nil)
			require.Equal(t, test.kind, errkind.Of(err), "%v", err)
		})
	}
}

// forward passes requests on to the object store, with the host that was signed.
func forward(t *testing.T) http.Handler {
	t.Helper()
	target, err := url.Parse(server.Endpoint())
	require.NoError(t, err)
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = target.Scheme, target.Host
			r.Out.Host = r.In.Host
		},
		ErrorLog: log.New(io.Discard, "", 0),
	}
}

// proxy is a destination behind a server that passes requests on unless instead answers them.
func proxy(t *testing.T, o connect.S3Options, instead func(http.ResponseWriter, *http.Request) bool) *Destination {
	t.Helper()
	passing := forward(t)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !instead(w, r) {
			passing.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(web.Close)
	o.Endpoint = web.URL
	return open(t, o)
}

// A request that fails and is sent again counts once, whether or not the server took its body.
func TestRetriedRequests(t *testing.T) {
	for _, size := range []int64{1_000_000, partSize, partSize + partSize/2} {
		for _, take := range []bool{true, false} {
			t.Run(fmt.Sprint(size, " ", take), func(t *testing.T) {
				t.Parallel()
				var failed atomic.Bool
				d := proxy(t, folder(t), func(w http.ResponseWriter, r *http.Request) bool {
					if r.Method != http.MethodPut || failed.Swap(true) {
						return false
					}
					if take {
						_, _ = io.Copy(io.Discard, r.Body)
					}
					w.WriteHeader(http.StatusServiceUnavailable)
					return true
				})
				var calls []int64
				content := bytes.Repeat([]byte("0123456789"), int(size/10)+1)[:size]
				require.NoError(t, d.Put(t.Context(), "a.csv", bytes.NewReader(content), size, destination.Hooks{Sent: func(sent int64) { calls = append(calls, sent) }}))
				require.True(t, failed.Load())
				require.Equal(t, size, slices.Max(calls))
				require.Equal(t, size, calls[len(calls)-1])
				if take { // a server that answers at once may have been sent nothing
					require.False(t, slices.IsSorted(calls), "the failed attempt is taken back")
				}
				receipt, err := d.ReadBack(t.Context(), "a.csv", nil)
				require.NoError(t, err)
				sum := sha256.Sum256(content)
				require.Equal(t, hex.EncodeToString(sum[:]), receipt.SHA256)
			})
		}
	}
}

// Over TLS the SDK frames the body, with its checksum at the end.
func TestTLS(t *testing.T) {
	web := httptest.NewTLSServer(forward(t))
	defer web.Close()
	authority := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw}), 0o600))
	t.Setenv("AWS_CA_BUNDLE", authority)
	o := folder(t)
	o.Endpoint = web.URL
	d := open(t, o)
	for _, size := range []int64{0, 1_000_000, partSize + partSize/2} {
		var calls []int64
		content := make([]byte, size)
		require.NoError(t, d.Put(t.Context(), "a.csv", bytes.NewReader(content), size, destination.Hooks{Sent: func(sent int64) { calls = append(calls, sent) }}))
		require.True(t, slices.IsSorted(calls))
		if size > 0 {
			require.Equal(t, size, calls[len(calls)-1])
		}
		receipt, err := d.ReadBack(t.Context(), "a.csv", nil)
		require.NoError(t, err)
		sum := sha256.Sum256(content)
		require.Equal(t, destination.Receipt{Key: "a.csv", Size: size, SHA256: hex.EncodeToString(sum[:])}, receipt)
	}
	broken := errors.New("broken disk")
	err := d.Put(t.Context(), "b.csv", struct {
		io.Reader
		io.Seeker
	}{io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken)), strings.NewReader("")}, 8, destination.Hooks{})
	require.ErrorIs(t, err, broken)
	_, err = d.ReadBack(t.Context(), "b.csv", nil)
	require.Equal(t, errkind.Missing, errkind.Of(err))
}

func TestStalledUpload(t *testing.T) {
	for _, size := range []int64{1_000, partSize + partSize/2} {
		d := proxy(t, folder(t), func(_ http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodPut {
				return false
			}
			_, _ = io.Copy(io.Discard, r.Body) // without, the handler does not learn that the client is gone
			<-r.Context().Done()
			return true
		})
		d.stall = 300 * time.Millisecond
		err := d.Put(t.Context(), "a.csv", bytes.NewReader(make([]byte, size)), size, destination.Hooks{})
		require.Equal(t, errkind.Transient, errkind.Of(err))
		require.ErrorContains(t, err, "no byte has moved for 300ms")
	}
}

func TestStalledReadBack(t *testing.T) {
	d := proxy(t, folder(t), func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Content-Length", "10")
		_, _ = io.WriteString(w, "01234")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		return true
	})
	d.stall = 50 * time.Millisecond
	_, err := d.ReadBack(t.Context(), "a.csv", nil)
	require.Equal(t, errkind.Transient, errkind.Of(err))
	require.ErrorContains(t, err, "no byte has moved for 50ms")
}

func TestExactBody(t *testing.T) {
	long := &exactBody{body: strings.NewReader("0123456789"), size: 4}
	content, err := io.ReadAll(long)
	require.NoError(t, err)
	require.Equal(t, "0123", string(content))
	end, err := long.Seek(0, io.SeekEnd)
	require.NoError(t, err)
	require.EqualValues(t, 4, end)

	short := &exactBody{body: strings.NewReader("0123"), size: 10}
	_, err = io.ReadAll(short)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.True(t, errors.Is(short.failed, io.ErrUnexpectedEOF))
}

//go:build !release

package s3source

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"prospector/internal/connect"
	"prospector/internal/devserver/objectstore"
	"prospector/internal/errkind"
	"prospector/internal/source"
	"prospector/internal/source/sourcetest"
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
	dir, err := os.MkdirTemp("", "s3source-*")
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

// dropPoint is a folder of a new bucket.
func dropPoint(t *testing.T) connect.S3Options {
	t.Helper()
	o := connect.S3Options{
		Endpoint: server.Endpoint(), Bucket: fmt.Sprintf("drop-%d", buckets.Add(1)), Prefix: "/partners/acme",
		AccessKey: accessKey, SecretKey: secretKey, PathStyle: true,
	}
	require.NoError(t, server.CreateBucket(t.Context(), o.Bucket))
	return o
}

func open(t *testing.T, o connect.S3Options) *Source {
	t.Helper()
	s, err := New(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func put(t *testing.T, s *Source, key string, content []byte) {
	t.Helper()
	_, err := s.client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(s.options.Bucket), Key: aws.String(key), Body: bytes.NewReader(content)})
	require.NoError(t, err)
}

func TestSuite(t *testing.T) {
	sourcetest.Run(t, func(t *testing.T) sourcetest.DropPoint {
		o := dropPoint(t)
		s := open(t, o)
		put(t, s, "partners/acme-2/theirs.csv", []byte("another drop point"))
		return sourcetest.DropPoint{
			Source: s,
			Put:    func(t *testing.T, path string, content []byte) { put(t, s, "partners/acme/"+path, content) },
			Remove: func(t *testing.T, path string) {
				_, err := s.client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String(o.Bucket), Key: aws.String("partners/acme/" + path)})
				require.NoError(t, err)
			},
		}
	})
}

func TestWholeBucket(t *testing.T) {
	o := dropPoint(t)
	o.Prefix = ""
	s := open(t, o)
	put(t, s, "a.csv", []byte("x"))
	put(t, s, "folder/", nil) // as consoles create folders
	files, err := s.List(t.Context(), "**")
	require.NoError(t, err)
	require.Len(t, files, 1)
	require.Equal(t, "a.csv", files[0].Path)
}

// A replacement of the same size, in the same second, has another ETag.
func TestReplacedWithSameSize(t *testing.T) {
	s := open(t, dropPoint(t))
	put(t, s, "partners/acme/a.csv", []byte("before"))
	f, err := s.Stat(t.Context(), "a.csv")
	require.NoError(t, err)
	require.NotContains(t, f.ETag, `"`)
	put(t, s, "partners/acme/a.csv", []byte("after!"))
	for _, offset := range []int64{0, 3, 6} {
		_, err = s.Open(t.Context(), f, offset)
		require.Equal(t, errkind.Conflict, errkind.Of(err), "%v", err)
	}
}

func TestErrors(t *testing.T) {
	calls := func(t *testing.T, s *Source) (out []error) {
		_, err := s.List(t.Context(), "*.csv")
		out = append(out, err)
		_, err = s.Stat(t.Context(), "a.csv")
		out = append(out, err)
		_, err = s.Open(t.Context(), source.File{Path: "a.csv", Size: 10, ETag: "x"}, 0)
		return append(out, err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	dead := "http://" + free.Addr().String()
	free.Close()
	for name, test := range map[string]struct {
		change func(*connect.S3Options)
		kind   errkind.Kind
		text   string // of the listing's error, which has the most to say
	}{
		"wrong secret":   {func(o *connect.S3Options) { o.SecretKey = "wrong" }, errkind.Denied, "check the access key and the secret key"},
		"missing bucket": {func(o *connect.S3Options) { o.Bucket = "no-such-bucket" }, errkind.Missing, "create the bucket"},
		"dead endpoint":  {func(o *connect.S3Options) { o.Endpoint = dead }, errkind.Transient, "check that the endpoint " + dead},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := dropPoint(t)
			test.change(&o)
			errs := calls(t, open(t, o))
			require.ErrorContains(t, errs[0], test.text)
			for _, err := range errs {
				var known *errkind.Error
				require.ErrorAs(t, err, &known)
				require.Equal(t, test.kind, known.Kind, "%v", err)
				require.NotContains(t, err.Error(), o.SecretKey)
				t.Log(err)
			}
		})
	}
}

func TestEncodedListing(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `<ListBucketResult><EncodingType>url</EncodingType>`+
			`<Contents><Key>in/bell%07+and%2Bplus.csv</Key><Size>1</Size><ETag>"v"</ETag></Contents></ListBucketResult>`)
	}))
	t.Cleanup(web.Close)
	s := open(t, connect.S3Options{Endpoint: web.URL, Bucket: "b", AccessKey: accessKey, SecretKey: secretKey, PathStyle: true})
	files, err := s.List(t.Context(), "in/*.csv")
	require.NoError(t, err)
	require.Len(t, files, 1)
	require.Equal(t, "in/bell\a and+plus.csv", files[0].Path)
}

func TestLiteral(t *testing.T) {
	for pattern, want := range map[string]string{
		"a.csv": "a.csv", "*.csv": "", "in/*.csv": "in/", "in/leads_?.csv": "in/leads_", "in/a[1].csv": "in/a", `in/a\*.csv`: "in/a",
		"in/**": "in", "in/**/a.csv": "in", "**/a.csv": "",
	} {
		require.Equal(t, want, literal(pattern), pattern)
		require.True(t, strings.HasPrefix(pattern, literal(pattern)))
	}
}

// A listing whose answer stands still fails once no byte has come for the limit.
func TestStalledListing(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		_, _ = io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><Name>b</Name>`)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	s, err := New(t.Context(), connect.S3Options{Endpoint: server.URL, Bucket: "b", AccessKey: "a", SecretKey: "b", PathStyle: true, StallLimit: 100 * time.Millisecond})
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // the test fails then
	defer cancel()
	_, err = s.List(ctx, "*")
	require.NoError(t, ctx.Err())
	require.Equal(t, errkind.Transient, errkind.Of(err), "%v", err)
	require.ErrorContains(t, err, "no byte has moved")
}

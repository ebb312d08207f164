//go:build !release

package s3source

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"prospector/internal/connect"
)

// BenchmarkTransfer downloads an object with the driver and with the commands that are installed, in
// turn, and reports each and the driver's ratio to them.
func BenchmarkTransfer(b *testing.B) {
	const size = 500_000_000
	o := connect.S3Options{Endpoint: server.Endpoint(), Bucket: "bench", AccessKey: accessKey, SecretKey: secretKey, PathStyle: true}
	require.NoError(b, server.CreateBucket(b.Context(), o.Bucket))
	s, err := New(b.Context(), o)
	require.NoError(b, err)
	_, err = s.client.PutObject(b.Context(), &s3.PutObjectInput{Bucket: aws.String(o.Bucket), Key: aws.String("a.csv"), Body: bytes.NewReader(random(size))})
	require.NoError(b, err)
	f, err := s.Stat(b.Context(), "a.csv")
	require.NoError(b, err)
	target := filepath.Join(b.TempDir(), "a.csv")
	commands := map[string][]string{
		"aws":   {"s3", "cp", "--quiet", "--endpoint-url", o.Endpoint, "s3://bench/a.csv", target},
		"s5cmd": {"--endpoint-url", o.Endpoint, "cp", "s3://bench/a.csv", target},
	}
	environment := append(os.Environ(), "AWS_ACCESS_KEY_ID="+accessKey, "AWS_SECRET_ACCESS_KEY="+secretKey, "AWS_REGION=us-east-1")
	took := map[string]time.Duration{}
	for b.Loop() {
		begin := time.Now()
		body, err := s.Open(b.Context(), f, 0)
		require.NoError(b, err)
		out, err := os.Create(target)
		require.NoError(b, err)
		n, err := io.Copy(out, body)
		require.NoError(b, err)
		require.EqualValues(b, size, n)
		require.NoError(b, out.Close())
		require.NoError(b, body.Close())
		took["driver"] += time.Since(begin)
		for name, arguments := range commands {
			program, err := exec.LookPath(name)
			if err != nil {
				b.Logf("%s is not installed: there is no comparison with it", name)
				continue
			}
			begin := time.Now()
			command := exec.Command(program, arguments...)
			command.Env = environment
			said, err := command.CombinedOutput()
			require.NoError(b, err, "%s", said)
			took[name] += time.Since(begin)
		}
	}
	for name, d := range took {
		b.ReportMetric(size*float64(b.N)/1e6/d.Seconds(), name+"-MB/s")
		if name != "driver" {
			b.ReportMetric(d.Seconds()/took["driver"].Seconds(), "ratio-to-"+name)
		}
	}
}

//go:build !release

package s3source

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"

	"prospector/internal/connect"
	"prospector/internal/source"
)

// The server has computed these itself; the test's client sends other ones at most.
func TestChecksums(t *testing.T) {
	content := random(100_000)
	for algorithm, want := range map[types.ChecksumAlgorithm]string{
		types.ChecksumAlgorithmCrc32: "crc32", types.ChecksumAlgorithmCrc32c: "crc32c", types.ChecksumAlgorithmCrc64nvme: "crc64nvme",
		types.ChecksumAlgorithmSha1: "sha1", types.ChecksumAlgorithmSha256: "sha256",
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			s := open(t, dropPoint(t))
			_, err := s.client.PutObject(t.Context(), &s3.PutObjectInput{
				Bucket: aws.String(s.options.Bucket), Key: aws.String("partners/acme/a.csv"), Body: bytes.NewReader(content), ChecksumAlgorithm: algorithm,
			})
			require.NoError(t, err)
			f, err := s.Stat(t.Context(), "a.csv")
			require.NoError(t, err)
			hash, ok := source.NewChecksum(want)
			require.True(t, ok)
			_, err = hash.Write(content)
			require.NoError(t, err)
			require.Equal(t, want+":"+hex.EncodeToString(hash.Sum(nil)), f.Checksum)
			require.NotContains(t, f.Version(), want)
		})
	}
}

// An object of parts, whose ETag is no MD5 and whose checksum may be put together.
func TestChecksumOfParts(t *testing.T) {
	s := open(t, dropPoint(t))
	key := aws.String("partners/acme/a.csv")
	made, err := s.client.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{
		Bucket: aws.String(s.options.Bucket), Key: key, ChecksumAlgorithm: types.ChecksumAlgorithmSha256, ChecksumType: types.ChecksumTypeComposite,
	})
	require.NoError(t, err)
	var parts []types.CompletedPart
	for n := int32(1); n <= 2; n++ {
		part, err := s.client.UploadPart(t.Context(), &s3.UploadPartInput{
			Bucket: aws.String(s.options.Bucket), Key: key, UploadId: made.UploadId, PartNumber: aws.Int32(n), Body: bytes.NewReader(random(5 << 20)),
			ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
		})
		require.NoError(t, err)
		parts = append(parts, types.CompletedPart{PartNumber: aws.Int32(n), ETag: part.ETag, ChecksumSHA256: part.ChecksumSHA256})
	}
	_, err = s.client.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{
		Bucket: aws.String(s.options.Bucket), Key: key, UploadId: made.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	})
	require.NoError(t, err)
	f, err := s.Stat(t.Context(), "a.csv")
	require.NoError(t, err)
	require.Contains(t, f.ETag, "-2")
	require.Empty(t, f.Checksum)
}

// A Checksum that is wrong would refuse good files: an ETag counts only where it is surely an MD5.
func TestETagAsChecksum(t *testing.T) {
	sum := md5.Sum([]byte(digits))
	etag := hex.EncodeToString(sum[:])
	for name, test := range map[string]struct {
		head http.Header
		want string
	}{
		"plain":            {http.Header{"ETag": {`"` + etag + `"`}}, "md5:" + etag},
		"of parts":         {http.Header{"ETag": {`"` + etag + `-2"`}}, ""},
		"opaque":           {http.Header{"ETag": {`"v1"`}}, ""},
		"another length":   {http.Header{"ETag": {`"` + etag + `00"`}}, ""},
		"KMS":              {http.Header{"ETag": {`"` + etag + `"`}, "X-Amz-Server-Side-Encryption": {"aws:kms"}}, ""},
		"customer's key":   {http.Header{"ETag": {`"` + etag + `"`}, "X-Amz-Server-Side-Encryption-Customer-Algorithm": {"AES256"}}, ""},
		"not AWS's AES":    {http.Header{"ETag": {`"` + etag + `"`}, "X-Amz-Server-Side-Encryption": {"AES256"}}, ""},
		"directory bucket": {http.Header{"ETag": {`"` + etag + `"`}, "X-Amz-Storage-Class": {"EXPRESS_ONEZONE"}}, ""},
		"composite checksum": {http.Header{"ETag": {`"` + etag + `-2"`}, "X-Amz-Checksum-Type": {"COMPOSITE"},
			"X-Amz-Checksum-Sha256": {"ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=-2"}}, ""},
		"a type that nobody knows": {http.Header{"ETag": {`"v1"`}, "X-Amz-Checksum-Crc32": {"y/Q5Jg=="}}, ""},
		"full object": {http.Header{"ETag": {`"` + etag + `-2"`}, "X-Amz-Checksum-Type": {"FULL_OBJECT"},
			"X-Amz-Checksum-Crc32": {"y/Q5Jg=="}}, "crc32:cbf43926"},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := faulty(t, []byte(digits), func(_ int64, w http.ResponseWriter, r *http.Request) bool {
				require.Equal(t, "ENABLED", r.Header.Get("X-Amz-Checksum-Mode"))
				w.Header().Del("ETag")
				for name, values := range test.head {
					w.Header().Set(name, values[0])
				}
				return false
			})
			f, err := s.Stat(t.Context(), "a.csv")
			require.NoError(t, err)
			require.Equal(t, test.want, f.Checksum)
		})
	}
	s := &Source{options: connect.S3Options{Bucket: "leads"}}
	require.True(t, s.etagIsMD5(&s3.HeadObjectOutput{ServerSideEncryption: types.ServerSideEncryptionAes256}), "AWS's own keys")
	s.options.Bucket = "leads--use1-az4--x-s3"
	require.False(t, s.etagIsMD5(&s3.HeadObjectOutput{}))
}

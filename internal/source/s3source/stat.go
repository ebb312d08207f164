package s3source

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"prospector/internal/connect"
	"prospector/internal/source"
)

// Stat implements source.Source.
func (s *Source) Stat(ctx context.Context, filePath string) (source.File, error) {
	object, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket:       aws.String(s.options.Bucket),
		Key:          aws.String(s.options.KeyPrefix() + filePath),
		ChecksumMode: types.ChecksumModeEnabled,
	})
	if err != nil {
		return source.File{}, connect.S3Error("look at "+s.options.URL(filePath), s.reason(ctx, filePath, err))
	}
	f := file(filePath, object.ContentLength, object.LastModified, object.ETag)
	f.Checksum = s.checksum(object)
	return f, nil
}

// reason asks once more where HEAD is answered by a bare 400, whose answer has no body to say why: an
// expired session token looks like that.
func (s *Source) reason(ctx context.Context, filePath string, err error) error {
	var answer *smithyhttp.ResponseError
	if !errors.As(err, &answer) || answer.HTTPStatusCode() != http.StatusBadRequest {
		return err
	}
	object, told := s.client.GetObject(ctx, &s3.GetObjectInput{
		Bucket: aws.String(s.options.Bucket),
		Key:    aws.String(s.options.KeyPrefix() + filePath),
		Range:  aws.String("bytes=0-0"),
	})
	if told != nil {
		return told
	}
	_ = object.Body.Close() // of no use
	return err
}

// checksum is the server's of the whole object, or empty. One that is put together from those of parts
// cannot be compared with a file's.
func (s *Source) checksum(object *s3.HeadObjectOutput) string {
	if object.ChecksumType == types.ChecksumTypeFullObject {
		for _, known := range []struct {
			algorithm string
			value     *string
		}{
			{"crc64nvme", object.ChecksumCRC64NVME}, {"sha256", object.ChecksumSHA256}, {"sha512", object.ChecksumSHA512}, {"crc32c", object.ChecksumCRC32C},
			{"crc32", object.ChecksumCRC32}, {"sha1", object.ChecksumSHA1}, {"md5", object.ChecksumMD5},
		} {
			if sum, err := base64.StdEncoding.DecodeString(aws.ToString(known.value)); err == nil && len(sum) > 0 {
				return known.algorithm + ":" + hex.EncodeToString(sum)
			}
		}
	}
	etag := strings.Trim(aws.ToString(object.ETag), `"`)
	if sum, err := hex.DecodeString(etag); err == nil && len(sum) == 16 && s.etagIsMD5(object) {
		return "md5:" + strings.ToLower(etag)
	}
	return ""
}

// etagIsMD5 is sure about objects that are not encrypted, and at AWS about those that are with S3's own
// keys. Directory buckets have random ETags.
func (s *Source) etagIsMD5(object *s3.HeadObjectOutput) bool {
	encrypted := object.ServerSideEncryption != ""
	if s.options.Endpoint == "" && object.ServerSideEncryption == types.ServerSideEncryptionAes256 {
		encrypted = false
	}
	return !encrypted && object.SSECustomerAlgorithm == nil && object.SSEKMSKeyId == nil &&
		object.StorageClass != types.StorageClassExpressOnezone && !strings.HasSuffix(s.options.Bucket, "--x-s3")
}

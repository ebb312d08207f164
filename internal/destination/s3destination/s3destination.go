// Package s3destination puts audience files into a folder of an S3 bucket. An object appears whole
// or not at all: files go in parts, small ones in a single one, that the last request joins. Until then nothing
// is there, whatever is under way or tried again. The parts of an upload that failed stay behind, unseen,
// until Discard aborts it, or the bucket's lifecycle rule for incomplete uploads.
package s3destination

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/manager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"prospector/internal/connect"
	"prospector/internal/destination"
	"prospector/internal/errkind"
)

const (
	partSize    = 8 << 20 // up to it a file is one part; larger for files of more than 10,000 parts
	concurrency = 4       // parts on their way at the same time, each in memory
	readBuffer  = 1 << 20
)

// Destination is a folder of an S3 bucket.
type Destination struct {
	options connect.S3Options
	client  *s3.Client
	stall   time.Duration
}

var _ destination.Destination = (*Destination)(nil)

// New opens a destination. Its first call shows whether the bucket can be used.
func New(ctx context.Context, options connect.S3Options) (*Destination, error) {
	client, err := connect.S3(ctx, options)
	if err != nil {
		return nil, err
	}
	return &Destination{options: options, client: client, stall: connect.StallLimit}, nil
}

// Close implements destination.Destination. Idle connections close by themselves.
func (d *Destination) Close() error { return nil }

// Put implements destination.Destination.
func (d *Destination) Put(ctx context.Context, key string, body io.ReadSeeker, size int64, hooks destination.Hooks) error {
	op := "put " + d.options.URL(key)
	if _, err := body.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("%s: read the file: %w", op, err)
	}
	ctx, transfer := watch(ctx, d.stall, hooks)
	defer transfer.end()
	exact := &exactBody{body: body, size: size}
	input := &s3.PutObjectInput{
		Bucket: aws.String(d.options.Bucket),
		Key:    aws.String(d.options.KeyPrefix() + key),
		Body:   exact,
	}
	client := uploadClient{d.client, func(id string) error { return transfer.begins(d.unfinished(key, id)) }}
	var err error
	if size <= partSize {
		err = client.putOnePart(ctx, input, size, transfer.count)
	} else {
		//nolint:staticcheck // its successor, transfermanager, is not stable yet (v0)
		_, err = manager.NewUploader(client, func(u *manager.Uploader) {
			u.LeavePartsOnError = true // Discard takes them away
			u.PartSize = partSize
			u.Concurrency = concurrency
			u.ClientOptions = append(u.ClientOptions, transfer.count)
		}).Upload(ctx, input)
	}
	switch {
	case err == nil:
		return nil
	case transfer.refused != nil:
		return fmt.Errorf("%s: %w", op, transfer.refused)
	case exact.failed != nil: // not the server's fault
		return fmt.Errorf("%s: read the file: %w", op, exact.failed)
	case errors.Is(context.Cause(ctx), errStalled):
		return connect.S3Error(op, connect.Stalled(d.stall))
	}
	return connect.S3Error(op, err)
}

// unfinished is an upload as it is told, with the server's own id.
func (d *Destination) unfinished(key, id string) destination.Unfinished {
	at := "upload " + id + " of " + d.options.URL(key)
	if d.options.Endpoint != "" {
		at += " at " + d.options.Endpoint
	}
	return destination.Unfinished{Key: key, ID: id, At: at}
}

// Discard implements destination.Destination.
func (d *Destination) Discard(ctx context.Context, u destination.Unfinished) (found bool, err error) {
	op := "abort " + u.At
	_, err = d.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
		Bucket: aws.String(d.options.Bucket), Key: aws.String(d.options.KeyPrefix() + u.Key), UploadId: aws.String(u.ID),
	})
	var gone *types.NoSuchUpload
	if err == nil || !errors.As(err, &gone) {
		return err == nil, connect.S3Error(op, err)
	}
	if now := d.unfinished(u.Key, u.ID).At; now != u.At {
		return false, errkind.New(errkind.Conflict, op, fmt.Errorf("the destination has moved: there is no %s", now), "abort it by hand")
	}
	return false, nil // its parts were joined, or it was aborted before
}

// ReadBack implements destination.Destination.
func (d *Destination) ReadBack(ctx context.Context, key string, progress func(read int64)) (destination.Receipt, error) {
	op := "read back " + d.options.URL(key)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	object, err := d.client.GetObject(ctx, &s3.GetObjectInput{
		Bucket: aws.String(d.options.Bucket),
		Key:    aws.String(d.options.KeyPrefix() + key),
	})
	if err != nil {
		return destination.Receipt{}, connect.S3Error(op, err)
	}
	body := connect.StallReader(object.Body, d.stall, cancel)
	defer body.Close()
	sum, size, buffer := sha256.New(), int64(0), make([]byte, readBuffer)
	for {
		n, err := body.Read(buffer)
		sum.Write(buffer[:n])
		size += int64(n)
		if n > 0 && progress != nil {
			progress(size)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return destination.Receipt{}, connect.S3Error(op, err)
		}
	}
	if want := aws.ToInt64(object.ContentLength); size != want {
		return destination.Receipt{}, errkind.New(errkind.Transient, op, fmt.Errorf("the connection ended %d bytes early", want-size), "it is tried again")
	}
	return destination.Receipt{Key: key, Size: size, SHA256: hex.EncodeToString(sum.Sum(nil))}, nil
}

// putOnePart is what the uploader does, for a file that is small.
func (c uploadClient) putOnePart(ctx context.Context, input *s3.PutObjectInput, size int64, options func(*s3.Options)) error {
	begun, err := c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: input.Bucket, Key: input.Key, ChecksumAlgorithm: types.ChecksumAlgorithmCrc32}, options)
	if err != nil {
		return err
	}
	part, err := c.UploadPart(ctx, &s3.UploadPartInput{Bucket: input.Bucket, Key: input.Key, UploadId: begun.UploadId, PartNumber: aws.Int32(1),
		Body: input.Body, ContentLength: aws.Int64(size), ChecksumAlgorithm: types.ChecksumAlgorithmCrc32}, options)
	if err == nil {
		parts := []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32}}
		_, err = c.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: input.Bucket, Key: input.Key, UploadId: begun.UploadId,
			MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}}, options)
	}
	return err
}

// uploadClient tells of an upload before its first part is sent.
type uploadClient struct {
	*s3.Client
	begins func(id string) error
}

func (c uploadClient) CreateMultipartUpload(ctx context.Context, input *s3.CreateMultipartUploadInput, options ...func(*s3.Options)) (*s3.CreateMultipartUploadOutput, error) {
	begun, err := c.Client.CreateMultipartUpload(ctx, input, options...)
	if err == nil {
		err = c.begins(aws.ToString(begun.UploadId))
	}
	return begun, err
}

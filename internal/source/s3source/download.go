package s3source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"prospector/internal/connect"
	"prospector/internal/errkind"
	"prospector/internal/source"
	"prospector/internal/source/ranged"
)

// A part costs a round trip and a request that is paid for; four fill most lines.
var reading = ranged.Options{PartSize: 8 << 20, Parallel: 4}

// Open implements source.Source.
func (s *Source) Open(ctx context.Context, f source.File, offset int64) (io.ReadCloser, error) {
	op := "read " + s.options.URL(f.Path)
	if offset < 0 || offset > f.Size {
		return nil, errkind.New(errkind.Internal, op, fmt.Errorf("offset %d is not within %d bytes", offset, f.Size), "")
	}
	if offset == f.Size { // a range of no bytes cannot be asked for
		return s.nothingLeft(ctx, op, f)
	}
	options := s.reading
	options.Op = op
	r, err := ranged.Open(ctx, offset, f.Size, options, func(ctx context.Context, _ int, offset int64, into []byte, arrived func(int)) error {
		return s.fetch(ctx, op, f, offset, into, arrived)
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// nothingLeft is a reader without bytes, of a file that is still the version f describes.
func (s *Source) nothingLeft(ctx context.Context, op string, f source.File) (io.ReadCloser, error) {
	now, err := s.Stat(ctx, f.Path)
	if err != nil {
		return nil, err
	}
	if !same(f, now) {
		return nil, changed(op)
	}
	return io.NopCloser(strings.NewReader("")), nil
}

// fetch is a ranged.Fetch: one request.
func (s *Source) fetch(ctx context.Context, op string, f source.File, offset int64, into []byte, arrived func(int)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(s.stall, func() { cancel(connect.Stalled(s.stall)) })
	object, err := s.client.GetObject(ctx, s.request(f, offset, int64(len(into))))
	if !silence.Stop() && err != nil {
		return connect.S3Error(op, connect.Stalled(s.stall))
	}
	if err != nil {
		return connect.S3Error(op, err)
	}
	body := connect.StallReader(object.Body, s.stall, func() { cancel(nil) })
	defer func() { _ = body.Close() }() // only read
	if err := answers(op, f, offset, int64(len(into)), object); err != nil {
		return err
	}
	arrived(0)
	for n := 0; ; {
		read, err := body.Read(into[n:])
		n += read
		arrived(n)
		switch {
		case err == nil && n == len(into):
			return endsHere(op, body)
		case err == nil:
		case !errors.Is(err, io.EOF):
			return connect.S3Error(op, err)
		case n < len(into):
			return errkind.New(errkind.Transient, op, fmt.Errorf("the connection ended %d bytes early", len(into)-n), "open the rest of the file")
		default:
			return nil
		}
	}
}

// request asks for a stretch of a version. A whole file is asked for without a range: the SDK then
// checks its checksum.
func (s *Source) request(f source.File, offset, size int64) *s3.GetObjectInput {
	input := &s3.GetObjectInput{
		Bucket: aws.String(s.options.Bucket),
		Key:    aws.String(s.options.KeyPrefix() + f.Path),
	}
	if f.ETag != "" {
		input.IfMatch = aws.String(strconv.Quote(f.ETag))
	}
	if size < f.Size {
		input.Range = aws.String(fmt.Sprintf("bytes=%d-%d", offset, offset+size-1))
	}
	return input
}

// answers checks that an answer is the stretch of the version that was asked for. That goes beyond
// If-Match: a server may ignore it, or have no ETags.
func answers(op string, f source.File, offset, size int64, object *s3.GetObjectOutput) error {
	total := aws.ToInt64(object.ContentLength)
	if size < f.Size {
		var first, last int64
		n, err := fmt.Sscanf(aws.ToString(object.ContentRange), "bytes %d-%d/%d", &first, &last, &total)
		if n < 3 || err != nil {
			return errkind.New(errkind.Invalid, op, errors.New("the server does not answer with the range that was asked for"), "check that the endpoint is an S3 server")
		}
		if total == f.Size && (first != offset || last != offset+size-1) {
			return errkind.New(errkind.Transient, op, errors.New("the server answers with another range than was asked for"), "it is tried again")
		}
	}
	if !same(f, file(f.Path, &total, object.LastModified, object.ETag)) {
		return changed(op)
	}
	return nil
}

// endsHere reads the end of an answer, where the SDK says whether the checksum is right.
func endsHere(op string, body io.Reader) error {
	switch n, err := body.Read(make([]byte, 1)); {
	case n > 0:
		return errkind.New(errkind.Transient, op, errors.New("the server sends more than was asked for"), "it is tried again")
	case err != nil && !errors.Is(err, io.EOF):
		return connect.S3Error(op, err)
	}
	return nil
}

func same(a, b source.File) bool { return a.Size == b.Size && a.Version() == b.Version() }

func changed(op string) error {
	return errkind.New(errkind.Conflict, op, errors.New("the file has changed since it was listed"), "list again and take the new version")
}

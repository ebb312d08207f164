// Package s3source reads drop points in S3: everything below a prefix of a bucket. A version is an
// ETag, and every read asks for it, so that a file that is replaced in the middle of a download
// fails instead of mixing. A cut download is not taken up here: the caller opens the rest.
package s3source

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"prospector/internal/connect"
	"prospector/internal/errkind"
	"prospector/internal/source"
)

// The SDK's streams are five times slower when they are read in io.Copy's 32 KiB.
const readBuffer = 1 << 20

// Source is a drop point in S3.
type Source struct {
	options connect.S3Options
	client  *s3.Client
	stall   time.Duration
}

var _ source.Source = (*Source)(nil)

// New opens a drop point. Its first call shows whether the bucket can be used.
func New(ctx context.Context, options connect.S3Options) (*Source, error) {
	client, err := connect.S3(ctx, options)
	if err != nil {
		return nil, err
	}
	if options.StallLimit == 0 {
		options.StallLimit = connect.StallLimit
	}
	return &Source{options: options, client: client, stall: options.StallLimit}, nil
}

// Close implements source.Source. Idle connections close by themselves.
func (s *Source) Close() error { return nil }

// List implements source.Source.
func (s *Source) List(ctx context.Context, pattern string) ([]source.File, error) {
	folder := s.options.KeyPrefix()
	pages := s3.NewListObjectsV2Paginator(s.client, &s3.ListObjectsV2Input{
		Bucket: aws.String(s.options.Bucket),
		Prefix: aws.String(folder + literal(pattern)),
		// XML cannot hold every character that a key can: one such key would spoil the listing.
		EncodingType: types.EncodingTypeUrl,
	})
	var files []source.File
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, connect.S3Error("list "+s.options.URL(pattern), err)
		}
		for _, object := range page.Contents {
			key := aws.ToString(object.Key)
			if page.EncodingType == types.EncodingTypeUrl {
				if key, err = url.QueryUnescape(key); err != nil {
					return nil, errkind.New(errkind.Transient, "list "+s.options.URL(pattern), err, "the server's answer is broken")
				}
			}
			filePath := strings.TrimPrefix(key, folder)
			if filePath == "" || source.Ignored(filePath, nil) || !source.Match(pattern, filePath) {
				continue
			}
			files = append(files, file(filePath, object.Size, object.LastModified, object.ETag))
		}
	}
	slices.SortFunc(files, func(a, b source.File) int { return cmp.Compare(a.Path, b.Path) })
	return files, nil
}

// Stat implements source.Source.
func (s *Source) Stat(ctx context.Context, filePath string) (source.File, error) {
	object, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: aws.String(s.options.Bucket),
		Key:    aws.String(s.options.KeyPrefix() + filePath),
	})
	if err != nil {
		return source.File{}, connect.S3Error("look at "+s.options.URL(filePath), err)
	}
	return file(filePath, object.ContentLength, object.LastModified, object.ETag), nil
}

// Open implements source.Source.
func (s *Source) Open(ctx context.Context, f source.File, offset int64) (io.ReadCloser, error) {
	op := "read " + s.options.URL(f.Path)
	if offset < 0 || offset > f.Size {
		return nil, errkind.New(errkind.Internal, op, fmt.Errorf("offset %d is not within %d bytes", offset, f.Size), "")
	}
	if offset == f.Size { // a range of no bytes cannot be asked for
		return s.nothingLeft(ctx, op, f)
	}
	input := &s3.GetObjectInput{
		Bucket: aws.String(s.options.Bucket),
		Key:    aws.String(s.options.KeyPrefix() + f.Path),
	}
	if f.ETag != "" {
		input.IfMatch = aws.String(strconv.Quote(f.ETag))
	}
	if offset > 0 { // without a range, the SDK checks the object's checksum
		input.Range = aws.String(fmt.Sprintf("bytes=%d-", offset))
	}
	// The context outlives this call: it is the body's, too.
	ctx, cancel := context.WithCancel(ctx)
	object, err := s.client.GetObject(ctx, input)
	if err != nil {
		cancel()
		return nil, connect.S3Error(op, err)
	}
	body := connect.StallReader(object.Body, s.stall, cancel)
	r := &reader{ctx: ctx, op: op, body: body, buffered: bufio.NewReaderSize(body, readBuffer), left: f.Size - offset, cancel: cancel}
	if now := file(f.Path, aws.Int64(offset+aws.ToInt64(object.ContentLength)), object.LastModified, object.ETag); !same(f, now) {
		r.Close()
		return nil, changed(op)
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

// same goes beyond If-Match: a server may ignore it, or have no ETags.
func same(a, b source.File) bool { return a.Size == b.Size && a.Version() == b.Version() }

func changed(op string) error {
	return errkind.New(errkind.Conflict, op, errors.New("the file has changed since it was listed"), "list again and take the new version")
}

// reader gives exactly the bytes that are left of the version, or an error.
type reader struct {
	ctx      context.Context // of the caller: what has arrived already is not handed over after its end
	op       string
	body     io.Closer
	buffered io.Reader
	left     int64
	cancel   context.CancelFunc
}

func (r *reader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, fmt.Errorf("%s: %w", r.op, context.Cause(r.ctx))
	}
	n, err := r.buffered.Read(p)
	r.left -= int64(n)
	switch {
	case err == nil:
	case !errors.Is(err, io.EOF):
		err = connect.S3Error(r.op, err)
	case r.left != 0:
		err = errkind.New(errkind.Transient, r.op, fmt.Errorf("the connection ended %d bytes early", r.left), "open the rest of the file")
	}
	return n, err
}

func (r *reader) Close() error {
	r.cancel()
	return r.body.Close()
}

// file describes an object. Listings date it to the millisecond, all other answers to the second.
func file(filePath string, size *int64, modified *time.Time, etag *string) source.File {
	return source.File{
		Path:     filePath,
		Size:     aws.ToInt64(size),
		Modified: aws.ToTime(modified).UTC().Truncate(time.Second),
		ETag:     strings.Trim(aws.ToString(etag), `"`),
	}
}

// literal is what every path that matches pattern begins with.
func literal(pattern string) string {
	if i := strings.IndexAny(pattern, `*?[\`); i >= 0 {
		// "**" stands for no segment, too: a/** matches a.
		if before, ok := strings.CutSuffix(pattern[:i], "/"); ok && strings.HasPrefix(pattern[i:], "**") {
			return before
		}
		return pattern[:i]
	}
	return pattern
}

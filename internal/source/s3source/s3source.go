// Package s3source reads drop points in S3: everything below a prefix of a bucket. A version is an
// ETag, and every request asks for it, so that a file that is replaced in the middle of a download
// fails instead of mixing. Large files are read as parts, several at a time; a cut part is taken up
// where it stopped.
package s3source

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"prospector/internal/connect"
	"prospector/internal/errkind"
	"prospector/internal/source"
	"prospector/internal/source/ranged"
)

// Source is a drop point in S3.
type Source struct {
	options connect.S3Options
	client  *s3.Client
	stall   time.Duration
	reading ranged.Options
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
	return &Source{options: options, client: client, stall: options.StallLimit, reading: reading}, nil
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

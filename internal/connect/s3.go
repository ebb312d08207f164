package connect

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"prospector/internal/errkind"
)

const (
	s3Attempts        = 3 // of one request; activities try again beyond that
	s3DialTimeout     = 10 * time.Second
	s3ResponseTimeout = time.Minute // from the request's last byte to the answer's first
	s3DefaultRegion   = "us-east-1" // what servers other than AWS sign with
)

// S3Options says where a bucket is and how to sign in.
type S3Options struct {
	Endpoint     string // empty = AWS
	Region       string // empty = the SDK's default chain; us-east-1 with an Endpoint
	Bucket       string
	Prefix       string // the folder in the bucket, with or without slashes around it
	AccessKey    string // empty, like SecretKey = the SDK's default credential chain
	SecretKey    string
	SessionToken string
	StallLimit   time.Duration // StallLimit unless said
	PathStyle    bool          // the bucket in the path, not in the host name; most servers other than AWS need it

	Role S3Role // assumed with the credentials above; none without an ARN
}

// KeyPrefix is what every key of the folder begins with: empty or ending in a slash.
func (o S3Options) KeyPrefix() string {
	prefix := strings.Trim(o.Prefix, "/")
	if prefix == "" {
		return ""
	}
	return prefix + "/"
}

// URL names the bucket, or a key below the folder, for messages.
func (o S3Options) URL(key string) string { return "s3://" + o.Bucket + "/" + o.KeyPrefix() + key }

// String leaves the keys out: options may end up in a message.
func (o S3Options) String() string { return o.URL("") }

// S3 opens a client. It calls no S3 server: the first request shows whether the options are right.
func S3(ctx context.Context, o S3Options) (*s3.Client, error) {
	op := "connect to " + o.URL("")
	switch {
	case o.Bucket == "":
		return nil, errkind.New(errkind.Invalid, "connect to S3", errors.New("no bucket is given"), "set bucket")
	case o.AccessKey != "" && o.SecretKey == "":
		return nil, errkind.New(errkind.Denied, op, errors.New("an access key without a secret key"), "set both, or neither for the default credentials")
	case o.AccessKey == "" && o.SecretKey != "":
		return nil, errkind.New(errkind.Denied, op, errors.New("a secret key without an access key"), "set both, or neither for the default credentials")
	}
	for _, endpoint := range []string{o.Endpoint, o.Role.Endpoint} {
		if endpoint == "" {
			continue
		}
		if u, err := url.Parse(endpoint); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			return nil, errkind.New(errkind.Invalid, op, errors.New("the endpoint is not an address"), "write it as https://host or http://host:port")
		}
	}
	load := []func(*config.LoadOptions) error{
		config.WithRetryMaxAttempts(s3Attempts),
		config.WithRequestChecksumCalculation(aws.RequestChecksumCalculationWhenSupported),
		config.WithResponseChecksumValidation(aws.ResponseChecksumValidationWhenSupported),
		config.WithHTTPClient(awshttp.NewBuildableClient().
			WithDialerOptions(func(d *net.Dialer) { d.Timeout = s3DialTimeout }).
			WithTransportOptions(func(t *http.Transport) { t.ResponseHeaderTimeout = s3ResponseTimeout })),
	}
	if o.Region != "" {
		load = append(load, config.WithRegion(o.Region))
	}
	if o.AccessKey != "" {
		load = append(load, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(o.AccessKey, o.SecretKey, o.SessionToken)))
	}
	c, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return nil, errkind.New(errkind.Invalid, op, err, "correct the AWS configuration of this environment")
	}
	if c.Region == "" && o.Endpoint != "" {
		c.Region = s3DefaultRegion
	}
	if c.Region == "" {
		return nil, errkind.New(errkind.Invalid, op, errors.New("no region is given"), "set region or AWS_REGION")
	}
	if c.Credentials != nil {
		c.Credentials = aws.NewCredentialsCache(classified{c.Credentials, setKeys})
	}
	if o.Role.ARN != "" {
		c.Credentials = o.Role.assume(c)
	}
	return s3.NewFromConfig(c, func(s *s3.Options) {
		s.HTTPClient = stallClient{s.HTTPClient, cmp.Or(o.StallLimit, StallLimit)}
		if o.Endpoint != "" {
			s.BaseEndpoint = aws.String(o.Endpoint)
		}
		s.UsePathStyle = o.PathStyle
		s.DisableLogOutputChecksumValidationSkipped = true // said of every object without a checksum
	}), nil
}

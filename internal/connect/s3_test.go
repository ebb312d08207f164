package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/require"

	"prospector/internal/errkind"
)

const secret = "not-a-secret"

// noAWS takes away what the SDK would find on this machine.
func noAWS(t *testing.T) {
	t.Helper()
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION",
		"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"} {
		t.Setenv(name, "")
		os.Unsetenv(name)
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(t.TempDir(), "config"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "credentials"))
}

// list asks a server that answers with handler.
func list(t *testing.T, handler http.HandlerFunc) error {
	t.Helper()
	web := httptest.NewServer(handler)
	defer web.Close()
	return listAt(t.Context(), t, S3Options{Endpoint: web.URL, Bucket: "leads", AccessKey: "test", SecretKey: secret, PathStyle: true})
}

func listAt(ctx context.Context, t *testing.T, o S3Options) error {
	t.Helper()
	client, err := S3(t.Context(), o)
	require.NoError(t, err)
	return listBy(ctx, client, o)
}

func listBy(ctx context.Context, client *s3.Client, o S3Options) error {
	_, err := client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String(o.Bucket)})
	return S3Error("list "+o.URL(""), err)
}

func requireKind(t *testing.T, kind errkind.Kind, err error) {
	t.Helper()
	var known *errkind.Error
	require.ErrorAs(t, err, &known)
	require.Equal(t, kind, known.Kind, "%v", err)
	require.NotContains(t, err.Error(), secret)
}

func TestS3ErrorCodes(t *testing.T) {
	for _, test := range []struct {
		status int
		code   string
		kind   errkind.Kind
		text   string
	}{
		{403, "AccessDenied", errkind.Denied, "allow this access key"},
		{403, "InvalidAccessKeyId", errkind.Denied, "check the access key and the secret key"},
		{403, "SignatureDoesNotMatch", errkind.Denied, "check the access key and the secret key"},
		{400, "ExpiredToken", errkind.Denied, "renew the session token"},
		{403, "RequestTimeTooSkewed", errkind.Denied, "clock"},
		{403, "", errkind.Denied, "check the access key"},
		{404, "NoSuchBucket", errkind.Missing, "create the bucket or correct its name in the workspace"},
		{404, "NoSuchKey", errkind.Missing, "check the bucket, the prefix and the file's name"},
		{404, "", errkind.Missing, "check the bucket, the prefix and the file's name"},
		{412, "PreconditionFailed", errkind.Conflict, "list again"},
		{301, "PermanentRedirect", errkind.Invalid, "set the region"},
		{400, "AuthorizationHeaderMalformed", errkind.Invalid, "set the region"},
		{400, "InvalidArgument", errkind.Invalid, "check the endpoint"},
		{409, "OperationAborted", errkind.Transient, "tried again"},
		{503, "SlowDown", errkind.Transient, "is busy or broken"},
		{500, "InternalError", errkind.Transient, "the server http://127.0.0.1:"},
	} {
		t.Run(fmt.Sprint(test.status, " ", test.code), func(t *testing.T) {
			t.Parallel()
			err := list(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(test.status)
				if test.code != "" {
					_, _ = io.WriteString(w, "<Error><Code>"+test.code+"</Code><Message>Said by the server.</Message></Error>")
				}
			})
			requireKind(t, test.kind, err)
			require.ErrorContains(t, err, test.text)
			require.ErrorContains(t, err, "list s3://leads/: ")
		})
	}
}

func TestS3Network(t *testing.T) {
	t.Run("nobody listens", func(t *testing.T) {
		t.Parallel()
		web := httptest.NewServer(nil)
		web.Close()
		err := listAt(t.Context(), t, S3Options{Endpoint: web.URL, Bucket: "leads", AccessKey: "test", SecretKey: secret, PathStyle: true})
		requireKind(t, errkind.Transient, err)
		require.ErrorContains(t, err, "connection refused; check that the endpoint "+web.URL+" is right")
	})
	t.Run("no such host", func(t *testing.T) {
		t.Parallel()
		err := listAt(t.Context(), t, S3Options{Endpoint: "http://s3.invalid:9", Bucket: "leads", AccessKey: "test", SecretKey: secret, PathStyle: true})
		requireKind(t, errkind.Transient, err)
		require.ErrorContains(t, err, "check that the endpoint http://s3.invalid:9 is right")
	})
	t.Run("an untrusted certificate", func(t *testing.T) {
		t.Parallel()
		web := httptest.NewUnstartedServer(nil)
		web.Config.ErrorLog = log.New(io.Discard, "", 0)
		web.StartTLS()
		defer web.Close()
		err := listAt(t.Context(), t, S3Options{Endpoint: web.URL, Bucket: "leads", AccessKey: "test", SecretKey: secret, PathStyle: true})
		requireKind(t, errkind.Denied, err)
		require.ErrorContains(t, err, "AWS_CA_BUNDLE")
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := listAt(ctx, t, S3Options{Endpoint: "http://127.0.0.1:9", Bucket: "leads", AccessKey: "test", SecretKey: secret, PathStyle: true})
		require.ErrorIs(t, err, context.Canceled)
		var known *errkind.Error
		require.NotErrorAs(t, err, &known)
	})
}

func TestS3Options(t *testing.T) {
	noAWS(t)
	for name, test := range map[string]struct {
		options S3Options
		kind    errkind.Kind
		text    string
	}{
		"no bucket":        {S3Options{Region: "eu-west-1"}, errkind.Invalid, "set bucket"},
		"no region":        {S3Options{Bucket: "leads"}, errkind.Invalid, "set region"},
		"half of the keys": {S3Options{Bucket: "leads", Region: "eu-west-1", AccessKey: "test"}, errkind.Denied, "set both"},
		"the other half":   {S3Options{Bucket: "leads", Region: "eu-west-1", SecretKey: secret}, errkind.Denied, "set both"},
		"no scheme":        {S3Options{Bucket: "leads", Endpoint: "s3.example.com:9000"}, errkind.Invalid, "https://host"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := S3(t.Context(), test.options)
			requireKind(t, test.kind, err)
			require.ErrorContains(t, err, test.text)
		})
	}
	t.Run("no credentials", func(t *testing.T) {
		err := listAt(t.Context(), t, S3Options{Endpoint: "http://127.0.0.1:9", Bucket: "leads", PathStyle: true})
		requireKind(t, errkind.Denied, err)
		require.ErrorContains(t, err, "set the access key and the secret key")
	})
	t.Run("names", func(t *testing.T) {
		o := S3Options{Bucket: "leads", Prefix: "/in/acme/", SecretKey: secret}
		require.Equal(t, "in/acme/", o.KeyPrefix())
		require.Equal(t, "s3://leads/in/acme/a.csv", o.URL("a.csv"))
		require.Equal(t, "s3://leads/", S3Options{Bucket: "leads"}.URL(""))
		require.NotContains(t, fmt.Sprintf("%v %+v", o, o), secret)
	})
}

func TestCredentialsFromAService(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		kind errkind.Kind
	}{
		"down":      {&url.Error{Op: "Post", URL: "https://sts.example.com", Err: errors.New("connection refused")}, errkind.Transient},
		"broken":    {answered(503), errkind.Transient},
		"refuses":   {answered(403), errkind.Denied},
		"not there": {fmt.Errorf("no EC2 IMDS role found, %w", &url.Error{Op: "Get", URL: "http://169.254.169.254", Err: errors.New("no route to host")}), errkind.Denied},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := classified{aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{}, fmt.Errorf("operation error: %w", test.err)
			}), setKeys}.Retrieve(t.Context())
			requireKind(t, test.kind, err)
		})
	}
}

func answered(status int) error {
	return &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}}, Err: errors.New("said by the service")}
}

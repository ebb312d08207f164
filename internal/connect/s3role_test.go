package connect

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/errkind"
)

// issuer is a service that lets test assume a role, and counts how often. The credentials are good for
// a time.
func issuer(t *testing.T, good time.Duration, asked *url.Values) (string, *atomic.Int64) {
	t.Helper()
	var issued atomic.Int64
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		*asked, _ = url.ParseQuery(string(body))
		if !strings.Contains(r.Header.Get("Authorization"), "Credential=test/") || asked.Get("RoleArn") != "arn:aws:iam::123456789012:role/leads" {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>Not authorized to assume it.</Message></Error></ErrorResponse>")
			return
		}
		n := issued.Add(1)
		_, _ = fmt.Fprintf(w, `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ROLE%d</AccessKeyId><SecretAccessKey>s</SecretAccessKey>`+
			`<SessionToken>token%d</SessionToken><Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
			n, n, time.Now().Add(good).UTC().Format(time.RFC3339))
	}))
	t.Cleanup(web.Close)
	return web.URL, &issued
}

func TestS3Role(t *testing.T) {
	noAWS(t)
	var asked url.Values
	var signed http.Header
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signed = r.Header
		_, _ = io.WriteString(w, "<ListBucketResult/>")
	}))
	t.Cleanup(web.Close)
	sts, issued := issuer(t, time.Hour, &asked)
	o := S3Options{Endpoint: web.URL, Region: "eu-west-1", Bucket: "leads", AccessKey: "test", SecretKey: secret, PathStyle: true,
		Role: S3Role{ARN: "arn:aws:iam::123456789012:role/leads", ExternalID: "acme", Endpoint: sts}}
	client, err := S3(t.Context(), o)
	require.NoError(t, err)
	require.Zero(t, issued.Load(), "opening calls nobody")
	for range 2 {
		require.NoError(t, listBy(t.Context(), client, o))
	}
	require.EqualValues(t, 1, issued.Load())
	require.Equal(t, "acme", asked.Get("ExternalId"))
	require.Equal(t, "prospector", asked.Get("RoleSessionName"))
	require.Contains(t, signed.Get("Authorization"), "Credential=ROLE1/")
	require.Equal(t, "token1", signed.Get("X-Amz-Security-Token"))

	o.Role.SessionName = "nightly"
	require.NoError(t, listAt(t.Context(), t, o))
	require.Equal(t, "nightly", asked.Get("RoleSessionName"))

	o.Role.ARN = "arn:aws:iam::123456789012:role/other"
	err = listAt(t.Context(), t, o)
	requireKind(t, errkind.Denied, err)
	require.ErrorContains(t, err, "let these credentials assume the role")

	o.AccessKey, o.SecretKey = "", ""
	err = listAt(t.Context(), t, o)
	requireKind(t, errkind.Denied, err)
	require.ErrorContains(t, err, "set the access key and the secret key")

	o.Role.Endpoint = "sts.example.com"
	_, err = S3(t.Context(), o)
	requireKind(t, errkind.Invalid, err)
}

// Credentials that are about to expire are replaced without anybody's doing.
func TestS3RoleIsRenewed(t *testing.T) {
	noAWS(t)
	var asked url.Values
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<ListBucketResult/>") }))
	t.Cleanup(web.Close)
	sts, issued := issuer(t, expiryWindow/2, &asked)
	o := S3Options{Endpoint: web.URL, Bucket: "leads", AccessKey: "test", SecretKey: secret, PathStyle: true,
		Role: S3Role{ARN: "arn:aws:iam::123456789012:role/leads", Endpoint: sts}}
	client, err := S3(t.Context(), o)
	require.NoError(t, err)
	for range 3 {
		require.NoError(t, listBy(t.Context(), client, o))
	}
	require.EqualValues(t, 3, issued.Load())
}

func TestS3RoleIssuerDown(t *testing.T) {
	noAWS(t)
	down := httptest.NewServer(nil)
	down.Close()
	client, err := S3(t.Context(), S3Options{Endpoint: "http://127.0.0.1:9", Bucket: "leads", AccessKey: "test", SecretKey: secret, PathStyle: true,
		Role: S3Role{ARN: "arn:aws:iam::123456789012:role/leads", Endpoint: down.URL}})
	require.NoError(t, err)
	_, err = client.Options().Credentials.Retrieve(t.Context())
	requireKind(t, errkind.Transient, err)
	require.ErrorContains(t, err, "the service that issues them cannot be reached")
}

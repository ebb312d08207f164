package connect

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"prospector/internal/errkind"
)

// s3Code is what an S3 error code means: who can fix it, and how.
type s3Code struct {
	kind errkind.Kind
	hint string
}

const (
	checkKeys   = "check the access key and the secret key"
	checkBucket = "create the bucket or correct its name in the workspace"
	checkName   = "check the bucket, the prefix and the file's name"
	checkRegion = "set the region in which the bucket is"
	renewToken  = "renew the session token and start the run again; a role in place of keys renews itself"
	checkClock  = "set this machine's clock"
	checkCA     = "give this environment the server's certificate authority (AWS_CA_BUNDLE) or correct the endpoint"
	tryAgain    = "it is tried again"
)

var s3Codes = map[string]s3Code{
	"AccessDenied":          {errkind.Denied, "allow this access key to list, read and write the bucket and its prefix"},
	"AccountProblem":        {errkind.Denied, "ask the owner of the account"},
	"AllAccessDisabled":     {errkind.Denied, "ask the owner of the bucket"},
	"InvalidAccessKeyId":    {errkind.Denied, checkKeys},
	"XAdminUserNotFound":    {errkind.Denied, checkKeys}, // versitygw's InvalidAccessKeyId
	"SignatureDoesNotMatch": {errkind.Denied, checkKeys},
	"ExpiredToken":          {errkind.Denied, renewToken},
	"InvalidToken":          {errkind.Denied, "check the session token"},
	"TokenRefreshRequired":  {errkind.Denied, renewToken},
	"RequestTimeTooSkewed":  {errkind.Denied, checkClock},

	"NoSuchBucket":       {errkind.Missing, checkBucket},
	"NoSuchKey":          {errkind.Missing, checkName},
	"PreconditionFailed": {errkind.Conflict, "the object is not the version that was asked for; list again"},
	"InvalidRange":       {errkind.Conflict, "the object is shorter than the version that was asked for; list again"},

	"PermanentRedirect":                  {errkind.Invalid, checkRegion},
	"AuthorizationHeaderMalformed":       {errkind.Invalid, checkRegion},
	"IllegalLocationConstraintException": {errkind.Invalid, checkRegion},
	"InvalidBucketName":                  {errkind.Invalid, "correct the bucket's name in the workspace"},
	"KeyTooLongError":                    {errkind.Invalid, "shorten the prefix or the file's name"},
	"InvalidObjectState":                 {errkind.Invalid, "restore the object from its archive"},
	"EntityTooLarge":                     {errkind.Invalid, "split the file into smaller parts"},

	"RequestTimeout":             {errkind.Transient, tryAgain},
	"IncompleteBody":             {errkind.Transient, tryAgain},
	"BadDigest":                  {errkind.Transient, tryAgain},
	"XAmzContentSHA256Mismatch":  {errkind.Transient, tryAgain},
	"NoSuchUpload":               {errkind.Transient, tryAgain}, // its parts were joined, and the answer was lost
	"OperationAborted":           {errkind.Transient, tryAgain},
	"ConditionalRequestConflict": {errkind.Transient, tryAgain},
}

// S3Error gives an error of the SDK its kind and a short text; the SDK's own stays in the chain.
// op says what was attempted and on which object. A cancellation keeps its meaning.
func S3Error(op string, err error) error {
	var known *errkind.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%s: %w", op, err)
	case errors.As(err, &known):
		return errkind.New(known.Kind, op, known, "")
	}
	var answer *smithyhttp.ResponseError
	status := 0
	if errors.As(err, &answer) {
		status = answer.HTTPStatusCode()
	}
	var api smithy.APIError
	code := ""
	if errors.As(err, &api) {
		code = api.ErrorCode()
	}
	known = classify(code, status)
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.As(err, &untrusted):
		known = &errkind.Error{Kind: errkind.Denied, Hint: checkCA}
	case strings.Contains(err.Error(), "checksum did not match"): // the library has no type for it
		known.Hint = "the bytes were damaged on their way; " + tryAgain
	case known.Hint == "" && known.Kind == errkind.Transient && status == 0:
		known.Hint = "check that the endpoint" + endpoint(err) + " is right and can be reached from here"
	case known.Hint == "" && known.Kind == errkind.Transient:
		known.Hint = "the server" + endpoint(err) + " is busy or broken; " + tryAgain
	}
	known.Op, known.Err = op, &s3Failure{text: describe(err, code, status, api), cause: err}
	return known
}

// classify goes by the code, and by the status where an answer has none that is known: an answer
// to HEAD has no body to say more.
func classify(code string, status int) *errkind.Error {
	if c, ok := s3Codes[code]; ok {
		return &errkind.Error{Kind: c.kind, Hint: c.hint}
	}
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return &errkind.Error{Kind: errkind.Denied, Hint: checkKeys + ", and that they may use the bucket"}
	case status == http.StatusNotFound:
		return &errkind.Error{Kind: errkind.Missing, Hint: checkName}
	case status == http.StatusPreconditionFailed, status == http.StatusRequestedRangeNotSatisfiable:
		c := s3Codes["PreconditionFailed"]
		return &errkind.Error{Kind: c.kind, Hint: c.hint}
	case status >= 300 && status < 400:
		return &errkind.Error{Kind: errkind.Invalid, Hint: checkRegion}
	case status == http.StatusConflict:
		return &errkind.Error{Kind: errkind.Conflict}
	case status == http.StatusBadRequest, status == http.StatusMethodNotAllowed, status == http.StatusNotImplemented:
		return &errkind.Error{Kind: errkind.Invalid, Hint: "check the endpoint, the region and the bucket"}
	}
	return &errkind.Error{Kind: errkind.Transient}
}

// endpoint names the host that was called, if the error knows it.
func endpoint(err error) string {
	var request *url.Error
	if errors.As(err, &request) {
		if called, bad := url.Parse(request.URL); bad == nil {
			return " " + called.Scheme + "://" + called.Host
		}
	}
	var answer *smithyhttp.ResponseError
	if errors.As(err, &answer) && answer.Response != nil && answer.Response.Response != nil && answer.Response.Request != nil {
		called := answer.Response.Request.URL
		return " " + called.Scheme + "://" + called.Host
	}
	return ""
}

// describe leaves the SDK's layers out: they repeat the operation and the number of attempts.
func describe(err error, code string, status int, api smithy.APIError) string {
	var request *url.Error
	switch {
	case api != nil && api.ErrorMessage() != "" && api.ErrorMessage() != code:
		return fmt.Sprintf("%s: %s (status %d)", code, strings.TrimRight(api.ErrorMessage(), "."), status)
	case api != nil:
		return fmt.Sprintf("%s (status %d)", code, status)
	case errors.As(err, &request):
		return request.Err.Error()
	}
	return err.Error()
}

type s3Failure struct {
	text  string
	cause error
}

func (f *s3Failure) Error() string { return f.text }
func (f *s3Failure) Unwrap() error { return f.cause }

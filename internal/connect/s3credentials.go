package connect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"prospector/internal/errkind"
)

// expiryWindow is how long before their end credentials are renewed: a request that is under way should
// not meet it.
const expiryWindow = time.Minute

const (
	defaultSessionName = "prospector"
	setKeys            = "set the access key and the secret key, or give this environment AWS credentials"
	allowRole          = "let these credentials assume the role: check its ARN, its trust policy and the external ID"
)

// S3Role is a role of AWS that is assumed to use a bucket. Its credentials are temporary, and renewed
// before they expire.
type S3Role struct {
	ARN         string
	ExternalID  string // that the role's owner asks for; may be empty
	SessionName string // in the owner's logs; prospector unless said
	Endpoint    string // of the service that issues the credentials; empty = AWS
}

// assume returns the role's credentials, which are asked for with those of c.
func (r S3Role) assume(c aws.Config) aws.CredentialsProvider {
	service := sts.NewFromConfig(c, func(s *sts.Options) {
		if r.Endpoint != "" {
			s.BaseEndpoint = aws.String(r.Endpoint)
		}
	})
	role := stscreds.NewAssumeRoleProvider(service, r.ARN, func(a *stscreds.AssumeRoleOptions) {
		a.RoleSessionName = cmp.Or(r.SessionName, defaultSessionName)
		if r.ExternalID != "" {
			a.ExternalID = aws.String(r.ExternalID)
		}
	})
	return aws.NewCredentialsCache(classified{role, allowRole}, func(o *aws.CredentialsCacheOptions) {
		o.ExpiryWindow = expiryWindow
	})
}

// classified makes failing credentials recognisable among the errors of a request.
type classified struct {
	aws.CredentialsProvider
	hint string // when they are refused
}

func (p classified) Retrieve(ctx context.Context) (aws.Credentials, error) {
	found, err := p.CredentialsProvider.Retrieve(ctx)
	var known *errkind.Error
	switch {
	case err == nil:
		return found, nil
	case ctx.Err() != nil:
		return aws.Credentials{}, fmt.Errorf("find S3 credentials: %w", err)
	case errors.As(err, &known): // of the credentials that were to assume a role
		return aws.Credentials{}, known
	case issuerDown(err):
		return aws.Credentials{}, errkind.New(errkind.Transient, "find S3 credentials", err, "the service that issues them cannot be reached; "+tryAgain)
	}
	return aws.Credentials{}, errkind.New(errkind.Denied, "find S3 credentials", err, p.hint)
}

// issuerDown reports whether credentials are set up, but their issuer does not answer. The chain
// ends at the metadata service, which answers nowhere but on AWS: that is no set-up.
func issuerDown(err error) bool {
	var answer *smithyhttp.ResponseError
	if errors.As(err, &answer) && answer.HTTPStatusCode() != 0 {
		return answer.HTTPStatusCode() >= 500
	}
	var request *url.Error
	return errors.As(err, &request) && !strings.Contains(err.Error(), "no EC2 IMDS role found")
}

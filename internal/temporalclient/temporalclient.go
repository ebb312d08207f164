// Package temporalclient connects commands to a Temporal service. Where and how comes from Temporal's
// own client profile, its TEMPORAL_* environment variables and flags, the later ones over the
// earlier, so that what works with Temporal's command line works here. It links the client only.
package temporalclient

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	sdklog "go.temporal.io/sdk/log"

	"prospector/internal/errkind"
)

// Settings are what flags say. Empty ones leave what the profile and the environment say.
type Settings struct {
	Profile       string
	Address       string // host:port
	Namespace     string
	APIKeyFile    string
	TLS           bool
	TLSCert       string
	TLSKey        string
	TLSCA         string
	TLSServerName string
}

// AddFlags adds the flags of the settings to a command.
func (s *Settings) AddFlags(flags *pflag.FlagSet) {
	flags.StringVar(&s.Profile, "profile", "", "profile of Temporal's configuration file (environment TEMPORAL_PROFILE)")
	flags.StringVar(&s.Address, "address", "", "host:port of Temporal (environment TEMPORAL_ADDRESS; localhost:7233 unless said)")
	flags.StringVar(&s.Namespace, "namespace", "", `Temporal namespace (environment TEMPORAL_NAMESPACE; "default" unless said)`)
	flags.StringVar(&s.APIKeyFile, "api-key-file", "", "file with the API key (or environment TEMPORAL_API_KEY)")
	flags.BoolVar(&s.TLS, "tls", false, "connect with TLS (environment TEMPORAL_TLS)")
	flags.StringVar(&s.TLSCert, "tls-cert", "", "client certificate, PEM file")
	flags.StringVar(&s.TLSKey, "tls-key", "", "key of the client certificate, PEM file")
	flags.StringVar(&s.TLSCA, "tls-ca", "", "certificate authority of the server, PEM file")
	flags.StringVar(&s.TLSServerName, "tls-server-name", "", "name that the server's certificate must carry")
}

// Client is a connection, with what it is connected to.
type Client struct {
	client.Client
	Address   string
	Namespace string
}

const dialTimeout = 10 * time.Second

// Dial connects. Transient when no Temporal answers, Denied when it refuses us, Invalid for settings
// that cannot be used.
func Dial(ctx context.Context, s Settings, log *slog.Logger) (*Client, error) {
	options, err := s.options()
	if err != nil {
		return nil, errkind.New(errkind.Invalid, "temporal settings", err, "correct the flag, the TEMPORAL_* variable or the profile")
	}
	options.Logger = sdklog.NewStructuredLogger(log)
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	c, err := client.DialContext(ctx, options)
	if err != nil {
		return nil, dialFailure(options.HostPort, err)
	}
	return &Client{Client: c, Address: options.HostPort, Namespace: options.Namespace}, nil
}

func dialFailure(address string, err error) error {
	var denied *serviceerror.PermissionDenied
	if errors.As(err, &denied) || strings.Contains(err.Error(), "Unauthenticated") {
		return errkind.New(errkind.Denied, "temporal at "+address, err, "check the API key or the client certificate")
	}
	return errkind.New(errkind.Transient, "", fmt.Errorf("no Temporal answers at %s: %w", address, err),
		"start one with `go run ./worker dev`, or say where it is with --address or TEMPORAL_ADDRESS")
}

func (s Settings) options() (client.Options, error) {
	profile, err := envconfig.LoadClientConfigProfile(envconfig.LoadClientConfigProfileOptions{ConfigFileProfile: s.Profile})
	if err != nil {
		return client.Options{}, err
	}
	override(&profile.Address, s.Address)
	override(&profile.Namespace, s.Namespace)
	if profile.Address == "" {
		profile.Address = client.DefaultHostPort
	}
	if profile.Namespace == "" {
		profile.Namespace = client.DefaultNamespace
	}
	if s.APIKeyFile != "" {
		key, err := os.ReadFile(s.APIKeyFile)
		if err != nil {
			return client.Options{}, fmt.Errorf("--api-key-file: %w", err)
		}
		profile.APIKey = strings.TrimSpace(string(key))
	}
	if s.TLS || s.TLSCert != "" || s.TLSKey != "" || s.TLSCA != "" || s.TLSServerName != "" {
		if profile.TLS == nil {
			profile.TLS = &envconfig.ClientConfigTLS{}
		}
		profile.TLS.Disabled = false
		override(&profile.TLS.ClientCertPath, s.TLSCert)
		override(&profile.TLS.ClientKeyPath, s.TLSKey)
		override(&profile.TLS.ServerCACertPath, s.TLSCA)
		override(&profile.TLS.ServerName, s.TLSServerName)
	}
	return profile.ToClientOptions(envconfig.ToClientOptionsRequest{})
}

func override(value *string, flag string) {
	if flag != "" {
		*value = flag
	}
}

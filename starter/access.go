package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"prospector/internal/api"
)

func newAccess(s *shared) *cobra.Command {
	c := newReads(s, "access", "Tokens for the worker's access file, and whom the worker takes you for", "Make tokens for the worker's access file, and see whom the worker takes you for.", newAccessWhoami)
	c.AddCommand(newAccessToken())
	return c
}

func newAccessWhoami(r *reads) *cobra.Command {
	return &cobra.Command{
		Use:   "whoami",
		Short: "Show whom the worker takes you for, and what you may do",
		Long: fmt.Sprintf(`Show whom the worker takes you for by the token in %s, or without one by that of the data directory, and what
you may do. With a token of an OpenID Connect issuer this signs you in: the runs that you start in the next hours, which carry
no token, may do what your groups may. Each command that starts runs does that by itself.`, api.TokenVariable),
		Args: arguments(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := r.connect()
			if err != nil {
				return err
			}
			who, err := client.SignIn(c.Context())
			return r.show(who, err, func() error {
				fmt.Println("principal:  ", printable(who.Principal))
				fmt.Println("permissions:", strings.Join(who.Permissions, ", "))
				fmt.Println("labels:     ", strings.Join(who.Labels, ", "))
				if who.Until != nil {
					fmt.Println("until:      ", localTime(*who.Until))
				}
				return nil
			})
		},
	}
}

func newAccessToken() *cobra.Command {
	return &cobra.Command{
		Use:   "token",
		Short: "Make a new token, and its digest for the worker's access file",
		Long: fmt.Sprintf(`Make a new token, and its digest for the worker's access file. The token is for the person: who has it in %s reads
from the worker at %s with what the person's roles give. Nothing is stored.`, api.TokenVariable, api.AddressVariable),
		Args: arguments(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			secret := make([]byte, 32)
			_, _ = rand.Read(secret) // never fails
			token := base64.RawURLEncoding.EncodeToString(secret)
			sum := sha256.Sum256([]byte(token))
			fmt.Printf("token:       %s\ntokenSHA256: %s\n", token, hex.EncodeToString(sum[:]))
			return nil
		},
	}
}

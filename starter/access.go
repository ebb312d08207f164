package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"

	"github.com/spf13/cobra"

	"prospector/internal/api"
)

func newAccess() *cobra.Command {
	c := &cobra.Command{
		Use:   "access",
		Short: "Tokens for the worker's access file",
		Args:  arguments(cobra.NoArgs),
		RunE:  help,
	}
	c.AddCommand(newAccessToken())
	return c
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

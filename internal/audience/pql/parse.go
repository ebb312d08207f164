// Package pql is being written.
package pql

import (
	"errors"

	"prospector/internal/audience/expression"
)

// Parse reads.
func Parse(string) (*expression.Node, error) { return nil, errors.New("not yet") }

// Print writes.
func Print(*expression.Node) (string, error) { return "", errors.New("not yet") }

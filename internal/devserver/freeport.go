//go:build !release

// Package devserver runs on one machine, for development and tests, what a deployment takes from
// elsewhere. Everything listens on 127.0.0.1 only. None of it is part of a release binary.
package devserver

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// FreePort returns preferred if it can be bound on 127.0.0.1, else a port that is free. The port
// is not held: between the answer and its use another process may take it.
func FreePort(preferred int) (int, error) {
	listener, err := Listen(preferred)
	if err != nil {
		listener, err = Listen(0)
	}
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// Ports that no system hands out for outgoing connections: such a connection could take a port between two steps of ours.
const (
	lowest  = 15_000
	highest = 32_000
)

// Listen binds a port of 127.0.0.1, any free one for 0.
func Listen(port int) (net.Listener, error) {
	for range 100 {
		if port != 0 {
			break
		}
		candidate := lowest + rand.IntN(highest-lowest) //nolint:gosec // any will do
		if listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(candidate))); err == nil {
			return listener, nil
		}
	}
	return net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
}

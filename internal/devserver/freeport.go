//go:build !release

// Package devserver runs on one machine, for development and tests, what a deployment takes from
// elsewhere. Everything listens on 127.0.0.1 only. None of it is part of a release binary.
package devserver

import (
	"fmt"
	"net"
	"strconv"
)

// FreePort returns preferred if it can be bound on 127.0.0.1, else a port that is free. The port
// is not held: between the answer and its use another process may take it.
func FreePort(preferred int) (int, error) {
	listener, err := listen(preferred)
	if err != nil {
		listener, err = listen(0)
	}
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

func listen(port int) (net.Listener, error) {
	return net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
}

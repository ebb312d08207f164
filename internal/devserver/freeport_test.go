//go:build !release

package devserver

import (
	"fmt"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFreePort(t *testing.T) {
	port, err := FreePort(0)
	require.NoError(t, err)
	require.NotZero(t, port)

	same, err := FreePort(port)
	require.NoError(t, err)
	require.Equal(t, port, same)

	taken, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	require.NoError(t, err)
	defer taken.Close()
	other, err := FreePort(port)
	require.NoError(t, err)
	require.NotEqual(t, port, other)
	require.NotZero(t, other)
}

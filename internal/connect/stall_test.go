package connect

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/errkind"
)

func TestStallReader(t *testing.T) {
	in, out := io.Pipe()
	go func() { _, _ = io.WriteString(out, "first") }() // and no more
	r := StallReader(in, 20*time.Millisecond, func() { out.CloseWithError(errors.New("cut")) })
	content, err := io.ReadAll(r)
	require.Equal(t, "first", string(content))
	require.Equal(t, errkind.Transient, errkind.Of(err))
	require.ErrorContains(t, err, "no byte has moved for 20ms")

	healthy := StallReader(io.NopCloser(strings.NewReader("all")), time.Hour, func() { t.Error("cut") })
	content, err = io.ReadAll(healthy)
	require.NoError(t, err)
	require.Equal(t, "all", string(content))

	broken := StallReader(io.NopCloser(io.MultiReader(strings.NewReader("some"), failing{})), time.Hour, func() { t.Error("cut") })
	_, err = io.ReadAll(broken)
	require.ErrorIs(t, err, errBroken)
}

// A slow caller is not a stalled server.
func TestStallReaderWaitsForItsCaller(t *testing.T) {
	r := StallReader(io.NopCloser(strings.NewReader("all")), time.Millisecond, func() {})
	time.Sleep(20 * time.Millisecond)
	content, err := io.ReadAll(r)
	require.NoError(t, err)
	require.Equal(t, "all", string(content))
}

var errBroken = errors.New("broken")

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errBroken }

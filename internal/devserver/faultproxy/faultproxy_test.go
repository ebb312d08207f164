//go:build !release

package faultproxy

import (
	"bytes"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// echo is a server that sends back what it gets, and a proxy before it.
func echo(t *testing.T) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
	p, err := Start(t.Context(), listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(p.Stop)
	return p
}

func dial(t *testing.T, p *Proxy) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", p.Address())
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(30*time.Second)))
	return c.(*net.TCPConn)
}

// ask sends content and returns as much as comes back.
func ask(t *testing.T, c net.Conn, content []byte) ([]byte, error) {
	t.Helper()
	go func() { _, _ = c.Write(content) }()
	answer := make([]byte, len(content))
	n, err := io.ReadFull(c, answer)
	return answer[:n], err
}

func requireAnswer(t *testing.T, c net.Conn) {
	t.Helper()
	content := bytes.Repeat([]byte("0123456789"), 30_000)
	answer, err := ask(t, c, content)
	require.NoError(t, err)
	require.True(t, bytes.Equal(content, answer))
}

func TestForwards(t *testing.T) {
	p := echo(t)
	c, other := dial(t, p), dial(t, p)
	requireAnswer(t, c)
	requireAnswer(t, other)
	require.Equal(t, 2, p.Open())
	require.Equal(t, 2, p.Total())

	require.NoError(t, c.CloseWrite(), "a half-closed connection still brings the answer")
	rest, err := io.ReadAll(c)
	require.NoError(t, err)
	require.Empty(t, rest)
	c.Close()
	require.Eventually(t, func() bool { return p.Open() == 1 }, 30*time.Second, time.Millisecond)
	require.Equal(t, 2, p.Total())
}

func TestCutAfter(t *testing.T) {
	for _, direction := range []Direction{Up, Down} {
		p := echo(t)
		c := dial(t, p)
		p.CutAfter(direction, 100_001, Fin)
		answer, err := ask(t, c, make([]byte, 300_000))
		if direction == Down {
			require.ErrorIs(t, err, io.ErrUnexpectedEOF, "a clean end")
			require.Len(t, answer, 100_001)
		}
		require.Error(t, err)

		c = dial(t, p)
		p.CutAfter(direction, 100_001, Reset)
		answer, err = ask(t, c, make([]byte, 300_000))
		require.ErrorIs(t, err, syscall.ECONNRESET)
		require.LessOrEqual(t, len(answer), 100_001)
		requireAnswer(t, dial(t, p)) // one cut only
	}
}

func TestCutEvery(t *testing.T) {
	p := echo(t)
	p.CutEvery(Down, 50_000, Fin)
	for range 3 {
		answer, err := ask(t, dial(t, p), make([]byte, 300_000))
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.Len(t, answer, 50_000)
	}
	require.Equal(t, 3, p.Cuts())
	p.CutEvery(Down, 0, Fin)
	requireAnswer(t, dial(t, p))
}

func TestCutAll(t *testing.T) {
	p := echo(t)
	first, second := dial(t, p), dial(t, p)
	requireAnswer(t, first)
	requireAnswer(t, second)
	p.CutAll(Reset)
	for _, c := range []net.Conn{first, second} {
		_, err := c.Read(make([]byte, 1))
		require.ErrorIs(t, err, syscall.ECONNRESET)
	}
	requireAnswer(t, dial(t, p))
}

func TestStall(t *testing.T) {
	p := echo(t)
	c := dial(t, p)
	requireAnswer(t, c)
	p.Stall()
	_, err := c.Write([]byte("x"))
	require.NoError(t, err)
	require.NoError(t, c.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
	_, err = c.Read(make([]byte, 1))
	var timeout net.Error
	require.ErrorAs(t, err, &timeout)
	require.True(t, timeout.Timeout())

	p.Resume()
	require.NoError(t, c.SetReadDeadline(time.Now().Add(30*time.Second)))
	n, err := c.Read(make([]byte, 10))
	require.NoError(t, err)
	require.Equal(t, 1, n, "nothing is lost")

	p.Stall()
	_, err = c.Write([]byte("x"))
	require.NoError(t, err) // Stop does not wait for Resume
}

func TestRefuse(t *testing.T) {
	p := echo(t)
	p.Refuse(true)
	if c, err := net.Dial("tcp", p.Address()); err == nil { // else the reset was there first
		_, err = ask(t, c, []byte("x"))
		require.Error(t, err)
		c.Close()
	}
	p.Refuse(false)
	requireAnswer(t, dial(t, p))
	require.Equal(t, 2, p.Total())
}

func TestRedirect(t *testing.T) {
	p, other := echo(t), echo(t)
	p.Redirect(other.Address())
	requireAnswer(t, dial(t, p))
	require.Equal(t, 1, other.Total())
}

// Were each piece to wait for the one before it, all of them would take longer than the connection's
// deadline.
func TestLatencyIsPipelined(t *testing.T) {
	p := echo(t)
	p.Latency(200 * time.Millisecond)
	c := dial(t, p)
	begin := time.Now()
	content := make([]byte, 400*chunkSize)
	answer, err := ask(t, c, content)
	require.NoError(t, err)
	require.Len(t, answer, len(content))
	require.GreaterOrEqual(t, time.Since(begin), 400*time.Millisecond, "a byte is never early")
}

//go:build !release

package objectstore

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"prospector/internal/errkind"
)

// stopTimeout is how long a child may take to end when it is asked to.
const stopTimeout = 10 * time.Second

var errPortTaken = errors.New("another process listens there")

// What the child says on its standard output, once, on one line.
const (
	saysReady     = "ready"
	saysPortTaken = "port taken"
	saysFailed    = "failed: "
)

// child is a server's process.
type child struct {
	command  *exec.Cmd
	stdin    io.Closer // its end is the child's sign to stop
	stopping atomic.Bool
	once     sync.Once
	done     chan struct{} // closed when the process is gone
}

// startChild starts the process and returns when its server answers. When it fails, nothing runs.
func startChild(ctx context.Context, command []string, s settings) (*child, error) {
	variable, err := s.variable()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", opStart, err)
	}
	c := &child{command: exec.Command(command[0], command[1:]...), done: make(chan struct{})}
	c.command.Env = append(os.Environ(), variable)
	c.command.Stderr = os.Stderr
	ownGroup(c.command) // Ctrl-C is for the parent, which stops things in order
	if c.stdin, err = c.command.StdinPipe(); err != nil {
		return nil, fmt.Errorf("%s: %w", opStart, err)
	}
	stdout, err := c.command.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", opStart, err)
	}
	if err := c.command.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", opStart, err)
	}
	said := make(chan string, 1)
	go func() {
		lines := bufio.NewReader(stdout)
		line, _ := lines.ReadString('\n')
		said <- strings.TrimSpace(line)
		_, _ = io.Copy(io.Discard, lines)
		_ = c.command.Wait() // its state says more
		close(c.done)
	}()
	if err := c.ready(ctx, said); err != nil {
		c.stop()
		return nil, err
	}
	return c, nil
}

func (c *child) ready(ctx context.Context, said <-chan string) error {
	timeout := time.NewTimer(startTimeout)
	defer timeout.Stop()
	select {
	case line := <-said:
		if why, failed := strings.CutPrefix(line, saysFailed); failed {
			return fmt.Errorf("%s: %s", opStart, why)
		}
		switch line {
		case saysReady:
			return nil
		case saysPortTaken:
			return errPortTaken
		case "":
			c.stop()
			return errkind.New(errkind.Internal, opStart, fmt.Errorf("its process ended before it was ready: %s", c.command.ProcessState),
				"see its message on standard error")
		}
		return errkind.New(errkind.Internal, opStart, fmt.Errorf("%s does not serve objects", c.command.Path), "start it with a command that calls ServeUntilEOF")
	case <-timeout.C:
		return errkind.New(errkind.Transient, opStart, fmt.Errorf("it is not ready after %s", startTimeout), "")
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", opStart, context.Cause(ctx))
	}
}

// stop asks the process to end, and kills it if it does not.
func (c *child) stop() {
	c.once.Do(func() {
		c.stopping.Store(true)
		c.stdin.Close()
		select {
		case <-c.done:
		case <-time.After(stopTimeout):
			_ = c.command.Process.Kill()
		}
	})
	<-c.done
}

// ended says why the process ended without being asked to.
func (c *child) ended() error {
	select {
	case <-c.done:
	default:
		return nil
	}
	if c.stopping.Load() {
		return nil
	}
	return errkind.New(errkind.Internal, "object store", fmt.Errorf("its process ended by itself: %s", c.command.ProcessState),
		"see its message on standard error and start it again")
}

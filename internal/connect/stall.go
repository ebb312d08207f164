package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"prospector/internal/errkind"
)

// StallLimit is how long a transfer may stand still before it fails.
const StallLimit = time.Minute

// Stalled is the error of a transfer that stood still for limit.
func Stalled(limit time.Duration) error {
	return errkind.New(errkind.Transient, "", fmt.Errorf("no byte has moved for %s", limit),
		"check the network between here and the server; it is tried again")
}

// StallReader reads body and calls cut, which must make a pending read fail, once a read has
// waited for limit without a byte. The time between reads does not count: the caller may be slow.
func StallReader(body io.ReadCloser, limit time.Duration, cut func()) io.ReadCloser {
	return &stallReader{ReadCloser: body, limit: limit, cut: cut}
}

// stallClient cuts the answers of an HTTP client whose bodies stand still: listings and errors have bodies, too.
type stallClient struct {
	client interface {
		Do(*http.Request) (*http.Response, error)
	}
	limit time.Duration
}

func (c stallClient) Do(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	answer, err := c.client.Do(r.WithContext(ctx))
	if err != nil {
		cancel()
		return answer, err
	}
	answer.Body = stallingBody{StallReader(answer.Body, c.limit, cancel), cancel}
	return answer, nil
}

// stallingBody ends the request's context with the body.
type stallingBody struct {
	io.ReadCloser
	end func()
}

func (b stallingBody) Close() error {
	defer b.end()
	return b.ReadCloser.Close()
}

type stallReader struct {
	io.ReadCloser
	limit   time.Duration
	cut     func()
	stalled atomic.Bool
}

func (r *stallReader) Read(p []byte) (int, error) {
	timer := time.AfterFunc(r.limit, func() {
		r.stalled.Store(true)
		r.cut()
	})
	n, err := r.ReadCloser.Read(p)
	timer.Stop()
	if err != nil && !errors.Is(err, io.EOF) && r.stalled.Load() {
		err = Stalled(r.limit)
	}
	return n, err
}

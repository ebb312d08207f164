package s3destination

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"prospector/internal/destination"
)

var errStalled = errors.New("no byte has moved")

// transfer watches the requests of one upload where they meet the network. Reading the body says
// little about progress: the SDK reads it for its checksums, and parts ahead of their turn.
type transfer struct {
	limit   time.Duration
	timer   *time.Timer
	cancel  context.CancelCauseFunc
	hooks   destination.Hooks
	refused error // by one of them

	mu   sync.Mutex // Sent is called with it held, so that its calls come in order
	sent int64
}

// watch returns the context for the requests of an upload. It ends with errStalled once no byte
// has moved for limit.
func watch(ctx context.Context, limit time.Duration, hooks destination.Hooks) (context.Context, *transfer) {
	ctx, cancel := context.WithCancelCause(ctx)
	t := &transfer{limit: limit, cancel: cancel, hooks: hooks}
	t.timer = time.AfterFunc(limit, func() { cancel(errStalled) })
	return ctx, t
}

func (t *transfer) end() {
	t.timer.Stop()
	t.cancel(nil)
}

// begins tells of the upload before it gets a byte.
func (t *transfer) begins(u destination.Unfinished) error {
	if t.hooks.Begin != nil {
		t.refused = t.hooks.Begin(u)
	}
	return t.refused
}

// mayAppear asks before the object appears. Who is asked may take as long as he needs: no byte moves then.
func (t *transfer) mayAppear() error {
	if t.hooks.Appear == nil {
		return nil
	}
	t.timer.Stop()
	defer t.timer.Reset(t.limit)
	if t.refused = t.hooks.Appear(); t.refused != nil {
		t.cancel(t.refused) // else the SDK might try again
	}
	return t.refused
}

// count makes the requests of one operation count what they send.
func (t *transfer) count(o *s3.Options) {
	o.HTTPClient = &countingClient{next: o.HTTPClient, transfer: t}
}

// moved notes n more bytes of the file on their way, or fewer when an attempt is undone.
func (t *transfer) moved(n int64) {
	t.timer.Reset(t.limit)
	if n == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sent += n
	if t.hooks.Sent != nil {
		t.hooks.Sent(t.sent)
	}
}

type countingClient struct {
	next     s3.HTTPClient
	transfer *transfer
}

// Do counts the bytes of the request while they are sent, and takes them back if it fails.
func (c *countingClient) Do(request *http.Request) (*http.Response, error) {
	body := &sentBody{ReadCloser: request.Body, transfer: c.transfer, left: content(request)}
	if request.Body != nil && request.Body != http.NoBody {
		request.Body, request.GetBody = body, nil
	}
	if request.Method == http.MethodPost && request.URL.Query().Has("uploadId") { // it joins the parts
		if err := c.transfer.mayAppear(); err != nil {
			return nil, err
		}
	}
	answer, err := c.next.Do(request)
	if err != nil || answer.StatusCode >= 300 {
		body.undo()
	}
	if err == nil {
		answer.Body = &receivedBody{ReadCloser: answer.Body, transfer: c.transfer}
	}
	return answer, err
}

// content is how many bytes of the file a request carries; the body may frame them. Requests that
// only name the parts carry none.
func content(request *http.Request) int64 {
	if request.Method != http.MethodPut {
		return 0
	}
	if decoded, err := strconv.ParseInt(request.Header.Get("X-Amz-Decoded-Content-Length"), 10, 64); err == nil {
		return decoded
	}
	return request.ContentLength
}

type sentBody struct {
	io.ReadCloser
	transfer *transfer

	mu     sync.Mutex // the transport may still read when the answer is there
	sent   int64
	left   int64
	undone bool
}

func (b *sentBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.mu.Lock()
	defer b.mu.Unlock()
	if n > 0 && !b.undone {
		counted := min(int64(n), b.left)
		b.sent += counted
		b.left -= counted
		b.transfer.moved(counted)
	}
	return n, err
}

func (b *sentBody) undo() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.undone = true
	b.transfer.moved(-b.sent)
}

// receivedBody: a server that is still joining parts answers with white space, which is life.
type receivedBody struct {
	io.ReadCloser
	transfer *transfer
}

func (b *receivedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.transfer.moved(0)
	return n, err
}

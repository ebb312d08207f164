//go:build !release

package temporalserver

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"

	serverlog "go.temporal.io/server/common/log"
	"go.temporal.io/server/common/log/tag"
)

// serverLogger passes the server's messages on to slog. Fatal and Panic only log: this process is
// not the server's to end.
type serverLogger struct {
	log   *slog.Logger
	level slog.Leveler
	fatal atomic.Pointer[string] // the first message that would have ended the process
	root  *serverLogger          // of a logger with tags; nil for the first one
}

var (
	_ serverlog.Logger      = (*serverLogger)(nil)
	_ serverlog.WithLogger  = (*serverLogger)(nil)
	_ serverlog.SLogWrapper = (*serverLogger)(nil)
)

func (l *serverLogger) write(level slog.Level, message string, tags []tag.Tag) {
	if level >= l.level.Level() {
		l.log.LogAttrs(context.Background(), level, message, attributes(tags)...)
	}
}

func (l *serverLogger) Debug(message string, tags ...tag.Tag) {
	l.write(slog.LevelDebug, message, tags)
}
func (l *serverLogger) Info(message string, tags ...tag.Tag) { l.write(slog.LevelInfo, message, tags) }
func (l *serverLogger) Warn(message string, tags ...tag.Tag) { l.write(slog.LevelWarn, message, tags) }
func (l *serverLogger) Error(message string, tags ...tag.Tag) {
	if starting(tags) {
		return
	}
	l.write(slog.LevelError, message, tags)
}

// starting reports whether a message is about a call that came before the server was up: clients, ours among them, call until
// it is.
func starting(tags []tag.Tag) bool {
	for _, a := range attributes(tags) {
		if a.Key == "error" && strings.Contains(a.Value.String(), "Frontend is not healthy yet") {
			return true
		}
	}
	return false
}

func (l *serverLogger) DPanic(message string, tags ...tag.Tag) { l.Fatal(message, tags...) }
func (l *serverLogger) Panic(message string, tags ...tag.Tag)  { l.Fatal(message, tags...) }

// Fatal logs and remembers the message. The server goes on, probably broken.
func (l *serverLogger) Fatal(message string, tags ...tag.Tag) {
	text := message
	for _, a := range attributes(tags) {
		if a.Key == "error" {
			text += ": " + a.Value.String()
		}
	}
	root := l
	if l.root != nil {
		root = l.root
	}
	root.fatal.CompareAndSwap(nil, &text)
	l.write(slog.LevelError, message, tags)
}

// With returns a logger that adds tags to each message.
func (l *serverLogger) With(tags ...tag.Tag) serverlog.Logger {
	root := l
	if l.root != nil {
		root = l.root
	}
	return &serverLogger{log: slog.New(l.log.Handler().WithAttrs(attributes(tags))), level: l.level, root: root}
}

// SLog is how the server's own use of slog finds this logger.
func (l *serverLogger) SLog() *slog.Logger { return l.slog() }

// slog returns a logger with the same level, for libraries that speak slog.
func (l *serverLogger) slog() *slog.Logger {
	return slog.New(leveled{Handler: l.log.Handler(), level: l.level})
}

// explain adds the message that would have ended the process, which is the cause of what follows.
func (l *serverLogger) explain(err error) error {
	if text := l.fatal.Load(); text != nil {
		return fmt.Errorf("%s: %w", *text, err)
	}
	return err
}

func attributes(tags []tag.Tag) []slog.Attr {
	out := make([]slog.Attr, len(tags))
	for i, t := range tags {
		out[i] = slog.Any(t.Key(), t.Value())
	}
	return out
}

// leveled is a handler that drops what is below its level.
type leveled struct {
	slog.Handler
	level slog.Leveler
}

func (h leveled) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= h.level.Level() && h.Handler.Enabled(ctx, level)
}

func (h leveled) WithAttrs(attrs []slog.Attr) slog.Handler {
	return leveled{Handler: h.Handler.WithAttrs(attrs), level: h.level}
}

func (h leveled) WithGroup(name string) slog.Handler {
	return leveled{Handler: h.Handler.WithGroup(name), level: h.level}
}

// Package destinationtest is the suite that every destination driver passes. It asks for what
// destination.Destination promises: whole files under their names or nothing, and a receipt that
// tells what is stored. What a server does when it fails each driver tests for itself.
package destinationtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/destination"
	"prospector/internal/errkind"
)

// Folder is a destination under test, seen from both sides.
type Folder struct {
	Destination destination.Destination
	Names       func(t *testing.T) []string // what is in the folder, relative to it
	Unfinished  func(t *testing.T) int      // how many uploads have left something that has not appeared
	Content     func(t *testing.T, key string) []byte
}

const (
	// hang is when a call counts as hanging. It is no measure of speed.
	hang = 30 * time.Second
	// A driver may send small and large files in different ways.
	small, large = 1_000, 20_000_000
)

// Run runs the suite. open gives a fresh, empty folder and registers its own clean-up.
func Run(t *testing.T, open func(t *testing.T) Folder) {
	for name, test := range map[string]func(*testing.T, Folder){
		"puts and reads back":               putAndReadBack,
		"putting twice is putting once":     twice,
		"replaces a file whole":             replaces,
		"an empty file":                     empty,
		"a large file, with progress":       progress,
		"a body that fails leaves nothing":  failingBody,
		"a body that ends early":            shortBody,
		"a cancelled put leaves nothing":    cancelled,
		"a put asks before it is seen":      asks,
		"what is left can be taken away":    discards,
		"a put that cannot begin":           unbegun,
		"keys with folders and odd letters": keys,
		"reading back what is not there":    absent,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func putAndReadBack(t *testing.T, f Folder) {
	content := random(small, 1)
	put(t, f, "audience.csv", content)
	requireStored(t, f, "audience.csv", content)
	requireNames(t, f, "audience.csv")
}

func twice(t *testing.T, f Folder) {
	content := random(small, 1)
	put(t, f, "audience.csv", content)
	put(t, f, "audience.csv", content)
	requireStored(t, f, "audience.csv", content)
	requireNames(t, f, "audience.csv")

	content = random(large, 1)
	put(t, f, "large.csv", content)
	put(t, f, "large.csv", content)
	requireStored(t, f, "large.csv", content)
	requireNames(t, f, "audience.csv", "large.csv")
}

func replaces(t *testing.T, f Folder) {
	for i, size := range []int{small, 3 * small, small / 2, large, small} {
		content := random(size, byte(i))
		put(t, f, "audience.csv", content)
		requireStored(t, f, "audience.csv", content)
	}
	requireNames(t, f, "audience.csv")
}

func empty(t *testing.T, f Folder) {
	var calls []int64
	err := f.Destination.Put(t.Context(), "empty.csv", bytes.NewReader(nil), 0, destination.Hooks{Sent: func(sent int64) { calls = append(calls, sent) }})
	require.NoError(t, err)
	for _, sent := range calls {
		require.Zero(t, sent)
	}
	requireStored(t, f, "empty.csv", nil)
	requireNames(t, f, "empty.csv")
}

func progress(t *testing.T, f Folder) {
	content := random(large, 1)
	var sent, read []int64
	require.NoError(t, f.Destination.Put(t.Context(), "large.csv", bytes.NewReader(content), large, destination.Hooks{Sent: func(n int64) { sent = append(sent, n) }}))
	requireProgress(t, sent)
	requireStored(t, f, "large.csv", content)
	_, err := f.Destination.ReadBack(t.Context(), "large.csv", func(n int64) { read = append(read, n) })
	require.NoError(t, err)
	requireProgress(t, read)
	requireNames(t, f, "large.csv")
}

func requireProgress(t *testing.T, calls []int64) {
	t.Helper()
	require.Greater(t, len(calls), 1, "progress within the file")
	require.True(t, slices.IsSorted(calls), "progress never goes back")
	require.EqualValues(t, large, calls[len(calls)-1])
}

func failingBody(t *testing.T, f Folder) {
	broken := errors.New("broken disk")
	fail := func(size int, key string) {
		t.Helper()
		half := func(position int64) error {
			if position >= int64(size/2) {
				return broken
			}
			return nil
		}
		require.ErrorIs(t, failedPut(t.Context(), t, f, key, &body{content: random(size, 1), check: half}, int64(size), destination.Hooks{}), broken)
	}
	fail(small, "audience.csv")
	fail(large, "audience.csv")
	requireNames(t, f)

	put(t, f, "kept.csv", []byte("old content"))
	fail(small, "kept.csv")
	fail(large, "kept.csv")
	requireStored(t, f, "kept.csv", []byte("old content"))
	requireNames(t, f, "kept.csv")

	// A later attempt is not hindered by the failed ones.
	content := random(large, 2)
	for _, key := range []string{"audience.csv", "kept.csv"} {
		put(t, f, key, content)
		requireStored(t, f, key, content)
	}
	requireNames(t, f, "audience.csv", "kept.csv")
}

func shortBody(t *testing.T, f Folder) {
	for _, size := range []int64{small, large} {
		put(t, f, "kept.csv", []byte("old content"))
		for _, key := range []string{"short.csv", "kept.csv"} {
			require.Error(t, failedPut(t.Context(), t, f, key, bytes.NewReader(random(int(size/2), 1)), size, destination.Hooks{}))
		}
		requireStored(t, f, "kept.csv", []byte("old content"))
		requireNames(t, f, "kept.csv")
	}
}

func cancelled(t *testing.T, f Folder) {
	put(t, f, "kept.csv", []byte("old content"))
	content := random(large, 1)
	for _, key := range []string{"audience.csv", "kept.csv"} {
		ctx, cancel := context.WithCancel(t.Context())
		soon(t, "put", func() error {
			halfway := func(position int64) error {
				if position >= large/2 {
					cancel()
				}
				return nil
			}
			return failedPut(ctx, t, f, key, &body{content: content, check: halfway}, large, destination.Hooks{})
		})
		soon(t, "put", func() error {
			return failedPut(ctx, t, f, key, bytes.NewReader(content[:small]), small, destination.Hooks{})
		})
		soon(t, "read back", func() error { _, err := f.Destination.ReadBack(ctx, "kept.csv", nil); return err })
		cancel()
	}
	requireStored(t, f, "kept.csv", []byte("old content"))
	requireNames(t, f, "kept.csv")

	// The destination is of use to others still.
	put(t, f, "audience.csv", content)
	requireStored(t, f, "audience.csv", content)
	requireNames(t, f, "audience.csv", "kept.csv")
}

// EC-6: whoever may stop a file is asked when all of it has been sent and nothing of it is seen.
func asks(t *testing.T, f Folder) {
	put(t, f, "kept.csv", []byte("old content"))
	stopped := errors.New("it was stopped")
	for _, size := range []int64{0, small, large} {
		for _, key := range []string{"audience.csv", "kept.csv"} {
			asked, sent := 0, int64(0)
			refuse := func() error {
				asked++
				require.Equal(t, size, sent)
				require.NotContains(t, f.Names(t), "audience.csv")
				require.Equal(t, 1, f.Unfinished(t))
				require.Equal(t, "old content", string(f.Content(t, "kept.csv")))
				return stopped
			}
			hooks := destination.Hooks{Sent: func(n int64) { sent = n }, Appear: refuse}
			require.ErrorIs(t, failedPut(t.Context(), t, f, key, bytes.NewReader(random(int(size), 1)), size, hooks), stopped)
			require.Equal(t, 1, asked, "a refusal is not asked again")
			requireStored(t, f, "kept.csv", []byte("old content"))
			requireNames(t, f, "kept.csv")
		}
	}
	allowed := 0
	allow := func() error { allowed++; return nil }
	require.NoError(t, f.Destination.Put(t.Context(), "kept.csv", bytes.NewReader([]byte("new content")), 11, destination.Hooks{Appear: allow}))
	require.Equal(t, 1, allowed)
	requireStored(t, f, "kept.csv", []byte("new content"))
}

// EC-6: what an upload has left that did not finish is found by what it told when it began, however long ago, and nothing else is touched:
// no file that has appeared under its name, and no other upload of it.
func discards(t *testing.T, f Folder) {
	broken := errors.New("broken")
	for _, size := range []int{small, large} {
		content := random(size, 1)
		var begun []destination.Unfinished
		discard := func(i int, there bool) {
			t.Helper()
			found, err := f.Destination.Discard(t.Context(), begun[i])
			require.NoError(t, err)
			require.Equal(t, there, found)
		}
		hooks := destination.Hooks{Begin: func(u destination.Unfinished) error { begun = append(begun, u); return nil }}
		put := func(content []byte, appear func() error) error {
			hooks.Appear = appear
			return f.Destination.Put(t.Context(), "audience.csv", bytes.NewReader(content), int64(len(content)), hooks)
		}
		refuse := func() error { return broken }
		require.NoError(t, put([]byte("old content"), nil))
		require.ErrorIs(t, put(content, refuse), broken)
		require.Equal(t, 1, f.Unfinished(t))
		require.Equal(t, "audience.csv", begun[1].Key)
		require.NotEqual(t, begun[0].At, begun[1].At)
		require.Contains(t, begun[1].At, begun[1].ID)
		require.Contains(t, begun[1].At, "audience.csv")
		discard(0, false) // it has appeared
		require.Equal(t, 1, f.Unfinished(t))
		require.NoError(t, put(content, func() error { // while another one is under way
			require.Equal(t, 2, f.Unfinished(t))
			discard(1, true)
			discard(1, false)
			require.Equal(t, 1, f.Unfinished(t))
			require.Equal(t, "old content", string(f.Content(t, "audience.csv")))
			return nil
		}))
		discard(2, false)
		requireStored(t, f, "audience.csv", content)
		require.ErrorIs(t, put(content, refuse), broken)
		begun[3].At = "by another name of its server"
		discard(3, true)
		_, err := f.Destination.Discard(t.Context(), begun[3])
		require.Equal(t, errkind.Conflict, errkind.Of(err), "it may be on another server: %v", err)
		requireNames(t, f, "audience.csv")
	}
}

// A Put of which nothing could be written down sends nothing.
func unbegun(t *testing.T, f Folder) {
	full := errors.New("the disk is full")
	for _, size := range []int{0, small, large} {
		sent := int64(0)
		err := f.Destination.Put(t.Context(), "audience.csv", bytes.NewReader(random(size, 1)), int64(size), destination.Hooks{
			Sent: func(n int64) { sent = n }, Begin: func(destination.Unfinished) error { return full }, Appear: func() error { return errors.New("it was sent") },
		})
		require.ErrorIs(t, err, full)
		require.Zero(t, sent)
		require.Empty(t, f.Names(t))
	}
}

func keys(t *testing.T, f Folder) {
	names := []string{"a/b.csv", "a/c/d.csv", "plus+and space.csv", "grüße.csv", "percent%20.csv"}
	for _, name := range names {
		put(t, f, name, []byte(name))
	}
	for _, name := range names {
		requireStored(t, f, name, []byte(name))
	}
	requireNames(t, f, names...)
}

func absent(t *testing.T, f Folder) {
	for _, key := range []string{"absent.csv", "no/such/folder/absent.csv"} {
		_, err := f.Destination.ReadBack(t.Context(), key, nil)
		var known *errkind.Error
		require.ErrorAs(t, err, &known)
		require.Equal(t, errkind.Missing, errkind.Of(err), "%v", err)
	}
	requireNames(t, f)
}

func put(t *testing.T, f Folder, key string, content []byte) {
	t.Helper()
	require.NoError(t, f.Destination.Put(t.Context(), key, bytes.NewReader(content), int64(len(content)), destination.Hooks{}))
}

// failedPut is a Put that fails and whose rests are taken away, with what it failed of.
func failedPut(ctx context.Context, t *testing.T, f Folder, key string, body io.ReadSeeker, size int64, hooks destination.Hooks) error {
	t.Helper()
	var begun []destination.Unfinished
	hooks.Begin = func(u destination.Unfinished) error { begun = append(begun, u); return nil }
	failed := f.Destination.Put(ctx, key, body, size, hooks)
	require.Error(t, failed)
	for _, u := range begun {
		_, err := f.Destination.Discard(context.WithoutCancel(ctx), u)
		require.NoError(t, err)
	}
	return failed
}

// requireStored asks both the driver and a reader of the folder.
func requireStored(t *testing.T, f Folder, key string, content []byte) {
	t.Helper()
	sum := sha256.Sum256(content)
	receipt, err := f.Destination.ReadBack(t.Context(), key, nil)
	require.NoError(t, err)
	require.Equal(t, destination.Receipt{Key: key, Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:])}, receipt)
	require.True(t, bytes.Equal(content, f.Content(t, key)), "the content of %s differs", key)
}

func requireNames(t *testing.T, f Folder, names ...string) {
	t.Helper()
	require.Zero(t, f.Unfinished(t))
	require.ElementsMatch(t, names, f.Names(t))
}

// soon fails unless call ends with the context's error.
func soon(t *testing.T, what string, call func() error) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- call() }()
	select {
	case err := <-done:
		require.ErrorIs(t, err, context.Canceled, what)
	case <-time.After(hang):
		require.Fail(t, what+" hangs although its context was cancelled")
	}
}

// body is a file whose reading can be disturbed: check sees the position before each read, and no
// read gives more than a sixteenth of the file.
type body struct {
	content  []byte
	position int64
	check    func(position int64) error
}

func (b *body) Read(p []byte) (int, error) {
	if err := b.check(b.position); err != nil {
		return 0, err
	}
	if b.position >= int64(len(b.content)) {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), len(b.content)/16)], b.content[b.position:])
	b.position += int64(n)
	return n, nil
}

func (b *body) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += b.position
	case io.SeekEnd:
		offset += int64(len(b.content))
	}
	if offset < 0 {
		return 0, errors.New("seek before the start")
	}
	b.position = offset
	return offset, nil
}

// random is content that repeats nowhere, the same in every run.
func random(size int, seed byte) []byte {
	content := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(content)
	return content
}

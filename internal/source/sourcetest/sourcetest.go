// Package sourcetest is the suite that every source driver passes. It asks for what source.Source
// promises and for nothing that only one protocol can give. What a server does when it fails
// (refused keys, dead endpoints, stalled links) each driver tests for itself.
package sourcetest

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/errkind"
	"prospector/internal/source"
)

// DropPoint is a drop point under test.
type DropPoint struct {
	Source source.Source
	Put    func(t *testing.T, path string, content []byte) // writes or replaces a file as a partner does
	Remove func(t *testing.T, path string)
}

// hang is when a call counts as hanging. It is no measure of speed.
const hang = 30 * time.Second

// Run runs the suite. open gives a fresh, empty drop point and registers its own clean-up.
func Run(t *testing.T, open func(t *testing.T) DropPoint) {
	for name, test := range map[string]func(*testing.T, DropPoint){
		"an empty drop point":        empty,
		"lists in order":             lists,
		"patterns":                   patterns,
		"leaves out ignored names":   ignored,
		"lists more than 1000 files": many,
		"odd names":                  oddNames,
		"describes one file":         stat,
		"absent files":               absent,
		"reads from an offset":       offsets,
		"reads an empty file":        emptyFile,
		"reads 5 MB":                 large,
		"versions":                   versions,
		"a replaced file":            replaced,
		"a cancelled context":        cancelled,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func empty(t *testing.T, d DropPoint) {
	require.Empty(t, list(t, d, "**"))
	require.Empty(t, list(t, d, "no/such/folder/*.csv"))
}

func lists(t *testing.T, d DropPoint) {
	names := []string{"b.csv", "a.csv", "z/a.csv", "a/z.csv", "B.csv", "a-1.csv", "a0.csv"}
	for i, name := range names {
		d.Put(t, name, bytes.Repeat([]byte{'x'}, i+1))
	}
	files := list(t, d, "**")
	require.Equal(t, slices.Sorted(slices.Values(names)), paths(files))
	for _, file := range files {
		require.EqualValues(t, slices.Index(names, file.Path)+1, file.Size, file.Path)
		require.False(t, file.Modified.IsZero(), file.Path)
		require.Equal(t, time.UTC, file.Modified.Location(), file.Path)
	}
}

func patterns(t *testing.T, d DropPoint) {
	for _, name := range []string{
		"leads_1.csv", "leads_2.csv", "leads.txt", "daily/leads_1.csv", "daily/eu/leads_1.csv", "dailyish/leads_1.csv", "weekly/leads_1.csv",
	} {
		d.Put(t, name, []byte("x"))
	}
	for pattern, want := range map[string][]string{
		"*.csv":                   {"leads_1.csv", "leads_2.csv"},
		"leads_?.csv":             {"leads_1.csv", "leads_2.csv"},
		"leads_[2-9].csv":         {"leads_2.csv"},
		"leads.txt":               {"leads.txt"},
		`leads\_1.csv`:            {"leads_1.csv"},
		"daily/*.csv":             {"daily/leads_1.csv"},
		"daily/**":                {"daily/eu/leads_1.csv", "daily/leads_1.csv"},
		"daily/**/leads_1.csv":    {"daily/eu/leads_1.csv", "daily/leads_1.csv"},
		"*/*.csv":                 {"daily/leads_1.csv", "dailyish/leads_1.csv", "weekly/leads_1.csv"},
		"**/eu/*.csv":             {"daily/eu/leads_1.csv"},
		"**/*.txt":                {"leads.txt"},
		"daily/leads_1.csv/*.csv": nil,
		"*.parquet":               nil,
		"monthly/*.csv":           nil,
	} {
		require.Equal(t, want, paths(list(t, d, pattern)), "pattern %s", pattern)
	}
}

func ignored(t *testing.T, d DropPoint) {
	for _, name := range []string{
		"a.csv", "a.csv.part", "b.csv.partial", "c.csv.tmp", "d.csv.filepart", ".hidden.csv", "in/.a.csv", "in/b.csv", "in/b.csv.part",
	} {
		d.Put(t, name, []byte("x"))
	}
	require.Equal(t, []string{"a.csv", "in/b.csv"}, paths(list(t, d, "**")))
}

func many(t *testing.T, d DropPoint) {
	var want []string
	for i := range 1050 {
		name := fmt.Sprintf("many/%04d.csv", i)
		d.Put(t, name, []byte("x"))
		want = append(want, name)
	}
	require.Equal(t, want, paths(list(t, d, "many/*.csv")))
}

// SR-5 forbids some of these to partners: such a file is listed all the same, so that it can be
// reported.
func oddNames(t *testing.T, d DropPoint) {
	names := []string{
		"with space.csv", "plus+sign.csv", "grüße-日本.csv", `quotes'".csv`, "percent%20.csv", "hash#1.csv", "question?.csv",
		"new\nline.csv", "back\\slash.csv", "star*.csv", "colon:|pipe.csv", "amp&er=sand.csv", "semi;colon,comma.csv", "brackets[1].csv", "<angles>.csv", "tilde~.csv", "folder with space/a+b.csv",
	}
	for _, name := range names {
		d.Put(t, name, []byte(name))
	}
	slices.Sort(names)
	files := list(t, d, "**")
	require.Equal(t, names, paths(files))
	for _, file := range files {
		described, err := d.Source.Stat(t.Context(), file.Path)
		require.NoError(t, err)
		require.Equal(t, file.Path, described.Path)
		content, err := read(t.Context(), t, d, file, 0)
		require.NoError(t, err, file.Path)
		require.Equal(t, file.Path, string(content))
	}
	require.Equal(t, []string{"folder with space/a+b.csv"}, paths(list(t, d, "folder with space/*+*.csv")))
}

func stat(t *testing.T, d DropPoint) {
	d.Put(t, "in/a.csv", []byte("12345"))
	described, err := d.Source.Stat(t.Context(), "in/a.csv")
	require.NoError(t, err)
	require.EqualValues(t, 5, described.Size)
	requireChecksum(t, described, []byte("12345"))
	listed := one(t, d, "in/a.csv")
	require.Equal(t, described.Version(), listed.Version())
	require.Empty(t, listed.Checksum, "a listing has none")
	described.Checksum = ""
	require.Equal(t, listed, described)
}

// requireChecksum holds a checksum, if the server has one, against the content.
func requireChecksum(t *testing.T, file source.File, content []byte) {
	t.Helper()
	if file.Checksum == "" {
		return
	}
	algorithm, want, ok := strings.Cut(file.Checksum, ":")
	require.True(t, ok, file.Checksum)
	hash, ok := source.NewChecksum(algorithm)
	require.True(t, ok, file.Checksum)
	_, err := hash.Write(content)
	require.NoError(t, err)
	require.Equal(t, want, hex.EncodeToString(hash.Sum(nil)), algorithm)
}

func absent(t *testing.T, d DropPoint) {
	_, err := d.Source.Stat(t.Context(), "absent.csv")
	requireKind(t, errkind.Missing, err)
	_, err = d.Source.Stat(t.Context(), "no/such/folder/absent.csv")
	requireKind(t, errkind.Missing, err)

	d.Put(t, "removed.csv", []byte("12345"))
	file := one(t, d, "removed.csv")
	d.Remove(t, "removed.csv")
	_, err = read(t.Context(), t, d, file, 0)
	requireKind(t, errkind.Missing, err)
	require.Empty(t, list(t, d, "**"))
}

func offsets(t *testing.T, d DropPoint) {
	d.Put(t, "a.csv", []byte("0123456789"))
	file := one(t, d, "a.csv")
	for _, offset := range []int64{0, 1, 5, 9, 10} {
		content, err := read(t.Context(), t, d, file, offset)
		require.NoError(t, err, "offset %d", offset)
		require.Equal(t, "0123456789"[offset:], string(content))
	}
}

func emptyFile(t *testing.T, d DropPoint) {
	d.Put(t, "empty.csv", nil)
	file := one(t, d, "empty.csv")
	require.Zero(t, file.Size)
	content, err := read(t.Context(), t, d, file, 0)
	require.NoError(t, err)
	require.Empty(t, content)
}

func large(t *testing.T, d DropPoint) {
	want := random(5_000_000)
	d.Put(t, "large.csv", want)
	file := one(t, d, "large.csv")
	for _, offset := range []int64{0, 2_345_678} {
		content, err := read(t.Context(), t, d, file, offset)
		require.NoError(t, err)
		require.True(t, bytes.Equal(want[offset:], content), "the content from %d differs", offset)
	}
}

func versions(t *testing.T, d DropPoint) {
	d.Put(t, "a.csv", []byte("first"))
	d.Put(t, "b.csv", []byte("other"))
	first := one(t, d, "a.csv")
	require.NotEmpty(t, first.Version())
	_, err := read(t.Context(), t, d, first, 0)
	require.NoError(t, err)
	require.Equal(t, first.Version(), one(t, d, "a.csv").Version())

	d.Put(t, "a.csv", []byte("second version"))
	require.NotEqual(t, first.Version(), one(t, d, "a.csv").Version())
}

// A replacement has another size: that is all that every protocol can tell.
func replaced(t *testing.T, d DropPoint) {
	before, after := random(200_000), bytes.Repeat([]byte{0}, 300_000)
	d.Put(t, "a.csv", before)
	file := one(t, d, "a.csv")
	content, err := read(t.Context(), t, d, file, 0)
	require.NoError(t, err)
	require.True(t, bytes.Equal(before, content))

	d.Put(t, "a.csv", after)
	for _, offset := range []int64{0, 100_000, 200_000} {
		content, err := read(t.Context(), t, d, file, offset)
		requireKind(t, errkind.Conflict, err)
		require.Empty(t, content, "bytes of the new version from %d", offset)
	}
	content, err = read(t.Context(), t, d, one(t, d, "a.csv"), 0)
	require.NoError(t, err)
	require.True(t, bytes.Equal(after, content))
}

func cancelled(t *testing.T, d DropPoint) {
	d.Put(t, "a.csv", random(5_000_000))
	file := one(t, d, "a.csv")

	ctx, cancel := context.WithCancel(t.Context())
	body, err := d.Source.Open(ctx, file, 0)
	require.NoError(t, err)
	_, err = io.ReadFull(body, make([]byte, 1000))
	require.NoError(t, err)
	cancel()
	soon(t, "read", func() error { _, err := io.Copy(io.Discard, body); return err })
	body.Close()

	soon(t, "list", func() error { _, err := d.Source.List(ctx, "**"); return err })
	soon(t, "stat", func() error { _, err := d.Source.Stat(ctx, "a.csv"); return err })
	soon(t, "open", func() error { _, err := read(ctx, t, d, file, 0); return err })

	// The source is of use to others still.
	content, err := read(t.Context(), t, d, file, file.Size-10)
	require.NoError(t, err)
	require.Len(t, content, 10)
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

func list(t *testing.T, d DropPoint, pattern string) []source.File {
	t.Helper()
	files, err := d.Source.List(t.Context(), pattern)
	require.NoError(t, err, "pattern %s", pattern)
	return files
}

func one(t *testing.T, d DropPoint, filePath string) source.File {
	t.Helper()
	files := list(t, d, filePath)
	require.Len(t, files, 1)
	require.Equal(t, filePath, files[0].Path)
	return files[0]
}

// read is Open and the reading of all that it gives; either may fail.
func read(ctx context.Context, t *testing.T, d DropPoint, file source.File, offset int64) ([]byte, error) {
	t.Helper()
	body, err := d.Source.Open(ctx, file, offset)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(body)
	if closed := body.Close(); err == nil {
		err = closed
	}
	return content, err
}

func paths(files []source.File) []string {
	var out []string
	for _, file := range files {
		out = append(out, file.Path)
	}
	return out
}

// requireKind asks for an error that says its kind itself instead of counting as Transient.
func requireKind(t *testing.T, kind errkind.Kind, err error) {
	t.Helper()
	var known *errkind.Error
	require.ErrorAs(t, err, &known)
	require.Equal(t, kind, errkind.Of(err), "%v", err)
}

// random is content that repeats nowhere, the same in every run.
func random(size int) []byte {
	content := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(content)
	return content
}

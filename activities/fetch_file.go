package activities

import (
	"context"
	"crypto/md5" //nolint:gosec // for partners' manifests
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"prospector/internal/catalog"
	"prospector/internal/errkind"
	"prospector/internal/source"
)

// FetchFileInput names the batch whose file to fetch.
type FetchFileInput struct {
	Batch string `json:"batch"`
	Again bool   `json:"again,omitempty"` // also when the same bytes were loaded before under another name
}

// FetchFileOutput describes the staged copy.
type FetchFileOutput struct {
	SHA256      string `json:"sha256"`
	Bytes       int64  `json:"bytes"`
	DuplicateOf string `json:"duplicateOf,omitempty"` // the batch that loaded the same bytes before
	Encrypted   bool   `json:"encrypted,omitempty"`   // it must be decrypted first
}

// syncEvery is how much of a download may be lost when the machine loses power: a resumed download
// goes on from the last whole stretch.
const syncEvery = 64 << 20

// FetchFile copies the file version behind a batch into staging, with its checksum. A download that
// was interrupted goes on where it stopped. The version is pinned: a file that the partner replaces
// meanwhile fails the step.
func (a *Activities) FetchFile(ctx context.Context, in FetchFileInput) (FetchFileOutput, error) {
	out, err := a.fetchFile(ctx, in)
	return out, failure(err)
}

func (a *Activities) fetchFile(ctx context.Context, in FetchFileInput) (out FetchFileOutput, err error) {
	entry, err := a.Ledger.File(ctx, in.Batch)
	if err != nil {
		return out, err
	}
	s, err := a.source(ctx, entry.Source)
	if err != nil {
		return out, err
	}
	ctx, report, end := a.progress(ctx, "fetch", "bytes", entry.Size)
	defer end()
	release, err := a.alone(ctx, in.Batch)
	if err != nil {
		return out, err
	}
	defer release()
	opened, name, err := a.open(ctx, s, entry.Path)
	if err != nil {
		return out, fmt.Errorf("source %s: %w", s.Name, err)
	}
	defer func() { _ = opened.Close() }()
	version := entry.File
	version.Path = name
	if err := a.holdBatchBytes(ctx, version); err != nil {
		return out, fmt.Errorf("source %s: fetch %s: %w", s.Name, entry.Path, err)
	}
	expected, err := a.heldToManifest(ctx, s, opened, entry)
	if err != nil {
		return out, fmt.Errorf("source %s: fetch %s: %w", s.Name, entry.Path, err)
	}
	sums, err := a.promised(ctx, opened, version, expected)
	if err != nil {
		return out, fmt.Errorf("source %s: fetch %s: %w", s.Name, entry.Path, err)
	}
	if err := os.MkdirAll(a.staged(ctx, in.Batch), 0o700); err != nil {
		return out, err
	}
	out.SHA256, err = download(ctx, opened, version, a.staged(ctx, in.Batch, "raw"), sums, report)
	if err != nil {
		return out, fmt.Errorf("source %s: fetch %s: %w", s.Name, entry.Path, err)
	}
	out.Bytes, out.Encrypted = entry.Size, s.Encryption != nil
	if !in.Again {
		if out.DuplicateOf, err = a.Ledger.SameContent(ctx, s.Dataset, out.SHA256, in.Batch, s.Reading()); err != nil {
			return out, err
		}
	}
	state, detail := catalog.Taken, ""
	if out.DuplicateOf != "" {
		state, detail = catalog.Duplicate, out.DuplicateOf
	}
	return out, a.Ledger.SetFileState(ctx, in.Batch, state, out.SHA256, detail, now())
}

// checksum is what a download's bytes must come to, by whose word.
type checksum struct {
	hash hash.Hash
	want string // lower-case hex
	by   string
	kind errkind.Kind // of a difference
}

// promised collects the checksums that the server and the partner's manifest give of a file.
func (a *Activities) promised(ctx context.Context, from source.Source, f source.File, e *catalog.Expected) (out []checksum, err error) {
	now, err := from.Stat(ctx, f.Path)
	if err != nil {
		return nil, err
	}
	algorithm, want, _ := strings.Cut(now.Checksum, ":")
	if hash, ok := source.NewChecksum(algorithm); ok && now.Version() == f.Version() {
		out = append(out, checksum{hash, want, "the server", errkind.Transient})
	}
	if e != nil && e.SHA256 != "" {
		out = append(out, checksum{sha256.New(), e.SHA256, "the partner's manifest", errkind.BadInput})
	}
	if e != nil && e.MD5 != "" {
		out = append(out, checksum{md5.New(), e.MD5, "the partner's manifest", errkind.BadInput}) //nolint:gosec // partners choose it; it protects against accidents
	}
	return out, nil
}

// hashes is a SHA-256 and what else is to be checked, fed at once.
type hashes struct {
	io.Writer
	sum    hash.Hash
	checks []checksum
}

func newHashes(checks []checksum) hashes {
	h := hashes{sum: sha256.New(), checks: checks}
	writers := []io.Writer{h.sum}
	for _, c := range checks {
		c.hash.Reset()
		writers = append(writers, c.hash)
	}
	h.Writer = io.MultiWriter(writers...)
	return h
}

// end returns the SHA-256, or says whose checksum the bytes break.
func (h hashes) end() (string, error) {
	for _, c := range h.checks {
		if got := hex.EncodeToString(c.hash.Sum(nil)); got != c.want {
			hint := "it is fetched again"
			if c.kind == errkind.BadInput {
				hint = "ask the partner to send the file and its manifest again"
			}
			return "", errkind.New(c.kind, "", fmt.Errorf("the bytes are not those whose checksum %s gives", c.by), hint)
		}
	}
	return hex.EncodeToString(h.sum.Sum(nil)), nil
}

// download copies a file to path, whole or not at all, and returns its SHA-256. Bytes that break a checksum
// are not kept.
func download(ctx context.Context, from source.Source, f source.File, path string, checks []checksum, report func(int64)) (sum string, err error) {
	hash := newHashes(checks)
	if n, err := hashFile(path, hash, -1); err == nil && n == f.Size {
		return hash.end() // an earlier attempt got this far
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	hash = newHashes(checks)
	partial := path + ".partial"
	offset, err := hashFile(partial, hash, syncEvery)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if offset > f.Size {
		return "", errkind.Newf(errkind.Internal, "the staged copy is longer than the file")
	}
	out, err := os.OpenFile(partial, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			_ = out.Close() // the first error is the reason
		}
	}()
	if err = out.Truncate(offset); err != nil {
		return "", err
	}
	if _, err = out.Seek(offset, io.SeekStart); err != nil {
		return "", err
	}
	to := &reporting{io.MultiWriter(out, hash), offset, report}
	if err = copyAll(ctx, from, f, to, out.Sync); err != nil {
		return "", fmt.Errorf("after %d of %d bytes: %w", to.done, f.Size, err)
	}
	if err = out.Close(); err != nil {
		return "", err
	}
	if sum, err = hash.end(); err != nil {
		return "", errors.Join(err, os.Remove(partial))
	}
	return sum, os.Rename(partial, path)
}

// A download is taken up where it was cut, as long as bytes move: only so many cuts in a row without one fail it.
const (
	cutsAtMost = 4
	afterCut   = 250 * time.Millisecond
)

// copyAll copies a version from where to stands to its end.
func copyAll(ctx context.Context, from source.Source, f source.File, to *reporting, sync func() error) error {
	for cuts := 0; ; {
		before := to.done
		err := copyOn(ctx, from, f, to, sync)
		if err == nil || !errkind.Of(err).Retryable() || ctx.Err() != nil {
			return err
		}
		if cuts++; to.done > before {
			cuts = 0
		}
		if cuts == cutsAtMost {
			return err
		}
		select {
		case <-time.After(afterCut << cuts):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func copyOn(ctx context.Context, from source.Source, f source.File, to *reporting, sync func() error) error {
	body, err := from.Open(ctx, f, to.done)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	for to.done < f.Size {
		if _, err := io.CopyN(to, body, min(syncEvery-to.done%syncEvery, f.Size-to.done)); err != nil {
			return err
		}
		if err := sync(); err != nil {
			return err
		}
	}
	return endsHere(body)
}

// endsHere makes the driver's own checks at the end of a body count.
func endsHere(body io.Reader) error {
	switch n, err := body.Read(make([]byte, 1)); {
	case n > 0:
		return errkind.Newf(errkind.Conflict, "the file is longer than it was listed")
	case err != nil && !errors.Is(err, io.EOF):
		return err
	}
	return nil
}

type reporting struct {
	io.Writer
	done   int64
	report func(int64)
}

func (r *reporting) Write(p []byte) (int, error) {
	n, err := r.Writer.Write(p)
	r.done += int64(n)
	r.report(r.done)
	return n, err
}

// hashFile hashes a file, or with a positive stretch as many whole stretches as it holds, and returns
// the bytes hashed.
func hashFile(path string, hash io.Writer, stretch int64) (int64, error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	size := info.Size()
	if stretch > 0 {
		size -= size % stretch
	}
	return io.CopyN(hash, file, size)
}

func removeFolder(path string) error {
	if err := os.RemoveAll(path); err != nil {
		return fmt.Errorf("remove staged files: %w", err)
	}
	return nil
}

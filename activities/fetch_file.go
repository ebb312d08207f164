package activities

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"

	"prospector/internal/catalog"
	"prospector/internal/errkind"
	"prospector/internal/source"
)

// FetchFileInput names the batch whose file to fetch.
type FetchFileInput struct {
	Batch string `json:"batch"`
}

// FetchFileOutput describes the staged copy.
type FetchFileOutput struct {
	SHA256      string `json:"sha256"`
	Bytes       int64  `json:"bytes"`
	DuplicateOf string `json:"duplicateOf,omitempty"` // the batch that loaded the same bytes before
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
	opened, err := a.Sources(ctx, s)
	if err != nil {
		return out, fmt.Errorf("source %s: %w", s.Name, err)
	}
	defer func() { _ = opened.Close() }()
	if err := os.MkdirAll(a.staged(ctx, in.Batch), 0o700); err != nil {
		return out, err
	}
	out.SHA256, err = download(ctx, opened, entry.File, a.staged(ctx, in.Batch, "raw"), report)
	if err != nil {
		return out, fmt.Errorf("source %s: fetch %s: %w", s.Name, entry.Path, err)
	}
	out.Bytes = entry.Size
	if out.DuplicateOf, err = a.Ledger.SameContent(ctx, s.Dataset, out.SHA256, in.Batch); err != nil {
		return out, err
	}
	state, detail := catalog.Taken, ""
	if out.DuplicateOf != "" {
		state, detail = catalog.Duplicate, out.DuplicateOf
	}
	return out, a.Ledger.SetFileState(ctx, in.Batch, state, out.SHA256, detail, now())
}

// download copies a file to path, whole or not at all, and returns its SHA-256.
func download(ctx context.Context, from source.Source, f source.File, path string, report func(int64)) (sum string, err error) {
	hash := sha256.New()
	if n, err := hashFile(path, hash, -1); err == nil && n == f.Size {
		return hex.EncodeToString(hash.Sum(nil)), nil // an earlier attempt got this far
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	hash.Reset()
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
	body, err := from.Open(ctx, f, offset)
	if err != nil {
		return "", err
	}
	defer func() { _ = body.Close() }()
	for done := offset; done < f.Size; {
		n, err := io.CopyN(&reporting{io.MultiWriter(out, hash), done, report}, body, min(syncEvery, f.Size-done))
		if err != nil {
			return "", fmt.Errorf("after %d of %d bytes: %w", done+n, f.Size, err)
		}
		done += n
		if err := out.Sync(); err != nil {
			return "", err
		}
	}
	if err = endsHere(body); err != nil {
		return "", err
	}
	if err = out.Close(); err != nil {
		return "", err
	}
	if err = os.Rename(partial, path); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
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
func hashFile(path string, hash hash.Hash, stretch int64) (int64, error) {
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

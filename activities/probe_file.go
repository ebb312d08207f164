package activities

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"go.temporal.io/sdk/activity"

	"prospector/internal/catalog"
	"prospector/internal/ingest"
	"prospector/internal/source"
	"prospector/internal/store"
	"prospector/internal/workspace"
)

// ProbeFileInput names a file to look into.
type ProbeFileInput struct {
	Source string `json:"source"`
	Path   string `json:"path"`
}

// ProbeFileOutput is what a sample of a file came to. Of a file that was not looked into it is its name and size.
type ProbeFileOutput struct {
	Path    string         `json:"path"`
	Bytes   int64          `json:"bytes"`
	Sampled bool           `json:"sampled"`
	Counts  *ingest.Counts `json:"counts,omitempty"` // of the sample

	Reasons []store.RejectionCount `json:"reasons,omitempty"` // why its rows are rejected, the most frequent ones
	Refused string                 `json:"refused,omitempty"` // why a run would load nothing, if all rows are like those of the sample
}

const (
	sampleRows  = 1000
	sampleBytes = 16 << 20 // of a file that can be read from its beginning
)

// ProbeFile checks the first rows of a file against the schema, as a load would, and leaves nothing behind: no
// entry in the ledger, no rows, no staged bytes.
func (a *Activities) ProbeFile(ctx context.Context, in ProbeFileInput) (ProbeFileOutput, error) {
	out, err := a.probeFile(ctx, in)
	return out, failure(err)
}

func (a *Activities) probeFile(ctx context.Context, in ProbeFileInput) (out ProbeFileOutput, err error) {
	s, err := a.source(ctx, in.Source)
	if err != nil {
		return out, err
	}
	opened, name, err := a.open(ctx, s, in.Path)
	if err != nil {
		return out, fmt.Errorf("source %s: %w", s.Name, err)
	}
	defer func() { _ = opened.Close() }()
	version, err := opened.Stat(ctx, name)
	if err != nil {
		return out, fmt.Errorf("source %s: %w", s.Name, err)
	}
	if err := a.holdBatchBytes(ctx, version); err != nil {
		return out, fmt.Errorf("source %s: fetch %s: %w", s.Name, in.Path, err)
	}
	out = ProbeFileOutput{Path: in.Path, Bytes: version.Size, Sampled: true}
	ctx, report, end := a.progress(ctx, "probe", "bytes", min(version.Size, sampleBytes))
	defer end()
	batch := "dryrun_" + activity.GetInfo(ctx).WorkflowExecution.RunID
	folder := a.staged(ctx, batch)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return out, err
	}
	defer func() {
		err = errors.Join(err, removeFolder(folder))
		_ = os.Remove(filepath.Dir(folder)) // fails while another probe is at work
	}()
	whole := version.Size <= sampleBytes || needsWhole(s)
	staged := filepath.Join(folder, "raw")
	if whole {
		_, err = download(ctx, opened, version, staged, nil, report)
	} else {
		err = head(ctx, opened, version, staged, report)
	}
	if err != nil {
		return out, fmt.Errorf("source %s: fetch %s: %w", s.Name, in.Path, err)
	}
	if s.Encryption != nil {
		plain := filepath.Join(folder, "plain")
		if _, err := a.decrypt(ctx, s, staged, plain, report); err != nil {
			return out, fmt.Errorf("source %s: %s: %w", s.Name, in.Path, err)
		}
		staged = plain
	}
	file, err := a.fileOf(ctx, catalog.File{Source: s.Name, Batch: batch, File: source.File{Path: in.Path}})
	if err != nil {
		return out, err
	}
	file.Path, file.Sample, file.Head = staged, sampleRows, !whole
	file.Rejections = filepath.Join(folder, "rejections.jsonl") // also where a load keeps none: what is in it goes with the folder
	file.Lists = nil                                            // who is on them is told by loads alone, which are on record
	defer func() { err = errors.Join(err, a.Batches.ForgetPart(context.WithoutCancel(ctx), file.Dataset, batch)) }()
	counts, err := ingest.Validate(ctx, a.Batches, file, func(ingest.Progress) {})
	if err != nil {
		return out, fmt.Errorf("source %s: %w", s.Name, err)
	}
	out.Counts = &counts
	if counts.Rejected == 0 {
		return out, nil
	}
	reasons, err := ingest.RejectionCounts(file.Rejections)
	if err != nil {
		return out, err
	}
	out.Reasons = reasons[:min(len(reasons), topReasons)]
	if counts.Exceeds(s.Threshold()) {
		out.Refused = notLoaded(file, counts, reasons).Error()
	}
	return out, nil
}

// needsWhole reports whether a file says nothing before its last byte is there.
func needsWhole(s *workspace.Source) bool {
	return s.Encryption != nil || s.Format.Records == "parquet" || slices.Contains([]string{"zip", "tar", "tar.gz"}, s.Format.Compression)
}

// head copies the beginning of a file.
func head(ctx context.Context, from source.Source, f source.File, path string, report func(int64)) (err error) {
	body, err := from.Open(ctx, f, 0)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	out, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	_, err = io.CopyN(&reporting{out, 0, report}, body, sampleBytes)
	return err
}

package catalog

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"strings"
	"time"

	"prospector/internal/errkind"
	"prospector/internal/source"
	"prospector/internal/store"
)

// State says what became of a file version.
type State string

// The states of the ledger.
const (
	Seen      State = "seen"      // listed, not yet taken
	Taken     State = "taken"     // a run is on it, or died on it
	Loaded    State = "loaded"    // its rows are profiles
	Duplicate State = "duplicate" // the same bytes were loaded before under another name or version
	Rejected  State = "rejected"  // the partner must send it again; never taken again unless asked for
	Failed    State = "failed"    // something on our side or between us; the next sync takes it again
)

// Due reports whether the next sync takes a file in this state.
func (s State) Due() bool { return s == Seen || s == Taken || s == Failed }

// File is the ledger's entry of one version of one file.
type File struct {
	source.File
	Source string `json:"source"`
	Batch  string `json:"batch"`
	State  State  `json:"state"`
	SHA256 string `json:"sha256,omitempty"`
	Detail string `json:"detail,omitempty"`
}

// BatchID names the batch of a file version. It is the same whenever and wherever it is computed,
// and sorts by the file's time.
func BatchID(sourceName string, f source.File) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{sourceName, f.Path, f.Version()}, "\x00")))
	return "batch_" + f.Modified.UTC().Format("20060102150405") + "_" + hex.EncodeToString(sum[:8])
}

// SeeFiles enters files into the ledger and returns their entries, in the same order. Files that are
// known keep their state.
func (c *Catalog) SeeFiles(ctx context.Context, sourceName string, files []source.File, at time.Time) ([]File, error) {
	out := make([]File, 0, len(files))
	err := c.inTransaction(ctx, func(tx *sql.Tx) error {
		for _, f := range files {
			err := c.exec(ctx, tx, "catalog/see_file", sourceName, f.Path, f.Version(), f.Size, instant(f.Modified), f.ETag, BatchID(sourceName, f), instant(at))
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		entry, err := c.File(ctx, BatchID(sourceName, f))
		if err != nil {
			return nil, err
		}
		out = append(out, entry)
	}
	return out, nil
}

// File returns the entry behind a batch. Missing when there is none.
func (c *Catalog) File(ctx context.Context, batch string) (File, error) {
	var f File
	found := false
	err := c.query(ctx, "catalog/select_file", []any{batch}, func(scan func(...any) error) (err error) {
		found = true
		var version, modified string
		if err = scan(&f.Source, &f.Path, &version, &f.Size, &modified, &f.ETag, &f.Batch, &f.State, &f.SHA256, &f.Detail); err != nil {
			return err
		}
		f.Modified, err = parseInstant(modified)
		return err
	})
	if err == nil && !found {
		err = errkind.Newf(errkind.Missing, "the ledger knows no batch %s", batch)
	}
	return f, err
}

// FilesSeen is how many file versions the ledger holds of a source.
func (c *Catalog) FilesSeen(ctx context.Context, sourceName string) (int64, error) {
	var n int64
	err := c.query(ctx, "catalog/count_files", []any{sourceName}, func(scan func(...any) error) error { return scan(&n) })
	return n, err
}

// SetFileState records what became of a file. An empty sha256 keeps the one that is known.
func (c *Catalog) SetFileState(ctx context.Context, batch string, state State, sha256, detail string, at time.Time) error {
	return c.exec(ctx, c.db, "catalog/set_file_state", batch, string(state), sha256, detail, instant(at))
}

// RecordBatch records a batch's outcome. Recording it again replaces it.
func (c *Catalog) RecordBatch(ctx context.Context, dataset string, b store.Batch, o store.Outcome, at time.Time) error {
	return c.exec(ctx, c.db, "catalog/record_batch", b.ID, b.Source, dataset, b.File, b.SHA256, o.Status,
		o.Read, o.Accepted, o.Rejected, o.Created, o.Updated, o.Superseded, instant(at))
}

// Batch returns a batch's outcome. Missing when there is none.
func (c *Catalog) Batch(ctx context.Context, id string) (store.Outcome, error) {
	var o store.Outcome
	found := false
	err := c.query(ctx, "catalog/select_batch", []any{id}, func(scan func(...any) error) error {
		found = true
		return scan(&o.Status, &o.Read, &o.Accepted, &o.Rejected, &o.Created, &o.Updated, &o.Superseded)
	})
	if err == nil && !found {
		err = errkind.Newf(errkind.Missing, "the catalog knows no batch %s", id)
	}
	return o, err
}

// SameContent returns the batch that loaded the same bytes into the dataset before, or "".
func (c *Catalog) SameContent(ctx context.Context, dataset, sha256, batch string) (string, error) {
	var id string
	err := c.query(ctx, "catalog/same_content", []any{dataset, sha256, batch}, func(scan func(...any) error) error { return scan(&id) })
	return id, err
}

package catalog

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"strconv"
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
	Seen      State = "seen"      // listed and ready, not yet taken
	Waiting   State = "waiting"   // listed, and not ready yet
	Taken     State = "taken"     // a run is on it, or died on it
	Loaded    State = "loaded"    // its rows are profiles
	Duplicate State = "duplicate" // the same bytes were loaded before under another name or version
	Rejected  State = "rejected"  // the partner must send it again; never taken again unless asked for
	SetAside  State = "set aside" // its columns are not those of the mapping, and the source says quarantine; like rejected
	Failed    State = "failed"    // something on our side or between us; the next sync takes it again
	Skipped   State = "skipped"   // it was there before the source, which says not to take such files
	Deleted   State = "deleted"   // it was loaded and undone; never taken again unless asked for
	Gone      State = "gone"      // the partner replaced or removed it before it was taken
)

// States are all of them.
var States = []State{Seen, Waiting, Taken, Loaded, Duplicate, Rejected, SetAside, Failed, Skipped, Deleted, Gone}

// Due reports whether the next sync takes a file in this state.
func (s State) Due() bool { return s == Seen || s == Waiting || s == Taken || s == Failed || s == Gone }

// Refused reports whether a file in this state is taken again only when somebody asks for it.
func (s State) Refused() bool { return s == Rejected || s == SetAside || s == Deleted }

// Expected is what a manifest promises of a file. Zero values promise nothing.
type Expected struct {
	SHA256 string `json:"sha256,omitempty"` // lower-case hex
	MD5    string `json:"md5,omitempty"`    // lower-case hex
	Rows   *int64 `json:"rows,omitempty"`

	Manifest string `json:"manifest,omitempty"` // the version of it that says so
}

// Says reports whether two promises are the same, whichever manifest they are from.
func (e *Expected) Says(other Expected) bool {
	if e == nil {
		return other == Expected{Manifest: other.Manifest}
	}
	same := e.Rows == other.Rows || e.Rows != nil && other.Rows != nil && *e.Rows == *other.Rows
	return same && e.SHA256 == other.SHA256 && e.MD5 == other.MD5
}

// RowCount is the number of records that is promised, nil for none.
func (e *Expected) RowCount() *int64 {
	if e == nil {
		return nil
	}
	return e.Rows
}

// File is the ledger's entry of one version of one file.
type File struct {
	source.File
	Source       string    `json:"source"`
	Batch        string    `json:"batch"`
	State        State     `json:"state"`
	SHA256       string    `json:"sha256,omitempty"`
	Detail       string    `json:"detail,omitempty"`
	BusinessDate string    `json:"businessDate,omitempty"` // 2006-01-02, as the path says
	SeenAt       time.Time `json:"seenAt"`                 // first
	ChangedAt    time.Time `json:"changedAt"`
	Expected     *Expected `json:"expected,omitempty"`

	returned int // how often a new entry's version has come back
}

// BatchID names the batch of a file version. It is the same whenever and wherever it is computed,
// and sorts by the file's time.
func BatchID(sourceName string, f source.File) string { return batchID(sourceName, f, 0) }

// batchID of a version that has come back so often.
func batchID(sourceName string, f source.File, returned int) string {
	parts := []string{sourceName, f.Path, f.Version()}
	if returned > 0 {
		parts = append(parts, strconv.Itoa(returned))
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return "batch_" + f.Modified.UTC().Format("20060102150405") + "_" + hex.EncodeToString(sum[:8])
}

// version tells a file's versions apart in the ledger. A token of the bytes alone, as S3 has, comes back when the
// partner puts the same bytes there again: that is another version, at another time.
func version(f source.File, returned int) string {
	out := f.Version()
	if f.ETag != "" {
		out = f.Modified.UTC().Format("20060102T150405Z") + "-" + out
	}
	if returned > 0 {
		out += "~" + strconv.Itoa(returned)
	}
	return out
}

// Sighting is a file version in a listing, with the business date that its path says.
type Sighting struct {
	source.File
	BusinessDate string
}

// Entries are the ledger's entries of listed files, in the same order, new ones among them. known are those of the source.
// A version that was loaded and comes back after another one of its path was, with its old time, is a new one.
func Entries(known []File, sourceName string, files []Sighting, at time.Time) []File {
	byBatch, loaded := make(map[string]File, len(known)), map[string]File{}
	for _, f := range known {
		byBatch[f.Batch] = f
		if latest, ok := loaded[f.Path]; f.State == Loaded && (!ok || f.ChangedAt.After(latest.ChangedAt)) {
			loaded[f.Path] = f
		}
	}
	out := make([]File, 0, len(files))
	for _, f := range files {
		for returned := 0; ; returned++ {
			batch := batchID(sourceName, f.File, returned)
			entry, ok := byBatch[batch]
			if !ok {
				entry = File{File: f.File, Source: sourceName, Batch: batch, State: Seen, BusinessDate: f.BusinessDate, SeenAt: at, ChangedAt: at, returned: returned}
			}
			if latest, was := loaded[f.Path]; ok && was && (entry.State == Loaded || entry.State == Duplicate) && latest.Batch != batch && latest.ChangedAt.After(entry.ChangedAt) {
				continue
			}
			out = append(out, entry)
			break
		}
	}
	return out
}

// SeeFiles enters file versions into the ledger and returns their entries, in the same order. Files that are
// known keep their state.
func (c *Catalog) SeeFiles(ctx context.Context, sourceName string, files []Sighting, at time.Time) ([]File, error) {
	known, err := c.Files(ctx, sourceName)
	if err != nil {
		return nil, err
	}
	entered := make(map[string]bool, len(known))
	for _, f := range known {
		entered[f.Batch] = true
	}
	out := Entries(known, sourceName, files, at)
	err = c.inTransaction(ctx, func(tx *sql.Tx) error {
		for _, f := range out {
			if entered[f.Batch] {
				continue
			}
			err := c.exec(ctx, tx, "catalog/see_file", sourceName, f.Path, version(f.File, f.returned), f.Size, instant(f.Modified), f.ETag, f.Batch, instant(at), f.BusinessDate)
			if err != nil {
				return err
			}
			if err := c.exec(ctx, tx, "catalog/record_file_event", f.Batch, string(Seen), "", instant(at)); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

func scanFile(scan func(...any) error) (f File, err error) {
	var modified, seen, changed, expected string
	err = scan(&f.Source, &f.Path, &f.Size, &modified, &f.ETag, &f.Batch, &f.State, &f.SHA256, &f.Detail, &seen, &changed, &f.BusinessDate, &expected)
	for text, into := range map[*string]*time.Time{&modified: &f.Modified, &seen: &f.SeenAt, &changed: &f.ChangedAt} {
		if err == nil {
			*into, err = parseInstant(*text)
		}
	}
	if err == nil && expected != "" {
		err = json.Unmarshal([]byte(expected), &f.Expected)
	}
	return f, err
}

// File returns the entry behind a batch. Missing when there is none.
func (c *Catalog) File(ctx context.Context, batch string) (f File, err error) {
	found := false
	err = c.query(ctx, "catalog/select_file", []any{batch}, func(scan func(...any) error) (err error) {
		found = true
		f, err = scanFile(scan)
		return err
	})
	if err == nil && !found {
		err = errkind.Newf(errkind.Missing, "the ledger knows no batch %s", batch).WithHint("list the files of a source with: starter files SOURCE")
	}
	return f, err
}

// Files returns every file version that was ever seen at a source, the latest first.
func (c *Catalog) Files(ctx context.Context, sourceName string) (out []File, err error) {
	err = c.query(ctx, "catalog/source_files", []any{sourceName}, func(scan func(...any) error) error {
		f, err := scanFile(scan)
		out = append(out, f)
		return err
	})
	return out, err
}

// SetFileState records what became of a file, now and in its story. An empty sha256 keeps the one that is known.
func (c *Catalog) SetFileState(ctx context.Context, batch string, state State, sha256, detail string, at time.Time) error {
	return c.SetFileStates(ctx, []FileState{{batch, state, sha256, detail}}, at)
}

// FileState is what became of a file version.
type FileState struct {
	Batch  string
	State  State
	SHA256 string // empty keeps the one that is known
	Detail string
}

// SetFileStates records what became of several files, of all or of none.
func (c *Catalog) SetFileStates(ctx context.Context, states []FileState, at time.Time) error {
	return c.inTransaction(ctx, func(tx *sql.Tx) error { return c.setFileStates(ctx, tx, states, at) })
}

func (c *Catalog) setFileStates(ctx context.Context, tx *sql.Tx, states []FileState, at time.Time) error {
	for _, s := range states {
		if err := c.exec(ctx, tx, "catalog/set_file_state", s.Batch, string(s.State), s.SHA256, s.Detail, instant(at)); err != nil {
			return err
		}
		if err := c.exec(ctx, tx, "catalog/record_file_event", s.Batch, string(s.State), s.Detail, instant(at)); err != nil {
			return err
		}
	}
	return nil
}

// ExpectFile records what a manifest promises of a file.
func (c *Catalog) ExpectFile(ctx context.Context, batch string, e Expected) error {
	data, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return c.exec(ctx, c.db, "catalog/set_file_expected", batch, string(data))
}

// FileEvent is a line of a file version's story.
type FileEvent struct {
	State  State     `json:"state"`
	Detail string    `json:"detail,omitempty"`
	At     time.Time `json:"at"`
}

// FileEvents tells the story of a file version, in order.
func (c *Catalog) FileEvents(ctx context.Context, batch string) (out []FileEvent, err error) {
	err = c.query(ctx, "catalog/select_file_events", []any{batch}, func(scan func(...any) error) error {
		var e FileEvent
		var at string
		err := scan(&e.State, &e.Detail, &at)
		if err == nil {
			e.At, err = parseInstant(at)
		}
		out = append(out, e)
		return err
	})
	return out, err
}

// RecordBatch records a batch's outcome. Recording it again replaces it.
func (c *Catalog) RecordBatch(ctx context.Context, dataset string, b store.Batch, o store.Outcome, at time.Time) error {
	return c.exec(ctx, c.db, "catalog/record_batch", b.ID, b.Source, dataset, b.File, b.SHA256, o.Status,
		o.Read, o.Accepted, o.Rejected, o.Created, o.Updated, o.Superseded, instant(at), o.Outdated, o.Unchanged, o.Removed, b.Reading)
}

// Batch returns a batch's outcome. Missing when there is none.
func (c *Catalog) Batch(ctx context.Context, id string) (store.Outcome, error) {
	var o store.Outcome
	found := false
	err := c.query(ctx, "catalog/select_batch", []any{id}, func(scan func(...any) error) error {
		found = true
		return scan(&o.Status, &o.Read, &o.Accepted, &o.Rejected, &o.Created, &o.Updated, &o.Superseded, &o.Outdated, &o.Unchanged, &o.Removed)
	})
	if err == nil && !found {
		err = errkind.Newf(errkind.Missing, "the catalog knows no batch %s", id)
	}
	return o, err
}

// DeleteBatch records that a batch was undone, in its file's story and in the audit too.
func (c *Catalog) DeleteBatch(ctx context.Context, id, detail string, audit AuditRecord, at time.Time) error {
	return c.inTransaction(ctx, func(tx *sql.Tx) error {
		if err := c.exec(ctx, tx, "catalog/set_batch_status", id, store.Deleted); err != nil {
			return err
		}
		if err := c.setFileStates(ctx, tx, []FileState{{Batch: id, State: Deleted, Detail: detail}}, at); err != nil {
			return err
		}
		return c.recordAudit(ctx, tx, audit)
	})
}

// SameContent returns the batch that loaded the same bytes into the dataset before, for the same business date and read in
// the same way, or "". Under another name they stay duplicates whatever was loaded since, for a file that is renamed or sent once
// more must not undo later ones; under their own name they are news again as soon as anything was.
func (c *Catalog) SameContent(ctx context.Context, dataset, sha256, batch, reading string) (string, error) {
	var id string
	err := c.query(ctx, "catalog/same_content", []any{dataset, sha256, batch, reading}, func(scan func(...any) error) error { return scan(&id) })
	return id, err
}

package activities

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"prospector/internal/catalog"
	"prospector/internal/errkind"
	"prospector/internal/ingest"
	"prospector/internal/source"
	"prospector/internal/store"
)

// replayPrefix begins the path of rejected rows that are taken again; the batch that had rejected them follows.
const replayPrefix = "replay:"

// PrepareReplayInput names the batch whose rejected rows to read again.
type PrepareReplayInput struct {
	Dataset string `json:"dataset"`
	Batch   string `json:"batch"`
	// Path of a file of corrected rows on the worker's machine, which begins with local:. Without one the rows are taken as they came.
	Path string `json:"path,omitempty"`

	RequestedBy string `json:"requestedBy,omitempty"`
}

// PrepareReplayOutput is the batch that replays them.
type PrepareReplayOutput struct {
	Source  string         `json:"source"`
	Batch   string         `json:"batch"`
	State   catalog.State  `json:"state"`
	Rows    int64          `json:"rows"`
	SHA256  string         `json:"sha256"`
	Outcome *store.Outcome `json:"outcome,omitempty"` // of rows that were replayed under the same rules before
}

// PrepareReplay stages the rejected rows of a batch that no replay has accepted, as a batch of its own. The same rows under
// the same rules are the same batch. BadInput when corrected rows are not rows of that batch.
func (a *Activities) PrepareReplay(ctx context.Context, in PrepareReplayInput) (PrepareReplayOutput, error) {
	out, err := a.prepareReplay(ctx, in)
	return out, failure(err)
}

func (a *Activities) prepareReplay(ctx context.Context, in PrepareReplayInput) (out PrepareReplayOutput, err error) {
	ctx, report, end := a.progress(ctx, "read quarantine", "rows", 0)
	defer end()
	record := audited(ctx, in.RequestedBy, "replay", catalog.AuditedBatch, in.Batch)
	if err := a.authorize(ctx, record, mayChangeRows); err != nil {
		return out, err
	}
	original, err := a.Ledger.File(ctx, in.Batch)
	if err != nil {
		return out, err
	}
	if strings.HasPrefix(original.Path, replayPrefix) {
		return out, errkind.New(errkind.Invalid, "batch "+in.Batch, errors.New("it replays rows of another batch"), "name that one: "+strings.TrimPrefix(original.Path, replayPrefix))
	}
	w, err := a.Workspace(ctx)
	if err != nil {
		return out, err
	}
	stored, _, err := dataset(w, in.Dataset)
	if err != nil {
		return out, err
	}
	if _, err := a.Batches.Header(ctx, stored, in.Batch); err != nil {
		return out, err
	}
	rows, err := a.rowsToReplay(ctx, stored, in)
	if err != nil {
		return out, err
	}
	out.Source = original.Source
	folder := a.staged(ctx, "replay-"+in.Batch)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, removeFolder(filepath.Dir(folder))) }()
	draft := filepath.Join(folder, "raw")
	if out.Rows, out.SHA256, err = ingest.StageReplay(draft, rows, report); err != nil || out.Rows == 0 {
		return out, err
	}
	// Rows that are replayed after a change of the rules are another batch than before it.
	file, err := a.fileOf(ctx, original)
	if err != nil {
		return out, err
	}
	rules, err := file.Rules()
	if err != nil {
		return out, err
	}
	seen := catalog.Sighting{File: source.File{Path: replayPrefix + in.Batch, Size: out.Rows, Modified: original.Modified, ETag: out.SHA256[:16] + "-" + rules}, BusinessDate: original.BusinessDate}
	entries, err := a.Ledger.SeeFiles(ctx, original.Source, []catalog.Sighting{seen}, now())
	if err != nil {
		return out, err
	}
	out.Batch, out.State = entries[0].Batch, entries[0].State
	record.Detail = fmt.Sprintf("dataset %s, %d rows of quarantine as batch %s", in.Dataset, out.Rows, out.Batch)
	if err := a.Audit.RecordAudit(ctx, record); err != nil {
		return out, err
	}
	if out.State == catalog.Loaded {
		outcome, err := a.Ledger.Batch(ctx, out.Batch)
		if err == nil {
			outcome, err = a.toldOutcome(ctx, in.RequestedBy, in.Dataset, outcome)
		}
		out.Outcome = &outcome
		return out, err
	}
	if err := os.MkdirAll(a.staged(ctx, out.Batch), 0o700); err != nil {
		return out, err
	}
	if err := os.Rename(draft, a.staged(ctx, out.Batch, "raw")); err != nil {
		return out, err
	}
	out.State = catalog.Taken
	return out, a.Ledger.SetFileState(ctx, out.Batch, catalog.Taken, out.SHA256, "", now())
}

// rowsToReplay are the rows in quarantine, or corrected ones from a file.
func (a *Activities) rowsToReplay(ctx context.Context, d store.Dataset, in PrepareReplayInput) (iter.Seq2[store.RejectedRow, error], error) {
	if in.Path == "" {
		return a.Batches.RejectedRows(ctx, d, in.Batch), nil
	}
	local, ok := strings.CutPrefix(in.Path, localPrefix)
	if !ok {
		return nil, errkind.New(errkind.Invalid, "", fmt.Errorf("path %q is not on the worker's machine", in.Path), "write local: and the absolute path")
	}
	lines, err := a.Batches.RejectedLines(ctx, d, in.Batch)
	if err != nil {
		return nil, err
	}
	opened, name, err := a.Local(ctx, local)
	if err != nil {
		return nil, err
	}
	return func(yield func(store.RejectedRow, error) bool) {
		defer func() { _ = opened.Close() }()
		file, err := opened.Stat(ctx, name)
		if err == nil {
			var body io.ReadCloser
			if body, err = opened.Open(ctx, file, 0); err == nil {
				defer func() { _ = body.Close() }()
				err = corrected(body, in.Batch, lines, func(row store.RejectedRow) bool { return yield(row, nil) })
			}
		}
		if err != nil {
			yield(store.RejectedRow{}, fmt.Errorf("%s: %w", filepath.Base(local), err))
		}
	}, nil
}

// correctedRow is a line of the file that starter quarantine export writes.
type correctedRow struct {
	Batch     string  `json:"batch"`
	Line      int64   `json:"line"`
	Raw       *string `json:"raw"`
	RawBase64 []byte  `json:"rawBase64"`
}

// longestCorrected is how long a line of a file of corrected rows may be.
const longestCorrected = 4 << 20

// corrected reads corrected rows. Each must be a row of the batch that is in quarantine, and there once.
func corrected(r io.Reader, batch string, lines map[int64]string, take func(store.RejectedRow) bool) error {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, longestCorrected)
	const hint = "start from what starter quarantine export writes for that batch, and change raw only"
	refuse := func(n int, format string, arguments ...any) error {
		return errkind.New(errkind.BadInput, "", fmt.Errorf("line %d: %s; nothing was replayed", n, fmt.Sprintf(format, arguments...)), hint)
	}
	seen := map[int64]bool{}
	for n := 1; scanner.Scan(); n++ {
		if len(strings.TrimSpace(scanner.Text())) == 0 {
			continue
		}
		var row correctedRow
		err := json.Unmarshal(scanner.Bytes(), &row)
		acceptedBy, rejected := lines[row.Line]
		switch {
		case err != nil:
			return refuse(n, "it is no JSON object with batch, line and raw")
		case row.Batch != batch:
			return refuse(n, "its batch is another one than %s", batch)
		case row.Raw == nil && row.RawBase64 == nil:
			return refuse(n, "it has no raw")
		case !rejected:
			return refuse(n, "row %d is not in quarantine", row.Line)
		case acceptedBy != "":
			return refuse(n, "row %d was accepted before, in batch %s", row.Line, acceptedBy)
		case seen[row.Line]:
			return refuse(n, "row %d is in the file twice", row.Line)
		}
		seen[row.Line] = true
		raw := row.RawBase64
		if row.Raw != nil {
			raw = []byte(*row.Raw)
		}
		if len(raw) == 0 {
			continue // nothing was kept of it, as of a suppressed one
		}
		if !take(store.RejectedRow{Line: row.Line, Raw: raw}) {
			return nil
		}
	}
	if errors.Is(scanner.Err(), bufio.ErrTooLong) {
		return errkind.New(errkind.BadInput, "", fmt.Errorf("a line is above %d bytes; nothing was replayed", longestCorrected), hint)
	}
	return scanner.Err()
}

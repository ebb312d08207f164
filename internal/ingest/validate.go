// Package ingest takes one staged file through validation: the clean records of its reader stream into
// the store, which types and checks them, and every refused record is written to a file with its
// line, its bytes and all reasons. It counts records on both sides and accepts no difference.
package ingest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"prospector/internal/errkind"
	"prospector/internal/filecodec"
	"prospector/internal/prospect"
	"prospector/internal/store"
)

// PartWriter is what validation needs of the store.
type PartWriter interface {
	Lists
	WritePart(ctx context.Context, dataset store.Dataset, batch string, columns []prospect.Column, identity string, feed func(w io.Writer) error) (store.Part, error)
	PartRejections(ctx context.Context, dataset, batch string) iter.Seq2[store.RefusedLine, error]
}

// Counts is the result. Read = Accepted + Rejected, always.
type Counts struct {
	Read     int64 `json:"read"`
	Accepted int64 `json:"accepted"`
	Rejected int64 `json:"rejected"`

	Suppressed int64 `json:"suppressed,omitempty"` // of the rejected, rows of people on a suppression list

	Rules    string `json:"rules,omitempty"`    // digest of the schema and mapping under which the rows were checked
	Drift    *Drift `json:"drift,omitempty"`    // where the file's columns were not those of the mapping
	SetAside string `json:"setAside,omitempty"` // why the whole file was not looked at
}

// Drift is where a file's columns are not those of the mapping.
type Drift struct {
	Unmapped []string `json:"unmapped,omitempty"` // columns that were not taken
	Missing  []string `json:"missing,omitempty"`  // columns whose fields have no value
}

// Percent is the share of rejected rows. Suppressed ones are no fault of the file and not counted.
func (c Counts) Percent() float64 {
	if c.Read == c.Suppressed {
		return 0
	}
	return 100 * float64(c.Rejected-c.Suppressed) / float64(c.Read-c.Suppressed)
}

// Exceeds reports whether more rows are rejected than a threshold allows, which is a percentage of the rows read. A
// share that is the threshold exactly does not: 50 of 1000 at 5 (AS-13, EC-16). Both sides are rounded the same way,
// so that this holds for thresholds with a fraction too.
func (c Counts) Exceeds(threshold float64) bool { return c.Percent() > threshold }

const (
	progressEvery = 1000    // records
	maxClean      = 4 << 20 // bytes of a record as it goes to the store, which takes no longer line
)

// Validate writes the batch's part and its rejections. progress is called as records are read. A file that cannot be
// read as a whole is kind BadInput: then nothing of it counts.
func Validate(ctx context.Context, parts PartWriter, f File, progress func(Progress)) (Counts, error) {
	rules, err := f.Rules()
	if err != nil {
		return Counts{}, err
	}
	reading, err := open(f)
	var drift *driftError
	if errors.As(err, &drift) {
		return Counts{Rules: rules, SetAside: drift.reason}, nil
	}
	if err != nil {
		return Counts{}, err
	}
	defer reading.close()
	held, err := readLists(ctx, parts, f, reading.columns)
	if err != nil {
		return Counts{}, err
	}
	var faulty, suppressed int64
	part, err := parts.WritePart(ctx, f.Dataset, f.Batch, reading.columns, f.Identity, func(w io.Writer) error {
		out := bufio.NewWriterSize(w, 1<<16)
		var clean []byte
		err := reading.each(ctx, progress, func(r filecodec.Record) error {
			broken, found, err := reading.judge(r)
			if err != nil {
				return err
			}
			if broken.Code != "" {
				faulty++
				return nil
			}
			values, reasons := reading.apply(r, found)
			if held.judge(values).Code != "" {
				suppressed++
				return nil
			}
			if clean = filecodec.AppendClean(clean[:0], r.Line, prospect.Texts(reasons), values); len(clean) > maxClean {
				return errkind.New(errkind.BadInput, f.Name, fmt.Errorf("line %d comes to %d bytes in all fields that are filled from it, and %d is the limit", r.Line, len(clean), maxClean),
					"fill fewer fields from one column, or lower guardrails.recordBytes of the Sandbox, which rejects such rows")
			}
			_, err = out.Write(clean)
			return err
		})
		if err != nil {
			return err
		}
		return out.Flush()
	})
	if err != nil {
		return Counts{}, err
	}
	counts := Counts{Read: reading.reader.Records(), Accepted: part.Accepted, Rejected: part.Rejected + faulty + suppressed, Suppressed: suppressed, Rules: rules}
	if d := reading.drift; len(d.Unmapped)+len(d.Missing) > 0 {
		counts.Drift = &d
	}
	if counts.Read != counts.Accepted+counts.Rejected {
		return Counts{}, errkind.Newf(errkind.Internal, "counts do not reconcile: the reader gave %d records, the store holds %d accepted and %d rejected, %d were faulty and %d suppressed",
			counts.Read, part.Accepted, part.Rejected, faulty, suppressed)
	}
	if f.Expected != nil && *f.Expected != counts.Read {
		return Counts{}, errkind.New(errkind.BadInput, f.Name, fmt.Errorf("it has %d records, the partner's manifest promises %d; nothing was loaded", counts.Read, *f.Expected),
			"ask the partner to send the file and its manifest again")
	}
	if f.Rejections == "" {
		return counts, nil
	}
	written, err := writeRejections(ctx, parts, f, held, counts.Rejected, progress)
	if err == nil && written != counts.Rejected {
		err = errkind.Newf(errkind.Internal, "counts do not reconcile: %d rows rejected, %d written to quarantine", counts.Rejected, written)
	}
	return counts, err
}

// rejection is a line of the rejections file; sql/ingest/insert_quarantine reads it.
type rejection struct {
	Line    int64             `json:"line"`
	Offset  int64             `json:"offset"`
	Raw     []byte            `json:"raw"`
	Reasons []prospect.Reason `json:"reasons"`
}

// writeRejections reads the staged file a second time to take the bytes of refused records: the
// faulty ones, and those that the store refused by line number. Of suppressed ones it takes none.
func writeRejections(ctx context.Context, parts PartWriter, f File, held listed, expected int64, progress func(Progress)) (written int64, err error) {
	file, err := os.OpenFile(f.Rejections, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if expected == 0 {
		return 0, nil
	}
	reading, err := open(f)
	if err != nil {
		return 0, err
	}
	defer reading.close()
	reading.part = "keeping rejected rows"
	buffered := bufio.NewWriter(file)
	encoder := json.NewEncoder(buffered)
	// Both sides come in line order, so that neither has to be held in memory.
	nextRefused, stop := iter.Pull2(parts.PartRejections(ctx, f.Dataset.Name, f.Batch))
	defer stop()
	refused, err, more := nextRefused()
	if err != nil {
		return 0, err
	}
	err = reading.each(ctx, progress, func(r filecodec.Record) error {
		broken, found, err := reading.judge(r)
		if err != nil {
			return err
		}
		var reasons []prospect.Reason
		suppressed := false
		switch {
		case broken.Code != "":
			reasons = []prospect.Reason{broken}
		case more && refused.Line == r.Line:
			reasons = refused.Reasons
			if refused, err, more = nextRefused(); err != nil {
				return err
			}
		case len(held) > 0:
			values, _ := reading.apply(r, found)
			reason := held.judge(values)
			if reason.Code == "" {
				return nil
			}
			reasons, suppressed = []prospect.Reason{reason}, true
		default:
			return nil
		}
		raw := []byte{}
		if !suppressed {
			raw = reading.kept(r)
		}
		written++
		return encoder.Encode(rejection{Line: r.Line, Offset: r.Offset, Raw: raw, Reasons: reasons})
	})
	if err != nil {
		return 0, err
	}
	return written, buffered.Flush()
}

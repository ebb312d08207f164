package duckdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"prospector/internal/errkind"
	"prospector/internal/prospect"
	"prospector/internal/store"
	"prospector/internal/xdm"
	queries "prospector/sql"
)

// check is one thing that can be wrong with a column, as SQL over the raw text.
type check struct{ Failed, Reason string }

type partColumn struct {
	Path   string
	JSON   string // the form of a list or map, see jsonForm
	Cast   string
	Checks []check
}

// WritePart reads clean records (see filecodec.AppendClean) that feed writes, casts and checks each
// value in one pass, and writes the draft of the batch's part: every record, with the reasons that refuse it.
// An earlier attempt's draft is replaced; the part of a batch that is loaded is left alone. identity is the path of the
// primary identity.
func (s *Store) WritePart(ctx context.Context, dataset store.Dataset, batch string, columns []prospect.Column, identity string,
	feed func(w io.Writer) error) (store.Part, error) {
	if _, err := s.dataset(ctx, dataset); err != nil {
		return store.Part{}, err
	}
	p, err := s.newPipe()
	if err != nil {
		return store.Part{}, err
	}
	defer p.remove()
	part := s.draft(dataset.Name, batch)
	data := map[string]any{"Fifo": p.path, "Part": part}
	var out []partColumn
	var stored []tableColumn
	for i, c := range columns {
		stored = append(stored, tableColumn{c.Field.Path, sqlType(c.Field)})
		raw := "c" + strconv.Itoa(i)
		if c.Field.Path == identity {
			data["Identity"] = raw
			c.Field.Required, c.Field.Default = true, nil
		}
		if c.Absent && dataset.Merge == store.Upsert { // such a column is left as it was
			c.Field.Default = nil
		}
		if c.Field.Container != xdm.Single {
			out = append(out, partColumn{c.Field.Path, jsonForm[c.Field.Container], castAll(raw, c.Field), checkAll(raw, c.Field)})
			continue
		}
		if c.Field.Default != nil {
			raw = "coalesce(" + raw + ", " + queries.Text(*c.Field.Default) + ")"
		}
		found := checks(raw, "t"+strconv.Itoa(i), c.Field)
		if c.Field.Path == identity {
			found = append(found, identityCheck(raw, identity))
		}
		out = append(out, partColumn{c.Field.Path, "", cast(raw, c.Field), found})
	}
	data["Columns"], data["Digest"] = out, digest(stored)
	if data["Identity"] == nil {
		return store.Part{}, errkind.Newf(errkind.Invalid, "the mapping does not fill the primary identity %s", identity)
	}
	err = p.feed(ctx, func(ctx context.Context) error { return s.exec(ctx, s.checker, "ingest/write_part", data) }, feed)
	if err != nil {
		return store.Part{}, fmt.Errorf("validate batch %s: %w", batch, errors.Join(err, remove(part)))
	}
	var counts store.Part
	err = s.query(ctx, s.db, "ingest/part_counts", map[string]any{"Part": part}, nil, func(scan func(...any) error) error {
		return scan(&counts.Accepted, &counts.Rejected)
	})
	return counts, err
}

// PartRejections yields every record that WritePart found to break a rule, in line order.
func (s *Store) PartRejections(ctx context.Context, dataset, batch string) iter.Seq2[store.RefusedLine, error] {
	return func(yield func(store.RefusedLine, error) bool) {
		enough := errors.New("enough")
		data := map[string]any{"Part": s.draft(dataset, batch)}
		err := s.query(ctx, s.db, "ingest/part_rejections", data, nil, func(scan func(...any) error) error {
			var refused store.RefusedLine
			var text string
			if err := scan(&refused.Line, &text); err != nil {
				return err
			}
			for _, reason := range strings.Split(text, "\n") {
				refused.Reasons = append(refused.Reasons, prospect.ParseReason(reason))
			}
			if !yield(refused, nil) {
				return enough
			}
			return nil
		})
		if err != nil && !errors.Is(err, enough) {
			yield(store.RefusedLine{}, err)
		}
	}
}

// guarded casts text that has the form of the type, which DuckDB's casts alone do not ask for.
func guarded(raw, form, typ string) string {
	return "CASE WHEN regexp_full_match(" + raw + ", " + queries.Text(form) + ") THEN TRY_CAST(" + raw + " AS " + typ + ") END"
}

// cast is the SQL of a column's typed value; null where the text is not of the type.
func cast(raw string, f xdm.Field) string {
	switch f.Type {
	case xdm.Integer:
		return guarded(raw, xdm.IntegerForm, "BIGINT")
	case xdm.Number:
		return guarded(raw, xdm.NumberForm, "DOUBLE")
	case xdm.Boolean:
		return guarded(raw, xdm.BooleanForm, "BOOLEAN")
	case xdm.Date:
		return guarded(raw, xdm.DateForm, "DATE")
	case xdm.DateTime:
		return "CASE WHEN regexp_full_match(" + raw + ", " + queries.Text(xdm.DateTimeForm) + ") THEN TRY_CAST(" + raw + " AS TIMESTAMPTZ)" +
			" WHEN regexp_full_match(" + raw + ", " + queries.Text(xdm.EpochForm) + ") THEN CAST(epoch_ms(TRY_CAST(" + raw + " AS BIGINT)) AS TIMESTAMPTZ) END"
	}
	return raw
}

// Between these an instant is in the years 0001 to 9999, which an offset can lead out of.
const inYears = " NOT BETWEEN TIMESTAMPTZ '0001-01-01 00:00:00Z' AND TIMESTAMPTZ '9999-12-31 23:59:59.999999Z'"

// blank is true where there is nothing but white space: trim takes spaces alone, and neither tabs nor line ends.
func blank(raw string) string {
	return "coalesce(regexp_full_match(" + raw + ", " + queries.Text(`[\pZ\t-\r\x{85}]*`) + "), true)"
}

// identityCheck refuses what would be another prospect to some readers of the value and the same one to others.
func identityCheck(raw, path string) check {
	return check{"NOT " + blank(raw) + " AND (strlen(" + raw + ") > " + strconv.Itoa(prospect.MaxIdentity) + " OR NOT regexp_full_match(" + raw + ", " +
		queries.Text(prospect.IdentityForm) + "))", prospect.Reason{Code: prospect.BadIdentity, Field: path}.String()}
}

// checks are the conditions under which a column refuses its row, given its text and its typed value. A value
// that is not of its type is said to be that and nothing more.
func checks(raw, typed string, f xdm.Field) []check {
	var out []check
	add := func(code prospect.Code, failed string) {
		out = append(out, check{failed, prospect.Reason{Code: code, Field: f.Path}.String()})
	}
	if f.Required {
		add(prospect.Required, blank(raw))
	}
	switch f.Type {
	case xdm.String:
	case xdm.Number:
		add(prospect.WrongType, "NOT coalesce(isfinite("+typed+"), "+raw+" IS NULL)")
	case xdm.DateTime:
		add(prospect.WrongType, raw+" IS NOT NULL AND coalesce("+typed+inYears+", true)")
	default:
		add(prospect.WrongType, raw+" IS NOT NULL AND "+typed+" IS NULL")
	}
	if len(f.Enum) > 0 {
		values := make([]string, len(f.Enum))
		for i, v := range f.Enum {
			values[i] = queries.Text(v)
		}
		// Not IN: from five literals on DuckDB turns it into a join.
		add(prospect.NotInEnum, "NOT list_contains(["+strings.Join(values, ", ")+"], "+raw+")")
	}
	if f.Pattern != "" {
		add(prospect.NotPattern, "NOT regexp_full_match("+raw+", "+queries.Text(f.Pattern)+")")
	}
	if f.Format != "" {
		add(prospect.NotFormat, "NOT regexp_full_match("+raw+", "+queries.Text(xdm.FormatForms[f.Format])+")")
	}
	if f.MinLength > 0 {
		add(prospect.BadLength, fmt.Sprintf("length(%s) < %d", raw, f.MinLength))
	}
	if f.MaxLength > 0 {
		add(prospect.BadLength, fmt.Sprintf("length(%s) > %d", raw, f.MaxLength))
	}
	if f.Minimum != nil {
		add(prospect.OutOfRange, "isfinite("+typed+") AND "+typed+" < "+literal(*f.Minimum))
	}
	if f.Maximum != nil {
		add(prospect.OutOfRange, "isfinite("+typed+") AND "+typed+" > "+literal(*f.Maximum))
	}
	return out
}

func literal(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

package differential_test

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"prospector/internal/store"
	"prospector/internal/xdm"
)

// setting is a schema, a dataset and a source.
type setting struct {
	fields  []xdm.Field       // in path order
	columns map[string]string // of the file, to the path
	lists   map[string]string // what separates the elements of lists that are not JSON, by path
	dialect dialect
	nulls   []string
	ignored []string

	unmapped, missing string // drift
	threshold         float64
	recordBytes       int
	merge             store.Merge
	mostRemoved       float64
	lifetimeDays      int
}

const identityPath = "partnerID"

// verdict is what becomes of a file.
type verdict struct {
	refused  string // why the file as a whole is not taken: a code, refused or set aside
	rejected []string
	read     int64
	accepted int64

	lists, maps, refusedLists int64 // values, of accepted rows and of others; not compared
	drift                     string
	reasons                   map[string]int64 // rows by code and field, as the dataset tells them
	outcome                   store.Outcome
	removals                  bool // it is a full file that would remove too much
}

// profile is what a dataset holds of an id.
type profile struct {
	values       map[string]value
	batch, since string
	line         int64
	modified     time.Time
	created      time.Time
	date         string
}

// oracle is a dataset, and how files become its profiles, written from the documentation alone: row by row, with neither
// a database nor anything else of what it judges.
type oracle struct {
	setting
	profiles map[string]*profile
	seen     map[string]bool // ids that any file had
}

func newOracle(s setting) *oracle {
	return &oracle{setting: s, profiles: map[string]*profile{}, seen: map[string]bool{}}
}

// row is an accepted row.
type row struct {
	id     string
	line   int64
	values map[string]value
}

// judged is a file whose rows have been judged.
type judged struct {
	verdict
	rows    []row
	present map[string]bool // ids of all rows, the rejected ones too
	carried map[string]bool // paths that the file has a column for
}

func (o *oracle) judgeFile(content []byte) (out judged) {
	out.present, out.carried = map[string]bool{}, map[string]bool{}
	if len(content) == 0 {
		out.refused = "106"
		return out
	}
	records := split(content, o.dialect)
	header := o.dialect.columns
	if header == nil {
		if len(records) == 0 {
			out.refused = "118"
			return out
		}
		first := records[0]
		records = records[1:]
		if first.broken {
			out.refused = "refused"
			return out
		}
		header = first.fields
	}
	header = slices.Clone(header)
	for i := range header {
		header[i] = strings.TrimSpace(header[i])
	}
	if out.refused = o.judgeHeader(header, &out.verdict); out.refused != "" {
		return out
	}
	for _, name := range header {
		if path := o.columns[name]; path != "" {
			out.carried[path] = true
		}
	}
	for _, r := range records {
		out.read++
		if codes := o.judgeRecord(header, r, &out); len(codes) > 0 {
			slices.Sort(codes)
			out.rejected = append(out.rejected, fmt.Sprintf("%d: %s", r.line, strings.Join(codes, ", ")))
		}
	}
	out.accepted = int64(len(out.rows))
	return out
}

func (o *oracle) judgeHeader(header []string, v *verdict) (refused string) {
	var unmapped, missing []string
	names := map[string]bool{}
	named, repeated, identityMap := false, false, false
	for _, name := range header {
		named = named || name != ""
		repeated = repeated || names[name]
		names[name] = true
		first, _, _ := strings.Cut(name, ".")
		identityMap = identityMap || first == "identityMap" || strings.HasSuffix(name, ".identityMap")
		if o.columns[name] == "" && !slices.Contains(o.ignored, name) {
			unmapped = append(unmapped, name)
		}
	}
	for name := range o.columns {
		if !names[name] {
			missing = append(missing, name)
		}
	}
	slices.Sort(unmapped)
	slices.Sort(missing)
	switch {
	case !named:
		return "118"
	case repeated, identityMap, len(unmapped) > 0 && o.unmapped == "fail", len(missing) > 0 && o.missing == "fail":
		return "refused"
	case len(unmapped) > 0 && o.unmapped == "quarantine", len(missing) > 0 && o.missing == "quarantine":
		return "set aside"
	}
	v.drift = driftText(unmapped, missing)
	return ""
}

func driftText(unmapped, missing []string) string {
	return strings.Join(slices.Sorted(slices.Values(unmapped)), ",") + "/" + strings.Join(slices.Sorted(slices.Values(missing)), ",")
}

// judgeRecord returns why the record is rejected; one without a reason becomes a row.
func (o *oracle) judgeRecord(header []string, r record, out *judged) (codes []string) {
	if o.recordBytes > 0 && len(r.raw) > o.recordBytes {
		return []string{"PROSPECT-SIZE"}
	}
	if r.broken || len(r.fields) != len(header) {
		return []string{"INGEST-1401-400"}
	}
	texts := map[string]string{}
	for i, name := range header {
		if path := o.columns[name]; path != "" && r.fields[i] != "" && !slices.Contains(o.nulls, r.fields[i]) {
			texts[path] = r.fields[i]
		}
	}
	made := row{line: r.line, values: map[string]value{}}
	for _, f := range o.fields {
		text, given := texts[f.Path]
		if !given && f.Default != nil && f.Path != identityPath && o.mapped(f.Path) && (out.carried[f.Path] || o.merge != store.Upsert) {
			text, given = *f.Default, true
		}
		if !given {
			if f.Required || f.Path == identityPath {
				codes = append(codes, "INGEST-1555-400 "+f.Path)
			}
			continue
		}
		if f.Container != xdm.Single {
			v, wrong := o.judgeContainer(f, text)
			for _, code := range wrong {
				codes = append(codes, code+" "+f.Path)
			}
			out.refusedLists += min(int64(len(wrong)), 1)
			made.values[f.Path] = v
			continue
		}
		empty := blank(text)
		if empty && (f.Required || f.Path == identityPath) {
			codes = append(codes, "INGEST-1555-400 "+f.Path)
		}
		if f.Path == identityPath && !empty {
			made.id = text
			o.seen[text] = true
			out.present[text] = true
			if code := judgeIdentity(text); code != "" {
				codes = append(codes, code+" "+f.Path)
			}
		}
		v, wrong := judge(f, text)
		for _, code := range wrong {
			codes = append(codes, code+" "+f.Path)
		}
		made.values[f.Path] = v
	}
	if len(codes) == 0 {
		out.rows = append(out.rows, made)
		for _, v := range made.values {
			out.lists += min(int64(strings.Count(string(v), listMark)), 1)
			out.maps += min(int64(strings.Count(string(v), mapMark)), 1)
		}
	}
	return codes
}

// mapped reports whether a column fills the field, in this file or another.
func (o *oracle) mapped(path string) bool {
	for _, p := range o.columns {
		if p == path {
			return true
		}
	}
	return false
}

// take judges a file and makes its rows profiles.
func (o *oracle) take(in input, batch string, at time.Time) verdict {
	j := o.judgeFile(in.content)
	if j.refused != "" {
		return j.verdict
	}
	out := &j.outcome
	*out = store.Outcome{Status: store.Loaded, Read: j.read, Accepted: j.accepted, Rejected: j.read - j.accepted}
	share := new(big.Rat).SetInt64(100 * out.Rejected)
	if share.Cmp(new(big.Rat).Mul(new(big.Rat).SetFloat64(o.threshold), new(big.Rat).SetInt64(j.read))) > 0 {
		out.Status = store.Failed
		return j.verdict
	}
	var removed []string
	if o.merge == store.Full {
		for id, p := range o.profiles {
			if !j.present[id] && (in.date == "" || p.date <= in.date) {
				removed = append(removed, id)
			}
		}
		if !in.force && 100*float64(len(removed)) > o.mostRemoved*float64(len(o.profiles)) {
			j.removals = true
			return j.verdict
		}
	}
	last := map[string]row{}
	for _, r := range j.rows {
		if _, ok := last[r.id]; ok {
			out.Superseded++
		}
		last[r.id] = r
	}
	for id, r := range last {
		o.takeRow(id, r, in, batch, at, j.carried, out)
	}
	for _, id := range removed {
		delete(o.profiles, id)
		out.Removed++
	}
	return j.verdict
}

func (o *oracle) takeRow(id string, r row, in input, batch string, at time.Time, carried map[string]bool, out *store.Outcome) {
	p := o.profiles[id]
	if p == nil {
		out.Created++
		o.profiles[id] = &profile{values: r.values, batch: batch, since: batch, line: r.line, modified: at, created: at, date: in.date}
		return
	}
	if in.date != "" && p.date > in.date {
		out.Outdated++
		return
	}
	values := r.values
	if o.merge == store.Upsert {
		values = map[string]value{}
		for _, f := range o.fields {
			from := p.values
			if carried[f.Path] {
				from = r.values
			}
			if v, ok := from[f.Path]; ok {
				values[f.Path] = v
			}
		}
	}
	same := len(values) == len(p.values)
	for path, v := range values {
		held, ok := p.values[path]
		same = same && ok && held == v
	}
	if same {
		out.Unchanged++
	} else {
		out.Updated++
	}
	p.values, p.batch, p.line, p.modified, p.date = values, batch, r.line, at, in.date
}

// holdings are all profiles, in a form that can be compared.
func (o *oracle) holdings() map[string]string {
	out := map[string]string{}
	for id, p := range o.profiles {
		out[id] = holding(p.values, p.batch, p.line, p.modified, p.since, p.created, p.modified.AddDate(0, 0, o.lifetimeDays))
	}
	return out
}

func holding(values map[string]value, batch string, line int64, modified time.Time, since string, created, expires time.Time) string {
	var texts []string
	for path, v := range values {
		texts = append(texts, path+"="+v.String())
	}
	slices.Sort(texts)
	return fmt.Sprintf("%s; line %d of %s at %s, since %s at %s, until %s", strings.Join(texts, " "), line, batch, modified.UTC().Format(time.RFC3339Nano), since,
		created.UTC().Format(time.RFC3339Nano), expires.UTC().Format(time.RFC3339Nano))
}

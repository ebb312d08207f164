// Package differential holds what the product makes of files against a second implementation of the same
// documentation: random schemas, dialects and dirty files go through both, and every count, every rejected row and every
// profile must be the same.
package differential_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/store/duckdb"
)

const (
	filesOfTest     = 2000
	examplesOfStore = 200 // so that no store grows slow
)

// TestAgainstAnOracle (BI-3, BI-7, SC-32, PF-15, PF-19, AS-10, AS-13, EC-15, EC-16, EC-18, EC-19, EC-20). DIFFERENTIAL_FILES says
// how many files to try, and DIFFERENTIAL_SEED which example is the first; one that fails names its seed and is made small.
func TestAgainstAnOracle(t *testing.T) {
	files, seed := setting64(t, "DIFFERENTIAL_FILES", filesOfTest), setting64(t, "DIFFERENTIAL_SEED", 1)
	stores := bench{t: t}
	began := time.Now()
	var reached tally
	for ; reached.files < files; seed++ {
		e := newGenerator(uint64(seed)).example()
		before := reached.files
		difference := stores.compare(e, &reached)
		if reached.files/5000 > before/5000 {
			t.Logf("%s, seed %d: %+v", time.Since(began).Round(time.Second), seed, reached)
		}
		if difference == "" {
			continue
		}
		small := shrink(e, func(e example) bool { return stores.compare(e, &tally{}) != "" })
		t.Errorf("DIFFERENTIAL_SEED=%d DIFFERENTIAL_FILES=1: the product (+) is not as the documentation says (-):\n%s\nmade small:\n%s\nof\n%s", seed, difference, stores.compare(small, &tally{}), small)
		if reached.differences++; reached.differences == 5 {
			t.Fatal("too many differences")
		}
	}
	t.Logf("%s, next seed %d: %+v", time.Since(began).Round(time.Second), seed, reached)
	if files >= filesOfTest { // what has not happened was not compared
		numbers := reflect.ValueOf(reached)
		for i := range numbers.NumField() {
			if name := numbers.Type().Field(i).Name; name != "differences" {
				require.GreaterOrEqual(t, numbers.Field(i).Int(), files/200, "%s hardly happens", name)
			}
		}
	}
}

func setting64(t *testing.T, name string, otherwise int64) int64 {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseInt(text, 10, 64)
	require.NoError(t, err)
	return n
}

// tally counts what the files came to.
type tally struct {
	files, refused, setAside, failed, removals                 int64
	accepted, rejected, lists, maps, refusedLists              int64
	created, updated, unchanged, superseded, outdated, removed int64
	differences                                                int64
}

func (n *tally) add(v verdict) {
	n.files++
	switch {
	case v.refused == "set aside":
		n.setAside++
	case v.refused != "":
		n.refused++
	case v.removals:
		n.removals++
	case v.outcome.Status == "failed":
		n.failed++
	}
	n.accepted += v.accepted
	n.rejected += int64(len(v.rejected))
	n.lists, n.maps, n.refusedLists = n.lists+v.lists, n.maps+v.maps, n.refusedLists+v.refusedLists
	o := v.outcome
	n.created += o.Created
	n.updated += o.Updated
	n.unchanged += o.Unchanged
	n.superseded += o.Superseded
	n.outdated += o.Outdated
	n.removed += o.Removed
}

// bench is a store for so many examples, then a fresh one.
type bench struct {
	t        *testing.T
	store    *duckdb.Store
	dir      string
	examples int
}

func (b *bench) product(s setting) *product {
	if b.examples%examplesOfStore == 0 {
		if b.store != nil {
			require.NoError(b.t, b.store.Close())
			require.NoError(b.t, os.RemoveAll(b.dir))
		} else {
			b.t.Cleanup(func() { require.NoError(b.t, b.store.Close()) })
		}
		b.dir = b.t.TempDir()
		b.store = openStore(b.t, b.dir)
	}
	b.examples++
	return newProduct(b.t, b.store, b.dir, fmt.Sprintf("d%d", b.examples), s)
}

var monday = time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)

// compare returns where product and oracle differ, and nothing when they do not.
func (b *bench) compare(e example, n *tally) string {
	p, o := b.product(e.setting), newOracle(e.setting)
	for i, in := range e.files {
		batch, at := fmt.Sprintf("b%d", i+1), monday.Add(time.Duration(i)*time.Hour)
		want := o.take(in, batch, at)
		n.add(want)
		got := p.take(in, batch, at)
		if !want.removals && want.refused == "" {
			want.reasons = map[string]int64{}
			for _, text := range want.rejected {
				_, reasons, _ := strings.Cut(text, ": ")
				for reason := range strings.SplitSeq(reasons, ", ") {
					want.reasons[reason]++
				}
			}
		}
		if want.refused != "" {
			want = verdict{refused: want.refused}
		}
		if want.removals {
			want.outcome = got.outcome
		}
		var wanted, held map[string]string
		if (len(e.files)-i)%3 == 1 { // after the last file, and not after each: to ask for profiles takes long
			wanted, held = o.holdings(), p.holdings(o.seen)
		}
		if d := difference(lines(want, wanted), lines(got, held)); d != "" {
			return fmt.Sprintf("%s after file %d\n%s", e.setting.merge, i+1, d)
		}
	}
	return ""
}

// lines are all that is compared.
func lines(v verdict, holdings map[string]string) (out []string) {
	out = append(out, fmt.Sprintf("refused %q, read %d, accepted %d, drift %q, removals refused %v, outcome %+v", v.refused, v.read, v.accepted, v.drift, v.removals, v.outcome))
	for _, text := range v.rejected {
		out = append(out, "line "+text)
	}
	for _, reason := range slices.Sorted(maps.Keys(v.reasons)) {
		out = append(out, fmt.Sprintf("%d rows: %s", v.reasons[reason], reason))
	}
	for _, id := range slices.Sorted(maps.Keys(holdings)) {
		out = append(out, fmt.Sprintf("%q: %s", id, holdings[id]))
	}
	return out
}

func difference(want, got []string) string {
	if slices.Equal(want, got) {
		return ""
	}
	var out strings.Builder
	for _, line := range want {
		if !slices.Contains(got, line) {
			fmt.Fprintf(&out, "- %s\n", line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			fmt.Fprintf(&out, "+ %s\n", line)
		}
	}
	if out.Len() == 0 {
		return "the order differs"
	}
	return out.String()
}

// shrink takes files and lines away for as long as the difference stays.
func shrink(e example, differs func(example) bool) example {
	for smaller := true; smaller; {
		smaller = false
		for i := range e.files {
			try := e
			try.files = slices.Delete(slices.Clone(e.files), i, i+1)
			if len(try.files) > 0 && differs(try) {
				e, smaller = try, true
				break
			}
		}
		for i := range e.files {
			parts := bytes.SplitAfter(e.files[i].content, []byte("\n"))
			for k := len(parts) - 1; k >= 0; k-- {
				less := slices.Delete(slices.Clone(parts), k, k+1)
				try := e
				try.files = slices.Clone(e.files)
				try.files[i].content = bytes.Join(less, nil)
				if len(parts[k]) > 0 && differs(try) {
					e, parts, smaller = try, less, true
				}
			}
		}
	}
	return e
}

// String is the example for a person who has to look into it.
func (e example) String() string {
	s := e.setting
	var out strings.Builder
	fmt.Fprintf(&out, "dialect %q %q %q keep %v columns %q nulls %q ignored %q drift %s %s threshold %v bytes %d merge %s removed %v\n", s.dialect.delimiter, s.dialect.quote, s.dialect.escape, s.dialect.keep,
		s.dialect.columns, s.nulls, s.ignored, s.unmapped, s.missing, s.threshold, s.recordBytes, s.merge, s.mostRemoved)
	for _, f := range s.fields {
		fmt.Fprintf(&out, "  %s %s %q", f.Path, f.TypeText(), s.lists[f.Path])
		if f.Default != nil {
			fmt.Fprintf(&out, " default %q", *f.Default)
		}
		if f.Minimum != nil {
			fmt.Fprintf(&out, " minimum %v", *f.Minimum)
		}
		if f.Maximum != nil {
			fmt.Fprintf(&out, " maximum %v", *f.Maximum)
		}
		fmt.Fprintf(&out, " required %v enum %q pattern %q format %q length %d to %d\n", f.Required, f.Enum, f.Pattern, f.Format, f.MinLength, f.MaxLength)
	}
	fmt.Fprintf(&out, "  mapping %v\n", s.columns)
	for _, in := range e.files {
		fmt.Fprintf(&out, "  file of %q force %v\n", in.date, in.force)
		for _, line := range bytes.SplitAfter(in.content, []byte("\n")) {
			fmt.Fprintf(&out, "    %q\n", line)
		}
	}
	return out.String()
}

package partnerdata

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/filecodec"
	"prospector/internal/prospect"
	"prospector/internal/workspace"
	"prospector/internal/xdm"
)

var update = flag.Bool("update", false, "rewrite the files in testdata/partner")

type partner struct {
	name  string
	write func(io.Writer, int, uint64) (Truth, error)
}

var partners = []partner{{"acme", Acme}, {"merk", Merk}}

func generate(t *testing.T, p partner, rows int, seed uint64) ([]byte, Truth) {
	t.Helper()
	var out bytes.Buffer
	truth, err := p.write(&out, rows, seed)
	require.NoError(t, err)
	return out.Bytes(), truth
}

func TestSameRowsAndSeedGiveTheSameBytes(t *testing.T) {
	for _, c := range []struct {
		partner
		rows   int
		seed   uint64
		sha256 string
	}{
		{partners[0], 200, 1, "8f03de7cf018b1ff50854fa5be74d82d133d1dfeba86024426e24e8cff64372a"},
		{partners[0], 20_000, 1, "0f93fc15894f12638d1526880647a8a32f16144a295c45c2698c81843052a22b"},
		{partners[1], 100, 1, "3a39a9b16c6175bbfa809145800097052f62c08bd77e8f06c16a49c1e34234fb"},
		{partners[1], 5_000, 1, "4e8becdeec5b2029df6a8d96160837ff97b543f251a427bd2b398c78bc39b459"},
	} {
		data, _ := generate(t, c.partner, c.rows, c.seed)
		require.Equal(t, c.sha256, fmt.Sprintf("%x", sha256.Sum256(data)), "%s, %d rows", c.name, c.rows)
		other, _ := generate(t, c.partner, c.rows, c.seed+1)
		require.NotEqual(t, data, other)
	}
}

func TestCommittedFilesAreWhatTheGeneratorWrites(t *testing.T) {
	for name, c := range map[string]struct {
		partner
		rows int
	}{"acme_200.csv": {partners[0], 200}, "merk_100.psv": {partners[1], 100}} {
		path := filepath.Join("..", "partner", name)
		data, _ := generate(t, c.partner, c.rows, 1)
		if *update {
			require.NoError(t, os.WriteFile(path, data, 0o644))
		}
		committed, err := os.ReadFile(path)
		require.NoError(t, err)
		require.True(t, bytes.Equal(data, committed), "%s differs; run the test with -update", name)
	}
}

// outcome is what a loader must make of a file.
type outcome struct {
	records, rejected, multiline, repeated int
	byReason                               map[string]int // fault, or code and field
	crlf                                   int
	values                                 map[string]map[string]int // accepted values by path
}

// load reads a file with the framer and judges each record by the sample workspace's schema.
func load(t *testing.T, source string, data []byte) outcome {
	t.Helper()
	w, err := workspace.Load(filepath.Join("..", "workspace"))
	require.NoError(t, err)
	s, err := w.Source(source)
	require.NoError(t, err)
	d, err := w.Dataset(s.Dataset)
	require.NoError(t, err)
	schema := w.Schema(d).Composed

	framer := filecodec.NewFramer(bytes.NewReader(data), filecodec.Dialect{Delimiter: s.Format.Delimiter[0], Quote: s.Format.Quote[0]})
	header, err := framer.Header()
	require.NoError(t, err)
	columns, err := prospect.Columns(s.Targets(), schema)
	require.NoError(t, err)
	at := map[string]int{} // the place of each field in a record
	for i, name := range header {
		at[s.Mapping[name]] = i
	}
	out := outcome{byReason: map[string]int{}, values: map[string]map[string]int{}, crlf: bytes.Count(data, []byte("\r\n"))}
	seen := map[string]bool{}
	for {
		record, err := framer.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		out.records++
		if record.Fault != "" {
			out.rejected++
			out.byReason[string(record.Fault)]++
			continue
		}
		if bytes.ContainsRune(record.Raw, '\n') {
			out.multiline++
		}
		reasons := map[string]bool{}
		for _, c := range columns {
			if code := judge(c.Field, string(record.Fields[at[c.Field.Path]])); code != "" {
				reasons[string(code)+" "+c.Field.Path] = true
			}
		}
		if len(reasons) > 0 {
			out.rejected++
			reason := slices.Sorted(maps.Keys(reasons))
			if len(reason) > 1 {
				reason = []string{"many"}
			}
			out.byReason[reason[0]]++
			continue
		}
		id := string(record.Fields[0])
		if seen[id] {
			out.repeated++
		}
		seen[id] = true
		for _, c := range columns {
			if out.values[c.Field.Path] == nil {
				out.values[c.Field.Path] = map[string]int{}
			}
			out.values[c.Field.Path][string(record.Fields[at[c.Field.Path]])]++
		}
	}
	require.Zero(t, framer.BlankLines())
	return out
}

// judge says what is wrong with a value, after the constraints and types of a field.
func judge(f xdm.Field, value string) prospect.Code {
	if value == "" {
		if f.Required {
			return prospect.Required
		}
		return ""
	}
	switch f.Type {
	case xdm.Integer:
		n, err := strconv.Atoi(value)
		if err != nil {
			return prospect.WrongType
		}
		if f.Minimum != nil && float64(n) < *f.Minimum || f.Maximum != nil && float64(n) > *f.Maximum {
			return prospect.OutOfRange
		}
	case xdm.DateTime:
		if _, err := time.Parse(time.DateOnly, value); err != nil {
			return prospect.WrongType
		}
	}
	if len(f.Enum) > 0 && !slices.Contains(f.Enum, value) {
		return prospect.NotInEnum
	}
	if f.Pattern != "" && !regexp.MustCompile("^(?:"+f.Pattern+")$").MatchString(value) {
		return prospect.NotPattern
	}
	return ""
}

func TestFilesHoldWhatTheTruthSays(t *testing.T) {
	reasons := map[string]map[string][]string{ // by partner and way; several where ways look alike
		"acme": {
			"INGEST-1555-400 partnerID":          {"id missing"},
			"column count":                       {"too few columns", "too many columns"},
			"quoting":                            {"quote not closed"},
			"not UTF-8":                          {"not UTF-8"},
			"NUL byte":                           {"NUL byte"},
			"record too large":                   {"record too large"},
			"PROSPECT-ENUM _luma.prospect.state": {"state unknown"},
			"PROSPECT-PATTERN _luma.prospect.postalCode": {"ZIP of 4 digits"},
			"PROSPECT-ENUM partner.hiking":               {"interest not Y or N"},
			"many":                                       {"header repeated"},
		},
		"merk": {
			"INGEST-1555-400 partnerID": {"id missing"},
			"column count":              {"too few columns", "too many columns"},
			"quoting":                   {"quote not closed"},
			"not UTF-8":                 {"not UTF-8"},
			"NUL byte":                  {"NUL byte"},
			"PROSPECT-TYPE merkle.demographics.age.age":                              {"age not a number"},
			"PROSPECT-RANGE merkle.demographics.age.age":                             {"age out of range"},
			"PROSPECT-TYPE merkle.demographics.age.birthdate":                        {"birthdate not a date"},
			"PROSPECT-TYPE merkle.demographics.householdComposition.individualCount": {"household count not whole"},
		},
	}
	for _, p := range partners {
		for _, rows := range []int{0, 1, 19, 100, 200, 777, 2_000, 20_000} {
			for seed := range uint64(5) {
				t.Run(fmt.Sprintf("%s/%d/%d", p.name, rows, seed), func(t *testing.T) {
					data, truth := generate(t, p, rows, seed)
					out := load(t, p.name, data)
					require.Equal(t, rows, truth.Rows)
					require.Equal(t, rows, out.records)
					require.Equal(t, truth.Broken, out.rejected, out.byReason)
					require.Equal(t, truth.Repeated, out.repeated)
					if rows >= 1_000 { // below, one repeat may find no place
						require.Equal(t, rows/200, truth.Repeated)
					}
					sum := 0
					for reason, n := range out.byReason {
						require.Contains(t, reasons[p.name], reason)
						want := 0
						for _, way := range reasons[p.name][reason] {
							want += truth.ByWay[way]
						}
						require.Equal(t, want, n, reason)
						sum += n
					}
					require.Equal(t, truth.Broken, sum)
					if rows >= 200 {
						require.Equal(t, max(10, rows/100)+truth.ByWay["record too large"], truth.Broken)
						require.GreaterOrEqual(t, len(truth.ByWay), 10)
						require.Positive(t, truth.Repeated)
						require.Positive(t, out.multiline)
					}
					if rows >= largeFrom && p.name == "acme" {
						require.Equal(t, 1, truth.ByWay["record too large"])
					}
					if rows >= 100 && p.name == "acme" {
						require.Positive(t, out.crlf)
						require.Less(t, out.crlf, rows/5)
					}
				})
			}
		}
	}
}

func TestValuesAreLikeAPopulation(t *testing.T) {
	data, truth := generate(t, partners[0], 20_000, 3)
	out := load(t, "acme", data)
	good := truth.Rows - truth.Broken
	share := func(path, value string) float64 { return float64(out.values[path][value]) / float64(good) }
	require.InDelta(t, 0.116, share("_luma.prospect.state", "CA"), 0.02)
	require.Len(t, out.values["_luma.prospect.state"], 52) // with the empty one
	require.InDelta(t, 0.17, share("partner.ageRangeInHousehold", "35-44"), 0.02)
	require.InDelta(t, 0.25, share("partner.hiking", "Y"), 0.08)
	require.InDelta(t, 0.06, share("partner.sailing", "Y"), 0.03)
	require.Positive(t, out.values["partner.spendingVolume"]["$1,000+"])
	require.Contains(t, string(data), "José")
	require.Contains(t, string(data), "O'Brien")
	require.Contains(t, string(data), `""Bill""`)
	require.Contains(t, string(data), `, Jr."`)

	data, truth = generate(t, partners[1], 20_000, 3)
	require.True(t, bytes.HasPrefix(data, []byte("\xef\xbb\xbfmerk_id|")))
	out = load(t, "merk", data)
	good = truth.Rows - truth.Broken
	require.InDelta(t, 0.5, share("merkle.demographics.maritalStatus.maritalStatus", "M"), 0.1)
	require.InDelta(t, 0.49, share("merkle.demographics.gender.gender", "F"), 0.04)
}

func TestZIPCodesBelongToTheirState(t *testing.T) {
	prefixes := map[string]string{}
	for _, s := range states {
		for _, part := range regexp.MustCompile(`\d{3}(-\d{3})?`).FindAllString(s.prefixes, -1) {
			from, _ := strconv.Atoi(part[:3])
			to, _ := strconv.Atoi(part[len(part)-3:])
			for n := from; n <= to; n++ {
				prefix := fmt.Sprintf("%03d", n)
				require.Empty(t, prefixes[prefix], prefix)
				prefixes[prefix] = s.code
			}
		}
	}
	require.Len(t, states, 51)
	data, _ := generate(t, partners[0], 2_000, 1)
	framer := filecodec.NewFramer(bytes.NewReader(data), filecodec.Dialect{Delimiter: ',', Quote: '"'})
	_, err := framer.Header()
	require.NoError(t, err)
	checked := 0
	for {
		record, err := framer.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		if record.Fault == "" && len(record.Fields[4]) == 5 && len(record.Fields[5]) == 2 && prefixes[string(record.Fields[4][:3])] != "" {
			state := string(record.Fields[5])
			if _, known := climates[state]; known { // not one of the broken records
				require.Equal(t, prefixes[string(record.Fields[4][:3])], state)
				checked++
			}
		}
	}
	require.Greater(t, checked, 1_800)
}

// failing is a file that cannot be written.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWriteErrorsAreReturned(t *testing.T) {
	_, err := Acme(failing{}, 20_000, 1)
	require.EqualError(t, err, "disk full")
	_, err = Merk(io.Discard, -1, 1)
	require.Error(t, err)
}

package infer

import (
	"bytes"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"prospector/internal/errkind"
	"prospector/internal/workspace"
	"prospector/internal/xdm"
)

var update = flag.Bool("update", false, "rewrite the proposals in testdata")

const partnerFiles = "../../testdata/partner"

func propose(t *testing.T, o Options, text string) *Proposal {
	t.Helper()
	p, err := Propose(strings.NewReader(text), o)
	require.NoError(t, err)
	return p
}

func text(t *testing.T, p *Proposal) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, p.WriteYAML(&out))
	return out.String()
}

// load makes a workspace of a proposal and a sandbox.
func load(t *testing.T, p *Proposal) (*workspace.Workspace, error) {
	t.Helper()
	dir := t.TempDir()
	sandbox := "kind: Sandbox\nname: draft\norganization: Luma\ntenant: " + p.Tenant + "\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "prospector.yaml"), []byte(sandbox), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, p.Name+".yaml"), []byte(text(t, p)), 0o600))
	return workspace.Load(dir)
}

func loaded(t *testing.T, p *Proposal) *workspace.Workspace {
	t.Helper()
	w, err := load(t, p)
	require.NoError(t, err, text(t, p))
	return w
}

func column(t *testing.T, p *Proposal, name string) Column {
	t.Helper()
	for _, c := range p.Columns {
		if c.Name == name {
			return c
		}
	}
	require.Fail(t, "no column "+name)
	return Column{}
}

func sample(t *testing.T, name string) *Proposal {
	t.Helper()
	file, err := os.Open(filepath.Join(partnerFiles, name))
	require.NoError(t, err)
	defer file.Close()
	p, err := Propose(file, Options{File: name, Tenant: "_luma"})
	require.NoError(t, err)
	return p
}

func TestProposalsOfTheSampleFiles(t *testing.T) {
	for _, name := range []string{"acme_200.csv", "merk_100.psv"} {
		p := sample(t, name)
		golden := filepath.Join("testdata", name+".yaml")
		if *update {
			require.NoError(t, os.MkdirAll("testdata", 0o755))
			require.NoError(t, os.WriteFile(golden, []byte(text(t, p)), 0o644))
		}
		want, err := os.ReadFile(golden)
		require.NoError(t, err)
		require.Equal(t, string(want), text(t, p), "rewrite it with -update")
	}
}

func TestProposalIsAWorkspace(t *testing.T) {
	for _, name := range []string{"acme_200.csv", "merk_100.psv"} {
		p := sample(t, name)
		w := loaded(t, p)
		require.Len(t, w.Sources, 1)
		require.Equal(t, p.Format.Delimiter, w.Sources[0].Format.Delimiter)
		mapped := w.Sources[0].Mapping
		for _, c := range p.Columns {
			if c.Use == UsePersonal {
				require.Contains(t, w.Sources[0].IgnoreColumns, c.Name)
				require.NotContains(t, mapped, c.Name)
				continue
			}
			require.Equal(t, c.Path, mapped[c.Name])
			field, ok := w.Schemas[0].Composed.Field(c.Path)
			require.True(t, ok)
			require.Equal(t, c.FieldType, field.Type)
		}
	}
}

// Whoever takes the commented lines gets a workspace that is valid as well.
func TestDirectIdentifiersCanBeTaken(t *testing.T) {
	p := propose(t, Options{File: "x.csv"}, "id,email\n1,a@b.example\n2,c@d.example\n")
	out := text(t, p)
	for old, replacement := range map[string]string{
		"# kind: FieldGroup": "kind: FieldGroup", "# name: X Prospect Fields": "name: X Prospect Fields", "# fields:": "fields:", "# - {path": "- {path",
		"fieldGroups: []": "fieldGroups: [X Prospect Fields]", "# email: ": "email: ", "ignoreColumns: [email]": "ignoreColumns: []",
		"labels: {all: [Third-Party]}": "labels: {all: [Third-Party], fields: {_tenant.prospect.email: [I1]}}",
	} {
		require.Contains(t, out, old)
		out = strings.ReplaceAll(out, old, replacement)
	}
	files := workspace.Files{"a.yaml": "kind: Sandbox\nname: draft\norganization: Luma\n", "b.yaml": out}
	w, err := workspace.Parse(files)
	require.NoError(t, err, out)
	require.Equal(t, "_tenant.prospect.email", w.Sources[0].Mapping["email"])
	require.Equal(t, []string{"I1", "Third-Party"}, w.FieldLabels(w.Datasets[0])["_tenant.prospect.email"])
}

// Names that YAML or an object's name could trip over come through unharmed.
func TestAnyNameIsWrittenSafely(t *testing.T) {
	names := []string{"yes", "N", "null", "~", "- x", "a: b", "a #b", "{x}", "[y", "*z", "&w", "!v", "%u", "@t", "`s", `back\slash`, `say "x"`, "tab\there", "line\nbreak",
		"---", "größe", "日本", "emoji 😀", "x'y", "<<", "#", "a,b", "UPPER", "upper", "Up per", "a\u2028b", "\u0085nel", "bell\a", strings.Repeat("long", 50)}
	var header, row []string
	for i, name := range names {
		header = append(header, `"`+strings.ReplaceAll(name, `"`, `""`)+`"`)
		row = append(row, fmt.Sprintf("v%d", i))
	}
	for _, file := range []string{"...", "2026-01-31.csv", "Ünï.csv", "no", "a b: c#.csv", "0.csv.gz.csv", strings.Repeat("y", 300)} {
		p := propose(t, Options{File: file, Delimiter: ","}, "pid,"+strings.Join(header, ",")+"\n1,"+strings.Join(row, ",")+"\n")
		w := loaded(t, p)
		require.Len(t, w.Sources[0].Mapping, len(names)+1)
		for _, name := range names {
			require.Contains(t, w.Sources[0].Mapping, strings.TrimSpace(name))
		}
	}
}

func TestTypes(t *testing.T) {
	for _, c := range []struct {
		values string // separated by spaces; _ is empty
		want   xdm.Type
		failed int
	}{
		{"1 2 -3 +0 0", xdm.String, 0}, // a plus sign would be lost
		{"1 2 -3 0", xdm.Integer, 0},
		{"1 _ 3", xdm.Integer, 0},
		{"12 12.6", xdm.Number, 0},
		{"1e3 2", xdm.Number, 0},
		{"1e999 2", xdm.String, 0}, // infinite
		{".5 5. -0.5", xdm.Number, 0},
		{"01234 98765", xdm.String, 0},
		{"00.5 1.5", xdm.String, 0},
		{"-01 2", xdm.String, 0},
		{"123456789012345678", xdm.Integer, 0},
		{"1234567890123456789 5", xdm.String, 0}, // digits would be lost
		{"1,5 2", xdm.String, 0},
		{"1_000", xdm.String, 0},
		{"0x10", xdm.String, 0},
		{"true false", xdm.Boolean, 0},
		{"True False", xdm.String, 0},
		{"Y N", xdm.String, 0},
		{"2026-01-31 1999-12-01", xdm.Date, 0},
		{"2026-02-30 1999-12-01", xdm.String, 0}, // no such day
		{"2026-1-31", xdm.String, 0},
		{"2026-01-31 2026-01-31T10:00:00Z", xdm.DateTime, 0},
		{"2026-01-31T10:00:00.123+02:00", xdm.DateTime, 0},
		{"2026-01-31T10:00:00", xdm.String, 0}, // no zone
		{"2026-01-31T25:00:00Z", xdm.String, 0},
		{"31/01/2026", xdm.String, 0},
		{"1 2 x", xdm.String, 0},
		{"_ _", xdm.String, 0},
		{strings.Repeat("7 ", 40) + "x", xdm.Integer, 1},
		{strings.Repeat("7 ", 40) + "7.5 x", xdm.Number, 1},
		{strings.Repeat("7 ", 19) + "x", xdm.String, 0}, // 5 % and not under
		{strings.Repeat("7 ", 40) + "07", xdm.String, 0},
		{strings.Repeat("2026-01-31 ", 40) + "soon", xdm.Date, 1},
	} {
		e := newEvidence("amount", 100)
		for _, value := range strings.Fields(c.values) {
			e.take([]byte(strings.ReplaceAll(value, "_", "")))
		}
		if strings.Contains(c.values, "1_000") {
			e = newEvidence("amount", 100)
			e.take([]byte("1_000"))
		}
		require.Equal(t, c.want, e.infer(), c.values)
		require.Equal(t, c.failed, e.refused(e.infer()), c.values)
	}
	spaced := newEvidence("seen", 10)
	spaced.take([]byte("2026-01-31 10:00:00Z"))
	require.Equal(t, xdm.DateTime, spaced.infer())
	padded := newEvidence("amount", 10)
	padded.take([]byte(" 12")) // stores do not trim
	require.Equal(t, xdm.String, padded.infer())
}

// What a type takes here, a field of it takes when a workspace writes it: one idea of a type.
func TestTypesAgreeWithTheDomain(t *testing.T) {
	for _, value := range []string{"1", "-1", "1.5", "1e3", "true", "2026-01-31", "2026-01-31T10:00:00Z", "2026-13-01", "x", "007", "1e999", "12345678901234567890"} {
		fits := typesOf(value)
		for _, typ := range []xdm.Type{xdm.Integer, xdm.Number, xdm.Boolean, xdm.Date, xdm.DateTime} {
			require.Equal(t, xdm.Field{Type: typ}.CheckText(value) == nil, contains(fits, typ), "%s as %s", value, typ)
		}
	}
}

func contains(types []xdm.Type, want xdm.Type) bool {
	for _, t := range types {
		if t == want {
			return true
		}
	}
	return false
}

// table writes rows of a function's values under a header.
func table(header string, n int, row func(i int) string) string {
	var out strings.Builder
	out.WriteString(header + "\n")
	for i := range n {
		out.WriteString(row(i) + "\n")
	}
	return out.String()
}

func TestCodesAndPatterns(t *testing.T) {
	file := table("id,tier,zip,note,plan,household_id,rate", 400, func(i int) string {
		return fmt.Sprintf("P%03d,%c,%05d,text %d,%s,%d,%d.5", i, 'A'+i%4, i*7%3000, i%3, []string{"gold", "basic"}[i%2], 1000+i, i)
	})
	p := propose(t, Options{File: "x.csv"}, file)
	require.Equal(t, []string{"A", "B", "C", "D"}, column(t, p, "tier").Enum)
	require.Equal(t, []string{"basic", "gold"}, column(t, p, "plan").Enum)
	require.Equal(t, "[0-9]{5}", column(t, p, "zip").Pattern)
	require.Equal(t, xdm.String, column(t, p, "zip").Type)
	require.Empty(t, column(t, p, "note").Enum) // words, no codes
	require.Empty(t, column(t, p, "id").Enum)
	require.Equal(t, "partner.householdID", column(t, p, "household_id").Path)
	require.Equal(t, xdm.String, column(t, p, "household_id").FieldType)
	require.Equal(t, xdm.Number, column(t, p, "rate").Type)
	require.Equal(t, &Identity{Column: "id", ByName: true}, p.Identity)
	loaded(t, p)

	few := propose(t, Options{File: "x.csv"}, table("id,tier", 199, func(i int) string { return fmt.Sprintf("P%03d,%c", i, 'A'+i%4) }))
	require.Empty(t, column(t, few, "tier").Enum)

	builtIn := propose(t, Options{File: "x.csv"}, table("id,hiking", 300, func(i int) string { return fmt.Sprintf("P%03d,%s", i, []string{"Y", "N", ""}[i%3]) }))
	require.Contains(t, text(t, builtIn), `partner.hiking: {enum: ["N", "Y"]}`)
	field, ok := loaded(t, builtIn).Schemas[0].Composed.Field("partner.hiking")
	require.True(t, ok)
	require.Equal(t, []string{"N", "Y"}, field.Enum)

	rare := propose(t, Options{File: "x.csv"}, table("id,tier", 400, func(i int) string {
		if i == 7 {
			return "P007,y"
		}
		return fmt.Sprintf("P%03d,%s", i, []string{"Y", "N"}[i%2])
	}))
	require.Contains(t, text(t, rare), `"y" was seen in 1 of 400 values only`)
}

func TestIdentity(t *testing.T) {
	many := func(header string, row func(i int) string) *Proposal {
		return propose(t, Options{File: "merk.csv"}, table(header, 200, row))
	}
	for _, c := range []struct {
		header string
		row    func(i int) string
		want   string // column, or empty
	}{
		{"household_id,id,pid", func(i int) string { return fmt.Sprintf("H%d,%d,%d", i, i, i) }, "pid"},
		{"id,partner_id", func(i int) string { return fmt.Sprintf("%d,%d", i, i) }, "partner_id"},
		{"x,MerkID", func(i int) string { return fmt.Sprintf("a,%d", i) }, "MerkID"},
		{"x,loyalty_id", func(i int) string { return fmt.Sprintf("a,%d", i) }, "loyalty_id"},
		{"id,pid", func(i int) string { return fmt.Sprintf("%d,%d", i, i/2) }, "id"},                    // pid repeats
		{"id,pid", func(i int) string { return fmt.Sprintf("%d,%d", i, max(i, 3)) }, "pid"},             // 3 of 200 repeat
		{"id,x", func(i int) string { return fmt.Sprintf("%d,a", max(i, 4)) }, ""},                      // 4 of 200
		{"id,x", func(i int) string { return strings.Repeat(fmt.Sprint(i), min(1, i/9)) + ",a" }, "id"}, // 9 of 200 are missing
		{"id,x", func(i int) string { return strings.Repeat(fmt.Sprint(i), min(1, i/10)) + ",a" }, ""},
		{"household_id,x", func(i int) string { return fmt.Sprintf("H%d,a", i) }, ""},
		{"email,x", func(i int) string { return fmt.Sprintf("p%d@example.com,a", i) }, ""},
		{"first_name,x", func(i int) string { return fmt.Sprintf("Name%04d,a", i) }, ""},
		{"reference,x", func(i int) string { return fmt.Sprintf("R-%06d,a", i) }, "reference"}, // by its values
		{"spend,x", func(i int) string { return fmt.Sprintf("%d.25,a", 100+i) }, ""},
	} {
		p := many(c.header, c.row)
		if c.want != "" {
			require.NotNil(t, p.Identity, c.header)
			require.Equal(t, c.want, p.Identity.Column)
			require.Equal(t, xdm.PartnerID, column(t, p, c.want).Path)
			loaded(t, p)
			continue
		}
		require.Nil(t, p.Identity, c.header)
		out := text(t, p)
		require.Contains(t, out, "A person must choose the column")
		require.NotRegexp(t, `(?m)^  \S+: partnerID`, out)
		_, err := load(t, p) // says the same
		require.ErrorContains(t, err, "required field partnerID is not mapped")
	}
}

// An identity is a text even when its values are numbers.
func TestIdentityIsNeverANumber(t *testing.T) {
	p := propose(t, Options{File: "x.csv"}, table("id,age_group", 50, func(i int) string { return fmt.Sprintf("%d,1", i+100) }))
	require.Equal(t, xdm.String, column(t, p, "id").Type)
	require.Equal(t, xdm.Integer, column(t, p, "age_group").Type)
}

func TestMatchingBuiltInFields(t *testing.T) {
	paths := func(header, row string) map[string]string {
		p := propose(t, Options{File: "x.csv"}, header+"\n"+row+"\n")
		loaded(t, p)
		out := map[string]string{}
		for _, c := range p.Columns {
			out[c.Name] = c.Path
		}
		return out
	}
	got := paths("id,Household ID,HIKING,cable-tv,age", "1,H1,Y,N,44")
	require.Equal(t, map[string]string{"id": "partnerID", "Household ID": "partner.householdID", "HIKING": "partner.hiking", "cable-tv": "partner.cableTv",
		"age": "_tenant.prospect.age"}, got) // a common word brings in no other partner's group
	require.Equal(t, "partner.hiking", paths("id,hiking", "1,Y")["hiking"])
	require.Equal(t, "_tenant.prospect.age", paths("id,age", "1,44")["age"])
	got = paths("id,age,inferred_age,gender", "1,44,45,F")
	require.Equal(t, "merkle.demographics.age.age", got["age"])
	require.Equal(t, "merkle.demographics.gender.gender", got["gender"])
	got = paths("id,inferred_age,gender", "1,old,F") // the type does not fit
	require.Equal(t, "_tenant.prospect.inferredAge", got["inferred_age"])
	got = paths("id,household_id,householdID,hiking", "1,a,b,Y") // one field, one column
	require.Equal(t, "partner.householdID", got["household_id"])
	require.Equal(t, "_tenant.prospect.householdID", got["householdID"])
	got = paths("id,age_range,inferred_age,individual_count", "1,25-34,30,2")
	require.Equal(t, "_tenant.prospect.ageRange", got["age_range"]) // Merkle's is a number
	got = paths("id,tax_year,number_of_buildings,style", "1,02020,2,a")
	require.Equal(t, "_tenant.prospect.taxYear", got["tax_year"]) // leading zeroes
}

func TestDirectIdentifiersAreIgnored(t *testing.T) {
	p := propose(t, Options{File: "x.csv"}, "id,FirstName,last_name,full name,e-mail,Mobile Phone,address_line_1,DOB,contact,email_opt_in,phone_type,product_name\n"+
		"1,A,B,A B,a@b.example,555,Street 1,1990-01-01,+49 30 1234567,Y,home,tent\n")
	want := []string{"FirstName", "last_name", "full name", "e-mail", "Mobile Phone", "address_line_1", "DOB", "contact"}
	require.Equal(t, want, loaded(t, p).Sources[0].IgnoreColumns)
	for _, name := range want {
		require.Equal(t, UsePersonal, column(t, p, name).Use, name)
	}
}

func TestSampleIsBounded(t *testing.T) {
	file := table("id,code", 5000, func(i int) string { return fmt.Sprintf("%d,%d", i, i%2000) })
	p := propose(t, Options{File: "x.csv", Rows: 3000}, file)
	require.Equal(t, 3000, p.Sample.Rows)
	require.False(t, p.Sample.Whole)
	require.Equal(t, 3000, column(t, p, "id").Distinct)
	require.True(t, column(t, p, "code").MoreThan)
	require.Contains(t, text(t, p), "# Sample: the first 3000 records: 3000 rows, 0 rejected records.")
	whole := propose(t, Options{File: "x.csv", Rows: 5000}, file)
	require.True(t, whole.Sample.Whole)

	// What comes behind the sample is not judged.
	broken := strings.NewReader(table("id,code", 100_000, func(i int) string { return fmt.Sprintf("%d,%d", i, i) }))
	_, err := Propose(iotest.TimeoutReader(iotest.OneByteReader(broken)), Options{File: "x.csv", Rows: 5})
	require.Error(t, err) // at once
	p, err = Propose(strings.NewReader("id,x\n1,2\n"), Options{File: "x.csv", Rows: 1})
	require.NoError(t, err)
	require.True(t, p.Sample.Whole)
}

func TestRejectedRecordsAndRepeatedHeadersAreCounted(t *testing.T) {
	p := propose(t, Options{File: "x.csv"}, "id,n\n1,2\nid,n\n2,3\n3\n4,5,6\n5,\"x\n6,\xff\n7,8\n")
	require.Equal(t, 3, p.Sample.Rows)
	require.Equal(t, 4, p.Sample.Rejected)
	require.Equal(t, 1, p.Sample.Headers)
	require.Equal(t, xdm.Integer, column(t, p, "n").Type)
	require.Contains(t, text(t, p), "3 rows, 4 rejected records (2 column count, 1 not UTF-8, 1 quoting)")
}

func TestDelimiters(t *testing.T) {
	for _, c := range []struct{ file, want string }{
		{"id,x\n1,2\n", ","},
		{"id|x,y\n1|2,3\n2|3\n", "|"},
		{"id;x\n1;2,5\n2;3,5\n", ";"},
		{"id\tx\n1\t2\n", "\t"},
		{"id:x\n1:2\n", ":"},
		{"id,seen\n1,10:00:00\n2,11:00:00\n", ","},
		{"id|last, first|x\n1|a, b|c\n2|d, e|f\n", "|"},
		{"id,x,y\n", ","},
		{"\xef\xbb\xbfid,x\r\n1,2\r\n", ","},
	} {
		p := propose(t, Options{File: "x.csv"}, c.file)
		require.Equal(t, c.want, p.Format.Delimiter, c.file)
		require.Equal(t, "id", p.Columns[0].Name)
	}
	p := propose(t, Options{File: "x.csv", Delimiter: "tab", Quote: "'"}, "id\t'a\tb'\n1\t2\n")
	require.Equal(t, "a\tb", p.Columns[1].Name)
	w := loaded(t, p)
	require.Equal(t, workspace.Format{Records: "delimited", Delimiter: "\t", Quote: "'", Encoding: "utf-8", Compression: "none"}, w.Sources[0].Format)
	one := propose(t, Options{File: "x.csv", Delimiter: ","}, "id\n1\n2\n") // said, so believed
	require.Len(t, one.Columns, 1)
	loaded(t, one)
}

func zipped(t *testing.T, text string) string {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.String()
}

func TestCompression(t *testing.T) {
	for _, name := range []string{"acme.csv.gz", "acme.csv"} { // found by the bytes as well
		p := propose(t, Options{File: name}, zipped(t, "id,x\n1,2\n"))
		w := loaded(t, p)
		require.Equal(t, "gzip", w.Sources[0].Format.Compression)
		require.Equal(t, "*"+strings.TrimPrefix(name, "acme"), w.Sources[0].Path)
	}
}

func TestColumnsWithoutNameOrValues(t *testing.T) {
	p := propose(t, Options{File: "x.csv"}, "id,a,b,\n1,,x,\n2,,y,\n")
	w := loaded(t, p)
	require.Equal(t, []string{""}, w.Sources[0].IgnoreColumns)
	require.Contains(t, text(t, p), `# "a": empty in the sample`)
	none := propose(t, Options{File: "x.csv"}, "id,a\n")
	require.Nil(t, none.Identity)
}

// Every error says what to do, is the partner's, and holds nothing of the file.
func TestErrors(t *testing.T) {
	short := zipped(t, table("id,x", 1000, func(i int) string { return fmt.Sprintf("%d,%d", i, i*i*7919%10007) }))
	for _, c := range []struct{ name, file, want string }{
		{"x.csv", "", "x.csv: the file is empty; ask the partner"},
		{"x.csv.gz", "", "the file is empty"},
		{"x.csv", "\n\n", "no header line"},
		{"x.csv", "\xef\xbb\xbf", "no header line"},
		{"x.csv", "\xff\xfei\x00d\x00,\x00x\x00", "UTF-16; it must be UTF-8; ask the partner for UTF-8, or convert a copy: iconv"},
		{"x.csv", "s\x00e\x00c\x00r\x00e\x00t\x00,\x00x\x00", "UTF-16"},
		{"x.csv", "PK\x03\x04secret", "an archive, a workbook"},
		{"x.csv.gz", "id,secret\n1,2\n", "no gzip file"},
		{"x.csv.gz", short[:len(short)/2], "unexpected EOF; ask the partner to send the file again"},
		{"x.csv", "secret\nsecret\n", "say which: --delimiter"},
		{"x.csv", "id secret\n1 secret\n", "say which: --delimiter"},
		{"x.csv", "secret,1990-01-01,44,7,x\nsecret,1990-01-01,45,8,x\n", "3 of 5 columns of its first line look like values; the first line must name every column"},
		{"x.csv", "secret@secret.example,b,c,d\n", "column 1 of its first line holds a value"},
		{"x.csv", "a,secret,secret\nb,c,d\n", "columns 2 and 3 of its first line are the same"},
	} {
		_, err := Propose(strings.NewReader(c.file), Options{File: c.name})
		require.ErrorContains(t, err, c.want)
		require.Equal(t, errkind.BadInput, errkind.Of(err), c.want)
		require.Equal(t, 4, errkind.Of(err).ExitCode())
		require.NotContains(t, err.Error(), "secret")
	}
	_, err := Propose(iotest.ErrReader(&fs.PathError{Op: "read", Path: "x.csv", Err: errors.New("input/output error")}), Options{File: "x.csv"})
	require.NotEqual(t, errkind.BadInput, errkind.Of(err)) // this machine's, not the partner's
	for _, o := range []Options{{Tenant: "luma"}, {Tenant: "_id"}, {Name: "!"}, {Delimiter: ",,"}, {Delimiter: `"`}, {Quote: "xy"}, {Rows: -1}, {Rows: MaxRows + 1}} {
		_, err := Propose(strings.NewReader("id,x\n"), o)
		require.Equal(t, errkind.Invalid, errkind.Of(err), "%+v", o)
	}
}

func TestNames(t *testing.T) {
	for file, want := range map[string]string{"acme_200.csv": "acme", "/in/ACME-2026-01-31.csv": "acme", "2026.csv": "2026", "....csv": "partner", "a b&c.psv": "a-b-c", "x": "x", "": "file"} {
		require.Equal(t, want, propose(t, Options{File: file}, "id,x\n1,2\n").Name, file)
	}
	require.Equal(t, "Acme-Co", propose(t, Options{File: "x.csv", Name: "Acme & Co."}, "id,x\n1,2\n").Name)
}

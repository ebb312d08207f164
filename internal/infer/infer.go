// Package infer proposes a draft of a workspace from a sample of a partner's delimited file: what each
// column holds, which built-in field it fills, which column identifies a prospect. A draft is for people
// to review: it claims no more than the sample shows and takes no direct identifiers unless somebody says
// so. It reads the stream that it is given and performs no other I/O; its errors carry no values of the file.
package infer

import (
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"

	"prospector/internal/errkind"
	"prospector/internal/filecodec"
	"prospector/internal/xdm"
)

// DefaultRows is how many records are sampled unless said, MaxRows how many may be: every distinct value
// of a column that may be the identity is remembered.
const (
	DefaultRows = 20_000
	MaxRows     = 1_000_000
)

// Options say what the file does not.
type Options struct {
	File      string // the file's name, without folders
	Name      string // of the partner; from File unless given
	Tenant    string // below which own fields stand; _tenant unless given
	Delimiter string // found out unless given
	Quote     string // a double quote unless given
	Rows      int    // records to sample; DefaultRows unless given
}

// Proposal is what a sample suggests.
type Proposal struct {
	Name     string    `json:"name"`
	File     string    `json:"file"`
	Tenant   string    `json:"tenant"`
	Format   Format    `json:"format"`
	Sample   Sample    `json:"sample"`
	Identity *Identity `json:"identity"` // null when a person must choose
	Groups   []string  `json:"groups"`   // built-in field groups that match, by title
	Columns  []Column  `json:"columns"`  // as in the file
	Notes    []string  `json:"notes,omitempty"`
}

// Format is how the file is written.
type Format struct {
	Delimiter   string `json:"delimiter"`
	Quote       string `json:"quote"`
	Compression string `json:"compression"`
}

// Sample says what was looked at.
type Sample struct {
	Rows     int                     `json:"rows"`     // good records
	Rejected int                     `json:"rejected"` // records that cannot be read
	Faults   map[filecodec.Fault]int `json:"faults,omitempty"`
	Headers  int                     `json:"headers,omitempty"` // further header lines, left out of all counts
	Whole    bool                    `json:"whole"`             // the file has no more records
	Refused  int                     `json:"refused"`           // rows that the draft's rules refuse, at most
}

// Identity is the column that seems to identify a prospect.
type Identity struct {
	Column     string `json:"column"`
	Missing    int    `json:"missing"`
	Duplicates int    `json:"duplicates"`
	ByName     bool   `json:"byName"` // otherwise by its values alone
}

// Use is what becomes of a column.
type Use string

// The uses.
const (
	UseIdentity Use = "identity"
	UseField    Use = "field"
	UsePersonal Use = "personal" // a direct identifier: ignored unless somebody takes it
	UseIgnored  Use = "ignored"  // it has no name
)

// Column is what the sample shows of a column, and where it is proposed to go.
type Column struct {
	Name        string           `json:"name"`
	Use         Use              `json:"use"`
	Type        xdm.Type         `json:"type"` // inferred from the values
	Path        string           `json:"path,omitempty"`
	Group       string           `json:"group,omitempty"`     // built-in field group of the path; empty for an own field
	FieldType   xdm.Type         `json:"fieldType,omitempty"` // type of the field at the path
	Pattern     string           `json:"pattern,omitempty"`
	Enum        []string         `json:"enum,omitempty"`
	Values      int              `json:"values"`
	Empty       int              `json:"empty"`
	Blank       int              `json:"blank,omitempty"` // nothing but white space
	Distinct    int              `json:"distinct"`
	MoreThan    bool             `json:"distinctIsLowerBound,omitempty"`
	Fits        map[xdm.Type]int `json:"fits"` // values that have a type's form
	LeadingZero int              `json:"leadingZeroes,omitempty"`
	Refused     int              `json:"refused,omitempty"` // values that the field's type or pattern refuses
	Notes       []string         `json:"notes,omitempty"`
}

// own reports whether the draft's field group declares the column's field.
func (c Column) own() bool { return c.Use == UseField && c.Group == "" }

// Propose samples a file and proposes a draft. A file that cannot be read is kind BadInput, a wrong
// option kind Invalid.
func Propose(r io.Reader, o Options) (*Proposal, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	in, err := openSample(r, o)
	if err != nil {
		return nil, err
	}
	p := &Proposal{Name: o.Name, File: o.File, Tenant: o.Tenant, Format: in.format, Groups: []string{}}
	columns, err := in.read(o.Rows, &p.Sample)
	if err != nil {
		return nil, err
	}
	p.decide(columns)
	return p, nil
}

var (
	tenantForm  = regexp.MustCompile(`^_[a-z0-9]+$`)
	datedEnding = regexp.MustCompile(`([_.-]+[0-9]+)+$`)
	illegal     = regexp.MustCompile(`[^A-Za-z0-9_-]+`)
	extension   = regexp.MustCompile(`([.][A-Za-z0-9]+)?([.][gG][zZ])?$`)
)

func (o Options) complete() (Options, error) {
	invalid := func(hint, format string, args ...any) (Options, error) {
		return o, errkind.Newf(errkind.Invalid, format, args...).WithHint("%s", hint)
	}
	if o.File == "" {
		o.File = "file"
	}
	o.File = path.Base(o.File)
	if given := o.Name; given != "" {
		if o.Name = legal(given); o.Name == "" {
			return invalid("use letters and digits", "the name %q has nothing to make an object's name of", given)
		}
	} else if o.Name = legal(strings.ToLower(datedEnding.ReplaceAllString(extension.ReplaceAllString(o.File, ""), ""))); o.Name == "" {
		o.Name = "partner"
	}
	if o.Tenant == "" {
		o.Tenant = "_tenant"
	}
	if !tenantForm.MatchString(o.Tenant) || o.Tenant == "_id" || o.Tenant == "_repo" {
		return invalid("write an underscore and lower-case letters, such as _luma", "tenant %q is not a tenant id", o.Tenant)
	}
	if o.Rows == 0 {
		o.Rows = DefaultRows
	}
	if o.Rows < 1 || o.Rows > MaxRows {
		return invalid("", "a sample has 1 to %d rows", MaxRows)
	}
	switch o.Delimiter {
	case "tab", `\t`: // a tab is hard to type in a shell
		o.Delimiter = "\t"
	}
	if o.Quote == "" {
		o.Quote = `"`
	}
	for name, text := range map[string]string{"delimiter": o.Delimiter, "quote": o.Quote} {
		if text != "" && (len(text) != 1 || strings.ContainsAny(text, "\x00\r\n")) {
			return invalid("for a tab write tab", "%s %q is not one ASCII character", name, text)
		}
	}
	if o.Delimiter == o.Quote {
		return invalid("", "delimiter and quote are the same")
	}
	return o, nil
}

// legal makes an object's name: letters, digits, _ and -, the first a letter or a digit.
func legal(text string) string {
	text = strings.TrimLeft(illegal.ReplaceAllString(text, "-"), "_-")
	if len(text) > 60 { // others are made of it
		text = text[:60]
	}
	return strings.TrimRight(text, "_-")
}

// decide makes a proposal of what was seen.
func (p *Proposal) decide(columns []*evidence) {
	for i, c := range columns {
		column := c.column()
		if c.name == "" {
			column.Use = UseIgnored
			column.Notes = append(column.Notes, fmt.Sprintf("column %d has no name", i+1))
		} else if personal(c) {
			column.Use = UsePersonal
		}
		p.Columns = append(p.Columns, column)
	}
	p.identify(columns)
	p.match(columns)
	p.declare(columns)
	for _, c := range p.Columns {
		p.Sample.Refused += c.Refused
	}
}

// declare gives every column without a field one of its own, and each its rules.
func (p *Proposal) declare(columns []*evidence) {
	taken := map[string]bool{}
	for i := range p.Columns {
		c, seen := &p.Columns[i], columns[i]
		if c.Use == UseIdentity || c.Use == UseIgnored {
			continue
		}
		if c.Path == "" {
			c.Path, c.FieldType = p.Tenant+".prospect."+unique(leafName(c.Name, i), taken), c.Type
			if c.Use == UsePersonal {
				c.FieldType = xdm.String
			}
		}
		if c.Use == UsePersonal {
			continue
		}
		c.Refused = seen.refused(c.FieldType)
		if c.Refused > 0 {
			c.note("%d of %d values are not of type %s and would be refused", c.Refused, c.Values, c.FieldType)
		}
		if c.FieldType == xdm.String {
			seen.rules(c, p.Sample.Rows)
		}
		seen.remark(c)
	}
}

func (c *Column) note(format string, args ...any) {
	c.Notes = append(c.Notes, fmt.Sprintf(format, args...))
}

// unique tells names apart that differ in upper and lower case only, as stores do not.
func unique(name string, taken map[string]bool) string {
	out := name
	for n := 2; taken[strings.ToLower(out)]; n++ {
		out = fmt.Sprintf("%s%d", name, n)
	}
	taken[strings.ToLower(out)] = true
	return out
}

// unreadable is an error about the file's bytes; what the machine says of its own files stays as it is.
func unreadable(file string, err error, hint string) error {
	if isLocal(err) {
		return fmt.Errorf("read %s: %w", file, err)
	}
	return errkind.New(errkind.BadInput, file, err, hint)
}

func sortedCodes(codes map[string]int) []string {
	var out []string
	for code := range codes {
		out = append(out, code)
	}
	slices.Sort(out)
	return out
}

// Package workspace reads a folder of YAML files that declares a whole sandbox (namespaces,
// schemas, datasets, sources, policies, audiences, destinations, activations) into a checked model.
// Objects may stand in any file, one per document. Every error names file, line and what to do,
// and all of them are reported, not only the first. It reads files and nothing else: no network,
// no database, and secrets only when a connection is opened.
package workspace

import (
	"fmt"
	"slices"

	"prospector/internal/audience"
	"prospector/internal/errkind"
	"prospector/internal/governance"
	"prospector/internal/identity"
	"prospector/internal/xdm"
)

// Position is where an object was declared.
type Position struct {
	File string `yaml:"-"`
	Line int    `yaml:"-"`
}

func (p Position) String() string { return fmt.Sprintf("%s:%d", p.File, p.Line) }

func (p Position) position() Position { return p }

// Sandbox names the organisation and the sandbox; file names of exports use them.
type Sandbox struct {
	Position     `yaml:"-"`
	Kind         string `yaml:"kind"`
	Name         string `yaml:"name"`
	Organization string `yaml:"organization"`
}

// Namespace declares a custom identity namespace (ID-6).
type Namespace struct {
	Position    `yaml:"-"`
	Kind        string        `yaml:"kind"`
	Name        string        `yaml:"name"`
	Symbol      string        `yaml:"symbol"`
	Type        identity.Type `yaml:"type"`
	Description string        `yaml:"description"`
}

// Constraints narrows what a field accepts (SC-32).
type Constraints struct {
	Required  bool     `yaml:"required"`
	Enum      []string `yaml:"enum"`
	Pattern   string   `yaml:"pattern"`
	MinLength int      `yaml:"minLength"`
	MaxLength int      `yaml:"maxLength"`
	Minimum   *float64 `yaml:"minimum"`
	Maximum   *float64 `yaml:"maximum"`
}

func (c Constraints) apply(f *xdm.Field) {
	f.Required, f.Enum, f.Pattern = c.Required, c.Enum, c.Pattern
	f.MinLength, f.MaxLength, f.Minimum, f.Maximum = c.MinLength, c.MaxLength, c.Minimum, c.Maximum
}

// FieldGroup declares custom fields. Their paths start with the tenant id, an underscore first,
// so that they never collide with standard fields (SC-26).
type FieldGroup struct {
	Position `yaml:"-"`
	Kind     string        `yaml:"kind"`
	Name     string        `yaml:"name"`
	Fields   []CustomField `yaml:"fields"`
}

// CustomField is one field of a custom field group.
type CustomField struct {
	Path        string   `yaml:"path"`
	Type        xdm.Type `yaml:"type"`
	Title       string   `yaml:"title"`
	Constraints `yaml:",inline"`
}

// Schema declares a schema on the prospect class.
type Schema struct {
	Position        `yaml:"-"`
	Kind            string                 `yaml:"kind"`
	Name            string                 `yaml:"name"`
	Description     string                 `yaml:"description"`
	Class           string                 `yaml:"class"`
	FieldGroups     []string               `yaml:"fieldGroups"`
	PrimaryIdentity PrimaryIdentity        `yaml:"primaryIdentity"`
	Profile         bool                   `yaml:"profile"` // enabled for Profile (SC-5: off unless said)
	Labels          FieldLabels            `yaml:"labels"`
	Constraints     map[string]Constraints `yaml:"constraints"` // by path

	Composed *xdm.Schema `yaml:"-"`
}

// PrimaryIdentity says which field identifies a prospect, and in which namespace (ID-4).
type PrimaryIdentity struct {
	Field     string `yaml:"field"`
	Namespace string `yaml:"namespace"`
}

// FieldLabels puts labels on every field at once, and on single fields by path (LB-1, LB-9).
type FieldLabels struct {
	All    []string            `yaml:"all"`
	Fields map[string][]string `yaml:"fields"`
}

// Dataset declares one partner's data under one schema (DS-5).
type Dataset struct {
	Position    `yaml:"-"`
	Kind        string   `yaml:"kind"`
	Name        string   `yaml:"name"`
	Description string   `yaml:"description"`
	Schema      string   `yaml:"schema"`
	Profile     bool     `yaml:"profile"` // enabled for Profile, apart from the schema (DS-2)
	Labels      []string `yaml:"labels"`  // inherited by every field (LB-6)
}

// Source declares where a dataset's files come from.
type Source struct {
	Position          `yaml:"-"`
	Kind              string `yaml:"kind"`
	Name              string `yaml:"name"`
	Description       string `yaml:"description"`
	Dataset           string `yaml:"dataset"`
	Connection        `yaml:",inline"`
	Path              string            `yaml:"path"`
	Format            Format            `yaml:"format"`
	Mapping           map[string]string `yaml:"mapping"`       // source column to XDM path
	IgnoreColumns     []string          `yaml:"ignoreColumns"` // known, and deliberately not taken
	NullMarkers       []string          `yaml:"nullMarkers"`
	ErrorThreshold    *float64          `yaml:"errorThreshold"` // percent of a file's rows, 5 unless said (BI-7)
	Schedule          *Schedule         `yaml:"schedule"`
	EvaluateAfterLoad bool              `yaml:"evaluateAfterLoad"`
}

// Threshold is the share of rejected rows, in percent, above which a batch fails as a whole.
func (s *Source) Threshold() float64 {
	if s.ErrorThreshold == nil {
		return 5
	}
	return *s.ErrorThreshold
}

// Format says how a delimited file is written.
type Format struct {
	Delimiter   string `yaml:"delimiter"`   // one character, "," unless said (SR-11)
	Quote       string `yaml:"quote"`       // one character, `"` unless said
	Compression string `yaml:"compression"` // none or gzip
}

// Schedule says when something runs by itself.
type Schedule struct {
	Cron     string `yaml:"cron"`     // five fields
	TimeZone string `yaml:"timeZone"` // IANA name, UTC unless said
	Paused   bool   `yaml:"paused"`
}

// Connection reaches a server. Exactly one of S3 and SFTP is set.
type Connection struct {
	S3   *S3   `yaml:"s3"`
	SFTP *SFTP `yaml:"sftp"`
}

// S3 is a bucket and the keys to it. Without keys the default credential chain applies.
type S3 struct {
	Endpoint     Reference `yaml:"endpoint"` // empty for AWS itself
	Region       string    `yaml:"region"`
	Bucket       string    `yaml:"bucket"`
	Prefix       string    `yaml:"prefix"`
	AccessKey    Reference `yaml:"accessKey"`
	SecretKey    Secret    `yaml:"secretKey"`
	SessionToken Secret    `yaml:"sessionToken"`
	PathStyle    bool      `yaml:"pathStyle"`
}

// SFTP is a server, the account and its pinned host key.
type SFTP struct {
	Address    Reference `yaml:"address"` // host:port
	User       Reference `yaml:"user"`
	Password   Secret    `yaml:"password"`
	PrivateKey Secret    `yaml:"privateKey"` // PEM
	Passphrase Secret    `yaml:"passphrase"`
	HostKey    Reference `yaml:"hostKey"` // one line as in authorized_keys; always verified
	Folder     string    `yaml:"folder"`
}

// Policy declares a governance policy (PL-3).
type Policy struct {
	Position         `yaml:"-"`
	Kind             string                `yaml:"kind"`
	Name             string                `yaml:"name"`
	Description      string                `yaml:"description"`
	Status           governance.Status     `yaml:"status"` // DRAFT unless said (PL-5)
	MarketingActions []string              `yaml:"marketingActions"`
	Deny             governance.Expression `yaml:"deny"`
}

// Audience declares a rule over prospect attributes.
type Audience struct {
	Position    `yaml:"-"`
	Kind        string   `yaml:"kind"`
	Name        string   `yaml:"name"`
	Description string   `yaml:"description"`
	Namespaces  []string `yaml:"namespaces"` // all unless said
	Rule        string   `yaml:"rule"`

	Parsed *audience.Rule `yaml:"-"`
}

// Destination declares where audiences may go, and what for.
type Destination struct {
	Position         `yaml:"-"`
	Kind             string `yaml:"kind"`
	Name             string `yaml:"name"`
	Description      string `yaml:"description"`
	Type             string `yaml:"type"` // s3, sftp or liveramp
	Connection       `yaml:",inline"`
	MarketingActions []string     `yaml:"marketingActions"` // PL-23
	Format           ExportFormat `yaml:"format"`
	RowsPerFile      int64        `yaml:"rowsPerFile"` // 5 million unless said, 10 for LiveRamp (GR-35)
	Manifest         bool         `yaml:"manifest"`
}

// ExportFormat says how exported files are written.
type ExportFormat struct {
	Delimiter   string `yaml:"delimiter"`
	Compression string `yaml:"compression"` // none or gzip
}

// Activation declares which audiences go to which destination, with which columns.
type Activation struct {
	Position    `yaml:"-"`
	Kind        string     `yaml:"kind"`
	Name        string     `yaml:"name"`
	Description string     `yaml:"description"`
	Destination string     `yaml:"destination"`
	Audiences   []string   `yaml:"audiences"`
	Namespace   string     `yaml:"namespace"` // one per activation (DE-22, DE-33)
	Mapping     []MappedTo `yaml:"mapping"`
}

// MappedTo is one exported column: an XDM path and the header that it gets.
type MappedTo struct {
	Field  string `yaml:"field"`
	Header string `yaml:"header"`
}

// Workspace is the checked model: every reference resolves.
type Workspace struct {
	Dir          string
	Sandbox      Sandbox
	Namespaces   []*Namespace
	FieldGroups  []*FieldGroup
	Schemas      []*Schema
	Datasets     []*Dataset
	Sources      []*Source
	Policies     []*Policy
	Audiences    []*Audience
	Destinations []*Destination
	Activations  []*Activation
	Warnings     []string
}

type named interface{ name() string }

func (s *Sandbox) name() string     { return s.Name }
func (n *Namespace) name() string   { return n.Symbol }
func (f *FieldGroup) name() string  { return f.Name }
func (s *Schema) name() string      { return s.Name }
func (d *Dataset) name() string     { return d.Name }
func (s *Source) name() string      { return s.Name }
func (p *Policy) name() string      { return p.Name }
func (a *Audience) name() string    { return a.Name }
func (d *Destination) name() string { return d.Name }
func (a *Activation) name() string  { return a.Name }

func find[T named](objects []T, name string) (T, bool) {
	i := slices.IndexFunc(objects, func(o T) bool { return o.name() == name })
	if i < 0 {
		var none T
		return none, false
	}
	return objects[i], true
}

func names[T named](objects []T) []string {
	out := make([]string, len(objects))
	for i, o := range objects {
		out[i] = o.name()
	}
	return out
}

// GovernancePolicies returns the policies as the policy evaluation takes them.
func (w *Workspace) GovernancePolicies() []governance.Policy {
	out := make([]governance.Policy, len(w.Policies))
	for i, p := range w.Policies {
		out[i] = governance.Policy{Name: p.Name, Status: p.Status, MarketingActions: p.MarketingActions, Deny: p.Deny}
	}
	return out
}

// ProfileDatasets returns the datasets that are enabled for Profile, schema and dataset both, and
// whose namespace is among namespaces (all when that is empty).
func (w *Workspace) ProfileDatasets(namespaces []string) []*Dataset {
	var out []*Dataset
	for _, d := range w.Datasets {
		s, _ := find(w.Schemas, d.Schema)
		if s == nil || !d.Profile || !s.Profile {
			continue
		}
		if len(namespaces) == 0 || slices.Contains(namespaces, s.PrimaryIdentity.Namespace) {
			out = append(out, d)
		}
	}
	return out
}

// FieldLabels returns the labels of every field of a dataset: its own, its schema's for all
// fields, and the field's, sorted and without repeats (LB-6, LB-8).
func (w *Workspace) FieldLabels(d *Dataset) map[string][]string {
	s, _ := find(w.Schemas, d.Schema)
	out := map[string][]string{}
	for _, f := range s.Composed.Fields {
		labels := slices.Concat(d.Labels, s.Labels.All, s.Labels.Fields[f.Path])
		slices.Sort(labels)
		out[f.Path] = slices.Compact(labels)
	}
	return out
}

// Namespace returns the namespace symbol that identifies a dataset's prospects.
func (w *Workspace) Namespace(d *Dataset) string {
	s, _ := find(w.Schemas, d.Schema)
	return s.PrimaryIdentity.Namespace
}

// lookup finds an object or returns kind Invalid with the nearest name.
func lookup[T named](objects []T, kind, name string) (T, error) {
	o, ok := find(objects, name)
	if !ok {
		return o, errkind.New(errkind.Invalid, "", fmt.Errorf("no %s is called %q", kind, name), didYouMean(name, names(objects)))
	}
	return o, nil
}

// Source finds a source by name.
func (w *Workspace) Source(name string) (*Source, error) { return lookup(w.Sources, "source", name) }

// Dataset finds a dataset by name.
func (w *Workspace) Dataset(name string) (*Dataset, error) {
	return lookup(w.Datasets, "dataset", name)
}

// Schema finds a dataset's schema.
func (w *Workspace) Schema(d *Dataset) *Schema {
	s, _ := find(w.Schemas, d.Schema)
	return s
}

// Audience finds an audience by name.
func (w *Workspace) Audience(name string) (*Audience, error) {
	return lookup(w.Audiences, "audience", name)
}

// Destination finds a destination by name.
func (w *Workspace) Destination(name string) (*Destination, error) {
	return lookup(w.Destinations, "destination", name)
}

// Activation finds an activation by name.
func (w *Workspace) Activation(name string) (*Activation, error) {
	return lookup(w.Activations, "activation", name)
}

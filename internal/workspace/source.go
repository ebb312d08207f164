package workspace

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"prospector/internal/governance"
	"prospector/internal/xdm"
	"prospector/internal/yamldoc"
)

// Source says where a dataset's files come from, how they are written and when they are looked for.
type Source struct {
	yamldoc.Document `yaml:"-"`
	// Name of the source.
	Name string `yaml:"name" jsonschema:"required,pattern=^[A-Za-z0-9][A-Za-z0-9_-]*$,maxLength=100"`
	// Description for people.
	Description string `yaml:"description"`
	// Dataset that the files go to, by name.
	Dataset    string `yaml:"dataset" jsonschema:"required,pattern=\\S"`
	Connection `yaml:",inline"`
	// Path pattern of the files, relative to the drop point: in/*.csv.gz, or in/**/*.csv with all folders below.
	Path string `yaml:"path" jsonschema:"required,pattern=\\S"`
	// Format of the files.
	Format Format `yaml:"format"`
	// Mapping from a file's column to an XDM path.
	Mapping map[string]string `yaml:"mapping" jsonschema:"required,minProperties=1"`
	// IgnoreColumns are known and deliberately not taken. A column that is neither mapped nor ignored refuses the file.
	IgnoreColumns []string `yaml:"ignoreColumns"`
	// NullMarkers are texts that stand for no value, besides the empty one.
	NullMarkers []string `yaml:"nullMarkers"`
	// ErrorThreshold is the percentage of a file's rows that may be rejected, 5 unless given; above it nothing of the file is loaded.
	ErrorThreshold *float64 `yaml:"errorThreshold" jsonschema:"minimum=0,maximum=100"`
	// Schedule of syncs. Without one, somebody starts them.
	Schedule *Schedule `yaml:"schedule"`
	// EvaluateAfterLoad evaluates and activates all audiences after a sync that loaded something.
	EvaluateAfterLoad bool `yaml:"evaluateAfterLoad"`
	// Planning answers what should be known before data comes.
	Planning SourcePlanning `yaml:"planning"`
}

// Format says how a delimited file is written. The first record is the header.
type Format struct {
	// Delimiter between fields, one character; a comma unless given.
	Delimiter string `yaml:"delimiter"`
	// Quote around fields, one character; a double quote unless given.
	Quote string `yaml:"quote"`
	// Compression of the whole file.
	Compression string `yaml:"compression" jsonschema:"enum=none,enum=gzip"`
}

// Schedule says when something runs by itself.
type Schedule struct {
	// Cron line of five fields: minute, hour, day, month, weekday.
	Cron string `yaml:"cron" jsonschema:"required,pattern=\\S"`
	// TimeZone as an IANA name; the sandbox's default, or UTC.
	TimeZone string `yaml:"timeZone"`
	// Paused schedules exist and start nothing.
	Paused bool `yaml:"paused"`
}

// SourcePlanning holds the answers to the planning questions that a source raises (SD-7). What is missing
// is a warning.
type SourcePlanning struct {
	// Cadence of the partner's files in words, such as daily. A schedule answers it as well.
	Cadence string `yaml:"cadence"`
	// Identifier that the data is tied to.
	Identifier string `yaml:"identifier" jsonschema:"enum=PII,enum=hashed PII,enum=partner ID"`
	// UsagePolicies that apply to the data (the partner's, legal, privacy, compliance), by the names of policies. An empty list says that there are none.
	UsagePolicies *[]string `yaml:"usagePolicies"`
}

func (s *Source) name() string { return s.Name }
func (s *Source) kind() string { return "Source" }

// Threshold is the share of rejected rows, in percent, above which a batch fails as a whole (BI-7).
func (s *Source) Threshold() float64 {
	if s.ErrorThreshold == nil {
		return 5
	}
	return *s.ErrorThreshold
}

func (l *loader) checkSource(s *Source) {
	w := l.workspace
	l.sourceDefaults(s)
	l.checkConnection(s, s.Connection)
	l.checkPath(s)
	l.checkFormat(s)
	if schedule := s.Schedule; schedule != nil {
		if wrong := cronProblem(schedule.Cron); wrong != "" {
			l.at(s, "schedule", "cron").problem("write minute, hour, day, month and weekday, such as 30 4 * * 1-5", "the cron line %q %s", schedule.Cron, wrong)
		}
		l.checkTimeZone(l.at(s, "schedule", "timeZone"), schedule.TimeZone)
	}
	d, ok := find(w.Datasets, s.Dataset)
	if !ok {
		l.at(s, "dataset").missing("Dataset", s.Dataset, names(w.Datasets), "no dataset is called %q", s.Dataset)
		return
	}
	if schema, ok := find(w.Schemas, d.Schema); ok && schema.Composed != nil && !l.faulty[d] {
		l.mapping(s, schema)
	}
	l.sourcePlanning(s, d)
}

func (l *loader) checkPath(s *Source) {
	at := l.at(s, "path")
	const hint = "write a pattern below the drop point, such as in/*.csv.gz"
	_, err := path.Match(s.Path, "")
	switch {
	case err != nil:
		at.problem(hint, "path %q has a bracket that is not closed, or a \\ at its end", s.Path)
	case strings.HasPrefix(s.Path, "/"), slices.Contains(strings.Split(s.Path, "/"), ".."):
		at.problem(hint, "path %q leaves the drop point", s.Path)
	}
}

func (l *loader) checkFormat(s *Source) {
	for _, key := range []struct{ name, text string }{{"delimiter", s.Format.Delimiter}, {"quote", s.Format.Quote}} { // SR-11
		if len(key.text) != 1 || key.text >= "\x7f" || strings.ContainsAny(key.text, "\r\n\x00") {
			l.at(s, "format", key.name).problem("write one ASCII character, such as \",\" or \"|\"", "the %s cannot be %q", key.name, key.text)
		}
	}
	if s.Format.Delimiter == s.Format.Quote {
		l.at(s, "format", "quote").problem("choose another quote", "delimiter and quote are both %q", s.Format.Quote)
	}
}

var (
	cronNames = [][]string{3: {"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}, 4: {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}}
	cronRules = []struct {
		name            string
		lowest, highest int
	}{{"minute", 0, 59}, {"hour", 0, 23}, {"day", 1, 31}, {"month", 1, 12}, {"weekday", 0, 7}}
)

// cronProblem says what is wrong with a cron line: lists of values, names and ranges, with steps.
func cronProblem(line string) string {
	fields := strings.Fields(line)
	if len(fields) != len(cronRules) {
		return fmt.Sprintf("has %d fields, not 5", len(fields))
	}
	for i, rule := range cronRules {
		for _, part := range strings.Split(fields[i], ",") {
			span, step, stepped := strings.Cut(part, "/")
			if n, err := strconv.Atoi(step); stepped && (err != nil || n < 1) {
				return fmt.Sprintf("has the %s %q", rule.name, part)
			}
			if span == "*" {
				continue
			}
			from, to, ranged := strings.Cut(span, "-")
			first, ok := cronValue(i, from)
			last, also := first, ok
			if ranged {
				last, also = cronValue(i, to)
			}
			if !ok || !also || first > last {
				return fmt.Sprintf("has the %s %q", rule.name, part)
			}
		}
	}
	return ""
}

func cronValue(field int, text string) (value int, ok bool) {
	if i := slices.Index(cronNames[field], strings.ToUpper(text)); i >= 0 {
		return i + cronRules[field].lowest, true
	}
	value, err := strconv.Atoi(text)
	return value, err == nil && value >= cronRules[field].lowest && value <= cronRules[field].highest
}

func (l *loader) sourceDefaults(s *Source) {
	defaults := l.workspace.Sandbox.Defaults
	for text, standard := range map[*string]string{&s.Format.Delimiter: ",", &s.Format.Quote: `"`, &s.Format.Compression: "none"} {
		if *text == "" {
			*text = standard
		}
	}
	if s.ErrorThreshold == nil {
		s.ErrorThreshold = defaults.ErrorThreshold
	}
	if s.NullMarkers == nil {
		s.NullMarkers = defaults.NullMarkers
	}
	if s.Schedule != nil && s.Schedule.TimeZone == "" {
		s.Schedule.TimeZone = "UTC"
		if defaults.TimeZone != "" {
			s.Schedule.TimeZone = defaults.TimeZone
		}
	}
}

func (l *loader) checkTimeZone(at place, name string) {
	if _, err := time.LoadLocation(name); err != nil || name == "Local" { // not the same on every machine
		at.problem("write an IANA name, such as Europe/Berlin or UTC", "there is no time zone %q", name)
	}
}

func (l *loader) mapping(s *Source, schema *Schema) {
	if schema.PrimaryIdentity.Field == "" && !l.faulty[schema] { // ID-4
		l.at(s, "dataset").problem("give the schema a primaryIdentity", "schema %s has no primary identity, so no row could be loaded", schema.Name)
	}
	taken := map[string]string{}
	for _, column := range sortedKeys(s.Mapping) {
		target := s.Mapping[column]
		at := l.at(s, "mapping", column)
		if column == "" {
			at.keyProblem("write the header of a column", "a column without a name cannot be mapped")
		}
		f := l.fieldAt(at, schema, target)
		if f == nil {
			continue
		}
		switch {
		case f.System:
			at.problem("leave it out", "%s is written by Prospector and cannot be mapped", target)
		case f.Container != xdm.Single:
			at.problem("map it to a field with one value", "%s takes several values (%s), which one column cannot fill yet", target, f.TypeText())
		}
		if other, ok := taken[target]; ok {
			at.problem("leave one of them out", "columns %s and %s are both mapped to %s", other, column, target)
		}
		if contains(s.IgnoreColumns, column) {
			at.keyProblem("leave it out of mapping or of ignoreColumns", "column %s is both mapped and ignored", column)
		}
		taken[target] = column
	}
	for _, f := range schema.Composed.Fields {
		if _, ok := taken[f.Path]; f.Required && !ok {
			l.at(s, "mapping").keyProblem("map a column to it", "required field %s is not mapped", f.Path)
		}
	}
}

// sourcePlanning asks the planning questions that the file leaves open (SD-7).
func (l *loader) sourcePlanning(s *Source, d *Dataset) {
	at := l.at(s, "planning")
	if s.Schedule == nil && s.Planning.Cadence == "" {
		at.warning("set schedule, or planning.cadence", "how often the partner delivers is not said")
	}
	if s.Planning.Identifier == "" {
		at.warning("set planning.identifier to PII, hashed PII or partner ID", "what durable identifier the data is tied to is not said")
	}
	if s.Planning.UsagePolicies == nil {
		at.warning("set planning.usagePolicies to the names of policies, or to [] when there are none", "which usage policies apply to the data is not said")
		return
	}
	for i, name := range *s.Planning.UsagePolicies {
		policy, ok := find(l.workspace.Policies, name)
		switch {
		case !ok:
			at.in("usagePolicies", index(i)).missing("Policy", name, names(l.workspace.Policies), "no policy is called %q", name)
		case policy.Status != governance.Enabled:
			at.in("usagePolicies", index(i)).warning("set status: ENABLED in the policy", "policy %q applies to the data of dataset %s and is not enabled, so nothing enforces it", name, d.Name)
		}
	}
}

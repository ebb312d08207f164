package infer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"prospector/internal/filecodec"
	"prospector/internal/governance"
	"prospector/internal/identity"
	"prospector/internal/xdm"
)

// WriteYAML writes the proposal as documents of a workspace, with comments for whoever reviews it.
func (p *Proposal) WriteYAML(out io.Writer) error {
	w := &writer{Proposal: p}
	w.introduction()
	w.namespace()
	w.fieldGroup()
	w.schema()
	w.dataset()
	w.source()
	_, err := out.Write(w.Bytes())
	return err
}

// writer knows the names that the documents share.
type writer struct {
	*Proposal
	bytes.Buffer
}

func (w *writer) line(format string, args ...any) { fmt.Fprintf(&w.Buffer, format+"\n", args...) }

func (w *writer) symbol() string      { return strings.ToLower(w.Name) + "_pid" }
func (w *writer) schemaName() string  { return w.Name + "-prospects" }
func (w *writer) datasetName() string { return w.Name + "_prospects" }
func (w *writer) groupName() string   { return heading(w.Name) + " Prospect Fields" }

func (w *writer) introduction() {
	s := w.Sample
	w.line("# A draft, proposed from %s for you to review. Nothing has been applied.", quoted(w.File))
	w.line("#")
	read := s.Rows + s.Rejected + s.Headers
	which := fmt.Sprintf("the first %s", counted(read, "record"))
	if s.Whole {
		which = fmt.Sprintf("the whole file, %s", counted(read, "record"))
	}
	w.line("# Sample: %s: %s, %s%s.", which, counted(s.Rows, "row"), counted(s.Rejected, "rejected record"), faults(s.Faults))
	if s.Headers > 0 {
		w.line("# The header line comes again %s, as if files had been appended: not counted, but such rows are loaded", counted(s.Headers, "time"))
		w.line("# or refused like any other.")
	}
	if bad := s.Refused + s.Rejected + s.Headers; bad > 0 {
		w.line("# Under this draft at most %d of %d records would be refused.", bad, read)
		if !few(bad, read) {
			w.line("# That may be above errorThreshold, 5 %% unless set: then nothing of the file is loaded.")
		}
	}
	w.line("#")
	w.line("# What to do next:")
	w.line("#  1. Review every line: types, paths and rules are guesses, and the sample may not hold every value.")
	w.line("#  2. Save this as %s.yaml in the folder of a workspace whose Sandbox has tenant: %s (another: --tenant).", w.Name, w.Tenant)
	w.line("#  3. Set the connection, path and schedule of the source.")
	w.line("#  4. Run: starter check DIR")
	for _, note := range w.Notes {
		w.line("# Note: %s.", note)
	}
	w.line("")
}

func (w *writer) namespace() {
	w.line("kind: Namespace")
	w.line("name: %s", scalar(heading(w.Name)+" Prospect ID"))
	w.line("symbol: %s", scalar(w.symbol()))
	w.line("type: %s # symbol and type are fixed once applied", identity.PartnerID)
}

// uses returns the columns of some uses.
func (w *writer) uses(uses ...Use) []Column {
	return slices.DeleteFunc(slices.Clone(w.Columns), func(c Column) bool { return !slices.Contains(uses, c.Use) })
}

func (w *writer) fieldGroup() {
	own := slices.DeleteFunc(w.uses(UseField, UsePersonal), func(c Column) bool { return c.Group != "" })
	if len(own) == 0 {
		return
	}
	hidden := "" // a group of nothing but direct identifiers would have no field
	if !w.hasOwn() {
		hidden = "# "
		w.line("---")
		w.line("# No column needs a field of its own but direct identifiers. To take one, take this group and its field,")
		w.line("# and name the group in the schema.")
	} else {
		w.line("---")
	}
	w.line("%skind: FieldGroup", hidden)
	w.line("%sname: %s", hidden, scalar(w.groupName()))
	w.line("%sfields:", hidden)
	for _, c := range own {
		w.notes("  ", c)
		if c.Use == UsePersonal {
			w.line("  # - {path: %s, type: string, title: %s} # direct identifier: only if needed", scalar(c.Path), scalar(heading(c.Name)))
			continue
		}
		w.line("  - {path: %s, type: %s, title: %s%s} # %s", scalar(c.Path), c.FieldType, scalar(heading(c.Name)), rules(c, ", "), c.seen())
	}
}

func (w *writer) hasOwn() bool { return slices.ContainsFunc(w.Columns, Column.own) }

// notes writes what is to be known of a column above its line.
func (w *writer) notes(indent string, c Column) {
	for _, note := range c.Notes {
		w.line("%s# %s: %s", indent, quoted(c.Name), note)
	}
}

func (c Column) seen() string {
	more := ""
	if c.MoreThan {
		more = "more than "
	}
	return fmt.Sprintf("%s, %d empty, %s%d distinct", counted(c.Values, "value"), c.Empty, more, c.Distinct)
}

// rules are a text's constraints, with a separator in front.
func rules(c Column, separator string) string {
	switch {
	case c.Pattern != "":
		return separator + "pattern: " + scalar(c.Pattern)
	case len(c.Enum) > 0:
		return separator + "enum: " + list(c.Enum)
	}
	return ""
}

func (w *writer) schema() {
	groups := slices.Clone(w.Groups)
	if w.hasOwn() {
		groups = append(groups, w.groupName())
	}
	w.line("---")
	w.line("kind: Schema")
	w.line("name: %s", scalar(w.schemaName()))
	w.line("class: %s", xdm.ProspectClassTitle)
	w.line("fieldGroups: %s", list(groups))
	w.line("primaryIdentity: {field: %s, namespace: %s}", xdm.PartnerID, scalar(w.symbol()))
	w.line("profile: true # once applied, it stays enabled")
	w.line("labels: {all: [%s]}", governance.ThirdParty)
	if personal := w.uses(UsePersonal); len(personal) > 0 {
		w.line("# With a direct identifier, label it too:")
		w.line("# labels:")
		w.line("#   all: [%s]", governance.ThirdParty)
		w.line("#   fields:")
		for _, c := range personal {
			w.line("#     %s: [I1]", scalar(c.Path))
		}
	}
	ruled := slices.DeleteFunc(w.uses(UseField), func(c Column) bool { return c.own() || rules(c, "") == "" })
	if len(ruled) > 0 {
		w.line("constraints:")
	}
	for _, c := range ruled {
		w.line("  %s: {%s} # %s", scalar(c.Path), rules(c, ""), c.seen())
	}
}

func (w *writer) dataset() {
	w.line("---")
	w.line("kind: Dataset")
	w.line("name: %s", scalar(w.datasetName()))
	w.line("schema: %s", scalar(w.schemaName()))
	w.line("profile: true")
}

func (w *writer) source() {
	w.line("---")
	w.line("kind: Source")
	w.line("name: %s", scalar(w.Name))
	w.line("dataset: %s", scalar(w.datasetName()))
	w.connection()
	w.line("path: %s # relative to the drop point; which files are this partner's?", scalar(pathPattern(w.File)))
	w.line("format: {delimiter: %s, quote: %s, compression: %s}", scalar(w.Format.Delimiter), scalar(w.Format.Quote), w.Format.Compression)
	w.mapping()
	w.line("# nullMarkers: [] # texts that stand for no value, besides the empty one")
	w.line("# schedule: {cron: \"0 4 * * *\", timeZone: UTC, paused: true} # or planning.cadence in words")
	w.line("planning:")
	w.line("  identifier: partner ID")
	w.line("  # cadence: daily # how often does the partner deliver?")
	w.line("  # usagePolicies: [] # which policies apply to the data? By name; [] when there are none")
}

// connection is a placeholder: a source without one is no valid source.
func (w *writer) connection() {
	variable := regexp.MustCompile(`[^A-Z0-9]+`).ReplaceAllString(strings.ToUpper(w.Name), "_")
	if variable[0] >= '0' && variable[0] <= '9' {
		variable = "PARTNER_" + variable
	}
	w.line("# A placeholder: set these variables where the worker runs, or put the partner's connection here.")
	w.line("sftp:")
	for _, key := range []string{"address", "user", "password", "hostKey"} {
		w.line("  %s: ${env:%s_SFTP_%s}", key, variable, map[string]string{"address": "ADDRESS", "user": "USER", "password": "PASSWORD", "hostKey": "HOST_KEY"}[key])
	}
	w.line("# s3: # instead of sftp")
	w.line("#   region: us-east-1")
	w.line("#   bucket: %s-drop", strings.ToLower(strings.ReplaceAll(w.Name, "_", "-")))
	w.line("#   accessKey: ${env:%s_S3_ACCESS_KEY}", variable)
	w.line("#   secretKey: ${env:%s_S3_SECRET_KEY}", variable)
}

func (w *writer) mapping() {
	if w.Identity == nil {
		w.line("# A person must choose the column that identifies a prospect and map it; without it nothing can be loaded:")
		w.line("#   COLUMN: %s", xdm.PartnerID)
	}
	mapped := w.uses(UseIdentity, UseField)
	if len(mapped) == 0 {
		w.line("mapping: {}")
	} else {
		w.line("mapping:")
	}
	for _, c := range w.uses(UseIdentity, UseField, UsePersonal) {
		if !c.own() && (c.Use != UsePersonal || c.Group != "") { // an own field has them in its group
			w.notes("  ", c)
		}
		switch {
		case c.Use == UsePersonal:
			w.line("  # %s: %s # direct identifier: take it only if needed, labelled I1, and out of ignoreColumns", scalar(c.Name), c.Path)
		case c.own() || rules(c, "") != "":
			w.line("  %s: %s", scalar(c.Name), c.Path)
		default:
			w.line("  %s: %s # %s", scalar(c.Name), c.Path, c.seen())
		}
	}
	var ignored []string
	for _, c := range w.uses(UsePersonal, UseIgnored) {
		if c.Use == UseIgnored {
			w.notes("", c)
		}
		ignored = append(ignored, c.Name)
	}
	w.line("ignoreColumns: %s", list(ignored))
}

// pathPattern matches files with the file's ending.
func pathPattern(file string) string { return "*" + extension.FindString(file) }

// faults lists what is wrong with rejected records, the most frequent first.
func faults(counts map[filecodec.Fault]int) string {
	kinds := slices.SortedFunc(maps.Keys(counts), func(a, b filecodec.Fault) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		return strings.Compare(string(a), string(b))
	})
	var out []string
	for _, kind := range kinds {
		out = append(out, fmt.Sprintf("%d %s", counts[kind], kind))
	}
	if len(out) == 0 {
		return ""
	}
	return " (" + strings.Join(out, ", ") + ")"
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

var (
	plainScalar = regexp.MustCompile(`^[A-Za-z_]([A-Za-z0-9_. -]*[A-Za-z0-9_-])?$`)
	// Words that one version of YAML or another takes for something else than a text.
	ambiguous = regexp.MustCompile(`^(?i:y|n|yes|no|on|off|true|false|null)$`)
)

// scalar writes a text so that every YAML reader takes it for that text, in a list as well.
func scalar(text string) string {
	if plainScalar.MatchString(text) && !ambiguous.MatchString(text) {
		return text
	}
	return quoted(text)
}

// quoted writes a text as JSON does, which is YAML as well, on one line.
func quoted(text string) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a text can always be encoded
	return strings.TrimSuffix(out.String(), "\n")
}

func list(texts []string) string {
	out := make([]string, len(texts))
	for i, text := range texts {
		out[i] = scalar(text)
	}
	return "[" + strings.Join(out, ", ") + "]"
}

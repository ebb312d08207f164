package workspace

import (
	"slices"
	"strings"

	"prospector/internal/xdm"
	"prospector/internal/yamldoc"
)

// SuppressionList names people who must never be approached: nobody who is on it is delivered anywhere, and no row of them is loaded.
type SuppressionList struct {
	yamldoc.Document `yaml:"-"`
	// Name of the list.
	Name string `yaml:"name" jsonschema:"required,pattern=^[A-Za-z0-9][A-Za-z0-9_-]*$,maxLength=100"`
	// Description for people.
	Description string `yaml:"description"`
	// Dataset whose ids are the list's values: partner ids, or such as hashed e-mails. Not enabled for Profile, its people are no prospects.
	Dataset string `yaml:"dataset" jsonschema:"required,pattern=\\S"`
	// Field is the XDM path of the text of prospects that is held against the values, exactly as it is written; the partner id unless given.
	Field string `yaml:"field"`
	// Namespaces whose prospects are held against the list: unless given, the list's own without a field, and all that have the field with one.
	Namespaces []string `yaml:"namespaces" jsonschema:"minItems=1"`
	// Where the list counts: export leaves prospects out of deliveries, ingest refuses rows. Both unless given.
	Where []string `yaml:"at" jsonschema:"minItems=1,uniqueItems,enum=export,enum=ingest"`
}

// Where a suppression list counts.
const (
	AtExport = "export"
	AtIngest = "ingest"
)

func (s *SuppressionList) name() string { return s.Name }
func (s *SuppressionList) kind() string { return "SuppressionList" }

func (l *loader) checkSuppressionList(s *SuppressionList) {
	w := l.workspace
	if s.Where == nil {
		s.Where = []string{AtExport, AtIngest}
	}
	for i, where := range s.Where {
		if slices.Contains(s.Where[:i], where) {
			l.at(s, "at", index(i)).problem("leave one out", "%s is there twice", where)
		}
	}
	for i, symbol := range s.Namespaces {
		if _, ok := find(w.Namespaces, symbol); !ok {
			l.at(s, "namespaces", index(i)).missing("Namespace", symbol, names(w.Namespaces), "no namespace has the symbol %q", symbol)
		}
	}
	d, ok := find(w.Datasets, s.Dataset)
	if !ok {
		l.at(s, "dataset").missing("Dataset", s.Dataset, names(w.Datasets), "no dataset is called %q", s.Dataset)
		return
	}
	if l.faulty[s] || l.faulty[d] || slices.ContainsFunc(w.Datasets, func(d *Dataset) bool { return w.Schema(d) == nil || w.Schema(d).Composed == nil }) {
		return // the cause is reported
	}
	if w.Schema(d).PrimaryIdentity.Field == "" {
		l.at(s, "dataset").problem("give the schema a primaryIdentity", "schema %s has no primary identity, whose values would be the list", w.Schema(d).Name)
		return
	}
	prospects := w.ProfileDatasets(s.Namespaces)
	if s.Field == "" {
		if s.Namespaces == nil {
			s.Namespaces = []string{w.Namespace(d)}
		}
		l.checkHeldByID(s, d)
	} else if len(prospects) > 0 && l.checkHeldBy(s, prospects) && s.Namespaces == nil {
		s.Namespaces = w.namespacesWith(prospects, s.Field)
	}
	for i, symbol := range s.Namespaces {
		if at := l.at(s, "namespaces", index(i)); len(w.ProfileDatasets([]string{symbol})) == 0 {
			at.warning("name the namespace of the prospects", "no dataset that is enabled for Profile is of namespace %s, so nobody is held against the list", symbol)
		} else if s.Field != "" && !l.faulty[s] && !contains(w.namespacesWith(prospects, s.Field), symbol) {
			at.problem("leave it out, or add the field to a schema", "no prospects of namespace %s have the field %s", symbol, s.Field)
		}
	}
	if len(s.Namespaces) == 0 && !l.faulty[s] {
		l.at(s, "field").warning("name the namespaces of the prospects", "no dataset is enabled for Profile, so nobody is held against the list")
	}
	if !slices.ContainsFunc(w.Sources, func(source *Source) bool { return source.Dataset == s.Dataset }) {
		effect := "so that no row is refused"
		if contains(s.Where, AtExport) {
			effect = "and while it is empty nothing leaves that it counts for"
		}
		l.at(s, "dataset").warning("declare a source for it", "no source loads dataset %s, %s", s.Dataset, effect)
	}
}

// checkHeldByID refuses a list of which everybody is a prospect of a namespace that it is for.
func (l *loader) checkHeldByID(s *SuppressionList, d *Dataset) {
	if slices.Contains(l.workspace.ProfileDatasets(s.Namespaces), d) {
		l.at(s, "dataset").problem("take profile: true away there, or give a field", "dataset %s is enabled for Profile, so that those on the list are prospects themselves", d.Name)
	}
}

// checkHeldBy reports whether prospects can be held against a list by its field.
func (l *loader) checkHeldBy(s *SuppressionList, prospects []*Dataset) bool {
	at := l.at(s, "field")
	f := l.fieldAt(at, l.workspace.schemaWith(prospects, s.Field), s.Field)
	if f == nil {
		return false
	}
	if f.System || f.Container != xdm.Single || f.Type != xdm.String {
		at.problem("name a text, such as a hashed e-mail", "%s is %s", f.Path, f.TypeText())
		return false
	}
	if d, ok := find(prospects, s.Dataset); ok && l.workspace.Schema(d).PrimaryIdentity.Field == s.Field {
		l.checkHeldByID(s, d)
		return false
	}
	return true
}

// namespacesWith are the namespaces of the datasets that have a field, sorted.
func (w *Workspace) namespacesWith(datasets []*Dataset, path string) (out []string) {
	for _, d := range datasets {
		if field(w.Schema(d), path) != nil {
			out = append(out, w.Namespace(d))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// ListsIn are the lists whose people a dataset holds.
func (w *Workspace) ListsIn(dataset string) (out []*SuppressionList) {
	for _, s := range w.SuppressionLists {
		if s.Dataset == dataset {
			out = append(out, s)
		}
	}
	return out
}

// LeavingLists are the lists that count as prospects of a namespace leave.
func (w *Workspace) LeavingLists(namespace string) (out []*SuppressionList) {
	for _, s := range w.SuppressionLists {
		if contains(s.Where, AtExport) && contains(s.Namespaces, namespace) {
			out = append(out, s)
		}
	}
	return out
}

// LoadingLists are the lists against which rows are held as they are loaded into a dataset; those of a list itself are held against none.
func (w *Workspace) LoadingLists(d *Dataset) (out []*SuppressionList) {
	if len(w.ListsIn(d.Name)) > 0 {
		return nil
	}
	for _, s := range w.SuppressionLists {
		if contains(s.Where, AtIngest) && contains(s.Namespaces, w.Namespace(d)) {
			out = append(out, s)
		}
	}
	return out
}

// String says what a list does, for a plan.
func (s *SuppressionList) String() string {
	by, what := "partner id", map[string]string{AtExport: "is left out of deliveries", AtIngest: "is not loaded"}
	if s.Field != "" {
		by = s.Field
	}
	var texts []string
	for _, at := range s.Where {
		texts = append(texts, what[at])
	}
	return "whoever of " + strings.Join(s.Namespaces, ", ") + " is in dataset " + s.Dataset + " by " + by + " " + strings.Join(texts, " and ")
}

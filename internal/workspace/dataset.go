package workspace

import "prospector/internal/yamldoc"

// Dataset is one partner's data under one schema (DS-5): it can be deleted or expire without touching another's.
type Dataset struct {
	yamldoc.Document `yaml:"-"`
	// Name of the dataset.
	Name string `yaml:"name" jsonschema:"required,pattern=^[A-Za-z0-9][A-Za-z0-9_-]*$,maxLength=100"`
	// Description for people.
	Description string `yaml:"description"`
	// Schema of its rows, by name. Once data is loaded it is fixed.
	Schema string `yaml:"schema" jsonschema:"required,pattern=\\S"`
	// Profile makes its rows profiles; the schema must be enabled too. Rows that were loaded before count from then on as well.
	Profile bool `yaml:"profile"`
	// Labels that every field inherits.
	Labels []string `yaml:"labels"`
}

func (d *Dataset) name() string { return d.Name }
func (d *Dataset) kind() string { return "Dataset" }

const manyDatasets = 20 // per class, as far as is recommended (DS-21)

func (l *loader) checkDataset(d *Dataset) {
	w := l.workspace
	l.checkLabels(l.at(d, "labels"), d.Labels)
	s, ok := find(w.Schemas, d.Schema)
	if !ok {
		l.at(d, "schema").missing("Schema", d.Schema, names(w.Schemas), "no schema is called %q", d.Schema)
		return
	}
	if d.Profile && !s.Profile {
		l.at(d, "profile").problem("write profile: true in the schema as well", "it is enabled for Profile, its schema %s is not", s.Name)
	}
	if !d.Profile {
		return
	}
	for _, other := range w.Datasets {
		if other == d {
			break
		}
		if o, ok := find(w.Schemas, other.Schema); ok && other.Profile && s.PrimaryIdentity.Namespace != "" && o.PrimaryIdentity.Namespace == s.PrimaryIdentity.Namespace {
			l.at(d, "schema").problem("give each dataset that is enabled for Profile a schema with a namespace of its own",
				"it holds profiles of namespace %s, and so does dataset %s; profiles cannot be merged from several datasets yet",
				s.PrimaryIdentity.Namespace, other.Name)
		}
	}
}

func (l *loader) checkDatasetCount() {
	if datasets := l.workspace.Datasets; len(datasets) > manyDatasets {
		l.at(datasets[manyDatasets], "name").warning("", "%d datasets; more than %d on one class are not recommended", len(datasets), manyDatasets)
	}
}

// Schema finds a dataset's schema.
func (w *Workspace) Schema(d *Dataset) *Schema {
	s, _ := find(w.Schemas, d.Schema)
	return s
}

// Namespace returns the namespace symbol that identifies a dataset's prospects.
func (w *Workspace) Namespace(d *Dataset) string { return w.Schema(d).PrimaryIdentity.Namespace }

// ProfileDatasets returns the datasets that are enabled for Profile, schema and dataset both, and
// whose namespace is among namespaces (all when that is empty).
func (w *Workspace) ProfileDatasets(namespaces []string) []*Dataset {
	var out []*Dataset
	for _, d := range w.Datasets {
		s, _ := find(w.Schemas, d.Schema)
		if s == nil || !d.Profile || !s.Profile {
			continue
		}
		if len(namespaces) == 0 || contains(namespaces, s.PrimaryIdentity.Namespace) {
			out = append(out, d)
		}
	}
	return out
}

package workspace

import (
	"slices"
	"time"

	"prospector/internal/governance"
	"prospector/internal/xdm"
	"prospector/internal/yamldoc"
)

// Contract holds the terms under which a partner's data may be used. Data that breaks one of them does not leave.
type Contract struct {
	yamldoc.Document `yaml:"-"`
	// Name of the contract.
	Name string `yaml:"name" jsonschema:"required,pattern=^[A-Za-z0-9][A-Za-z0-9_-]*$,maxLength=100"`
	// Description for people.
	Description string `yaml:"description"`
	// Sources whose datasets it covers.
	Sources []string `yaml:"sources"`
	// Datasets that it covers, besides those of its sources.
	Datasets []string `yaml:"datasets"`
	// Purposes are the marketing actions that it allows. A destination with another one gets nothing, nor does one that names none.
	Purposes []string `yaml:"purposes" jsonschema:"required,minItems=1"`
	// Destinations that may get the data, by name; all unless given.
	Destinations []string `yaml:"destinations" jsonschema:"minItems=1"`
	// Licence says when the data may be used.
	Licence Licence `yaml:"licence"`
	// MostRows of the covered datasets that one delivery may hold, all audiences together.
	MostRows int64 `yaml:"mostRows" jsonschema:"minimum=1"`
	// MostActivations is how many deliveries of covered data there may be from the licence's start to its end.
	MostActivations int64 `yaml:"mostActivations" jsonschema:"minimum=1"`
	// Territory bounds who may leave, by state or country.
	Territory *Territory `yaml:"territory"`
	// Suppression is the audience of people who must be left out: rules say NOT audience('…').
	Suppression string `yaml:"suppression"`
	// Attribution is the text that must go with the data; the manifest carries it.
	Attribution string `yaml:"attribution"`
}

// Licence is the time in which data may be used, in whole days of UTC.
type Licence struct {
	// Start is the first day, such as 2026-01-01.
	Start string `yaml:"start"`
	// End is the last day.
	End string `yaml:"end"`
}

// Territory is where prospects may live. The rule of every audience that leaves must confine them to it.
type Territory struct {
	// Field is the XDM path of the state or country.
	Field string `yaml:"field" jsonschema:"required,pattern=\\S"`
	// Values that it may have.
	Values []string `yaml:"values" jsonschema:"required,minItems=1"`
}

func (c *Contract) name() string { return c.Name }
func (c *Contract) kind() string { return "Contract" }

func (l *loader) checkContract(c *Contract) {
	w := l.workspace
	if len(c.Sources)+len(c.Datasets) == 0 {
		l.at(c).problem("name the partner's source in sources, or its datasets", "it covers nothing")
	}
	for i, name := range c.Sources {
		if _, ok := find(w.Sources, name); !ok {
			l.at(c, "sources", index(i)).missing("Source", name, names(w.Sources), "no source is called %q", name)
		}
	}
	for i, name := range c.Datasets {
		if _, ok := find(w.Datasets, name); !ok {
			l.at(c, "datasets", index(i)).missing("Dataset", name, names(w.Datasets), "no dataset is called %q", name)
		}
	}
	l.checkMarketingActions(l.at(c, "purposes"), c.Purposes)
	for i, name := range c.Destinations {
		if _, ok := find(w.Destinations, name); !ok {
			l.at(c, "destinations", index(i)).missing("Destination", name, names(w.Destinations), "no destination is called %q", name)
		}
	}
	start, started := l.day(l.at(c, "licence", "start"), c.Licence.Start)
	end, ended := l.day(l.at(c, "licence", "end"), c.Licence.End)
	if started && ended && end.Before(start) {
		l.at(c, "licence", "end").problem("write a later day", "the licence ends before it starts")
	}
	if c.Suppression != "" {
		if a, ok := find(w.Audiences, c.Suppression); !ok {
			l.at(c, "suppression").missing("Audience", c.Suppression, names(w.Audiences), "no audience is called %q", c.Suppression)
		} else if !slices.ContainsFunc(w.Audiences, func(a *Audience) bool { return a.Parsed == nil || l.faulty[a] }) {
			l.checkSuppression(c, a)
		}
	}
	if c.Territory != nil {
		l.checkTerritory(c)
	}
}

// checkSuppression warns about an audience that keeps back fewer than its name promises: rules need but name it.
func (l *loader) checkSuppression(c *Contract, a *Audience) {
	w, at := l.workspace, l.at(c, "suppression")
	if w.Bounds(a).Nobody() {
		at.warning("correct the rule at "+a.KeyAt("rule").String(), "the rule of audience %s can hold for nobody, so nobody is left out", a.Name)
	}
	if a.Limit != nil {
		at.warning("take the limit away at "+a.KeyAt("limit").String(), "audience %s is limited to %d prospects, so those beyond them are not left out", a.Name, a.Limit.Profiles)
	}
	held := w.ProfileDatasets(a.Namespaces)
	for _, name := range w.ContractDatasets(c) {
		d, ok := find(w.Datasets, name)
		if ok && w.Schema(d) != nil && !slices.ContainsFunc(held, func(other *Dataset) bool { return w.Namespace(other) == w.Namespace(d) }) {
			at.warning("give it namespace "+w.Namespace(d)+", at "+a.KeyAt("namespaces").String(), "audience %s holds no prospects of the namespace of dataset %s, so nobody of it is left out", a.Name, name)
		}
	}
}

func (l *loader) checkTerritory(c *Contract) {
	var datasets []*Dataset
	for _, name := range l.workspace.ContractDatasets(c) {
		if d, ok := find(l.workspace.Datasets, name); ok && l.workspace.Schema(d) != nil {
			datasets = append(datasets, d)
		}
	}
	if len(datasets) == 0 || l.faulty[c] {
		return
	}
	at := l.at(c, "territory", "field")
	f := l.fieldAt(at, l.workspace.schemaWith(datasets, c.Territory.Field), c.Territory.Field)
	if f == nil {
		return
	}
	if f.System || f.Container != xdm.Single || f.Type != xdm.String {
		at.problem("name a text, such as a code of states or countries", "%s is %s", f.Path, f.TypeText())
		return
	}
	for i, value := range c.Territory.Values {
		if len(f.Enum) > 0 && !contains(f.Enum, value) {
			l.at(c, "territory", "values", index(i)).problem(didYouMean(value, f.Enum), "%s never has the value %q", f.Path, value)
		}
	}
}

// checkAttribution warns where a text that a contract asks for does not go along.
func (l *loader) checkAttribution(a *Activation, destination *Destination) {
	for _, c := range l.workspace.Contracts {
		covered := slices.ContainsFunc(l.workspace.ProfileDatasets([]string{a.Namespace}), func(d *Dataset) bool { return contains(l.workspace.ContractDatasets(c), d.Name) })
		if c.Attribution != "" && covered && !destination.Manifest {
			l.at(a, "destination").warning("write manifest: true in the destination, or hand the text over yourself", "contract %s asks for an attribution, and destination %s gets no manifest that carries it", c.Name, destination.Name)
		}
	}
}

// day reads a day. It is absent when it is not given or is none.
func (l *loader) day(at place, text string) (time.Time, bool) {
	if text == "" {
		return time.Time{}, false
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		at.problem("write it such as 2026-12-31", "%q is no day", text)
	}
	return day, err == nil
}

// ContractDatasets names the datasets that a contract covers, sorted.
func (w *Workspace) ContractDatasets(c *Contract) []string {
	out := slices.Clone(c.Datasets)
	for _, name := range c.Sources {
		if s, ok := find(w.Sources, name); ok {
			out = append(out, s.Dataset)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// GovernanceContracts returns the contracts as the evaluation takes them.
func (w *Workspace) GovernanceContracts() []governance.Contract {
	out := make([]governance.Contract, len(w.Contracts))
	for i, c := range w.Contracts {
		at := func(path ...string) string { return line(c.KeyAt(path...)) }
		g := governance.Contract{Name: c.Name, Datasets: w.ContractDatasets(c), Purposes: c.Purposes, Destinations: c.Destinations,
			MostRows: c.MostRows, MostActivations: c.MostActivations, Suppression: c.Suppression, Attribution: c.Attribution,
			At: map[string]string{governance.Purposes: at("purposes"), governance.Destinations: at("destinations"), governance.Starts: at("licence", "start"), governance.Ends: at("licence", "end"),
				governance.MostRows: at("mostRows"), governance.MostActivations: at("mostActivations"), governance.Territory: at("territory"), governance.Suppression: at("suppression"), governance.SuppressionList: at("suppression")}}
		if day, err := time.Parse(time.DateOnly, c.Licence.Start); err == nil {
			g.Starts = day
		}
		if day, err := time.Parse(time.DateOnly, c.Licence.End); err == nil {
			g.Ends = day.AddDate(0, 0, 1)
		}
		if c.Territory != nil {
			g.Field, g.Values = c.Territory.Field, c.Territory.Values
		}
		out[i] = g
	}
	return out
}

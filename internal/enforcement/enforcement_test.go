package enforcement_test

import (
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/enforcement"
	"prospector/internal/errkind"
	"prospector/internal/governance"
	"prospector/internal/workspace"
)

var update = flag.Bool("update", false, "write testdata anew")

// sample is the sample workspace with texts replaced: file, old, new, and so on.
func sample(t *testing.T, replacements ...string) *workspace.Workspace {
	t.Helper()
	files, err := workspace.Read("../../testdata/workspace")
	require.NoError(t, err)
	for i := 0; i < len(replacements); i += 3 {
		file, old, text := replacements[i], replacements[i+1], replacements[i+2]
		require.Contains(t, files[file], old, file)
		files[file] = strings.Replace(files[file], old, text, 1)
	}
	w, err := workspace.Parse(files)
	require.NoError(t, err)
	return w
}

func judged(t *testing.T, w *workspace.Workspace, activation string, facts enforcement.Facts) []enforcement.Violation {
	t.Helper()
	a, err := w.Activation(activation)
	require.NoError(t, err)
	found, err := enforcement.Judge(w, a, facts)
	require.NoError(t, err)
	return found
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "when the new text is right: go test ./internal/enforcement -update")
}

// Hikers are kept out of an audience by way of another one; the contract ends, and C9 sits on a field of each rule and on one that
// is mapped.
func explained(t *testing.T) *workspace.Workspace {
	return sample(t,
		"audiences.yaml", "rule: >-\n  partner.sailing = 'Y' AND", "rule: >-\n  NOT audience('outdoor-families') AND partner.sailing = 'Y' AND",
		"schemas.yaml", "labels: {all: [Third-Party]}\nconstraints:\n  partner", "labels: {all: [Third-Party], fields: {partner.hiking: [C9], partner.ageRangeInHousehold: [C9]}}\nconstraints:\n  partner",
		"governance.yaml", "kind: Policy", "kind: Policy\nname: no hikers\nstatus: ENABLED\nmarketingActions: [Cross Site Targeting]\ndeny: {operator: AND, operands: [{label: C9}, {label: Third-Party}]}\n---\nkind: Policy",
		"contracts.yaml", "", "kind: Contract\nname: acme\nsources: [acme]\npurposes: [Cross Site Targeting]\nlicence: {end: 2026-06-30}\n")
}

// AS-21, PL-19, PL-20, PL-24: a violation names policy or contract, condition, action, fields and where each label comes from, the
// way through merge policy and audiences, and the ways out in order: as text, and as JSON with a graph to draw.
func TestViolationsExplainThemselves(t *testing.T) {
	facts := enforcement.Facts{Now: time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC), Changed: enforcement.Changed{"Schema acme-prospects": true, "Activation acme-to-media": true}}
	found := judged(t, explained(t), "acme-to-media", facts)
	require.Len(t, found, 4)
	golden(t, "testdata/explained.txt", strings.Join(enforcement.Lines(found), "\n")+"\n")
	data, err := json.MarshalIndent(found, "", "  ")
	require.NoError(t, err)
	golden(t, "testdata/explained.json", string(data)+"\n")
	for _, v := range found {
		nodes := map[string]bool{}
		for _, n := range v.Lineage.Nodes {
			nodes[n.ID] = true
		}
		for _, e := range v.Lineage.Edges {
			require.True(t, nodes[e.From] && nodes[e.To], "%v", e)
		}
	}
}

// Each way out that is named does away with the violation, and none is named that would not.
func TestRemediesHelp(t *testing.T) {
	policy := []string{"governance.yaml", "kind: Policy", "kind: Policy\nname: no tennis\nstatus: ENABLED\nmarketingActions: [Cross Site Targeting]\ndeny: {label: C9}\n---\nkind: Policy"}
	label := func(path string) []string {
		return []string{"schemas.yaml", "labels: {all: [Third-Party]}\nconstraints:\n  partner", "labels: {all: [Third-Party], fields: {" + path + ": [C9]}}\nconstraints:\n  partner"}
	}
	mapped := []string{"activations.yaml", "header: state}", "header: state}\n  - {field: partner.tennis, header: tennis}"}
	for name, c := range map[string]struct {
		edits [][]string
		first string
	}{
		"mapped alone":     {[][]string{label("partner.tennis"), mapped}, "drop partner.tennis from the mapping of activation acme-to-media (activations.yaml:6)"},
		"ruled alone":      {[][]string{label("partner.sailing")}, "change the rule of audience coastal-sailors (audiences.yaml:13), which uses partner.sailing"},
		"both":             {[][]string{label("_luma.prospect.state")}, "drop _luma.prospect.state from the mapping of activation acme-to-media (activations.yaml:6), and change the rule of audience coastal-sailors (audiences.yaml:13), which uses _luma.prospect.state"},
		"the identity too": {[][]string{label("partnerID"), mapped}, "take Cross Site Targeting out of the marketing actions of destination media-drop (destinations.yaml:13) if the data is not used for it there, or use another destination"},
	} {
		t.Run(name, func(t *testing.T) {
			edits := policy
			for _, e := range c.edits {
				edits = append(edits[:len(edits):len(edits)], e...)
			}
			found := judged(t, sample(t, edits...), "acme-to-media", enforcement.Facts{})
			require.NotEmpty(t, found)
			v := found[len(found)-1] // of coastal-sailors
			require.Equal(t, "coastal-sailors", v.Audience)
			require.Equal(t, c.first, v.Remedies[0])
			require.Equal(t, v.Remedies[0], v.Resolution)
			require.Equal(t, "take label C9 off where it is wrong: schema acme-prospects (schemas.yaml:19)", v.Remedies[len(v.Remedies)-1])
		})
	}
}

// PL-19: a label that comes from several places goes when it is taken off at all of them, so they are one way out; a place is not named
// as one where a label would stay by another, nor one of two labels of which either is enough to be refused.
func TestLabelsGoEverywhereOrNotAtAll(t *testing.T) {
	last := func(facts enforcement.Facts, edits ...string) string {
		found := judged(t, sample(t, edits...), "acme-to-media", facts)
		require.NotEmpty(t, found)
		remedies := found[0].Remedies
		require.NotContains(t, strings.Join(remedies[:len(remedies)-1], "; "), "take label", "there is one such way")
		return remedies[len(remedies)-1]
	}
	policy := func(deny string) []string {
		return []string{"governance.yaml", "kind: Policy", "kind: Policy\nname: none\nstatus: ENABLED\nmarketingActions: [Cross Site Targeting]\ndeny: " + deny + "\n---\nkind: Policy"}
	}
	vendor := policy("{label: Third-Party}")
	shared := last(enforcement.Facts{}, vendor...)
	require.Equal(t, "take label Third-Party off where it is wrong, at all these places: schema acme-prospects (schemas.yaml:19), schema merk-prospects (schemas.yaml:34)", shared)

	unlabelled := append(vendor, "schemas.yaml", "profile: true\nlabels: {all: [Third-Party]}\n", "profile: true\n", "schemas.yaml", "profile: true\nlabels: {all: [Third-Party]}\n", "profile: true\n")
	require.Empty(t, judged(t, sample(t, unlabelled...), "acme-to-media", enforcement.Facts{}), "it helps")
	require.NotEmpty(t, judged(t, sample(t, unlabelled[:6]...), "acme-to-media", enforcement.Facts{}), "one place alone does not")

	loaded := enforcement.Facts{Labels: map[string]map[string][]string{"acme_2026": {"partnerID": {"Third-Party"}}}}
	require.Equal(t, shared+", and load dataset acme_2026 anew without label Third-Party: rows keep the labels under which they were loaded", last(loaded, vendor...))

	either := append(policy("{operator: OR, operands: [{label: Third-Party}, {label: C9}]}"),
		"schemas.yaml", "labels: {all: [Third-Party]}\nconstraints:\n  partner", "labels: {all: [Third-Party], fields: {partner.hiking: [C9]}}\nconstraints:\n  partner")
	require.Contains(t, last(enforcement.Facts{}, either...), "take labels C9, Third-Party off where they are wrong, at all these places: schema acme-prospects")
}

// A contract whose list of people to leave out is not published lets nothing leave, whatever rules say.
func TestSuppressionMustBePublished(t *testing.T) {
	for status, message := range map[string]string{"published": "", "draft": "audience stop, whose members must be left out, is not published"} {
		w := sample(t, "audiences.yaml", "kind: Audience", "kind: Audience\nname: stop\nstatus: "+status+"\nnamespaces: [acme_pid]\nrule: partner.tennis = 'Y'\n---\nkind: Audience",
			"audiences.yaml", "(partner.hiking", "NOT audience('stop') AND (partner.hiking", "audiences.yaml", "partner.sailing = 'Y' AND", "NOT audience('stop') AND partner.sailing = 'Y' AND",
			"contracts.yaml", "", "kind: Contract\nname: acme\nsources: [acme]\npurposes: [Cross Site Targeting]\nsuppression: stop\n")
		found := judged(t, w, "acme-to-media", enforcement.Facts{})
		if message == "" {
			require.Empty(t, found)
			continue
		}
		require.Len(t, found, 2)
		require.Equal(t, `audience outdoor-families: contract "acme" (contracts.yaml:5): `+message, found[0].Headline())
		require.Equal(t, "publish audience stop (audiences.yaml:3)", found[0].Remedies[0])
	}
}

// LB-8: the label under which rows were loaded counts when the schema has lost it, and the way out is another.
func TestLabelsOfLoadedRows(t *testing.T) {
	w := sample(t, "governance.yaml", "deny: {label: Third-Party}", "deny: {label: C9}")
	require.Empty(t, judged(t, w, "acme-to-newsletter", enforcement.Facts{}))
	found := judged(t, w, "acme-to-newsletter", enforcement.Facts{Labels: map[string]map[string][]string{"acme_2026": {"partner.hiking": {"C9"}, "partner.tennis": {"C9"}}}})
	require.Len(t, found, 1)
	require.Equal(t, []governance.Origin{{Label: "C9", Source: "rows that were loaded under it", Dataset: "acme_2026", Fields: []string{"partner.hiking"}}}, found[0].Origins)
	require.Contains(t, found[0].Remedies, "load dataset acme_2026 anew without label C9: rows keep the labels under which they were loaded")
}

// AS-22, PL-17, EC-4: labels count where a field is used, and an unlabelled field passes beside labelled ones.
func TestOnlyUsedFieldsCount(t *testing.T) {
	tennis := []string{"governance.yaml", "marketingActions: [Email Targeting]\ndeny: {label: Third-Party}", "marketingActions: [Cross Site Targeting]\ndeny: {label: C9}",
		"schemas.yaml", "labels: {all: [Third-Party]}\nconstraints:\n  partner", "labels: {fields: {partner.tennis: [C9]}}\nconstraints:\n  partner"}
	require.Empty(t, judged(t, sample(t, tennis...), "acme-to-media", enforcement.Facts{}))
	require.Len(t, judged(t, sample(t, append(tennis, "activations.yaml", "header: state}", "header: state}\n  - {field: partner.tennis, header: tennis}")...), "acme-to-media", enforcement.Facts{}), 2)
}

// LB-12, PL-14: what a dataset's own label denies, an audience over it inherits.
func TestDatasetLabelsAreInherited(t *testing.T) {
	w := sample(t, "datasets.yaml", "schema: acme-prospects\n", "schema: acme-prospects\nlabels: [C5]\n", "prospector.yaml", "tenant: _luma", "tenant: _luma\ngovernance: {enable: [Interest-based targeting restriction]}")
	found := judged(t, w, "acme-to-media", enforcement.Facts{})
	require.Len(t, found, 2)
	require.Equal(t, "prospector.yaml:6", found[0].At)
	require.Equal(t, "dataset acme_2026", found[0].Origins[0].Source)
}

// A decision that an earlier version recorded can still be read and told.
func TestRecordedViolationsOfEarlierVersions(t *testing.T) {
	var v enforcement.Violation
	old := `{"audience":"outdoor-families","policy":"No e-mail","deny":"Third-Party","labels":["Third-Party"],"marketingAction":"Email Targeting","fields":[{"dataset":"acme_2026","path":"partner.hiking","use":"rule","labels":["Third-Party"]}],"resolution":"use another"}`
	require.NoError(t, json.Unmarshal([]byte(old), &v))
	require.Equal(t, `audience outdoor-families: policy "No e-mail" denies Email Targeting for label Third-Party`, v.Headline())
	require.Equal(t, "  fields    partner.hiking of dataset acme_2026, in the rule", v.Lines()[1])
}

// PL-12, PL-13, PL-14: an action against labels, datasets, and fields of datasets, with all that was found where; drafts on request.
func TestEvaluation(t *testing.T) {
	w := sample(t, "governance.yaml", "kind: Policy", "kind: Policy\nname: draft\nmarketingActions: [Email Targeting]\ndeny: {label: C2}\n---\nkind: Policy",
		"datasets.yaml", "schema: acme-prospects\n", "schema: acme-prospects\nlabels: [C5]\n",
		"schemas.yaml", "labels: {all: [Third-Party]}\nconstraints:\n  partner", "labels: {fields: {partner.hiking: [Third-Party]}}\nconstraints:\n  partner")
	at := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	names := func(q enforcement.Question) (out []string) {
		q.User, q.Now = "ada", at
		if q.MarketingActions == nil {
			q.MarketingActions = []string{"Email Targeting"}
		}
		a, err := enforcement.Evaluate(w, q)
		require.NoError(t, err)
		require.Equal(t, "ada", a.User)
		require.Equal(t, at, a.Timestamp)
		for _, p := range a.Violated {
			out = append(out, p.Name)
		}
		return out
	}
	const vendor = "No e-mail with vendor data"
	require.Equal(t, []string{vendor}, names(enforcement.Question{Labels: []string{"Third Party"}}))
	require.Empty(t, names(enforcement.Question{Labels: []string{"C2"}}))
	require.Equal(t, []string{"draft"}, names(enforcement.Question{Labels: []string{"C2"}, IncludeDraft: true}))
	require.Equal(t, []string{governance.ExportBan}, names(enforcement.Question{Labels: []string{"C12"}}))
	require.Empty(t, names(enforcement.Question{Labels: []string{"Third-Party"}, MarketingActions: []string{"Analytics"}}))
	require.Equal(t, []string{vendor}, names(enforcement.Question{Datasets: []string{"acme_2026", "merk_2026"}}))
	require.Equal(t, []string{vendor}, names(enforcement.Question{Datasets: []string{"acme_2026"}, Fields: []string{"partner.hiking"}}))
	require.Empty(t, names(enforcement.Question{Datasets: []string{"acme_2026"}, Fields: []string{"partner.tennis"}}))

	a, err := enforcement.Evaluate(w, enforcement.Question{MarketingActions: []string{"Analytics"}, Datasets: []string{"acme_2026"}, Fields: []string{"partner.hiking", "partner.tennis"}})
	require.NoError(t, err)
	require.Equal(t, []string{"C5", "Third-Party"}, a.Labels)
	require.Equal(t, []enforcement.Discovered{{Dataset: "acme_2026", Connections: []enforcement.Connection{{Source: "acme", Type: "s3"}}, Labels: []string{"C5"}, Fields: []enforcement.DiscoveredField{
		{Path: "partner.hiking", Labels: []string{"C5", "Third-Party"}}, {Path: "partner.tennis", Labels: []string{"C5"}}}}}, a.Discovered)
	require.Equal(t, []governance.Policy{}, a.Violated)

	for name, q := range map[string]enforcement.Question{
		"no action":           {Labels: []string{"C2"}},
		"unknown action":      {MarketingActions: []string{"email targeting"}, Labels: []string{"C2"}},
		"nothing":             {MarketingActions: []string{"Analytics"}},
		"labels and datasets": {MarketingActions: []string{"Analytics"}, Labels: []string{"C2"}, Datasets: []string{"acme_2026"}},
		"fields of labels":    {MarketingActions: []string{"Analytics"}, Labels: []string{"C2"}, Fields: []string{"partner.hiking"}},
		"label's case":        {MarketingActions: []string{"Analytics"}, Labels: []string{"c2"}},
		"field's case":        {MarketingActions: []string{"Analytics"}, Datasets: []string{"acme_2026"}, Fields: []string{"partner.Hiking"}},
		"unknown dataset":     {MarketingActions: []string{"Analytics"}, Datasets: []string{"acme"}},
	} {
		_, err := enforcement.Evaluate(w, q)
		require.Equal(t, errkind.Invalid, errkind.Of(err), name)
	}
}

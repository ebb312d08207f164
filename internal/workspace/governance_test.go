package workspace

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/governance"
)

func statusOf(w *Workspace, name string) governance.Status {
	policies := w.GovernancePolicies()
	return policies[slices.IndexFunc(policies, func(p governance.Policy) bool { return p.Name == name })].Status
}

// PL-5, PL-6, PL-7: policies of one's own are drafts and the built-in ones off, unless said; one list says which are on, by
// name or by pack, and what the list loses is off again.
func TestPoliciesAreOffUnlessSwitchedOn(t *testing.T) {
	const share, vendor = "Restrict data sharing", "Vendor data: no e-mail"
	w := accepted(t, edit{"governance.yaml", "status: ENABLED\n", ""})
	require.Equal(t, governance.Draft, w.Policies[0].Status)
	require.Equal(t, governance.Own, w.Policies[0].Owner, "PL-2")
	require.Equal(t, governance.Partner, accepted(t, edit{"governance.yaml", "status: ENABLED\n", "owner: partner\n"}).GovernancePolicies()[0].Owner)
	require.Len(t, w.GovernancePolicies(), 1+11+5)
	for _, p := range w.GovernancePolicies()[1:] {
		require.Equal(t, governance.Disabled, p.Status, p.Name)
	}
	w = accepted(t, edit{"prospector.yaml", "tenant: _luma", "tenant: _luma\ngovernance: {enable: [" + share + "]}"})
	require.Equal(t, governance.Enabled, statusOf(w, share))
	require.Equal(t, governance.Disabled, statusOf(w, vendor))
	w = accepted(t, edit{"prospector.yaml", "tenant: _luma", "tenant: _luma\ngovernance: {enable: [third-party-data]}"})
	require.Equal(t, governance.Disabled, statusOf(w, share))
	require.Equal(t, governance.Enabled, statusOf(w, vendor))
	require.Equal(t, "prospector.yaml:6", w.GovernancePolicies()[12].At)
}

// PL-9, PL-10: an action of one's own stands beside the ten core ones.
func TestMarketingActions(t *testing.T) {
	w := accepted(t, edit{"actions.yaml", "", "kind: MarketingAction\nname: Postal Mail\n"}, edit{"governance.yaml", "[Email Targeting]", "[Postal Mail]"},
		edit{"destinations.yaml", "[Cross Site Targeting]", "[Postal Mail]"})
	require.Len(t, w.MarketingActionNames(), 11)
	require.Equal(t, []string{"Postal Mail"}, w.GovernancePolicies()[0].MarketingActions)
}

// EC-8: vendors' data that no enabled policy covers is warned about, until one line switches the pack on. A policy that is not
// enabled, or of another label, covers nothing.
func TestUncoveredVendorDataIsWarnedAbout(t *testing.T) {
	const uncovered = "datasets.yaml:2:1: dataset acme_2026: its fields carry Third-Party, and no enabled policy covers that label: it keeps them from no destination; write governance: {enable: [third-party-data]} in the sandbox, or a policy of your own"
	draft := edit{"governance.yaml", "status: ENABLED", "status: DRAFT"}
	other := edit{"governance.yaml", "label: Third-Party", "label: C2"}
	require.Contains(t, accepted(t, draft).Warnings.Error(), uncovered)
	require.Contains(t, accepted(t, other).Warnings.Error(), uncovered)
	require.NotContains(t, accepted(t).Warnings.Error(), "covers")
	require.NotContains(t, accepted(t, draft, edit{"prospector.yaml", "tenant: _luma", "tenant: _luma\ngovernance: {enable: [third-party-data]}"}).Warnings.Error(), "covers that label")
	c2 := edit{"schemas.yaml", labelAll, "labels: {all: [C2]}"}
	require.NotContains(t, accepted(t, other, c2, c2).Warnings.Error(), "covers that label")
}

// PL-2: a source may name built-in policies among those that apply to it; those that are off are said.
func TestUsagePoliciesMayBeBuiltIn(t *testing.T) {
	use := edit{"sources.yaml", "usagePolicies: [No e-mail with vendor data]", "usagePolicies: [third-party-data, 'Vendor data: no e-mail']"}
	require.Contains(t, accepted(t, use).Warnings.Error(), `policy "third-party-data" applies to the data of dataset acme_2026 and is not enabled, so nothing enforces it; name it in governance.enable of the sandbox`)
	require.NotContains(t, accepted(t, use, edit{"prospector.yaml", "tenant: _luma", "tenant: _luma\ngovernance: {enable: [third-party-data]}"}).Warnings.Error(), "nothing enforces it")
}

// LB-1: a field that carries other labels, and not the third-party one, is warned about.
func TestVendorFieldsWithoutTheLabelAreWarnedAbout(t *testing.T) {
	w := accepted(t, edit{"schemas.yaml", labelAll, "labels: {all: [C2]}"})
	require.Contains(t, w.Warnings.Error(), "carry other labels, and not Third-Party: nothing tells that a partner supplied it; write labels: {all: [Third-Party]}")
	w = accepted(t, edit{"schemas.yaml", labelAll, "labels: {fields: {_id: [C2]}, all: [Third-Party]}"})
	require.NotContains(t, w.Warnings.Error(), "other labels")
}

// A contract reaches the evaluation with the datasets of its sources, whole days, and where each term stands.
func TestContracts(t *testing.T) {
	w := accepted(t, edit{"contracts.yaml", "", `kind: Contract
name: acme
sources: [acme]
datasets: [merk_2026, acme_2026]
purposes: [Cross Site Targeting]
destinations: [media-drop]
licence: {start: 2026-01-01, end: 2026-12-31}
mostRows: 100
mostActivations: 12
territory: {field: _luma.prospect.state, values: [CA, NY]}
suppression: coastal-sailors
attribution: Data by Acme
`})
	require.Contains(t, w.Warnings.Error(), "activation acme-to-newsletter: contract acme asks for an attribution, and destination newsletter gets no manifest that carries it")
	require.NotContains(t, w.Warnings.Error(), "destination media-drop gets no manifest")
	got := w.GovernanceContracts()[0]
	require.Equal(t, "contracts.yaml:7", got.At[governance.Ends])
	got.At = nil
	require.Equal(t, governance.Contract{Name: "acme", Datasets: []string{"acme_2026", "merk_2026"}, Purposes: []string{"Cross Site Targeting"}, Destinations: []string{"media-drop"},
		Starts: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Ends: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), MostRows: 100, MostActivations: 12,
		Field: "_luma.prospect.state", Values: []string{"CA", "NY"}, Suppression: "coastal-sailors", Attribution: "Data by Acme"}, got)
}

// A list of people to leave out that leaves out nobody, or not all, is warned about: rules need but name it.
func TestEmptySuppressionIsWarnedAbout(t *testing.T) {
	warned := func(list, datasets string) string {
		t.Helper()
		w := accepted(t, edit{"contracts.yaml", "", "kind: Contract\nname: acme\ndatasets: [" + datasets + "]\npurposes: [Cross Site Targeting]\nsuppression: stop\n---\nkind: Audience\nname: stop\n" + list})
		return w.Warnings.Error()
	}
	require.NotContains(t, warned("rule: partner.tennis = 'Y'", "acme_2026, merk_2026"), "left out")
	require.Contains(t, warned("rule: partner.tennis = 'Y' AND partner.tennis = 'N'", "acme_2026"), "contracts.yaml:5:1: contract acme: the rule of audience stop can hold for nobody, so nobody is left out; correct the rule at contracts.yaml:9")
	require.Contains(t, warned("limit: {profiles: 5}\nrule: partner.tennis = 'Y'", "acme_2026"), "audience stop is limited to 5 prospects, so those beyond them are not left out")
	require.Contains(t, warned("namespaces: [merk_pid]\nrule: merkle.demographics.age.age > 90", "merk_2026, acme_2026"), "audience stop holds no prospects of the namespace of dataset acme_2026, so nobody of it is left out; give it namespace acme_pid")
}

// The documents of a text take the place of those of the same kind and name; all others keep their lines, and what is new is added.
func TestFilesWithOtherDocuments(t *testing.T) {
	files, err := Read(sample)
	require.NoError(t, err)
	changed := files.With("audiences.yaml", "kind: Audience\nname: coastal-sailors\nnamespaces: [acme_pid]\nrule: partner.sailing = 'Y'\n---\nkind: Namespace\nname: Other\nsymbol: merk_pid\ntype: Partner ID\n---\nkind: Label\nname: own\n")
	w, err := Parse(changed)
	require.NoError(t, err)
	before, err := Parse(files)
	require.NoError(t, err)
	require.Len(t, w.Objects(), len(before.Objects())+1)
	sailors, err := w.Audience("coastal-sailors")
	require.NoError(t, err)
	require.Equal(t, "partner.sailing = 'Y'", sailors.Rule)
	require.Equal(t, "edited/audiences.yaml", sailors.At().File)
	households, err := w.Audience("established-households")
	require.NoError(t, err)
	old, err := before.Audience("established-households")
	require.NoError(t, err)
	require.Equal(t, old.At(), households.At())
	require.Equal(t, "Other", w.Namespaces[0].Name)
	_, err = Parse(files.With("sandbox.yaml", "kind: Sandbox\nname: other\norganization: Luma\n"))
	require.NoError(t, err, "there is one sandbox")
	require.NotContains(t, files, "sandbox.yaml", "the files themselves stay")
}

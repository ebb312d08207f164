package plan_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/plan"
)

var update = flag.Bool("update", false, "write the messages of testdata/refused anew")

// golden holds what a plan refuses, with all that explains it, against a file.
func golden(t *testing.T, p plan.Plan) {
	t.Helper()
	var lines []string
	for _, r := range p.Refused {
		lines = append(lines, r.Lines()...)
	}
	got := strings.Join(lines, "\n") + "\n"
	file := filepath.Join("testdata", "refused", strings.NewReplacer("/", "_", "_", "-").Replace(t.Name()[strings.Index(t.Name(), "/")+1:])+".txt")
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
		require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "when the new text is right: go test ./internal/plan -run %s -update", strings.SplitN(t.Name(), "/", 2)[0])
}

const (
	kindPolicy   = "kind: Policy"
	noSailing    = "kind: Policy\nname: no sailing\nstatus: ENABLED\nmarketingActions: [Cross Site Targeting]\ndeny: {label: C9}\n---\nkind: Policy"
	labelAll     = "labels: {all: [Third-Party]}\nconstraints:\n  partner"
	acmeContract = "kind: Contract\nname: acme\nsources: [acme]\npurposes: [Cross Site Targeting, Email Targeting]\nlicence: {start: 2026-01-01, end: 2026-12-31}\n"
)

func fieldLabel(label, path string) string {
	return "labels: {all: [Third-Party], fields: {" + path + ": [" + label + "]}}\nconstraints:\n  partner"
}

var july = time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)

// AS-23, PL-22, EC-6, EC-37: whatever would put a flow that runs into violation is refused with the flow, what forbids it, the
// lineage with what changes marked, and the ways out; nothing is refused where a flow stays permitted, or was blocked before. What
// each says is a golden file.
func TestChangesUnderActiveFlowsAreRefused(t *testing.T) {
	policy := []string{"governance.yaml", kindPolicy, noSailing}
	contract := []string{"contracts.yaml", "", acmeContract}
	tennis := []string{"schemas.yaml", labelAll, fieldLabel("C9", "partner.tennis")}
	for name, c := range map[string]struct {
		from, to []string // to adds to from
	}{
		"label":              {policy, []string{"schemas.yaml", labelAll, fieldLabel("C9", "partner.sailing")}},
		"label of a dataset": {policy, []string{"datasets.yaml", "schema: acme-prospects\n", "schema: acme-prospects\nlabels: [C9]\n"}},
		"policy":             {[]string{"schemas.yaml", labelAll, fieldLabel("C9", "partner.sailing")}, policy},
		"policy pack":        {[]string{"destinations.yaml", "[Cross Site Targeting]", "[Onsite Personalization]"}, []string{"prospector.yaml", "tenant: _luma", "tenant: _luma\ngovernance: {enable: [third-party-data]}"}},
		"contract end date":  {contract, []string{"contracts.yaml", "end: 2026-12-31", "end: 2026-06-30"}},
		"mapping":            {append(policy, tennis...), []string{"activations.yaml", "header: state}", "header: state}\n  - {field: partner.tennis, header: tennis}"}},
		"rule":               {append(policy, tennis...), []string{"audiences.yaml", "partner.sailing = 'Y'", "partner.sailing = 'Y' AND partner.tennis = 'N'"}},
		"rule of another":    {append(append(policy, tennis...), "audiences.yaml", "partner.sailing = 'Y' AND", "NOT audience('players') AND", "audiences.yaml", "kind: Audience\nname: outdoor", "kind: Audience\nname: players\nnamespaces: [acme_pid]\nrule: partner.hiking = 'Y'\n---\nkind: Audience\nname: outdoor"), []string{"audiences.yaml", "rule: partner.hiking = 'Y'", "rule: partner.tennis = 'Y'"}},
		"destination action": {nil, []string{"destinations.yaml", "[Cross Site Targeting]", "[Cross Site Targeting, Email Targeting]"}},
		"contract territory": {contract, []string{"contracts.yaml", "purposes:", "territory: {field: _luma.prospect.state, values: [CA, NY]}\npurposes:"}},
		"export ban":         {nil, []string{"schemas.yaml", labelAll, fieldLabel("C12", "_luma.prospect")}},
	} {
		t.Run(name, func(t *testing.T) {
			facts := plan.Facts{Batches: loaded.Batches, Now: july}
			from := edited(t, c.from...)
			both := edited(t, append(append([]string{}, c.from...), c.to...)...)
			p := plan.Compare(from, both, facts)
			require.NotEmpty(t, p.Refused)
			require.Equal(t, "acme-to-media", p.Refused[0].Name)
			require.Empty(t, p.Stopped)
			golden(t, p)

			facts.StopAffected = true
			stopped := plan.Compare(from, both, facts)
			require.Empty(t, stopped.Refused)
			require.Len(t, stopped.Stopped, len(p.Refused))
			require.Equal(t, "acme-to-media", stopped.Stopped[0].Activation)
			require.NotEmpty(t, stopped.Stopped[0].Violations)
			require.Contains(t, strings.Join(stopped.Effects, "\n"), "activation acme-to-media stops before its next byte: audience ")

			require.Empty(t, plan.Compare(both, both, facts).Refused, "what is blocked already is no reason to refuse")
			back := plan.Compare(both, from, facts)
			require.Empty(t, back.Refused)
			require.Contains(t, back.Effects, "activation acme-to-media is blocked no more")
		})
	}
}

// A source does not take the rows that it has loaded out of a contract by moving to another dataset.
func TestSourcesKeepContracts(t *testing.T) {
	contract := []string{"contracts.yaml", "", acmeContract}
	moved := append(append([]string{}, contract...), "sources.yaml", "dataset: acme_2026", "dataset: acme_2027", "datasets.yaml", "kind: Dataset\nname: merk_2026", "kind: Dataset\nname: acme_2027\nschema: acme-prospects\nprofile: true\n---\nkind: Dataset\nname: merk_2026")
	from := edited(t, contract...)
	require.Contains(t, refusals(plan.Compare(from, edited(t, moved...), loaded)), "its rows in dataset acme_2026 are under contract acme, which covers them through this source alone; name the dataset in the contract: datasets: [acme_2026]")
	require.NotContains(t, refusals(plan.Compare(from, edited(t, moved...), plan.Facts{})), "under contract", "nothing was loaded")
	named := append(append([]string{}, moved...), "contracts.yaml", "sources: [acme]", "sources: [acme]\ndatasets: [acme_2026]")
	require.NotContains(t, refusals(plan.Compare(from, edited(t, named...), loaded)), "under contract")
}

// Whoever changes the list that a contract has left out is told that nothing leaves under it before that is evaluated.
func TestChangedSuppressionWaits(t *testing.T) {
	from := []string{"contracts.yaml", "", acmeContract, "contracts.yaml", "purposes:", "suppression: stop\npurposes:", "audiences.yaml", "kind: Audience", "kind: Audience\nname: stop\nnamespaces: [acme_pid]\nrule: partner.tennis = 'Y'\n---\nkind: Audience"}
	effects := func(to ...string) (out []string) {
		for _, c := range plan.Compare(edited(t, from...), edited(t, append(append([]string{}, from...), to...)...), loaded).Changes {
			out = append(out, c.Effects...)
		}
		return out
	}
	const waits = "contract acme has its members left out: nothing is delivered under it before the next evaluation"
	require.Contains(t, effects("audiences.yaml", "partner.tennis = 'Y'", "partner.tennis = 'N'"), waits)
	require.Contains(t, effects("audiences.yaml", "partner.tennis = 'Y'", "partner.tennis = 'Y'\nlimit: {profiles: 5}"), waits)
	require.NotContains(t, effects("audiences.yaml", "name: stop", "name: stop\ntags: [a]"), waits)
	require.NotContains(t, effects("audiences.yaml", "partner.sailing = 'Y'", "partner.sailing = 'N'"), waits)
}

// PL-17, PL-21, AS-22: a label on a field that no flow uses refuses nothing, nor do two labels that meet in two audiences only.
func TestChangesThatStopNoFlow(t *testing.T) {
	both := "kind: Policy\nname: both\nstatus: ENABLED\nmarketingActions: [Cross Site Targeting]\ndeny: {operator: AND, operands: [{label: C5}, {label: C6}]}\n---\nkind: Policy"
	apart := "labels: {all: [Third-Party], fields: {partner.sailing: [C5], partner.hiking: [C6]}}\nconstraints:\n  partner"
	from := edited(t, "governance.yaml", kindPolicy, both)
	require.Empty(t, refusals(plan.Compare(from, edited(t, "governance.yaml", kindPolicy, both, "schemas.yaml", labelAll, apart), loaded)))
	require.Empty(t, refusals(plan.Compare(from, edited(t, "governance.yaml", kindPolicy, both, "schemas.yaml", labelAll, fieldLabel("C5", "partner.tennis")), loaded)))
	met := edited(t, "governance.yaml", kindPolicy, both, "schemas.yaml", labelAll, apart, "audiences.yaml", "partner.sailing = 'Y'", "partner.sailing = 'Y' AND partner.hiking = 'Y'")
	require.Contains(t, refusals(plan.Compare(from, met, loaded)), "audience coastal-sailors: policy \"both\"")
}

// EC-5: a label that one schema puts on a shared field is refused when it would stop a flow on another schema's data.
func TestLabelsFromAnotherSchemaAreRefused(t *testing.T) {
	second := "kind: Schema\nname: second\nclass: XDM Individual Prospect Profile\nfieldGroups: [Partner Prospect Details (Sample)]\nlabels: {all: [Third-Party]}\n---\n"
	from := []string{"governance.yaml", kindPolicy, noSailing, "schemas.yaml", "# Fields of our own", second + "# Fields of our own"}
	to := append(append([]string{}, from...), "schemas.yaml", "labels: {all: [Third-Party]}\n---", "labels: {all: [Third-Party], fields: {partner.sailing: [C9]}}\n---")
	p := plan.Compare(edited(t, from...), edited(t, to...), loaded)
	require.Len(t, p.Refused, 1)
	text := strings.Join(p.Refused[0].Lines(), "\n")
	require.Contains(t, text, "C9 from schema second, schemas.yaml:5: partner.sailing of acme_2026")
	require.Contains(t, text, "dataset acme_2026 [schema second changed] (partner.sailing) → default merge policy → audience coastal-sailors → destination media-drop")
}

// However many flows and violations there are, a plan stays small enough to travel, and still names every flow.
func TestManyFlowsAreNamedAndSomeExplained(t *testing.T) {
	var audiences, flows strings.Builder
	for i := range 10 {
		fmt.Fprintf(&audiences, "---\nkind: Audience\nname: many%d\nnamespaces: [acme_pid]\nrule: partner.sailing = 'Y'\n", i)
	}
	for i := range 30 {
		fmt.Fprintf(&flows, "---\nkind: Destination\nname: d%d\ntype: s3\ns3: {bucket: b, region: us-east-1}\nmarketingActions: [Cross Site Targeting]\n", i)
		fmt.Fprintf(&flows, "---\nkind: Activation\nname: flow%d\ndestination: d%d\naudiences: [many0, many1, many2, many3, many4, many5, many6, many7, many8, many9]\nnamespace: acme_pid\nmapping: [{field: partnerID, header: pid}]\n", i, i)
	}
	from := []string{"more.yaml", "", audiences.String() + flows.String(), "governance.yaml", kindPolicy, noSailing}
	p := plan.Compare(edited(t, from...), edited(t, append(from, "schemas.yaml", labelAll, fieldLabel("C9", "partner.sailing"))...), loaded)
	require.Len(t, p.Refused, 31)
	require.Contains(t, p.Refused[30].Message, "and 9 more")
	require.Empty(t, p.Refused[30].Violations)
	data, err := json.Marshal(p)
	require.NoError(t, err)
	require.Less(t, len(data), 512<<10)
}

package plan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"prospector/internal/plan"
	"prospector/internal/workspace"
)

// edited is the sample workspace with texts replaced: file, old, new, and so on.
func edited(t *testing.T, replacements ...string) *workspace.Workspace {
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

func refusals(p plan.Plan) string {
	var out []string
	for _, r := range p.Refused {
		out = append(out, r.String())
	}
	return strings.Join(out, "\n")
}

func changes(p plan.Plan) []string {
	var out []string
	for _, c := range p.Changes {
		out = append(out, strings.TrimSpace(c.Action+" "+c.Kind+" "+c.Name+" "+strings.Join(c.Keys, ",")+": "+strings.Join(c.Effects, "; ")))
	}
	return out
}

var (
	noData = plan.Facts{}
	loaded = plan.Facts{Batches: map[string]int64{"acme_2026": 2, "merk_2026": 1}}
)

// PL-7: a plan names the built-in policies that a switch in the sandbox turns on and off, those of a pack one by one.
func TestSwitchedPolicies(t *testing.T) {
	enabled := func(names string) *workspace.Workspace {
		return edited(t, "prospector.yaml", "kind: Sandbox\n", "kind: Sandbox\ngovernance: {enable: ["+names+"]}\n")
	}
	effects := func(from, to *workspace.Workspace) []string { return plan.Compare(from, to, noData).Changes[0].Effects }
	on := effects(edited(t), enabled("third-party-data, Restrict data sharing"))
	require.Len(t, on, 1)
	require.Contains(t, on[0], `switches on from the next delivery on: "Restrict data sharing", "Vendor data: no e-mail", "Vendor data: no on-site personalization", `)
	require.Equal(t, []string{`switches on from the next delivery on: "Data science restriction"`, `switches off: "Restrict data sharing"`}, effects(enabled("Restrict data sharing"), enabled("Data science restriction")))
	require.Equal(t, []string{`switches on from the next delivery on: "Restrict data sharing"`}, effects(nil, enabled("Restrict data sharing")))
}

func TestNothingAppliedYet(t *testing.T) {
	p := plan.Compare(nil, edited(t), noData)
	require.Empty(t, p.Refused)
	require.Len(t, p.Changes, 19+1, "every object, and the sandbox")
	require.Equal(t, "Sandbox", p.Changes[0].Kind)
	text := strings.Join(changes(p), "\n")
	require.Contains(t, text, "adds 1 schedule: 0 4 * * * America/New_York, paused")
	require.Contains(t, text, "denies Email Targeting for Third-Party from the next delivery on")
	require.Equal(t, []string{`activation acme-to-newsletter is blocked: audience outdoor-families: policy "No e-mail with vendor data" (governance.yaml:1) denies Email Targeting for label Third-Party`}, p.Effects)
	var permanent []string
	for _, c := range p.Changes {
		if c.Permanent != "" {
			permanent = append(permanent, c.Name)
		}
	}
	require.Equal(t, []string{"acme_pid", "merk_pid", "acme-prospects", "merk-prospects"}, permanent, "ID-12, SC-30")
}

// The same workspace has no differences, also with other comments and order.
func TestNoDifferences(t *testing.T) {
	require.True(t, plan.Compare(edited(t), edited(t), loaded).Empty())
	commented := edited(t, "sources.yaml", "kind: Source", "# a comment\nkind: Source")
	require.True(t, plan.Compare(edited(t), commented, loaded).Empty())
}

// What each kind of change means, in words.
func TestEffects(t *testing.T) {
	for name, c := range map[string]struct {
		edit []string
		want string
	}{
		"rule":         {[]string{"audiences.yaml", "partner.hiking = 'Y'", "partner.tennis = 'Y'"}, "change Audience outdoor-families rule: its members change at the next evaluation"},
		"schedule":     {[]string{"sources.yaml", `"0 4 * * *"`, `"0 5 * * *"`}, "change Source acme schedule.cron: its schedule becomes 0 5 * * * America/New_York, paused; counts from the next sync on"},
		"no schedule":  {[]string{"sources.yaml", `schedule: {cron: "0 4 * * *", timeZone: America/New_York, paused: true}`, ""}, "change Source acme schedule: removes its schedule; counts from the next sync on"},
		"policy off":   {[]string{"governance.yaml", "status: ENABLED", "status: DISABLED"}, "change Policy No e-mail with vendor data status: is not enabled, so nothing is blocked by it"},
		"display name": {[]string{"identities.yaml", "name: Acme Prospect ID", "name: Acme PID"}, "change Namespace acme_pid name:"}, // AS-3
		"threshold":    {[]string{"sources.yaml", "errorThreshold: 5", "errorThreshold: 4"}, "change Source acme errorThreshold: counts from the next sync on"},
		"no profile":   {[]string{"datasets.yaml", "schema: merk-prospects\nprofile: true", "schema: merk-prospects\nprofile: false", "audiences.yaml", audience3, "", "activations.yaml", activation2, ""}, "change Dataset merk_2026 profile: its prospects leave every audience at the next evaluation"},
		"destination":  {[]string{"destinations.yaml", "manifest: true", "manifest: false"}, "change Destination media-drop manifest: counts from the next delivery on"},
		"new field": {[]string{"schemas.yaml", "  - path: _luma.prospect.state", "  - {path: _luma.prospect.city, type: string}\n  - path: _luma.prospect.state"},
			"change Schema acme-prospects : adds 1 field: _luma.prospect.city"},
	} {
		t.Run(name, func(t *testing.T) {
			p := plan.Compare(edited(t), edited(t, c.edit...), loaded)
			require.Empty(t, refusals(p))
			require.Contains(t, changes(p), c.want)
		})
	}
}

const (
	audience3 = `---
kind: Audience
name: established-households
description: Married people of 35 to 64 in households of three and more
namespaces: [merk_pid]
rule: >-
  merkle.demographics.age.age BETWEEN 35 AND 64
  AND merkle.demographics.householdComposition.individualCount >= 3
  AND merkle.demographics.maritalStatus.maritalStatus = 'M'
`
	activation2 = `---
kind: Activation
name: merk-to-liveramp
destination: liveramp
audiences: [established-households]
namespace: merk_pid
mapping:
  - {field: partnerID, header: PID}
`
	merkNamespace = `---
kind: Namespace
name: Merk Prospect ID
symbol: merk_pid
type: Partner ID
`
)

// A list says whom it keeps back, and that nothing leaves while it is empty.
func TestSuppressionListEffects(t *testing.T) {
	const list = "kind: Dataset\nname: stop\nschema: acme-prospects\n---\nkind: SuppressionList\nname: stop\ndataset: stop\n"
	with := func(more string) *workspace.Workspace {
		return edited(t, "governance.yaml", "kind: Policy", list+more+"---\nkind: Policy")
	}
	const both = "add SuppressionList stop : whoever of acme_pid is in dataset stop by partner id is left out of deliveries and is not loaded"
	require.Contains(t, changes(plan.Compare(edited(t), with(""), loaded)), both+"; nothing is loaded into dataset stop yet: while a list is empty, nothing leaves that it counts for")
	full := plan.Facts{Batches: map[string]int64{"stop": 1}}
	require.Contains(t, changes(plan.Compare(edited(t), with(""), full)), both)
	require.Equal(t, []string{"change SuppressionList stop at,field: whoever of acme_pid is in dataset stop by partner.hiking is not loaded"},
		changes(plan.Compare(with(""), with("field: partner.hiking\nat: [ingest]\n"), full)))
	require.Contains(t, changes(plan.Compare(with(""), edited(t), noData)), "remove SuppressionList stop : whoever is on it may be loaded and delivered again")
}

// AS-3, AS-4, ID-12, SC-27, SC-30, SC-31, DS-7: what cannot be undone or contradicts loaded data is refused.
func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		from, to []string
		facts    plan.Facts
		want     []string // empty: nothing is refused
	}{
		"type of a namespace": {nil, []string{"identities.yaml", "symbol: merk_pid\ntype: Partner ID", "symbol: merk_pid\ntype: Device ID", "schemas.yaml", "profile: true\nlabels: {all: [Third-Party]}\nconstraints:\n  merkle", "profile: true\nlabels: {all: [Third-Party]}\nconstraints:\n  merkle",
			"schemas.yaml", "namespace: merk_pid", "namespace: other_pid", "identities.yaml", "symbol: merk_pid", "symbol: merk_pid", "identities.yaml", "kind: Namespace\nname: Acme", "kind: Namespace\nname: Other\nsymbol: other_pid\ntype: Partner ID\n---\nkind: Namespace\nname: Acme",
			"audiences.yaml", "[merk_pid]", "[other_pid]", "activations.yaml", "namespace: merk_pid", "namespace: other_pid", "destinations.yaml", "identities: [merk_pid]", "identities: [other_pid]"}, noData,
			[]string{"namespace merk_pid: its type is Partner ID and cannot become Device ID", "declare a new namespace with another symbol", "schema merk-prospects: its primary identity is partnerID in namespace merk_pid and cannot become partnerID in other_pid"}},
		"namespace removed": {[]string{"identities.yaml", merkNamespace, merkNamespace + "---\nkind: Namespace\nname: Old\nsymbol: old_pid\ntype: Partner ID\n"}, nil, noData,
			[]string{"namespace old_pid: a namespace cannot be removed once applied, nor get another symbol"}},
		"profile disabled": {nil, []string{"schemas.yaml", "namespace: merk_pid}\nprofile: true", "namespace: merk_pid}\nprofile: false", "datasets.yaml", "schema: merk-prospects\nprofile: true", "schema: merk-prospects", "audiences.yaml", audience3, "", "activations.yaml", activation2, ""}, noData,
			[]string{"schema merk-prospects: a schema stays enabled for Profile once applied"}},
		"field removed before data": {nil, []string{"schemas.yaml", "  merkle.demographics.age.age:", "  merkle.demographics.age.inferredAge:", "schemas.yaml", "fieldGroups: [Merkle Prospect Details (Core)]", "fieldGroups: [Merkle Prospect Details (Core)]\nexclude: [merkle.demographics.education]", "sources.yaml", "  education: merkle.demographics.education.edication # the standard's own spelling\n", ""}, noData, nil},
		"field removed after data": {nil, []string{"schemas.yaml", "fieldGroups: [Merkle Prospect Details (Core)]", "fieldGroups: [Merkle Prospect Details (Core)]\nexclude: [merkle.demographics.education]", "sources.yaml", "  education: merkle.demographics.education.edication # the standard's own spelling\n", "", "sources.yaml", "ignoreColumns: [full_name, state]", "ignoreColumns: [full_name, state, education]"}, loaded,
			[]string{"schema merk-prospects: field merkle.demographics.education.edication would go; 1 batch is loaded under it", "once data is loaded a schema changes by addition only"}},
		"stricter after data": {nil, []string{"schemas.yaml", "maximum: 120", "maximum: 110", "schemas.yaml", "partner.hiking: {enum: [Y, N]}", "partner.hiking: {enum: [Y]}"}, loaded,
			[]string{"field merkle.demographics.age.age would get stricter: its range is smaller", "field partner.hiking would get stricter: the enum loses N; 2 batches are loaded"}},
		"looser after data": {nil, []string{"schemas.yaml", "maximum: 120", "maximum: 130", "schemas.yaml", "partner.hiking: {enum: [Y, N]}", "partner.hiking: {enum: [Y, N, U]}"}, loaded, nil},
		"schema of a dataset": {nil, []string{"schemas.yaml", "kind: Schema\nname: merk-prospects", "kind: Schema\nname: merk-2\nclass: XDM Individual Prospect Profile\nfieldGroups: [Merkle Prospect Details (Core)]\nprimaryIdentity: {field: partnerID, namespace: merk_pid}\nprofile: true\nlabels: {all: [Third-Party]}\n---\nkind: Schema\nname: merk-prospects", "datasets.yaml", "schema: merk-prospects", "schema: merk-2"}, loaded,
			[]string{"dataset merk_2026: its schema is merk-prospects and cannot become merk-2: 1 batch is loaded under it"}},
		"another sandbox": {nil, []string{"prospector.yaml", "name: demo", "name: production"}, noData,
			[]string{"this is the workspace of sandbox production, the worker's is demo"}},
		"dataset with data removed": {[]string{"datasets.yaml", "kind: Dataset\nname: acme_2026", "kind: Dataset\nname: spare\nschema: acme-prospects\n---\nkind: Dataset\nname: acme_2026"}, nil, plan.Facts{Batches: map[string]int64{"spare": 1}},
			[]string{"dataset spare: 1 batch is loaded in it"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := refusals(plan.Compare(edited(t, c.from...), edited(t, c.to...), c.facts))
			if len(c.want) == 0 {
				require.Empty(t, got)
			}
			for _, want := range c.want {
				require.Contains(t, got, want)
			}
			t.Log(got)
		})
	}
}

// EC-5: a label that is put on a shared field in one schema comes onto another schema's field, and is said.
func TestLabelsThatComeFromElsewhere(t *testing.T) {
	second := "kind: Schema\nname: second\nclass: XDM Individual Prospect Profile\nfieldGroups: [Partner Prospect Details (Sample)]\nlabels: {all: [Third-Party]}\n---\n"
	from := edited(t, "schemas.yaml", "# Fields of our own", second+"# Fields of our own")
	to := edited(t, "schemas.yaml", "# Fields of our own", strings.Replace(second, "{all: [Third-Party]}", "{all: [Third-Party], fields: {partner.tennis: [C9]}}", 1)+"# Fields of our own")
	all := changes(plan.Compare(from, to, loaded))
	slices.Sort(all)
	require.Contains(t, all, "change Schema acme-prospects : label C9 comes onto 1 field: partner.tennis")
	require.Contains(t, all, "change Schema second labels.fields: label C9 comes onto 1 field: partner.tennis")
	back := changes(plan.Compare(to, from, loaded))
	require.Contains(t, strings.Join(back, "\n"), "label C9 goes from 1 field: partner.tennis; rows keep the labels under which they were loaded")
}

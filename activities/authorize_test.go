package activities

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"prospector/internal/access"
	"prospector/internal/catalog"
	"prospector/internal/catalog/sqlite"
	"prospector/internal/errkind"
	"prospector/internal/store"
	"prospector/internal/workspace"
)

const roles = `
roles:
  viewer: {permissions: [View Destinations, Manage Destinations, View Segments, Manage Segments], labels: ["*"]}
  sender: {permissions: [View Destinations, Manage Destinations, Activate Destinations, Manage Segments], labels: [Third-Party]}
  all: {permissions: [View Destinations, Manage Destinations, Activate Destinations, Manage Segments, Manage Datasets, Evaluate a Segment to an Audience, Manage Sources], labels: ["*"]}
  adder: {permissions: [View Destinations, Activate Segment without Mapping], labels: ["*"]}
  addsome: {permissions: [View Destinations, Activate Segment without Mapping], labels: [Third-Party]}
  relabeler: {permissions: [Manage Schemas, Apply Data Usage Labels, View Destinations, Manage Destinations, Activate Destinations, Manage Segments], labels: [Third-Party]}
  steward: {permissions: [Manage Data Usage Policies], labels: [Third-Party]}
  chief: {permissions: [Manage Data Usage Policies], labels: ["*"]}
  deleter: {permissions: [Manage Datasets], labels: ["*"]}
  undoer: {permissions: [Manage Datasets, View Segments], labels: [Third-Party]}
  feeder: {permissions: [Manage Sources, Manage Datasets], labels: [Third-Party]}
  evaluator: {permissions: [Evaluate a Segment to an Audience], labels: [Third-Party]}
principals:
  ivy: {roles: [steward]}
  jon: {roles: [chief]}
  lea: {roles: [evaluator]}
  ned: {roles: [deleter]}
  ola: {roles: [undoer]}
  ria: {roles: [feeder]}
  sam: {roles: [feeder, steward]}
  pia: {roles: [deleter, viewer]}
  max: {roles: [viewer, chief]}
  gus: {roles: [addsome]}
  hal: {roles: [relabeler]}
  ann: {roles: [viewer]}
  ben: {roles: [sender]}
  cem: {roles: [all]}
  dan: {roles: [adder]}
  eve: {roles: [all], expires: 2020-01-01T00:00:00Z}
  fay: {roles: [viewer, sender]}
`

// restricted are activities under an access file, on a workspace in which partner.sailing, which an activation uses, is labelled C9.
type restricted struct {
	*testing.T
	*Activities
	catalog *catalog.Catalog
	env     *testsuite.TestActivityEnvironment
	before  workspace.Files
}

const sailors = `kind: Audience
name: coastal-sailors
description: Sailors who live in a coastal state
namespaces: [acme_pid]
rule: >-
  partner.sailing = 'Y' AND _luma.prospect.state IN
  ('ME','NH','MA','RI','CT','NY','NJ','MD','VA','NC','SC','GA','FL','CA','OR','WA')
---
`

var sailing = []string{"schemas.yaml", "labels: {all: [Third-Party]}\nconstraints:\n  partner", "labels: {all: [Third-Party], fields: {partner.sailing: [C9]}}\nconstraints:\n  partner"}

func newRestricted(t *testing.T, edits ...string) *restricted {
	c, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "catalog.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	w := sampleEdited(t, append(slices.Clone(sailing), edits...)...)
	require.NoError(t, c.ApplyWorkspace(t.Context(), catalog.WorkspaceVersion{Version: "ws_1", Digest: w.Files.Digest(), AppliedAt: time.Now()}, "", w.Files, nil, nil))
	rules, err := access.Parse("access.yaml", []byte(roles))
	require.NoError(t, err)
	r := &restricted{T: t, catalog: c, before: w.Files}
	r.Activities = &Activities{Workspace: func(context.Context) (*workspace.Workspace, error) { return w, nil }, Applied: c, Audit: c, Deliveries: c, Ledger: c,
		Memberships: evaluated{of: w}, Audiences: unlabelled{}, Lineage: firstVersion, Access: func() (access.Rules, error) { return rules, nil }}
	var suite testsuite.WorkflowTestSuite
	r.env = suite.NewTestActivityEnvironment()
	r.env.RegisterActivity(r.Activities)
	return r
}

func (r *restricted) recorded(q catalog.AuditQuery) []catalog.AuditRecord {
	r.Helper()
	q.Limit = 100
	found, err := r.catalog.Audit(r.Context(), q)
	require.NoError(r, err)
	return found
}

// kindOf is the kind of a step's failure.
func kindOf(err error) errkind.Kind {
	var application *temporal.ApplicationError
	if err == nil || !errors.As(err, &application) {
		return ""
	}
	return errkind.Kind(application.Type())
}

// AC-3, AC-4, AS-E3, AS-E4: who lacks the permission, or the label of a field that leaves or decides, or whose access has expired, does not
// activate; each refusal is recorded. A run that nobody started by name, as a schedule's, goes on (EC-36).
func TestWhoMayActivate(t *testing.T) {
	for who, want := range map[string]string{
		"ann": "the roles of ann lack Activate Destinations",
		"ben": "attribute partner.sailing carries labels that the roles of ben do not hold",
		"dan": "lack Manage Destinations, Activate Destinations",
		"eve": "the access of eve has expired",
		"zoe": `names no principal "zoe"`, access.Worker: `names no principal "worker start"`,
		"cem": "", "fay": "", "": "",
	} {
		t.Run("by "+who, func(t *testing.T) {
			r := newRestricted(t)
			_, err := r.env.ExecuteActivity(r.CheckPolicy, CheckPolicyInput{Activation: "acme-to-media", Delivery: "dlv_1", RequestedBy: who})
			records := r.recorded(catalog.AuditQuery{Kind: "Activation"})
			require.Len(t, records, 1)
			require.Equal(t, who, records[0].Actor)
			if want == "" {
				require.NoError(t, err)
				require.Equal(t, catalog.AuditAllowed, records[0].Outcome)
				return
			}
			require.Equal(t, errkind.Denied, kindOf(err))
			require.ErrorContains(t, err, want)
			require.Equal(t, catalog.AuditDenied, records[0].Outcome)
			require.Contains(t, records[0].Detail, want)
			_, err = r.catalog.Decision(t.Context(), "dec_1")
			require.Equal(t, errkind.Missing, errkind.Of(err), "nothing was decided")
		})
	}
}

// AS-E4: a delivery that a policy stopped underway is recorded as denied, one that only failed as failed.
func TestHowDeliveriesEndIsRecorded(t *testing.T) {
	r := newRestricted(t)
	r.DataDir = t.TempDir()
	for id, c := range map[string]struct {
		status  string
		failure errkind.Kind
		want    string
	}{
		"dlv_1": {catalog.Delivered, "", catalog.AuditAllowed}, "dlv_2": {catalog.Undelivered, errkind.Refused, catalog.AuditDenied}, "dlv_3": {catalog.Undelivered, errkind.Transient, catalog.AuditFailed},
	} {
		_, err := r.env.ExecuteActivity(r.FinishDelivery, FinishDeliveryInput{Delivery: id, Status: c.status, Failure: c.failure, RequestedBy: "ann"})
		require.NoError(t, err)
		records := r.recorded(catalog.AuditQuery{Object: id, Actor: "ann"})
		require.Len(t, records, 1)
		require.Equal(t, c.want, records[0].Outcome)
	}
}

// Steps that a person asks for want their permissions; what is refused is recorded and does nothing.
func TestWhoMayStartRuns(t *testing.T) {
	r := newRestricted(t)
	for action, step := range map[string]func(who string) error{
		"delete": func(who string) error {
			_, err := r.env.ExecuteActivity(r.DeleteBatch, DeleteBatchInput{Dataset: "acme_2026", Batch: "batch_1", RequestedBy: who})
			return err
		},
		"replay": func(who string) error {
			_, err := r.env.ExecuteActivity(r.PrepareReplay, PrepareReplayInput{Dataset: "acme_2026", Batch: "batch_1", RequestedBy: who})
			return err
		},
		"evaluate": func(who string) error {
			_, err := r.env.ExecuteActivity(r.EvaluateMemberships, EvaluateMembershipsInput{Evaluation: "eval_1", Audiences: []string{"none"}, RequestedBy: who})
			return err
		},
		"backfill": func(who string) error {
			_, err := r.env.ExecuteActivity(r.RecordStart, RecordStartInput{Action: "backfill", Kind: "Source", Object: "acme", RequestedBy: who})
			return err
		},
	} {
		err := step("ann")
		require.Equal(t, errkind.Denied, kindOf(err), "%s: %v", action, err)
		denied := r.recorded(catalog.AuditQuery{Action: action})
		require.Len(t, denied, 1)
		require.Equal(t, catalog.AuditDenied+" ann", denied[0].Outcome+" "+denied[0].Actor)
		require.NotEqual(t, errkind.Denied, kindOf(step("cem")), action)
	}
	require.Equal(t, catalog.AuditAllowed, r.recorded(catalog.AuditQuery{Action: "backfill"})[0].Outcome)
}

// AC-5, AC-8, AS-E3, EC-36: what a person may not change, or may not see, is refused when it is applied, by the plan already; what runs
// goes on. Adding audiences to a flow needs less than changing its mapping, but nothing is added to one with a field that is not seen.
func TestWhoMayChange(t *testing.T) {
	add := []string{"activations.yaml", "[outdoor-families, coastal-sailors]", "[outdoor-families]"}
	reorder := []string{"activations.yaml", "[outdoor-families, coastal-sailors]", "[coastal-sailors, outdoor-families]"}
	mapped := []string{"activations.yaml", "audiences: [outdoor-families]\nnamespace: acme_pid\nmapping:", "audiences: [outdoor-families]\nnamespace: acme_pid\nmapping:\n  - {field: partner.sailing, header: sailing}"}
	column := []string{"activations.yaml", "header: state}", "header: state}\n  - {field: partner.skiing, header: skiing}"}
	rule := []string{"audiences.yaml", "partner.sailing = 'Y' AND ", "partner.sailing = 'N' AND "}
	other := []string{"audiences.yaml", "partner.sailing = 'Y' AND ", "partner.skiing = 'Y' AND "}
	gone := append(slices.Clone(add), "audiences.yaml", sailors, "")
	label := []string{"schemas.yaml", "partner.sailing: [C9]", "partner.sailing: [C9], partner.skiing: [C9]"}
	bucket := []string{"destinations.yaml", "bucket: media-drop", "bucket: elsewhere"}
	elsewhere := "destination media-drop: the roles of ann lack Activate Destinations: what activation acme-to-media sends would go elsewhere, or for another use"
	policy := func(document string) []string {
		return []string{"governance.yaml", "kind: Policy", document + "\n---\nkind: Policy"}
	}
	consent := policy("kind: ConsentPolicy\nname: sailors\nstatus: ENABLED\nmarketingActions: [Cross Site Targeting]\nrequire: partner.sailing = 'Y'")
	territory := policy("kind: Contract\nname: acme\nsources: [acme]\npurposes: [Cross Site Targeting]\nterritory: {field: partner.sailing, values: [Y]}")
	suppression := policy("kind: Contract\nname: acme\nsources: [acme]\npurposes: [Cross Site Targeting, Email Targeting]\nsuppression: coastal-sailors")
	list := policy("kind: Dataset\nname: stop\nschema: merk-prospects\n---\nkind: SuppressionList\nname: stop\ndataset: stop\nfield: partner.sailing")
	for name, c := range map[string]struct {
		who, want string
		edit      []string
	}{
		"list, not seeing":         {"ivy", "suppressionlist stop: attribute partner.sailing carries labels that the roles of ivy do not hold", list},
		"list by adder":            {"dan", "suppressionlist stop: the roles of dan lack Manage Data Usage Policies", list},
		"consent, not seeing":      {"ivy", "attribute partner.sailing carries labels that the roles of ivy do not hold", consent},
		"territory, not seeing":    {"ivy", "attribute partner.sailing carries labels that the roles of ivy do not hold", territory},
		"suppression, not seeing":  {"ivy", "attribute partner.sailing carries labels that the roles of ivy do not hold", suppression},
		"consent by chief":         {"jon", "", consent},
		"add by adder":             {"dan", "", add},
		"column by adder":          {"dan", "activation acme-to-media: the roles of dan lack Manage Destinations, Activate Destinations", column},
		"column by all":            {"cem", "", column},
		"column by viewer":         {"ann", "the roles of ann lack Activate Destinations", column},
		"column, not seeing":       {"ben", "activation acme-to-media: attribute partner.sailing carries labels that the roles of ben do not hold", column},
		"audience, not seeing":     {"ben", "audience coastal-sailors: attribute partner.sailing carries labels that the roles of ben do not hold", rule},
		"another rule, not seeing": {"ben", "audience coastal-sailors: attribute partner.sailing carries labels that the roles of ben do not hold", other},
		"no audience, not seeing":  {"ben", "audience coastal-sailors: attribute partner.sailing carries labels that the roles of ben do not hold", gone},
		"another rule by viewer":   {"ann", "", other},
		"audience by viewer":       {"ann", "", rule},
		"audience by adder":        {"dan", "audience coastal-sailors: the roles of dan lack Manage Segments", rule},
		"add, not seeing":          {"gus", "activation acme-to-media: attribute partner.sailing carries labels that the roles of gus do not hold", reorder},
		"map, not seeing":          {"ben", "activation acme-to-newsletter: attribute partner.sailing carries labels that the roles of ben do not hold", mapped},
		"map by all":               {"cem", "", mapped},
		"labels by all":            {"cem", "schema acme-prospects: the roles of cem lack Manage Schemas, Apply Data Usage Labels", label},
		"bucket by viewer":         {"ann", elsewhere, bucket},
		"folder by viewer":         {"ann", elsewhere, []string{"destinations.yaml", "prefix: prospects", "prefix: others"}},
		"server by viewer":         {"ann", elsewhere, []string{"destinations.yaml", "endpoint: ${env:PROSPECTOR_S3_ENDPOINT}\n  region: us-east-1\n  bucket: media-drop", "endpoint: https://s3.example.com\n  region: us-east-1\n  bucket: media-drop"}},
		"account by viewer":        {"ann", elsewhere, []string{"destinations.yaml", "accessKey: ${env:PROSPECTOR_S3_ACCESS_KEY}", "accessKey: ${env:MINE}"}},
		"use by viewer":            {"ann", elsewhere, []string{"destinations.yaml", "[Cross Site Targeting]", "[Data Science]"}},
		"bucket, not seeing":       {"ben", "destination media-drop: attribute partner.sailing carries labels that the roles of ben do not hold", bucket},
		"bucket by adder":          {"dan", "destination media-drop: the roles of dan lack Manage Destinations, Activate Destinations", bucket},
		"bucket by all":            {"cem", "", bucket},
		"description by viewer":    {"ann", "", []string{"destinations.yaml", "The media agency's bucket", "The agency's bucket"}},
		"compression by viewer":    {"ann", "", []string{"destinations.yaml", "format: {compression: gzip}", "format: {compression: none}"}},
		"unused, by viewer":        {"ann", "", []string{"destinations.yaml", "kind: Destination\nname: newsletter", "kind: Destination\nname: unused\ntype: s3\ns3: {bucket: unused, region: us-east-1}\n---\nkind: Destination\nname: newsletter"}},
		"source, not seeing":       {"ria", "source acme: attribute partner.sailing carries labels that the roles of ria do not hold", []string{"sources.yaml", "errorThreshold: 5", "errorThreshold: 7"}},
		"new source, not seeing":   {"ria", "source mine: attribute partner.sailing carries labels that the roles of ria do not hold", policy("kind: Source\nname: mine\ndataset: acme_2026\nfolder: {path: /mine}\npath: \"*.csv\"\nmapping: {partner_id: partnerID, sails: partner.sailing}\nschedule: {every: 1d}")},
		"schedule, not seeing":     {"ria", "", []string{"sources.yaml", "every night", "daily"}},
		"anything by nobody known": {"zoe", `the access file names no principal "zoe"`, add},
		"by a schedule":            {"", "", column},
		"by the worker's name":     {access.Worker, `names no principal "worker start"`, label},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRestricted(t)
			files := sampleEdited(t, append(append([]string{}, sailing...), c.edit...)...).Files
			bundle, err := BundleWorkspace(files)
			require.NoError(t, err)
			in := WorkspaceInput{Bundle: bundle, RequestedBy: c.who}
			value, err := r.env.ExecuteActivity(r.PlanWorkspace, in)
			require.NoError(t, err)
			var planned PlanWorkspaceOutput
			require.NoError(t, value.Get(&planned))
			_, err = r.env.ExecuteActivity(r.RecordWorkspace, RecordWorkspaceInput{WorkspaceInput: in, Version: "ws_2", Previous: "ws_1", Digest: files.Digest()})
			if c.want == "" {
				require.Empty(t, planned.Plan.Refused)
				require.NoError(t, err)
				return
			}
			var told []string
			for _, reason := range planned.Plan.Refused {
				told = append(told, reason.String())
			}
			require.Contains(t, strings.Join(told, "\n"), c.want)
			require.ErrorContains(t, err, "nothing was applied")
			_, err = r.env.ExecuteActivity(r.RefuseWorkspace, RefuseWorkspaceInput{RequestedBy: c.who, Refused: planned.Plan.Refused})
			require.NoError(t, err)
			for _, denied := range r.recorded(catalog.AuditQuery{Outcome: catalog.AuditDenied}) {
				require.Equal(t, c.who, denied.Actor)
			}
			require.NotEmpty(t, r.recorded(catalog.AuditQuery{Kind: planned.Plan.Refused[0].Kind, Outcome: catalog.AuditDenied}))
			holds, err := r.catalog.Workspace(t.Context())
			require.NoError(t, err)
			require.Equal(t, "ws_1", holds.Version)
		})
	}
}

// The worker applies its first workspace in its own name, which passes for nothing else.
func TestTheWorkersFirstWorkspace(t *testing.T) {
	r := newRestricted(t)
	empty, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "catalog.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, empty.Close()) })
	bundle, err := BundleWorkspace(sampleEdited(t).Files)
	require.NoError(t, err)
	plan := func(who string, applied Applied) int {
		r.Applied = applied
		value, err := r.env.ExecuteActivity(r.PlanWorkspace, WorkspaceInput{Bundle: bundle, RequestedBy: who})
		require.NoError(t, err)
		var planned PlanWorkspaceOutput
		require.NoError(t, value.Get(&planned))
		return len(planned.Plan.Refused)
	}
	require.Zero(t, plan(access.Worker, empty))
	require.NotZero(t, plan("worker demo", empty))
	require.NotZero(t, plan(access.Worker, r.catalog))
	require.Zero(t, plan("", r.catalog))
}

// A contract's suppression list decides what the contract forbids: who changes the rule or status of it, or of an audience that it refers
// to, needs what changing the contract needs.
func TestWhoMayChangeSuppression(t *testing.T) {
	declared := []string{"audiences.yaml", "kind: Audience\nname: coastal-sailors", `kind: Audience
name: stopped
namespaces: [acme_pid]
rule: partner.skiing = 'Y'
---
kind: Audience
name: do-not-contact
namespaces: [acme_pid]
rule: audience('stopped') OR partner.hiking = 'N'
---
kind: Audience
name: coastal-sailors`, "governance.yaml", "kind: Policy", "kind: Contract\nname: acme\nsources: [acme]\npurposes: [Cross Site Targeting, Email Targeting]\nsuppression: do-not-contact\n---\nkind: Policy"}
	const lacks = "lack Manage Data Usage Policies: it decides whom contract acme leaves out"
	for name, c := range map[string]struct {
		edit, refused []string
	}{
		"its rule":             {[]string{"audiences.yaml", " OR partner.hiking = 'N'", ""}, []string{"audience do-not-contact"}},
		"as a draft":           {[]string{"audiences.yaml", "name: do-not-contact", "name: do-not-contact\nstatus: draft"}, []string{"audience do-not-contact"}},
		"what it refers to":    {[]string{"audiences.yaml", "partner.skiing = 'Y'\n---", "partner.skiing = 'N'\n---"}, []string{"audience stopped"}},
		"without what it does": {[]string{"audiences.yaml", "kind: Audience\nname: stopped\nnamespaces: [acme_pid]\nrule: partner.skiing = 'Y'\n---\n", "", "audiences.yaml", "audience('stopped') OR ", ""}, []string{"audience stopped", "audience do-not-contact"}},
		"its description":      {[]string{"audiences.yaml", "name: do-not-contact", "name: do-not-contact\ndescription: Leave them alone"}, nil},
		"another audience":     {[]string{"audiences.yaml", "partner.sailing = 'Y' AND ", "partner.skiing = 'Y' AND "}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRestricted(t, declared...)
			bundle, err := BundleWorkspace(sampleEdited(t, slices.Concat(sailing, declared, c.edit)...).Files)
			require.NoError(t, err)
			for who, want := range map[string][]string{"ann": c.refused, "max": nil, "": nil} {
				value, err := r.env.ExecuteActivity(r.PlanWorkspace, WorkspaceInput{Bundle: bundle, RequestedBy: who})
				require.NoError(t, err)
				var planned PlanWorkspaceOutput
				require.NoError(t, value.Get(&planned))
				require.Len(t, planned.Plan.Refused, len(want), who)
				for i, reason := range planned.Plan.Refused {
					require.True(t, slices.Contains(want, strings.ToLower(reason.Kind)+" "+reason.Name), i)
					require.Contains(t, reason.Message, lacks)
				}
			}
		})
	}
}

// EC-39, AC-1: taking people off a suppression list needs what changing the list needs: by undoing a batch, by a full file of one's own, or by
// what the list's dataset is loaded with.
func TestWhoMayTakePeopleOffLists(t *testing.T) {
	const list = "kind: Dataset\nname: stop\nschema: merk-prospects\nmerge: full\n---\nkind: Source\nname: stop\ndataset: stop\nfolder: {path: /stop}\npath: \"*.csv\"\nmapping: {partner_id: partnerID}\nschedule: {every: 1d}\n---\nkind: SuppressionList\nname: stop\ndataset: stop\nfield: partnerID\n---\nkind: Policy"
	declared := []string{"governance.yaml", "kind: Policy", list}
	r := newRestricted(t, declared...)
	for name, step := range map[string]func(who string) error{
		"batch": func(who string) error {
			_, err := r.env.ExecuteActivity(r.DeleteBatch, DeleteBatchInput{Dataset: "stop", Batch: "batch_1", RequestedBy: who})
			return err
		},
		"full file": func(who string) error {
			_, err := r.env.ExecuteActivity(r.TakeFile, TakeFileInput{Source: "stop", Path: "local:/mine.csv", RequestedBy: who})
			return err
		},
	} {
		require.ErrorContains(t, step("ria"), "lack Manage Data Usage Policies", name)
		require.NotEqual(t, errkind.Denied, kindOf(step("sam")), name)
		require.NotEqual(t, errkind.Denied, kindOf(step("")), name)
	}
	for name, c := range map[string]struct{ old, changed, kind string }{
		"other files":    {"folder: {path: /stop}\npath: \"*.csv\"", "folder: {path: /stop}\npath: \"none/*.csv\"", "Source"},
		"another source": {"kind: SuppressionList", "kind: Source\nname: more\ndataset: stop\nfolder: {path: /more}\npath: \"*.csv\"\nmapping: {partner_id: partnerID}\nschedule: {every: 1d}\n---\nkind: SuppressionList", "Source"},
		"its dataset":    {"merge: full", "merge: replace", "Dataset"},
		"its schedule":   {"path: \"*.csv\"\nmapping: {partner_id: partnerID}\nschedule: {every: 1d}", "path: \"*.csv\"\nmapping: {partner_id: partnerID}\nschedule: {every: 2d}", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRestricted(t, declared...)
			bundle, err := BundleWorkspace(sampleEdited(t, slices.Concat(sailing, declared, []string{"governance.yaml", c.old, c.changed})...).Files)
			require.NoError(t, err)
			for _, who := range []string{"ria", "sam"} {
				value, err := r.env.ExecuteActivity(r.PlanWorkspace, WorkspaceInput{Bundle: bundle, RequestedBy: who})
				require.NoError(t, err)
				var planned PlanWorkspaceOutput
				require.NoError(t, value.Get(&planned))
				if who == "sam" || c.kind == "" {
					require.Empty(t, planned.Plan.Refused)
					continue
				}
				require.Len(t, planned.Plan.Refused, 1)
				require.Equal(t, c.kind, planned.Plan.Refused[0].Kind)
				require.Contains(t, planned.Plan.Refused[0].Message, "lack Manage Data Usage Policies: it decides whom suppression list stop leaves out")
			}
		})
	}
}

// AC-7: what a batch of guesses has changed is told to those who see all attributes of its dataset.
func TestGuessesAreNotTold(t *testing.T) {
	r := newRestricted(t)
	all := store.Outcome{Status: store.Loaded, Read: 3, Accepted: 3, Created: 1, Updated: 1, Unchanged: 1}
	for who, want := range map[string]store.Outcome{"cem": all, "": all, "ria": all.WithoutChanges(), "nobody": all.WithoutChanges()} {
		told, err := r.toldOutcome(t.Context(), who, "acme_2026", all)
		require.NoError(t, err)
		require.Equal(t, want, told, who)
	}
	require.EqualValues(t, 2, all.WithoutChanges().Updated)
}

// Labels are changed by whoever may apply labels, and by nobody else, whatever the means: here a dataset gets another schema that has the
// same fields without labels.
func TestLabelsAreChangedByNoOtherMeans(t *testing.T) {
	plain := []string{"schemas.yaml", "kind: Schema\nname: merk-prospects", `kind: FieldGroup
name: Places
fields:
  - {path: _luma.prospect.postalCode, type: string}
  - {path: _luma.prospect.state, type: string}
---
kind: Schema
name: plain
class: XDM Individual Prospect Profile
fieldGroups: [Partner Prospect Details (Sample), Places]
primaryIdentity: {field: partnerID, namespace: acme_pid}
profile: true
---
kind: Schema
name: merk-prospects`}
	r := newRestricted(t, plain...)
	for who, refused := range map[string]bool{"cem": true, "": false} {
		files := sampleEdited(t, append(append(slices.Clone(sailing), plain...), "datasets.yaml", "schema: acme-prospects", "schema: plain")...).Files
		bundle, err := BundleWorkspace(files)
		require.NoError(t, err)
		value, err := r.env.ExecuteActivity(r.PlanWorkspace, WorkspaceInput{Bundle: bundle, RequestedBy: who})
		require.NoError(t, err)
		var planned PlanWorkspaceOutput
		require.NoError(t, value.Get(&planned))
		if !refused {
			require.Empty(t, planned.Plan.Refused)
			continue
		}
		require.Len(t, planned.Plan.Refused, 1)
		require.Equal(t, "dataset acme_2026: attribute _luma.prospect.postalCode would carry other labels, and the roles of cem lack Apply Data Usage Labels; ask who keeps the worker's access file", planned.Plan.Refused[0].String())
	}
}

// loadedUnder are datasets whose rows were loaded when partner.sailing carried C9.
type loadedUnder struct{ Audiences }

func (loadedUnder) Labels(context.Context, store.Dataset) (map[string][]string, error) {
	return map[string][]string{"partner.sailing": {"C9"}}, nil
}

// holding is a catalog of a worker that holds a batch of acme's.
type holding struct{ Applied }

func (holding) LoadedBatches(context.Context) (map[string]int64, error) {
	return map[string]int64{"acme_2026": 1}, nil
}

// AC-8, LB-8: taking a label off makes nobody see the rows that were loaded under it, nor map them, nor use them in a rule.
func TestLabelsOfLoadedRowsCount(t *testing.T) {
	r := newRestricted(t)
	r.Audiences, r.Applied = loadedUnder{}, holding{r.catalog}
	files := sampleEdited(t, "activations.yaml", "header: state}", "header: state}\n  - {field: partner.skiing, header: skiing}", "audiences.yaml", "partner.sailing = 'Y' AND ", "partner.sailing = 'N' AND ").Files
	bundle, err := BundleWorkspace(files)
	require.NoError(t, err)
	value, err := r.env.ExecuteActivity(r.PlanWorkspace, WorkspaceInput{Bundle: bundle, RequestedBy: "hal"})
	require.NoError(t, err)
	var planned PlanWorkspaceOutput
	require.NoError(t, value.Get(&planned))
	require.Len(t, planned.Plan.Refused, 2)
	for i, name := range []string{"audience coastal-sailors", "activation acme-to-media"} {
		require.Contains(t, planned.Plan.Refused[i].String(), name+": attribute partner.sailing carries labels that the roles of hal do not hold")
	}
}

// AC-7: what undoing a batch would do to audiences is told of those whose rule is to be seen, and holds: of a batch of one row it would
// tell a value.
func TestEffectsOnAudiencesAreTold(t *testing.T) {
	r := newRestricted(t)
	w, err := r.Workspace(t.Context())
	require.NoError(t, err)
	latest, err := r.Memberships.LatestMemberships(t.Context(), "")
	require.NoError(t, err)
	old := latest["established-households"].Membership
	old.Definition = "of before"
	memberships := []store.Membership{latest["outdoor-families"].Membership, latest["coastal-sailors"].Membership, old}
	for who, want := range map[string]int{"ben": 1, "cem": 3, "": 3} {
		told, err := r.visibleTo(t.Context(), who, w, memberships)
		require.NoError(t, err)
		require.Len(t, told, want, who)
		require.Equal(t, "outdoor-families", told[0].Audience)
	}
}

// fifty is a store in which fifty are in each audience, and an audience may fail.
type fifty struct {
	Audiences
	failing string
}

func (f fifty) Evaluate(ctx context.Context, asOf time.Time, audiences []store.AudienceScope, done func(name string)) ([]store.Membership, error) {
	out, err := f.Audiences.Evaluate(ctx, asOf, audiences, done)
	for i := range out {
		out[i].MemberCounts, out[i].Namespaces = store.MemberCounts{Realized: 50}, []store.NamespaceMembers{{Namespace: "acme_pid", MemberCounts: store.MemberCounts{Realized: 50}}}
		if out[i].Audience == f.failing {
			out[i] = store.Membership{Audience: f.failing, Error: "Conversion Error: 42"}
		}
	}
	return out, err
}

// AC-7: of audiences that somebody may not see, or that had another rule before, the evaluation that they start tells neither counts nor
// why it failed, also when it is told again. What holds is known to the record all the same, and to who sees it.
func TestEvaluationsAreTold(t *testing.T) {
	e := newEvaluator(t)
	rules, err := access.Parse("access.yaml", []byte(roles))
	require.NoError(t, err)
	e.Access = func() (access.Rules, error) { return rules, nil }
	at := time.Now().UTC().Truncate(time.Second)
	evaluate := func(who, id string) map[string]store.Membership {
		t.Helper()
		at = at.Add(time.Minute)
		value, err := e.env.ExecuteActivity(e.EvaluateMemberships, EvaluateMembershipsInput{Evaluation: id, AsOf: at, RequestedBy: who, Audiences: []string{"outdoor-families", "coastal-sailors"}})
		require.NoError(t, err)
		var out EvaluateMembershipsOutput
		require.NoError(t, value.Get(&out))
		byName := map[string]store.Membership{}
		for _, m := range out.Memberships {
			byName[m.Audience] = m
		}
		require.Len(t, byName, 2)
		return byName
	}
	e.workspace, e.Audiences = sampleEdited(t, sailing...), fifty{e.Audiences, ""}
	for range 2 {
		told := evaluate("lea", "eval_1")
		require.EqualValues(t, 50, told["outdoor-families"].Realized)
		require.Equal(t, store.Membership{Audience: "coastal-sailors", Withheld: true}, told["coastal-sailors"])
	}
	for i, who := range []string{"cem", ""} {
		require.EqualValues(t, 50, evaluate(who, "eval_2"+fmt.Sprint(i))["coastal-sailors"].Realized, who)
	}
	e.workspace = sampleEdited(t, append(slices.Clone(sailing), "audiences.yaml", "partner.sailing = 'Y' AND ", "partner.skiing = 'Y' AND ")...)
	require.Equal(t, store.Membership{Audience: "coastal-sailors", Withheld: true}, evaluate("lea", "eval_3")["coastal-sailors"], "who has left would tell of the rule before")
	require.EqualValues(t, 50, evaluate("cem", "eval_4")["coastal-sailors"].Realized)

	e.workspace, e.Audiences = sampleEdited(t, sailing...), fifty{e.Audiences, "coastal-sailors"}
	failed := evaluate("lea", "eval_5")["coastal-sailors"]
	require.NotEmpty(t, failed.Error)
	require.NotContains(t, failed.Error, "42")
	require.Contains(t, evaluate("cem", "eval_6")["coastal-sailors"].Error, "42")
	latest, err := e.catalog.LatestMemberships(t.Context(), "")
	require.NoError(t, err)
	require.EqualValues(t, 50, latest["coastal-sailors"].Realized)
}

// undone are stores in which a batch went to an audience and a delivery.
type undone struct {
	Ledger
	Lineage
	unlabelled
}

func (undone) File(context.Context, string) (catalog.File, error) { return catalog.File{}, nil }
func (undone) BatchSpans(context.Context, store.Dataset, string) ([]store.BatchSpan, error) {
	return nil, nil
}
func (undone) DeliveryUses(context.Context, string, []store.BatchSpan) ([]store.DeliveryUse, int64, error) {
	return []store.DeliveryUse{{Delivery: "dlv_1", Activation: "acme-to-media", Destination: "media-drop"}}, 1, nil
}

type undoing struct{ Batches }

func (undoing) DeleteBatch(_ context.Context, _ store.Namespace, _ store.Dataset, _ string, _ bool, memberships []store.Membership) (out store.Deletion, err error) {
	for _, m := range memberships {
		out.Audiences = append(out.Audiences, store.AudienceEffect{Audience: m.Audience, Members: 1})
	}
	return out, nil
}

// What undoing a batch says of audiences and deliveries wants the permissions to view them, as a batch's uses do, and says what it leaves
// out.
func TestWhatUndoingTells(t *testing.T) {
	r := newRestricted(t)
	r.Ledger, r.Batches, r.Lineage, r.Audiences = undone{}, undoing{}, undone{}, undone{}
	for who, c := range map[string]struct {
		audiences, deliveries int
		withheld              []string
	}{
		"ned": {0, 0, []string{"audiences", "deliveries"}},
		"ola": {1, 0, []string{"audiences", "deliveries"}},
		"pia": {2, 1, nil},
		"":    {2, 1, nil},
	} {
		value, err := r.env.ExecuteActivity(r.DeleteBatch, DeleteBatchInput{Dataset: "acme_2026", Batch: "batch_1", Preview: true, RequestedBy: who})
		require.NoError(t, err)
		var out store.Deletion
		require.NoError(t, value.Get(&out))
		require.Len(t, out.Audiences, c.audiences, who)
		require.Len(t, out.Deliveries, c.deliveries, who)
		require.EqualValues(t, c.deliveries, out.Delivered, who)
		require.Equal(t, c.withheld, out.Withheld, who)
	}
}

// AC-1, AC-6: a run of somebody whom only a group gives roles has what the group gives today, for as long as the latest sign-in with the
// issuer of today counts; whom the file names has the file's roles in any case.
func TestRunsOfAnIssuersPrincipals(t *testing.T) {
	r := newRestricted(t)
	file := roles + `  kim: {roles: [viewer], oidc: "17"}
oidc: {issuer: "https://login.example.com", audience: prospector, groups: {claim: groups, roles: {operators: [all]}}}
`
	r.Access = func() (access.Rules, error) { return access.Parse("access.yaml", []byte(file)) }
	start := func(who string) error {
		_, err := r.env.ExecuteActivity(r.RecordStart, RecordStartInput{Action: "sync", Kind: "Source", Object: "acme", RequestedBy: who})
		return err
	}
	signIn := func(who, issuer, group string, ago time.Duration) {
		t.Helper()
		require.NoError(t, r.catalog.RecordSignIn(t.Context(), "request_"+rand.Text(), who, catalog.SignIn{Issuer: issuer, Groups: []string{group}}, time.Now().UTC().Add(-ago)))
	}
	const issuer = "https://login.example.com"
	require.ErrorContains(t, start("oidc:joe"), "no group of oidc:joe has a role, as far as is known here")
	signIn("oidc:joe", issuer, "operators", access.SignIn+time.Minute)
	require.ErrorContains(t, start("oidc:joe"), "no group of oidc:joe has a role, as far as is known here", "it was too long ago")
	signIn("oidc:joe", "https://elsewhere.example.com", "operators", time.Minute)
	require.ErrorContains(t, start("oidc:joe"), "no group of oidc:joe has a role, as far as is known here", "it was another issuer")
	signIn("oidc:joe", issuer, "operators", access.SignIn-time.Minute)
	require.NoError(t, start("oidc:joe"))
	signIn("oidc:joe", issuer, "visitors", 0)
	require.Equal(t, errkind.Denied, kindOf(start("oidc:joe")), "the latest counts")

	require.ErrorContains(t, start("kim"), "the roles of kim lack Manage Sources")
	signIn("kim", issuer, "operators", time.Minute)
	require.NoError(t, start("kim"))
	signIn("oidc:17", issuer, "operators", time.Minute)
	require.ErrorContains(t, start("oidc:17"), `names no principal "oidc:17"`)
	signIn("ann", issuer, "operators", time.Minute)
	require.ErrorContains(t, start("ann"), "the roles of ann lack Manage Sources", "the issuer does not name her")
	file = strings.Replace(file, "operators: [all]", "operators: [viewer]", 1)
	require.ErrorContains(t, start("kim"), "the roles of kim lack Manage Sources", "what the file takes from a group is gone at once")
}

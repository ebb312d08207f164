package activities

import (
	"context"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/catalog"
	"prospector/internal/errkind"
	"prospector/internal/governance"
	"prospector/internal/store"
)

// labelledRows are datasets whose rows were loaded under a label.
type labelledRows struct {
	unlabelled
	label string
}

func (l labelledRows) Labels(context.Context, store.Dataset) (map[string][]string, error) {
	return map[string][]string{"partner.tennis": {l.label}}, nil
}

// EC-6, PL-15: files stand while the consent that is asked and the terms of contracts are those that they were written by: not once a
// label makes a policy count, declared or of rows, nor once a contract bounds territory or rows otherwise.
func TestFilesStandForTheTermsTheyWereWrittenBy(t *testing.T) {
	consent := []string{"consent.yaml", "", "kind: ConsentPolicy\nname: skiers only\nstatus: ENABLED\nmarketingActions: [Cross Site Targeting]\nlabels: [S2]\nrequire: partner.skiing = 'Y'\n"}
	edit := func(parts ...[]string) (out []string) {
		for _, p := range parts {
			out = append(out, p...)
		}
		return out
	}
	label := func(field string) []string {
		return []string{"schemas.yaml", "labels: {all: [Third-Party]}\nconstraints:\n  partner", "labels: {all: [Third-Party], fields: {" + field + ": [S2]}}\nconstraints:\n  partner"}
	}
	territory := func(values string) []string {
		return contract("territory: {field: _luma.prospect.state, values: [" + values + "]}")
	}
	for name, c := range map[string]struct {
		before, after []string
		loaded        string
		overtaken     bool
	}{
		"nothing changed":                {edit(consent), edit(consent), "", false},
		"label of a mapped field":        {edit(consent), edit(consent, label("partner.ageRangeInHousehold")), "", true},
		"label of a field in a rule":     {edit(consent), edit(consent, label("partner.sailing")), "", true},
		"label of another field":         {edit(consent), edit(consent, label("partner.tennis")), "", false},
		"label of loaded rows":           {edit(consent), edit(consent), "S2", true},
		"another label of loaded rows":   {edit(consent), edit(consent), "S1", false},
		"it counted before":              {edit(consent, label("partner.sailing")), edit(consent, label("partner.sailing")), "S2", false},
		"contract with a territory":      {nil, edit(territory("CA")), "", true},
		"smaller territory":              {edit(territory("CA, NY")), edit(territory("CA")), "", true},
		"contract that bounds rows":      {nil, edit(contract("mostRows: 20")), "", true},
		"contract that bounds them more": {edit(contract("mostRows: 20")), edit(contract("mostRows: 19")), "", true},
		"contract without such terms":    {nil, edit(contract("licence: {end: 9999-12-31}")), "", false},
	} {
		t.Run(name, func(t *testing.T) {
			before, after := sampleEdited(t, c.before...), sampleEdited(t, c.after...)
			a := &Activities{Audiences: unlabelled{}}
			activation, err := before.Activation("acme-to-media")
			require.NoError(t, err)
			_, by, err := a.leftOut(t.Context(), before, activation)
			require.NoError(t, err)
			a.Audiences = labelledRows{label: c.loaded}
			activation, err = after.Activation("acme-to-media")
			require.NoError(t, err)
			of, err := firstVersion.Derivations(t.Context(), "")
			require.NoError(t, err)
			err = a.stands(t.Context(), after, activation, of, by)
			if !c.overtaken {
				require.NoError(t, err)
				return
			}
			require.Equal(t, errkind.Conflict, errkind.Of(err))
			require.ErrorContains(t, err, "others may have to be left out than when its files were written")
		})
	}
}

// undoable are datasets of which acme's was loaded five times by its seventh version, and what came then.
type undoable struct {
	unlabelled
	version, batches int64
	asked            func(dataset string)
}

func (u undoable) Versions(_ context.Context, datasets []store.Dataset) (out []store.Derivation, err error) {
	for _, d := range datasets {
		u.asked(d.Name)
		out = append(out, store.Derivation{Dataset: d.Name, FirstVersion: u.version, Version: u.version, Batches: u.batches})
	}
	return out, nil
}

// asOfSeven is the lineage of what was made of acme's dataset in its seventh version.
type asOfSeven struct{ Lineage }

func (asOfSeven) Derivations(_ context.Context, evaluation string) ([]store.Derivation, error) {
	if evaluation == "eval_old" {
		return nil, nil
	}
	return []store.Derivation{{Dataset: "acme_2026", FirstVersion: 7, Version: 7, Batches: 5}}, nil
}

// DS-6: an audience whose evaluation knows a batch that was undone since says nothing of who may leave, whatever came in its place. What was
// loaded since is no reason, nor what befell datasets of another namespace.
func TestUndoneBatchesDecideNobody(t *testing.T) {
	w := sampleEdited(t)
	activation, err := w.Activation("acme-to-media")
	require.NoError(t, err)
	for name, c := range map[string]struct {
		version, batches int64
		evaluation       string
		refused          bool
	}{
		"nothing happened":           {7, 5, "eval_1", false},
		"more was loaded":            {9, 7, "eval_1", false},
		"one was undone":             {8, 4, "eval_1", true},
		"one came in its place":      {9, 5, "eval_1", true},
		"all are lost":               {2, 0, "eval_1", true},
		"nobody knows of what it is": {7, 5, "eval_old", true},
	} {
		a := &Activities{Lineage: asOfSeven{}, Audiences: undoable{version: c.version, batches: c.batches, asked: func(dataset string) { require.Equal(t, "acme_2026", dataset) }}}
		err := a.undone(t.Context(), w, activation, []catalog.Membership{{Evaluation: "eval_1"}, {Evaluation: c.evaluation, Membership: store.Membership{Audience: "coastal-sailors"}}})
		if !c.refused {
			require.NoError(t, err, name)
			continue
		}
		require.Equal(t, errkind.Conflict, errkind.Of(err), name)
		require.ErrorContains(t, err, "dataset acme_2026 has lost a batch", name)
		require.ErrorContains(t, err, "run EvaluateAudiences first", name)
	}
}

// exporting are datasets in a version of which an export holds so many rows of acme_b, in each file.
type exporting struct {
	unlabelled
	version, batches, rows int64
}

func (e exporting) Versions(ctx context.Context, datasets []store.Dataset) ([]store.Derivation, error) {
	return held{version: e.version, batches: e.batches}.Versions(ctx, datasets)
}

func (exporting) LeftOut(context.Context, store.ExportQuery) (int64, error) { return 0, nil }

func (e exporting) Export(_ context.Context, q store.ExportQuery, consume func(io.Reader) error) (map[string]int64, error) {
	rows := map[string]int64{}
	for _, dataset := range q.Counted {
		rows[dataset] = e.rows
	}
	return rows, consume(strings.NewReader(""))
}

// exporter exports deliveries of acme-to-media, of two datasets, one of which a contract bounds.
type exporter struct{ *restricted }

func newExporter(t *testing.T) exporter {
	r := newRestricted(t, "more.yaml", "", "kind: Dataset\nname: acme_b\nschema: acme-prospects\nprofile: true\n---\n"+
		"kind: Contract\nname: b\ndatasets: [acme_b]\npurposes: [Cross Site Targeting, Email Targeting]\nmostRows: 20\n")
	r.Access, r.Lineage, r.DataDir, r.Audiences = nil, r.catalog, t.TempDir(), exporting{version: 7, batches: 5}
	w, err := r.Workspace(t.Context())
	require.NoError(t, err)
	versions, err := r.Audiences.Versions(t.Context(), profileNamespaces(w, []string{"acme_pid"})[0].Datasets)
	require.NoError(t, err)
	require.NoError(t, r.catalog.RecordDerivations(t.Context(), "eval_1", versions))
	return exporter{r}
}

func (e exporter) cleared(delivery string) (out Clearance) {
	e.Helper()
	value, err := e.env.ExecuteActivity(e.CheckPolicy, CheckPolicyInput{Activation: "acme-to-media", Delivery: delivery})
	require.NoError(e, err)
	require.NoError(e, value.Get(&out))
	return out
}

func (e exporter) export(c Clearance) (out ExportAudiencesOutput, err error) {
	value, err := e.env.ExecuteActivity(e.ExportAudiences, c)
	if err == nil {
		err = value.Get(&out)
	}
	return out, err
}

// PL-18: what files hold is counted as they are written, so that no bound of a contract is passed by what has come in since the
// audiences were evaluated. The refusal is a decision of its own.
func TestExportsHoldNoMoreThanContractsAllow(t *testing.T) {
	e := newExporter(t)
	c := e.cleared("dlv_1")
	e.Audiences = exporting{version: 9, batches: 7, rows: 10} // two files
	_, err := e.export(c)
	require.NoError(t, err)
	e.Audiences = exporting{version: 9, batches: 7, rows: 11}
	for range 2 {
		_, err = e.export(c)
		require.Equal(t, errkind.Refused, kindOf(err), "%v", err)
		require.ErrorContains(t, err, "the delivery holds 22 rows, 20 are allowed")
	}
	d, err := e.catalog.Decision(t.Context(), "dec_1_2")
	require.NoError(t, err)
	require.False(t, d.Allowed)
	require.Equal(t, governance.MostRows, d.Violations[0].Term)
	_, err = e.catalog.Decision(t.Context(), "dec_1_3")
	require.Equal(t, errkind.Missing, errkind.Of(err))
}

// DS-6: a batch that is undone after the decision keeps files from being written by what it said.
func TestUndoneBatchesAreNotExported(t *testing.T) {
	e := newExporter(t)
	c := e.cleared("dlv_1")
	e.Audiences = exporting{version: 8, batches: 4}
	_, err := e.export(c)
	require.Equal(t, errkind.Conflict, kindOf(err), "%v", err)
	require.ErrorContains(t, err, "has lost a batch, or come in, since audience outdoor-families was evaluated")
	d, err := e.catalog.Decision(t.Context(), "dec_1_2")
	require.NoError(t, err)
	require.False(t, d.Allowed)
}

// FX-1, FX-3, FX-14: two deliveries of one evaluation have no file in common, and one that is written again has the same ones. Their
// manifests say of which evaluation they are.
func TestDeliveriesHaveFilesOfTheirOwn(t *testing.T) {
	e := newExporter(t)
	names := map[string]string{}                                   // delivery by file
	for _, delivery := range []string{"dlv_1", "dlv_2", "dlv_3"} { // within a second, or two
		c := e.cleared(delivery)
		require.Equal(t, c, e.cleared(delivery), "tried again")
		for range 2 {
			out, err := e.export(c)
			require.NoError(t, err)
			require.Len(t, out.Files, 3)
			for _, f := range out.Files {
				require.Contains(t, []string{"", delivery}, names[f.Name])
				names[f.Name] = delivery
			}
			manifest, err := os.ReadFile(e.exported(delivery, out.Files[2].Name))
			require.NoError(t, err)
			require.Contains(t, string(manifest), `"scheduledTime": "`+c.AsOf.Format(time.RFC3339)+`"`)
		}
	}
	require.Len(t, names, 9)
	c := e.cleared("dlv_4")
	c.AsOf, c.Began = time.Date(2023, 3, 30, 15, 38, 57, 0, time.UTC), time.Time{} // it was under way already
	out, err := e.export(c)
	require.NoError(t, err)
	require.Equal(t, "media-drop_segmentoutdoor-families_20230330153857.csv.gz", out.Files[0].Name)
}

package workflows

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"prospector/activities"
	"prospector/internal/catalog"
	"prospector/internal/errkind"
	"prospector/internal/export"
	"prospector/internal/ingest"
	"prospector/internal/store"
)

// newEnvironment runs workflows without a server; the steps are scripted, their order is what is tested.
func newEnvironment(t *testing.T) *testsuite.TestWorkflowEnvironment {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	env.RegisterActivity(&activities.Activities{})
	env.RegisterWorkflow(IngestFile)
	env.RegisterWorkflow(EvaluateAudiences)
	env.RegisterWorkflow(ActivateAudiences)
	t.Cleanup(func() { env.AssertExpectations(t) })
	return env
}

func stepFailure(kind errkind.Kind, message string, details ...any) error {
	return temporal.NewApplicationErrorWithOptions(message, string(kind), temporal.ApplicationErrorOptions{NonRetryable: !kind.Retryable(), Details: details})
}

func result[T any](t *testing.T, env *testsuite.TestWorkflowEnvironment) (out T) {
	t.Helper()
	require.True(t, env.IsWorkflowCompleted())
	require.NoError(t, env.GetWorkflowError())
	require.NoError(t, env.GetWorkflowResult(&out))
	return out
}

func expectLoad(env *testsuite.TestWorkflowEnvironment, batch string) {
	env.OnActivity(steps.TakeFile, mock.Anything, mock.MatchedBy(func(in activities.TakeFileInput) bool { return in.Batch == batch })).
		Return(activities.TakeFileOutput{Batch: batch, Dataset: "acme_2026", State: catalog.Taken}, nil).Once()
	env.OnActivity(steps.FetchFile, mock.Anything, activities.FetchFileInput{Batch: batch}).Return(activities.FetchFileOutput{SHA256: "aa", Bytes: 9}, nil).Once()
	counts := ingest.Counts{Read: 3, Accepted: 2, Rejected: 1}
	env.OnActivity(steps.ValidateFile, mock.Anything, activities.ValidateFileInput{Batch: batch}).Return(counts, nil).Once()
	labels := map[string][]string{"partnerID": {"Third-Party"}}
	env.OnActivity(steps.LabelBatch, mock.Anything, activities.LabelBatchInput{Batch: batch}).Return(activities.LabelBatchOutput{Labels: labels}, nil).Once()
	env.OnActivity(steps.LoadBatch, mock.Anything, activities.LoadBatchInput{Batch: batch, Counts: counts, Labels: labels}).
		Return(activities.LoadBatchOutput{Outcome: store.Outcome{Status: store.Loaded, Read: 3, Accepted: 2, Rejected: 1, Created: 2}}, nil).Once()
	env.OnActivity(steps.FinishFile, mock.Anything, activities.FinishFileInput{Batch: batch}).Return(nil).Once()
}

// A file that fails does not keep the later ones back, and the run says which failed and why.
func TestSyncSourceGoesOnAfterAFailedFile(t *testing.T) {
	env := newEnvironment(t)
	env.OnActivity(steps.ListSource, mock.Anything, activities.ListSourceInput{Source: "acme", Look: 1}).Return(activities.ListSourceOutput{
		Dataset: "acme_2026", Matching: 3, AlreadyLoaded: 1, Due: []activities.DueFile{{Path: "in/1.csv", Batch: "b1"}, {Path: "in/2.csv", Batch: "b2"}}}, nil).Once()
	env.OnActivity(steps.TakeFile, mock.Anything, activities.TakeFileInput{Source: "acme", Path: "in/1.csv", Batch: "b1"}).
		Return(activities.TakeFileOutput{Batch: "b1", Dataset: "acme_2026", State: catalog.Taken}, nil).Once()
	env.OnActivity(steps.FetchFile, mock.Anything, activities.FetchFileInput{Batch: "b1"}).
		Return(activities.FetchFileOutput{}, stepFailure(errkind.Denied, "source acme: permission denied")).Once()
	env.OnActivity(steps.FinishFile, mock.Anything, activities.FinishFileInput{Batch: "b1", Kind: errkind.Denied, Failure: "source acme: permission denied"}).
		Return(nil).Once()
	expectLoad(env, "b2")

	env.ExecuteWorkflow(SyncSource, SyncSourceInput{Source: "acme"})

	err := env.GetWorkflowError()
	require.Equal(t, errkind.Denied, KindOf(err))
	require.Equal(t, "1 of 2 files failed: source acme: permission denied", MessageOf(err))
	var application *temporal.ApplicationError
	require.ErrorAs(t, err, &application)
	var out SyncSourceResult
	require.NoError(t, application.Details(&out))
	require.Len(t, out.Files, 1)
	require.Equal(t, int64(2), out.Files[0].Outcome.Accepted)
}

// SR-23: a dry run ends as the run would: with the failure of a file that would be refused, beside all that it saw.
func TestDryRunFailsWithAFileThatWouldBeRefused(t *testing.T) {
	env := newEnvironment(t)
	env.OnActivity(steps.ListSource, mock.Anything, activities.ListSourceInput{Source: "acme", Look: 1, DryRun: true}).Return(activities.ListSourceOutput{
		Dataset: "acme_2026", Matching: 2, Due: []activities.DueFile{{Path: "in/1.csv", Batch: "b1"}, {Path: "in/2.csv", Batch: "b2"}}}, nil).Once()
	for path, refused := range map[string]string{"in/1.csv": "in/1.csv: 1 of 2 rows checked rejected (50.0%)", "in/2.csv": ""} {
		env.OnActivity(steps.ProbeFile, mock.Anything, activities.ProbeFileInput{Source: "acme", Path: path}).
			Return(activities.ProbeFileOutput{Path: path, Sampled: true, Counts: &ingest.Counts{Read: 2, Accepted: 1, Rejected: 1}, Refused: refused}, nil).Once()
	}
	env.ExecuteWorkflow(SyncSource, SyncSourceInput{Source: "acme", DryRun: true})
	err := env.GetWorkflowError()
	require.Equal(t, errkind.BadInput, KindOf(err))
	require.Equal(t, "1 of 2 files failed: in/1.csv: 1 of 2 rows checked rejected (50.0%)", MessageOf(err))
	var application *temporal.ApplicationError
	require.ErrorAs(t, err, &application)
	var out SyncSourceResult
	require.NoError(t, application.Details(&out))
	require.Len(t, out.Probed, 2)
	require.Equal(t, 1, out.FailedFiles)
}

// A run of very many files ends with a result that Temporal takes, and goes on in new histories on the way: it names
// the first files and counts all.
func TestSyncSourceOfVeryManyFiles(t *testing.T) {
	const files, most = 7000, 1500
	var carried *carriedSync
	for history := 0; ; history++ {
		var suite testsuite.WorkflowTestSuite
		suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
		env := suite.NewTestWorkflowEnvironment()
		env.RegisterWorkflow(SyncSource)
		env.RegisterWorkflow(IngestFile)
		env.RegisterActivity(steps)
		env.SetTestTimeout(time.Minute)
		taken := 0
		env.OnActivity(steps.ListSource, mock.Anything, mock.Anything).Return(func(_ context.Context, in activities.ListSourceInput) (activities.ListSourceOutput, error) {
			out := activities.ListSourceOutput{Dataset: "acme_2026", Matching: files, RefusedFiles: 5, Refused: []activities.RefusedFile{{Path: "x:y", Batch: "refused", Reason: "no"}}}
			if in.Look > 1 {
				out.Refused, out.RefusedFiles = nil, 0
			}
			for i := (in.Look - 1) * most; i < min(files, in.Look*most); i++ {
				out.Due = append(out.Due, activities.DueFile{Path: fmt.Sprintf("in/%05d.csv", i), Batch: fmt.Sprintf("batch_20261124210937_%016x", i), Size: 100})
			}
			out.More = files - in.Look*most
			return out, nil
		})
		env.OnWorkflow(IngestFile, mock.Anything, mock.Anything).Return(func(_ workflow.Context, in IngestFileInput) (IngestFileResult, error) {
			if taken++; taken == 800 { // the test environment stands still above 1,000 in one history
				env.SetContinueAsNewSuggested(true)
			}
			if in.Batch[len(in.Batch)-1] == 'f' {
				return IngestFileResult{}, fail(errkind.BadInput, "source acme: "+in.Path+" is refused for a reason that takes some words to say; ask the partner to send it again")
			}
			return IngestFileResult{Source: "acme", Path: in.Path, Dataset: "acme_2026", Batch: in.Batch, State: catalog.Loaded, SHA256: strings.Repeat("0", 64), Bytes: 100,
				Outcome: &store.Outcome{Status: store.Loaded, Read: 2, Accepted: 2, Created: 2}}, nil
		})
		env.OnActivity(steps.FinishSync, mock.Anything, mock.Anything).Return(nil)
		env.ExecuteWorkflow(SyncSource, SyncSourceInput{Source: "acme", Carried: carried})
		err := env.GetWorkflowError()
		var next *workflow.ContinueAsNewError
		if errors.As(err, &next) {
			require.Less(t, len(next.Input.Payloads[0].Data), 1<<21)
			var in SyncSourceInput
			require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(next.Input, &in))
			carried = in.Carried
			continue
		}
		var application *temporal.ApplicationError
		require.ErrorAs(t, err, &application)
		require.Contains(t, MessageOf(err), "442 of 7005 files failed")
		require.Contains(t, MessageOf(err), "and 439 more")
		var out SyncSourceResult
		require.NoError(t, application.Details(&out))
		payload, err := converter.GetDefaultDataConverter().ToPayload(out)
		require.NoError(t, err)
		require.Less(t, len(payload.Data), 1<<20)
		require.Equal(t, []int{6563, 6563, 13_126, 442}, []int{out.Taken, int(out.Loaded), int(out.Rows), out.FailedFiles})
		require.NotEmpty(t, out.Files)
		require.Greater(t, history, 6)
		return
	}
}

// Whether a scheduled run is late goes by when it began, not by when it looks or goes on in another history.
func TestScheduledRunKnowsThatItIsLate(t *testing.T) {
	scheduled := time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)
	for began, late := range map[time.Time]bool{scheduled.Add(23 * time.Hour): false, scheduled.Add(25 * time.Hour): true} {
		for name, carried := range map[string]*carriedSync{"first": nil, "carried": {Listed: 1, Late: late}} {
			env := newEnvironment(t)
			env.SetStartTime(began)
			if carried != nil {
				env.SetStartTime(began.Add(48 * time.Hour))
			}
			require.NoError(t, env.SetTypedSearchAttributesOnStart(temporal.NewSearchAttributes(attributeScheduledStart.ValueSet(scheduled))))
			env.OnActivity(steps.ListSource, mock.Anything, mock.MatchedBy(func(in activities.ListSourceInput) bool { return in.Scheduled != nil && in.Late == late })).
				Return(activities.ListSourceOutput{Dataset: "acme_2026", Matching: 1, AlreadyLoaded: 1}, nil).Once()
			env.OnActivity(steps.FinishSync, mock.Anything, mock.Anything).Return(nil)
			env.ExecuteWorkflow(SyncSource, SyncSourceInput{Source: "acme", Carried: carried})
			require.NoError(t, env.GetWorkflowError(), name)
		}
	}
}

func TestSyncSourceWithNothingNewLoadsNothing(t *testing.T) {
	env := newEnvironment(t)
	env.OnActivity(steps.ListSource, mock.Anything, mock.Anything).Return(activities.ListSourceOutput{Dataset: "acme_2026", Matching: 1, AlreadyLoaded: 1}, nil).Once()
	env.ExecuteWorkflow(SyncSource, SyncSourceInput{Source: "acme"})
	out := result[SyncSourceResult](t, env)
	require.Empty(t, out.Files)
	require.Equal(t, 1, out.AlreadyLoaded)
}

// The same bytes under another name are fetched, recognised and not loaded again.
func TestDuplicateContentIsNotLoaded(t *testing.T) {
	env := newEnvironment(t)
	env.OnActivity(steps.TakeFile, mock.Anything, mock.Anything).Return(activities.TakeFileOutput{Batch: "b2", Dataset: "acme_2026", State: catalog.Taken}, nil).Once()
	env.OnActivity(steps.FetchFile, mock.Anything, mock.Anything).Return(activities.FetchFileOutput{SHA256: "aa", DuplicateOf: "b1"}, nil).Once()
	env.OnActivity(steps.FinishFile, mock.Anything, activities.FinishFileInput{Batch: "b2"}).Return(nil).Once()
	env.ExecuteWorkflow(IngestFile, IngestFileInput{Source: "acme", Path: "in/again.csv"})
	out := result[IngestFileResult](t, env)
	require.Equal(t, "b1", out.DuplicateOf)
	require.Equal(t, catalog.Duplicate, out.State)
}

// What a person forgets in the Web UI's form is said at once.
func TestInputsAreChecked(t *testing.T) {
	for name, run := range map[string]func(env *testsuite.TestWorkflowEnvironment){
		"source": func(env *testsuite.TestWorkflowEnvironment) { env.ExecuteWorkflow(SyncSource, SyncSourceInput{}) },
		"path": func(env *testsuite.TestWorkflowEnvironment) {
			env.ExecuteWorkflow(IngestFile, IngestFileInput{Source: "acme"})
		},
		"activation": func(env *testsuite.TestWorkflowEnvironment) {
			env.ExecuteWorkflow(ActivateAudiences, ActivateAudiencesInput{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			env := newEnvironment(t)
			run(env)
			require.Equal(t, errkind.Invalid, KindOf(env.GetWorkflowError()))
			require.Contains(t, MessageOf(env.GetWorkflowError()), `the input has no "`+name+`"`)
		})
	}
}

// A transient failure is tried again, six times, and no more.
func TestTransientFailuresAreTriedAgain(t *testing.T) {
	env := newEnvironment(t)
	attempts := 0
	env.OnActivity(steps.ListSource, mock.Anything, mock.Anything).Return(func(context.Context, activities.ListSourceInput) (activities.ListSourceOutput, error) {
		attempts++
		return activities.ListSourceOutput{}, stepFailure(errkind.Transient, "source merk: connection refused")
	})
	env.ExecuteWorkflow(SyncSource, SyncSourceInput{Source: "merk"})
	require.Equal(t, 6, attempts)
	require.Equal(t, "source merk: connection refused", MessageOf(env.GetWorkflowError()))
}

// A blocked activation ends with the decision, and nothing is exported or sent.
func TestBlockedActivationCarriesItsDecision(t *testing.T) {
	env := newEnvironment(t)
	decision := catalog.Decision{ID: "dec_1", Activation: "acme-to-newsletter", Destination: "newsletter"}
	env.OnActivity(steps.CheckPolicy, mock.Anything, mock.Anything).Return(activities.Clearance{}, stepFailure(errkind.Refused, "activation acme-to-newsletter is blocked", decision)).Once()
	env.ExecuteWorkflow(ActivateAudiences, ActivateAudiencesInput{Activation: "acme-to-newsletter"})
	err := env.GetWorkflowError()
	require.Equal(t, errkind.Refused, KindOf(err))
	var application *temporal.ApplicationError
	require.ErrorAs(t, err, &application)
	var got catalog.Decision
	require.NoError(t, application.Details(&got))
	require.Equal(t, decision, got)
}

// EC-6: a delivery that fails half-way is recorded as failed, and its exported files are removed. What it has left at its destination is taken
// away first; what is there all the same, the run and its record say.
func TestFailedDeliveryIsFinished(t *testing.T) {
	remains := activities.TakeAwayOutput{Destination: "media-drop", Uncertain: []string{"1.csv"}, Left: []string{"upload 7 of s3://drop/1.csv"}, Why: "connection refused", Again: true}
	remark := "may have arrived at media-drop all the same: 1.csv; remove by hand what was sent of unfinished files to media-drop: upload 7 of s3://drop/1.csv (connection refused)"
	for name, c := range map[string]struct {
		remains activities.TakeAwayOutput
		err     error
		remark  string
		again   bool
	}{
		"nothing is left":   {},
		"a file is there":   {remains: activities.TakeAwayOutput{Destination: "media-drop", Arrived: []string{"0.csv"}}, remark: "has arrived at media-drop all the same: 0.csv"},
		"it is away":        {err: stepFailure(errkind.Transient, "connection refused", remains), remark: remark, again: true},
		"it is not allowed": {err: stepFailure(errkind.Denied, "permission denied", activities.TakeAwayOutput{Destination: "media-drop", Left: []string{"a file"}, Why: "permission denied"}), remark: "remove by hand what was sent of unfinished files to media-drop: a file (permission denied)"},
		"it breaks":         {err: stepFailure(errkind.Internal, "a bug"), remark: "remove by hand what was sent of unfinished files to media-drop: all of delivery dlv_1 (a bug)", again: true},
	} {
		t.Run(name, func(t *testing.T) {
			env := newEnvironment(t)
			env.OnActivity(steps.CheckPolicy, mock.Anything, mock.Anything).Return(activities.Clearance{Delivery: "dlv_1", Decision: "dec_1", Destination: "media-drop"}, nil).Once()
			env.OnActivity(steps.ExportAudiences, mock.Anything, mock.Anything).
				Return(activities.ExportAudiencesOutput{Files: []export.File{{Name: "1.csv"}, {Name: "2.csv"}}}, nil).Once()
			env.OnActivity(steps.DeliverFile, mock.Anything, mock.Anything).Return(activities.DeliverFileOutput{}, stepFailure(errkind.Missing, "destination media-drop: no bucket")).Once()
			env.OnActivity(steps.TakeAwayUnfinished, mock.Anything, activities.TakeAwayInput{Delivery: "dlv_1"}).Return(c.remains, c.err)
			env.OnActivity(steps.FinishDelivery, mock.Anything, mock.MatchedBy(func(in activities.FinishDeliveryInput) bool {
				return in.Status == catalog.Undelivered && in.Remark == c.remark && in.Again == c.again && in.Failure == errkind.Missing
			})).Return(nil).Once()
			env.ExecuteWorkflow(ActivateAudiences, ActivateAudiencesInput{Activation: "acme-to-media"})
			want := "destination media-drop: no bucket"
			if c.remark != "" {
				want += "; " + c.remark
			}
			require.Equal(t, want, MessageOf(env.GetWorkflowError()))
			require.Equal(t, errkind.Missing, KindOf(env.GetWorkflowError()))
		})
	}
}

// What an attempt has left before another one succeeded is taken away too; a delivery all of whose attempts went well takes no step more.
func TestDeliveredFilesLeaveNothing(t *testing.T) {
	for _, left := range []int{0, 1} {
		env := newEnvironment(t)
		env.OnActivity(steps.CheckPolicy, mock.Anything, mock.Anything).Return(activities.Clearance{Delivery: "dlv_1", Decision: "dec_1", Destination: "media-drop"}, nil).Once()
		env.OnActivity(steps.ExportAudiences, mock.Anything, mock.Anything).Return(activities.ExportAudiencesOutput{Files: []export.File{{Name: "1.csv"}}}, nil).Once()
		env.OnActivity(steps.DeliverFile, mock.Anything, mock.Anything).Return(activities.DeliverFileOutput{Left: left}, nil).Once()
		env.OnActivity(steps.ReadBackFile, mock.Anything, mock.Anything).Return(catalog.Receipt{File: "1.csv"}, nil).Once()
		remark := ""
		if left > 0 {
			remark = "remove by hand what was sent of unfinished files to media-drop: a file (permission denied)"
			env.OnActivity(steps.TakeAwayUnfinished, mock.Anything, mock.Anything).Return(activities.TakeAwayOutput{},
				stepFailure(errkind.Denied, "", activities.TakeAwayOutput{Destination: "media-drop", Arrived: []string{"1.csv"}, Left: []string{"a file"}, Why: "permission denied"})).Once()
		}
		env.OnActivity(steps.FinishDelivery, mock.Anything, mock.MatchedBy(func(in activities.FinishDeliveryInput) bool {
			return in.Status == catalog.Delivered && in.Remark == remark
		})).Return(nil).Once()
		env.ExecuteWorkflow(ActivateAudiences, ActivateAudiencesInput{Activation: "acme-to-media"})
		require.Equal(t, remark, result[ActivateAudiencesResult](t, env).Left)
	}
}

// AS-E4: that a delivery was refused underway, and who had asked for it, is handed to its record; so is who asked, to every step that
// records something and to the activations of an evaluation.
func TestWhoAskedIsHandedOn(t *testing.T) {
	env := newEnvironment(t)
	env.OnActivity(steps.EvaluateMemberships, mock.Anything, mock.MatchedBy(func(in activities.EvaluateMembershipsInput) bool { return in.RequestedBy == "ann" })).
		Return(activities.EvaluateMembershipsOutput{}, nil).Once()
	env.OnActivity(steps.ListActivations, mock.Anything).Return([]string{"acme-to-media"}, nil).Once()
	env.OnActivity(steps.CheckPolicy, mock.Anything, mock.MatchedBy(func(in activities.CheckPolicyInput) bool { return in.RequestedBy == "ann" })).
		Return(activities.Clearance{Decision: "dec_1", Destination: "media-drop"}, nil).Once()
	env.OnActivity(steps.ExportAudiences, mock.Anything, mock.Anything).Return(activities.ExportAudiencesOutput{}, stepFailure(errkind.Refused, "a policy was enabled")).Once()
	env.OnActivity(steps.FinishDelivery, mock.Anything, mock.MatchedBy(func(in activities.FinishDeliveryInput) bool {
		return in.Status == catalog.Undelivered && in.Failure == errkind.Refused && in.RequestedBy == "ann"
	})).Return(nil).Once()
	env.ExecuteWorkflow(EvaluateAudiences, EvaluateAudiencesInput{Activate: true, RequestedBy: "ann"})
	require.Equal(t, errkind.Refused, KindOf(env.GetWorkflowError()))
	env.AssertExpectations(t)
}

// A run on files records who started it; one of a schedule, or of another run, takes no step more than it always did.
func TestWhoStartedIsRecorded(t *testing.T) {
	for _, who := range []string{"ann", ""} {
		env := newEnvironment(t)
		if who != "" {
			env.OnActivity(steps.RecordStart, mock.Anything, activities.RecordStartInput{RequestedBy: who, Action: "sync", Kind: "Source", Object: "acme"}).Return(nil).Once()
		}
		env.OnActivity(steps.ListSource, mock.Anything, mock.Anything).Return(activities.ListSourceOutput{Dataset: "acme_2026"}, nil)
		env.OnActivity(steps.FinishSync, mock.Anything, mock.Anything).Return(nil)
		env.ExecuteWorkflow(SyncSource, SyncSourceInput{Source: "acme", RequestedBy: who})
		require.NoError(t, env.GetWorkflowError())
	}
}

// An evaluation that another one has overtaken is as of a later instant then, and does not try for ever.
func TestOvertakenEvaluationIsOfALaterInstant(t *testing.T) {
	for _, overtaken := range []int{1, instantsAtMost} {
		env := newEnvironment(t)
		var asked []activities.EvaluateMembershipsInput
		env.OnActivity(steps.EvaluateMemberships, mock.Anything, mock.Anything).
			Return(func(_ context.Context, in activities.EvaluateMembershipsInput) (activities.EvaluateMembershipsOutput, error) {
				asked = append(asked, in)
				if len(asked) <= overtaken {
					return activities.EvaluateMembershipsOutput{}, stepFailure(errkind.Conflict, "a later evaluation was published")
				}
				return activities.EvaluateMembershipsOutput{}, nil
			}).After(time.Second)
		env.ExecuteWorkflow(EvaluateAudiences, EvaluateAudiencesInput{})
		require.Len(t, asked, min(overtaken+1, instantsAtMost))
		require.NotEqual(t, asked[0].Evaluation, asked[1].Evaluation)
		require.True(t, asked[1].AsOf.After(asked[0].AsOf))
		if overtaken == instantsAtMost {
			require.Equal(t, errkind.Conflict, KindOf(env.GetWorkflowError()))
		} else {
			require.NoError(t, env.GetWorkflowError())
		}
	}
}

// What a load may have changed is evaluated, and what sends that is run.
func TestEvaluationOfADataset(t *testing.T) {
	env := newEnvironment(t)
	env.OnActivity(steps.ListSource, mock.Anything, mock.Anything).Return(activities.ListSourceOutput{Dataset: "acme_2026", EvaluateAfterLoad: true,
		Due: []activities.DueFile{{Path: "a.csv", Batch: "batch_1"}}}, nil)
	env.OnWorkflow(IngestFile, mock.Anything, mock.Anything).Return(IngestFileResult{State: catalog.Loaded, Outcome: &store.Outcome{Accepted: 1}}, nil)
	env.OnActivity(steps.FinishSync, mock.Anything, mock.Anything).Return(nil)
	env.OnActivity(steps.EvaluateMemberships, mock.Anything, mock.MatchedBy(func(in activities.EvaluateMembershipsInput) bool {
		return slices.Equal(in.Datasets, []string{"acme_2026"})
	})).
		Return(activities.EvaluateMembershipsOutput{Memberships: []store.Membership{{Audience: "sailors"}}}, nil).Once()
	env.OnActivity(steps.ListActivationsOf, mock.Anything, activities.ListActivationsOfInput{Audiences: []string{"sailors"}}).Return([]string{"to-media"}, nil).Once()
	env.OnWorkflow(ActivateAudiences, mock.Anything, ActivateAudiencesInput{Activation: "to-media"}).Return(ActivateAudiencesResult{}, nil).Once()
	env.ExecuteWorkflow(SyncSource, SyncSourceInput{Source: "acme"})
	require.NoError(t, env.GetWorkflowError())
	env.AssertExpectations(t)
}

// Two deliveries of an activation at once would each not know what the other tells: that of an evaluation waits for one that is under way,
// and then delivers.
func TestOneDeliveryOfAnActivationAtATime(t *testing.T) {
	env := newEnvironment(t)
	in := ActivateAudiencesInput{Activation: "to-media"}
	var ended []time.Time
	env.OnWorkflow(ActivateAudiences, mock.Anything, in).Return(func(ctx workflow.Context, _ ActivateAudiencesInput) (ActivateAudiencesResult, error) {
		require.Equal(t, in.WorkflowID(), workflow.GetInfo(ctx).WorkflowExecution.ID)
		err := workflow.Sleep(ctx, time.Minute)
		ended = append(ended, workflow.Now(ctx))
		return ActivateAudiencesResult{Delivery: "dlv"}, err
	})
	env.ExecuteWorkflow(func(ctx workflow.Context) error {
		both := workflow.NewWaitGroup(ctx)
		both.Add(2)
		for range 2 {
			workflow.Go(ctx, func(ctx workflow.Context) {
				defer both.Done()
				out, err := activateOne(ctx, in)
				require.NoError(t, err)
				require.Equal(t, "dlv", out.Delivery)
			})
		}
		both.Wait(ctx)
		return nil
	})
	require.NoError(t, env.GetWorkflowError())
	require.Len(t, ended, 2)
	require.GreaterOrEqual(t, ended[1].Sub(ended[0]), time.Minute)
}

// One activation that fails does not stop the others.
func TestEvaluationActivatesAll(t *testing.T) {
	env := newEnvironment(t)
	env.OnActivity(steps.EvaluateMemberships, mock.Anything, mock.Anything).
		Return(activities.EvaluateMembershipsOutput{Memberships: []store.Membership{{Audience: "sailors", MemberCounts: store.MemberCounts{Realized: 2}}}}, nil).Once()
	env.OnActivity(steps.ListActivations, mock.Anything).Return([]string{"bad", "good"}, nil).Once()
	env.OnWorkflow(ActivateAudiences, mock.Anything, ActivateAudiencesInput{Activation: "bad"}).Return(ActivateAudiencesResult{}, fail(errkind.Refused, "blocked")).Once()
	env.OnWorkflow(ActivateAudiences, mock.Anything, ActivateAudiencesInput{Activation: "good"}).Return(ActivateAudiencesResult{Delivery: "dlv_1"}, nil).Once()
	env.ExecuteWorkflow(EvaluateAudiences, EvaluateAudiencesInput{Activate: true})
	err := env.GetWorkflowError()
	require.Equal(t, errkind.Refused, KindOf(err))
	var application *temporal.ApplicationError
	require.ErrorAs(t, err, &application)
	var out EvaluateAudiencesResult
	require.NoError(t, application.Details(&out))
	require.Equal(t, "dlv_1", out.Deliveries[0].Delivery)
	require.Equal(t, "bad", out.Failed[0].Activation)
}

// A cancelled run still removes what it staged.
func TestCancelledRunCleansUp(t *testing.T) {
	env := newEnvironment(t)
	env.OnActivity(steps.TakeFile, mock.Anything, mock.Anything).Return(activities.TakeFileOutput{Batch: "b1", State: catalog.Taken}, nil).Once()
	env.OnActivity(steps.FetchFile, mock.Anything, mock.Anything).Return(func(ctx context.Context, _ activities.FetchFileInput) (activities.FetchFileOutput, error) {
		<-ctx.Done()
		return activities.FetchFileOutput{}, ctx.Err()
	}).Once()
	env.OnActivity(steps.FinishFile, mock.Anything, mock.Anything).Return(nil).Once()
	env.RegisterDelayedCallback(env.CancelWorkflow, time.Second)
	env.ExecuteWorkflow(IngestFile, IngestFileInput{Source: "acme", Path: "in/1.csv"})
	var canceled *temporal.CanceledError
	require.True(t, errors.As(env.GetWorkflowError(), &canceled), env.GetWorkflowError())
}

// A cancelled sync is recorded as that.
func TestCancelledSyncIsRecorded(t *testing.T) {
	env := newEnvironment(t)
	env.OnActivity(steps.ListSource, mock.Anything, mock.Anything).Return(func(ctx context.Context, _ activities.ListSourceInput) (activities.ListSourceOutput, error) {
		<-ctx.Done()
		return activities.ListSourceOutput{}, ctx.Err()
	}).Once()
	env.OnActivity(steps.FinishSync, mock.Anything, mock.MatchedBy(func(in activities.FinishSyncInput) bool {
		return in.Outcome == OutcomeCancelled && strings.HasPrefix(in.Detail, "somebody cancelled it")
	})).Return(nil).Once()
	env.RegisterDelayedCallback(env.CancelWorkflow, time.Second)
	env.ExecuteWorkflow(SyncSource, SyncSourceInput{Source: "acme"})
	require.True(t, temporal.IsCanceledError(env.GetWorkflowError()), env.GetWorkflowError())
}

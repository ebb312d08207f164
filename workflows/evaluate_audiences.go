package workflows

import (
	"cmp"
	"fmt"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"prospector/activities"
	"prospector/internal/errkind"
	"prospector/internal/store"
)

// EvaluateAudiencesInput names audiences, such as {"audiences": ["outdoor-families"]}, or what they are made of, such as
// {"datasets": ["acme_2026"]} or {"namespaces": ["acme_pid"]}, or nothing for all.
type EvaluateAudiencesInput struct {
	Audiences  []string `json:"audiences,omitempty"`
	Namespaces []string `json:"namespaces,omitempty"` // those that may hold prospects of them
	Datasets   []string `json:"datasets,omitempty"`   // those whose members they may change, by their rows or as a suppression list

	Activate  bool `json:"activate,omitempty"`  // then run every activation of the workspace, or of the chosen ones those that send what was evaluated
	Scheduled bool `json:"scheduled,omitempty"` // of all, only those that have no schedule of their own

	RequestedBy string `json:"requestedBy,omitempty"`
}

// WorkflowID is the id under which a person starts the run: one evaluation at a time.
func (EvaluateAudiencesInput) WorkflowID() string { return "evaluate-audiences" }

// EvaluateAudiencesResult holds each audience's size and change.
type EvaluateAudiencesResult struct {
	Evaluation  string                    `json:"evaluation"`
	Memberships []store.Membership        `json:"memberships"`
	Deliveries  []ActivateAudiencesResult `json:"deliveries,omitempty"`
	Failed      []FailedActivation        `json:"failed,omitempty"`
}

// FailedActivation is an activation that did not deliver.
type FailedActivation struct {
	Activation string       `json:"activation"`
	Kind       errkind.Kind `json:"kind"`
	Message    string       `json:"message"`
}

// EvaluateAudiences computes who is in which audience, publishes that at once, and when asked delivers
// it. An audience or activation that fails does not stop the others; the run then ends with its error.
func EvaluateAudiences(ctx workflow.Context, in EvaluateAudiencesInput) (out EvaluateAudiencesResult, err error) {
	describe(ctx, attributeOutcome.ValueSet(OutcomeRunning))
	if len(in.Audiences) == 1 {
		describe(ctx, attributeAudience.ValueSet(in.Audiences[0]))
	}
	out, err = evaluateAudiences(ctx, in)
	outcome := outcomeOf(err)
	if err != nil && len(out.Memberships) > 0 {
		outcome = OutcomePartial
	}
	ended(ctx, outcome)
	return out, err
}

func evaluateAudiences(ctx workflow.Context, in EvaluateAudiencesInput) (out EvaluateAudiencesResult, err error) {
	out.Evaluation = runID(ctx, "eval")
	evaluate := activities.EvaluateMembershipsInput{Evaluation: out.Evaluation, AsOf: workflow.GetInfo(ctx).WorkflowStartTime.UTC(),
		Audiences: in.Audiences, Namespaces: in.Namespaces, Datasets: in.Datasets, Scheduled: in.Scheduled, RequestedBy: in.RequestedBy}
	var evaluated activities.EvaluateMembershipsOutput
	for attempt := 1; ; attempt++ {
		err = workflow.ExecuteActivity(withStore(ctx), steps.EvaluateMemberships, evaluate).Get(ctx, &evaluated)
		if err == nil {
			break
		}
		if KindOf(plain(err)) != errkind.Conflict || attempt == instantsAtMost ||
			workflow.GetVersion(ctx, "evaluate as of a later instant", workflow.DefaultVersion, 1) == workflow.DefaultVersion {
			return out, plain(err)
		}
		// Another evaluation of a later instant was published meanwhile: this one is as of now then.
		out.Evaluation = fmt.Sprintf("%s_%d", runID(ctx, "eval"), attempt+1)
		evaluate.Evaluation, evaluate.AsOf = out.Evaluation, workflow.Now(ctx).UTC()
	}
	out.Memberships = evaluated.Memberships
	if in.Activate {
		if err := activateAll(ctx, in, &out); err != nil {
			return out, err
		}
	}
	var broken []string
	first := ""
	for _, m := range out.Memberships {
		if m.Error != "" {
			broken = append(broken, m.Audience)
			first = cmp.Or(first, m.Error)
		}
	}
	if len(broken) > 0 {
		return out, fail(errkind.Internal, fmt.Sprintf("%d of %d audiences were not evaluated and keep their earlier membership: %s; the first because of: %s",
			len(broken), len(out.Memberships), strings.Join(broken, ", "), first), out)
	}
	if len(out.Failed) > 0 {
		return out, fail(out.Failed[0].Kind, fmt.Sprintf("%d of %d activations did not deliver: %s",
			len(out.Failed), len(out.Failed)+len(out.Deliveries), out.Failed[0].Message), out)
	}
	return out, nil
}

// instantsAtMost is how often an evaluation is begun that others overtake.
const instantsAtMost = 3

// activateOne runs an activation under the id that a person's run has: two deliveries of it at once would each not know what the other tells.
// It waits for one that is under way, and delivers what was evaluated since.
func activateOne(ctx workflow.Context, in ActivateAudiencesInput) (out ActivateAudiencesResult, err error) {
	if workflow.GetVersion(ctx, "one delivery of an activation at a time", workflow.DefaultVersion, 1) == workflow.DefaultVersion {
		err = workflow.ExecuteChildWorkflow(ctx, ActivateAudiences, in).Get(ctx, &out)
		return out, err
	}
	child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:            in.WorkflowID(),
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		ParentClosePolicy:     enumspb.PARENT_CLOSE_POLICY_REQUEST_CANCEL,
	})
	start := func() error { return workflow.ExecuteChildWorkflow(child, ActivateAudiences, in).Get(ctx, &out) }
	err = whenFree(ctx, start(), start)
	return out, err
}

func activateAll(ctx workflow.Context, in EvaluateAudiencesInput, out *EvaluateAudiencesResult) error {
	var names []string
	var listing workflow.Future
	if len(in.Namespaces) == 0 && len(in.Datasets) == 0 {
		listing = workflow.ExecuteActivity(quick(ctx), steps.ListActivations)
	} else {
		evaluated := activities.ListActivationsOfInput{}
		for _, m := range out.Memberships {
			evaluated.Audiences = append(evaluated.Audiences, m.Audience)
		}
		listing = workflow.ExecuteActivity(quick(ctx), steps.ListActivationsOf, evaluated)
	}
	if err := listing.Get(ctx, &names); err != nil {
		return plain(err)
	}
	for _, name := range names {
		delivered, err := activateOne(ctx, ActivateAudiencesInput{Activation: name, RequestedBy: in.RequestedBy})
		switch {
		case temporal.IsCanceledError(err) || ctx.Err() != nil:
			return err
		case temporal.IsWorkflowExecutionAlreadyStartedError(err):
			out.Failed = append(out.Failed, FailedActivation{Activation: name, Kind: errkind.Conflict, Message: fmt.Sprintf("another run still delivers activation %s; see starter status activate-audiences/%s", name, name)})
		case err != nil:
			out.Failed = append(out.Failed, FailedActivation{Activation: name, Kind: KindOf(err), Message: MessageOf(err)})
		default:
			out.Deliveries = append(out.Deliveries, delivered)
		}
	}
	return nil
}

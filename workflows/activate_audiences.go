package workflows

import (
	"errors"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"prospector/activities"
	"prospector/internal/catalog"
	"prospector/internal/store"
)

// ActivateAudiencesInput names an activation, such as {"activation": "acme-to-media"}.
type ActivateAudiencesInput struct {
	Activation  string `json:"activation"`
	RequestedBy string `json:"requestedBy,omitempty"`
}

// WorkflowID is the id under which a person starts the run: one delivery of an activation at a time.
func (in ActivateAudiencesInput) WorkflowID() string { return "activate-audiences/" + in.Activation }

// ActivateAudiencesResult is a delivery with its receipts.
type ActivateAudiencesResult struct {
	Delivery    string            `json:"delivery"`
	Activation  string            `json:"activation"`
	Destination string            `json:"destination"`
	Decision    string            `json:"decision"`
	Files       []catalog.Receipt `json:"files"`
	Excluded    int64             `json:"excluded,omitempty"` // members without the consent that a policy wants

	DerivedFrom []store.Derivation `json:"derivedFrom,omitempty"` // of which states of datasets the rows are

	Left string `json:"left,omitempty"` // what must be removed at the destination by hand, of uploads that failed before they succeeded
}

// ActivateAudiences delivers the published audiences of an activation: policy check, export, upload,
// read back, receipt. Nothing leaves without a recorded decision that allows exactly this; a
// violation ends the run as blocked, with the decision as detail.
func ActivateAudiences(ctx workflow.Context, in ActivateAudiencesInput) (out ActivateAudiencesResult, err error) {
	describe(ctx, attributeOutcome.ValueSet(OutcomeRunning))
	out, err = activateAudiences(ctx, in)
	ended(ctx, outcomeOf(err))
	return out, err
}

func activateAudiences(ctx workflow.Context, in ActivateAudiencesInput) (out ActivateAudiencesResult, err error) {
	if err := required("activation", in.Activation); err != nil {
		return out, err
	}
	out.Delivery, out.Activation = runID(ctx, "dlv"), in.Activation
	var cleared activities.Clearance
	err = workflow.ExecuteActivity(withStore(ctx), steps.CheckPolicy, activities.CheckPolicyInput{Activation: in.Activation, Delivery: out.Delivery, RequestedBy: in.RequestedBy}).Get(ctx, &cleared)
	if err != nil {
		return out, plain(err)
	}
	out.Destination, out.Decision = cleared.Destination, cleared.Decision
	describe(ctx, attributeDestination.ValueSet(cleared.Destination))
	unfinished, err := deliver(ctx, cleared, &out)
	err = plain(err)
	status := catalog.Delivered
	if err != nil {
		status = catalog.Undelivered
	}
	cleanup, cancel := workflow.NewDisconnectedContext(ctx) // also when the run was cancelled
	defer cancel()
	finish := activities.FinishDeliveryInput{Delivery: out.Delivery, Status: status, RequestedBy: in.RequestedBy}
	if unfinished && (err == nil || workflow.GetVersion(cleanup, "take away what is unfinished", workflow.DefaultVersion, 1) != workflow.DefaultVersion) {
		remains := takeAway(cleanup, cleared)
		out.Left, finish.Again = remains.LeftRemark(), remains.Again
		if finish.Remark = out.Left; err != nil {
			finish.Remark = remains.Remark()
			err = remarked(err, finish.Remark)
		}
	}
	if err != nil {
		finish.Failure = KindOf(err)
	}
	finishErr := workflow.ExecuteActivity(quick(cleanup), steps.FinishDelivery, finish).Get(cleanup, nil)
	if err == nil {
		err = plain(finishErr)
	}
	return out, err
}

// deliver reports also whether something may be at the destination that is not one of the delivery's files, or is of one that failed.
func deliver(ctx workflow.Context, cleared activities.Clearance, out *ActivateAudiencesResult) (unfinished bool, err error) {
	var exported activities.ExportAudiencesOutput
	if err := workflow.ExecuteActivity(withStore(ctx), steps.ExportAudiences, cleared).Get(ctx, &exported); err != nil {
		return false, err
	}
	out.Excluded, out.DerivedFrom = exported.Excluded, exported.DerivedFrom
	for _, file := range exported.Files {
		step := activities.DeliverFileInput{Clearance: cleared, File: file, Suppressed: exported.Suppressed}
		var delivered activities.DeliverFileOutput
		if err := workflow.ExecuteActivity(withPartner(ctx), steps.DeliverFile, step).Get(ctx, &delivered); err != nil {
			return true, err
		}
		unfinished = unfinished || delivered.Left > 0
		var receipt catalog.Receipt
		if err := workflow.ExecuteActivity(withPartner(ctx), steps.ReadBackFile, step).Get(ctx, &receipt); err != nil {
			return true, err
		}
		out.Files = append(out.Files, receipt)
	}
	return unfinished, nil
}

// takeAway asks again and again, for about half a minute beside the time that asking takes, for a server may be away for a while.
func takeAway(ctx workflow.Context, cleared activities.Clearance) (out activities.TakeAwayOutput) {
	err := workflow.ExecuteActivity(withPartner(ctx), steps.TakeAwayUnfinished, activities.TakeAwayInput{Delivery: cleared.Delivery}).Get(ctx, &out)
	var application *temporal.ApplicationError
	if err == nil || errors.As(err, &application) && application.HasDetails() && application.Details(&out) == nil && out.Destination != "" {
		return out
	}
	return activities.TakeAwayOutput{Destination: cleared.Destination, Left: []string{"all of delivery " + cleared.Delivery}, Why: MessageOf(plain(err)), Again: true}
}

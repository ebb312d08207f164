package workflows

import (
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
	err = plain(deliver(ctx, cleared, &out))
	status := catalog.Delivered
	if err != nil {
		status = catalog.Undelivered
	}
	cleanup, cancel := workflow.NewDisconnectedContext(ctx) // also when the run was cancelled
	defer cancel()
	finish := activities.FinishDeliveryInput{Delivery: out.Delivery, Status: status, RequestedBy: in.RequestedBy}
	if err != nil {
		finish.Failure = KindOf(err)
	}
	finishErr := workflow.ExecuteActivity(quick(cleanup), steps.FinishDelivery, finish).Get(cleanup, nil)
	if err == nil {
		err = plain(finishErr)
	}
	return out, err
}

func deliver(ctx workflow.Context, cleared activities.Clearance, out *ActivateAudiencesResult) error {
	var exported activities.ExportAudiencesOutput
	if err := workflow.ExecuteActivity(withStore(ctx), steps.ExportAudiences, cleared).Get(ctx, &exported); err != nil {
		return err
	}
	out.Excluded, out.DerivedFrom = exported.Excluded, exported.DerivedFrom
	for _, file := range exported.Files {
		step := activities.DeliverFileInput{Clearance: cleared, File: file, Suppressed: exported.Suppressed}
		if err := workflow.ExecuteActivity(withPartner(ctx), steps.DeliverFile, step).Get(ctx, nil); err != nil {
			return err
		}
		var receipt catalog.Receipt
		if err := workflow.ExecuteActivity(withPartner(ctx), steps.ReadBackFile, step).Get(ctx, &receipt); err != nil {
			return err
		}
		out.Files = append(out.Files, receipt)
	}
	return nil
}

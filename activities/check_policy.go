package activities

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"

	"prospector/internal/catalog"
	"prospector/internal/enforcement"
	"prospector/internal/errkind"
	"prospector/internal/governance"
	"prospector/internal/workspace"
)

// Deliveries is the record of policy decisions and deliveries.
type Deliveries interface {
	RecordDecision(ctx context.Context, d catalog.Decision, at time.Time) (id string, err error) // of the record
	Decision(ctx context.Context, id string) (catalog.Decision, error)
	BeginDelivery(ctx context.Context, id string, d catalog.Decision, evaluation string, at time.Time) error
	DeliveryBegan(ctx context.Context, id string) (time.Time, error) // in whole seconds; no other one to its destination has the same
	UnderWay(ctx context.Context, activation, except string) (runs map[string]string, err error)
	EndDelivery(ctx context.Context, id, status string, audit catalog.AuditRecord, at time.Time) error
	RecordDeparture(ctx context.Context, delivery string, contracts []string, at time.Time) error
	RecordReceipt(ctx context.Context, delivery string, r catalog.Receipt, at time.Time) error
}

// Delivered counts deliveries, for contracts that bound them.
type Delivered interface {
	// CountDelivered counts the deliveries of rows of a contract of which a file may have arrived since an instant, or that are under way, without one.
	CountDelivered(ctx context.Context, contract string, since time.Time, except string) (int64, error)
}

// Clearance is an activation whose policy check has passed: exactly what it covers may leave, and
// nothing else.
type Clearance struct {
	Decision    string               `json:"decision"`
	Delivery    string               `json:"delivery"`
	Activation  string               `json:"activation"`
	Destination string               `json:"destination"`
	AsOf        time.Time            `json:"asOf"`           // of the newest membership; the manifest carries it
	Began       time.Time            `json:"began,omitzero"` // names of files carry it, so that each delivery has files of its own
	Memberships []catalog.Membership `json:"memberships"`
	RequestedBy string               `json:"requestedBy,omitempty"` // whoever wants the delivery
}

// CheckPolicyInput asks whether an activation may leave.
type CheckPolicyInput struct {
	Activation string `json:"activation"`
	Delivery   string `json:"delivery"`

	RequestedBy string `json:"requestedBy,omitempty"`
}

// CheckPolicy decides and records whether the audiences of an activation, with its mapping, may go to
// its destination. The labels that count are those declared now and those under which the rows were
// loaded (PL-18, LB-8). A violation is Refused, with the decision as detail.
func (a *Activities) CheckPolicy(ctx context.Context, in CheckPolicyInput) (Clearance, error) {
	out, decision, err := a.checkPolicy(ctx, in)
	return out, failure(err, decision)
}

func (a *Activities) checkPolicy(ctx context.Context, in CheckPolicyInput) (out Clearance, decision catalog.Decision, err error) {
	ctx, _, end := a.progress(ctx, "check policy", "audiences", 0)
	defer end()
	w, err := a.Workspace(ctx)
	if err != nil {
		return out, decision, err
	}
	activation, err := w.Activation(in.Activation)
	if err != nil {
		return out, decision, err
	}
	if err := a.authorizeActivation(ctx, in.RequestedBy, w, activation); err != nil {
		return out, decision, err
	}
	out = Clearance{Delivery: in.Delivery, RequestedBy: in.RequestedBy, Activation: activation.Name, Destination: activation.Destination, Decision: "dec_" + strings.TrimPrefix(in.Delivery, "dlv_")}
	decision = catalog.Decision{ID: out.Decision, Delivery: out.Delivery, Activation: out.Activation, Destination: out.Destination}
	if err := a.endLost(ctx, activation.Name, in.Delivery); err != nil {
		return out, decision, err
	}
	if err := a.propose(ctx, w, activation, &out, &decision); err != nil {
		return out, decision, a.forbid(ctx, out, &decision, err)
	}
	if len(decision.Violations) > 0 {
		return out, decision, a.forbid(ctx, out, &decision, nil)
	}
	decision.Allowed, decision.RequestedBy, decision.Run = true, in.RequestedBy, activity.GetInfo(ctx).WorkflowExecution.RunID
	if decision.ID, err = a.Deliveries.RecordDecision(ctx, decision, now()); err != nil {
		return out, decision, err
	}
	out.Decision = decision.ID
	if err := a.Deliveries.BeginDelivery(ctx, out.Delivery, decision, out.Memberships[0].Evaluation, now()); err != nil {
		return out, decision, err
	}
	out.Began, err = a.Deliveries.DeliveryBegan(ctx, out.Delivery)
	return out, decision, err
}

// propose fills in what would leave, and what forbids it. An error is why there is nothing that could leave.
func (a *Activities) propose(ctx context.Context, w *workspace.Workspace, activation *workspace.Activation, out *Clearance, decision *catalog.Decision) error {
	latest, err := a.Memberships.LatestMemberships(ctx, "")
	if err != nil {
		return err
	}
	for _, name := range activation.Audiences {
		m, ok := latest[name]
		if !ok {
			return errkind.New(errkind.Missing, "activation "+activation.Name, fmt.Errorf("audience %s has not been evaluated yet", name), "run EvaluateAudiences first")
		}
		declared, err := w.Audience(name)
		if err != nil {
			return err
		}
		if err := asEvaluated(w, declared, m); err != nil {
			return fmt.Errorf("activation %s: %w", activation.Name, err)
		}
		out.Memberships = append(out.Memberships, m)
		if m.AsOf.After(out.AsOf) {
			out.AsOf = m.AsOf
		}
	}
	if err := a.undone(ctx, w, activation, out.Memberships); err != nil {
		return err
	}
	if _, err := a.suppressed(ctx, w, activation); err != nil {
		return err
	}
	if _, err := a.leavingLists(ctx, w, activation); err != nil {
		return err
	}
	destination, err := w.Destination(activation.Destination)
	if err != nil {
		return err
	}
	decision.Contracts = contractsOf(w, activation)
	if decision.Covers, err = covers(w, activation, destination, out.Memberships); err != nil {
		return err
	}
	decision.Violations, err = a.violations(ctx, w, activation, leavingRows(w, activation, out.Memberships), out.Delivery)
	return err
}

func contractsOf(w *workspace.Workspace, activation *workspace.Activation) (names []string) {
	for _, c := range enforcement.Contracts(w, activation) {
		names = append(names, c.Name)
	}
	return names
}

// forbid records that something may not leave, and why: the violations of the decision or, without any, err (AS-E4). What trying again
// may mend is no refusal.
func (a *Activities) forbid(ctx context.Context, c Clearance, decision *catalog.Decision, err error) error {
	if err != nil {
		if ctx.Err() != nil || errkind.Of(err).Retryable() {
			return err
		}
		decision.Violations = []catalog.Violation{{Violation: governance.Violation{Kind: governance.OfState, Message: err.Error()}}}
	}
	decision.Allowed, decision.RequestedBy, decision.Run = false, c.RequestedBy, activity.GetInfo(ctx).WorkflowExecution.RunID
	id, unrecorded := a.Deliveries.RecordDecision(ctx, *decision, now())
	if unrecorded != nil {
		return unrecorded
	}
	if decision.ID = id; err != nil {
		return err
	}
	return refusal(*decision)
}

// asEvaluated refuses a membership that an earlier rule gave: who is in it was decided by fields that a
// policy check of today's rule would not see.
func asEvaluated(w *workspace.Workspace, audience *workspace.Audience, m catalog.Membership) error {
	if m.Definition == w.Definition(audience) {
		return nil
	}
	return errkind.New(errkind.Conflict, "", fmt.Errorf("audience %s has changed since it was evaluated", audience.Name), "run EvaluateAudiences first")
}

// violations holds the activation against policies and contracts, with what is known when it leaves: the time, how much leaves by
// dataset, how often it did, and the labels under which rows were loaded.
func (a *Activities) violations(ctx context.Context, w *workspace.Workspace, activation *workspace.Activation, rows map[string]int64, delivery string) ([]catalog.Violation, error) {
	facts := enforcement.Facts{Now: now(), Labels: map[string]map[string][]string{}, Rows: rows}
	for _, name := range activation.Audiences {
		audience, err := w.Audience(name)
		if err != nil {
			return nil, err
		}
		for _, use := range w.FieldUses(audience, activation) {
			if facts.Labels[use.Dataset] != nil {
				continue
			}
			if facts.Labels[use.Dataset], err = a.loadedLabels(ctx, w, use.Dataset); err != nil {
				return nil, err
			}
		}
	}
	var err error
	if facts.Deliveries, err = a.deliveries(ctx, w, activation, delivery); err != nil {
		return nil, err
	}
	found, err := enforcement.Judge(w, activation, facts)
	if err != nil {
		return nil, err
	}
	var out []catalog.Violation
	for i, v := range found {
		if i >= mostExplained {
			v.Origins, v.Lineage = nil, nil
		}
		out = append(out, catalog.Violation(v))
	}
	return out, nil
}

// Of many violations the first ones are explained, and fewer are told in an error: a decision travels as one result.
const (
	mostExplained = 20
	mostTold      = 5
)

// leavingRows is how many rows leave, by dataset, as far as evaluations tell: a prospect in two audiences counts twice, for it may
// leave in two files.
func leavingRows(w *workspace.Workspace, activation *workspace.Activation, memberships []catalog.Membership) map[string]int64 {
	out := map[string]int64{}
	destination, err := w.Destination(activation.Destination)
	exited := err == nil && destination.Type == "liveramp" // which is told of those who have left, too
	for _, m := range memberships {
		for _, n := range m.Namespaces {
			if n.Namespace != activation.Namespace {
				continue
			}
			for dataset, members := range n.Datasets {
				out[dataset] += members
				if exited {
					out[dataset] += n.Exited
				}
			}
		}
	}
	return out
}

// deliveries is how many deliveries were made or are under way, beside this one, under each contract that bounds them.
func (a *Activities) deliveries(ctx context.Context, w *workspace.Workspace, activation *workspace.Activation, delivery string) (map[string]int64, error) {
	out := map[string]int64{}
	for _, c := range enforcement.Contracts(w, activation) {
		if c.MostActivations == 0 {
			continue
		}
		if a.Delivered == nil {
			return nil, errkind.New(errkind.Invalid, "contract "+c.Name, errors.New("it bounds deliveries, and nothing counts them here"), "take mostActivations out")
		}
		made, err := a.Delivered.CountDelivered(ctx, c.Name, c.Starts, delivery)
		if err != nil {
			return nil, err
		}
		out[c.Name] = made
	}
	return out, nil
}

// loadedLabels are the labels under which a dataset's rows were loaded, by path. Not nil.
func (a *Activities) loadedLabels(ctx context.Context, w *workspace.Workspace, name string) (map[string][]string, error) {
	stored, _, err := dataset(w, name)
	if err != nil {
		return nil, err
	}
	return a.Audiences.Labels(ctx, stored)
}

// covers is a digest of what a decision was made for: who, with which columns, to where and what for, which consent is asked, and who is
// held back by lists.
func covers(w *workspace.Workspace, activation *workspace.Activation, destination *workspace.Destination, memberships []catalog.Membership) (string, error) {
	parts := make([]string, len(memberships))
	for i, m := range memberships {
		parts[i] = m.Audience + "=" + m.Part
	}
	where, err := destination.Declared()
	if err != nil {
		return "", err
	}
	var consents []string
	for _, c := range w.ConsentPolicies {
		consents = append(consents, fmt.Sprint(c.Name, c.Status, c.MarketingActions, c.Labels, c.Require))
	}
	for _, s := range w.LeavingLists(activation.Namespace) {
		consents = append(consents, fmt.Sprint(s.Name, s.Dataset, s.Field))
	}
	data, err := json.Marshal([]any{where, activation.Namespace, activation.Mapping, parts, consents})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}

// refusal says which policy or contract forbids what, and how the data would have got there (PL-19).
func refusal(d catalog.Decision) error {
	var texts []string
	for i, v := range d.Violations {
		if i == mostTold {
			texts = append(texts, fmt.Sprintf("and %d more in decision %s", len(d.Violations)-i, d.ID))
			break
		}
		text := v.Headline()
		if ways := v.Lineage.Ways(); len(ways) > 0 {
			text += "; " + strings.Join(ways, ", ")
		}
		texts = append(texts, text)
	}
	return errkind.New(errkind.Refused, fmt.Sprintf("activation %s is blocked", d.Activation), errors.New(strings.Join(texts, "; ")),
		d.Violations[0].Resolution)
}

// cleared returns what a clearance is for, and refuses when its recorded decision does not allow exactly this: no byte leaves without
// one. What forbids it meanwhile is a decision of its own, which is recorded.
func (a *Activities) cleared(ctx context.Context, c Clearance) (w *workspace.Workspace, activation *workspace.Activation, destination *workspace.Destination, err error) {
	if w, err = a.Workspace(ctx); err != nil {
		return nil, nil, nil, err
	}
	decision, err := a.Deliveries.Decision(ctx, c.Decision)
	if err != nil {
		return nil, nil, nil, err
	}
	allowed := decision.Allowed && decision.Delivery == c.Delivery
	if activation, destination, decision.Violations, err = a.holds(ctx, w, c, allowed, decision.Covers); err == nil && len(decision.Violations) == 0 {
		return w, activation, destination, nil
	}
	decision.ID, decision.Delivery, decision.Activation, decision.Destination = c.Decision, c.Delivery, c.Activation, c.Destination
	return nil, nil, nil, a.forbid(ctx, c, &decision, err)
}

// holds tells what a clearance is for and what forbids it by now. An error is why it is not what was decided on.
func (a *Activities) holds(ctx context.Context, w *workspace.Workspace, c Clearance, allowed bool, covered string) (activation *workspace.Activation, destination *workspace.Destination, violations []catalog.Violation, err error) {
	if activation, err = w.Activation(c.Activation); err != nil {
		return nil, nil, nil, err
	}
	if destination, err = w.Destination(activation.Destination); err != nil {
		return nil, nil, nil, err
	}
	if !slices.EqualFunc(c.Memberships, activation.Audiences, func(m catalog.Membership, name string) bool { return m.Audience == name }) {
		return nil, nil, nil, changedSince(c)
	}
	for _, m := range c.Memberships {
		audience, err := w.Audience(m.Audience)
		if err != nil {
			return nil, nil, nil, err
		}
		if err := asEvaluated(w, audience, m); err != nil {
			return nil, nil, nil, fmt.Errorf("activation %s: %w", c.Activation, err)
		}
	}
	digest, err := covers(w, activation, destination, c.Memberships)
	if err != nil {
		return nil, nil, nil, err
	}
	if !allowed || covered != digest {
		return nil, nil, nil, changedSince(c)
	}
	// Policies, contracts and labels may have changed since as well, and a licence may have ended.
	violations, err = a.violations(ctx, w, activation, leavingRows(w, activation, c.Memberships), c.Delivery)
	return activation, destination, violations, err
}

func changedSince(c Clearance) error {
	return errkind.New(errkind.Refused, "activation "+c.Activation,
		errors.New("what is to leave is not what the policy decision covers; the workspace has changed since"), "start ActivateAudiences again")
}

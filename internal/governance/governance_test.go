package governance

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func label(l string) Expression { return Expression{Label: l} }

var emailPolicy = Policy{Name: "No e-mail with vendor data", Status: Enabled,
	MarketingActions: []string{"Email Targeting"}, Deny: label(ThirdParty)}

func hiking(labels ...string) []FieldUse {
	return []FieldUse{{Dataset: "acme", Path: "partner.hiking", Use: "rule", Labels: labels}}
}

// AS-21: a draft policy blocks nothing; enabled, it blocks the action it names and no other.
func TestPolicyBlocksOnlyWhenEnabledAndOnlyItsAction(t *testing.T) {
	draft := emailPolicy
	draft.Status = Draft
	require.Empty(t, Evaluate([]Policy{draft}, []string{"Email Targeting"}, hiking(ThirdParty)))
	require.Empty(t, Evaluate([]Policy{emailPolicy}, []string{"Analytics"}, hiking(ThirdParty)))
	found := Evaluate([]Policy{emailPolicy}, []string{"Email Targeting"}, hiking(ThirdParty))
	require.Len(t, found, 1)
	require.Equal(t, emailPolicy.Name, found[0].Policy)
	require.Equal(t, []string{ThirdParty}, found[0].Labels)
	require.Equal(t, "Email Targeting", found[0].MarketingAction)
	require.Equal(t, "partner.hiking", found[0].Fields[0].Path)
}

// AS-22, PL-21: an AND needs both labels in one audience; EC-9: labels are case-sensitive.
func TestAndNeedsBothLabels(t *testing.T) {
	both := Policy{Name: "p", Status: Enabled, MarketingActions: []string{"Data Science"},
		Deny: Expression{Operator: "AND", Operands: []Expression{label("C1"), label("C2")}}}
	actions := []string{"Data Science"}
	require.Empty(t, Evaluate([]Policy{both}, actions, hiking("C1")))
	require.Empty(t, Evaluate([]Policy{both}, actions, hiking("C1", "c2")))
	require.Len(t, Evaluate([]Policy{both}, actions, hiking("C1", "C2")), 1)
}

// EC-7: C12 forbids every export without any policy. EC-8: Third-Party alone forbids nothing.
func TestExportBanNeedsNoPolicy(t *testing.T) {
	require.Len(t, Evaluate(nil, nil, hiking(NoExport)), 1)
	require.Empty(t, Evaluate(nil, CoreMarketingActions, hiking(ThirdParty)))
}

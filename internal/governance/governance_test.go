package governance

import (
	"testing"

	"github.com/stretchr/testify/require"
)

var emailPolicy = Policy{Name: "No e-mail with vendor data", Status: Enabled,
	MarketingActions: []string{"Email Targeting"}, Deny: carries(ThirdParty)}

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
		Deny: Expression{Operator: "AND", Operands: []Expression{carries("C1"), carries("C2")}}}
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

// PL-3, PL-4: OR and nested trees; several actions are alternatives, each a violation of its own.
func TestNestedExpressionsAndSeveralActions(t *testing.T) {
	p := Policy{Name: "p", Status: Enabled, MarketingActions: []string{"Analytics", "Data Science"},
		Deny: both(carries("C1"), either(carries("C2"), both(carries("C3"), carries("C4"))))}
	require.Equal(t, "C1 AND (C2 OR (C3 AND C4))", p.Deny.String())
	for _, c := range []struct {
		labels []string
		denied bool
	}{{[]string{"C1"}, false}, {[]string{"C1", "C2"}, true}, {[]string{"C2", "C3", "C4"}, false}, {[]string{"C1", "C3"}, false}, {[]string{"C1", "C3", "C4"}, true}} {
		require.Equal(t, c.denied, len(Evaluate([]Policy{p}, []string{"Data Science"}, hiking(c.labels...))) > 0, "%v", c.labels)
	}
	require.Len(t, Evaluate([]Policy{p}, []string{"Data Science", "Analytics", "Email Targeting"}, hiking("C1", "C2")), 2)
}

// PL-5: drafts count on request, disabled policies never.
func TestDraftsOnRequest(t *testing.T) {
	draft, disabled := emailPolicy, emailPolicy
	draft.Status, disabled.Status = Draft, Disabled
	policies := []Policy{draft, disabled}
	require.Empty(t, Evaluate(policies, emailPolicy.MarketingActions, hiking(ThirdParty)))
	require.Len(t, Evaluate(WithDrafts(policies), emailPolicy.MarketingActions, hiking(ThirdParty)), 1)
	require.Equal(t, Draft, policies[0].Status)
}

// PL-6, PL-7: built-in policies are off, and name only labels and actions that there are. The two that public documents confirm
// are marked so, all others as our reading.
func TestBuiltInPolicies(t *testing.T) {
	var confirmed, names []string
	for _, p := range BuiltIn(nil) {
		require.Equal(t, Disabled, p.Status, p.Name)
		require.Subset(t, CoreLabels, p.Deny.Labels())
		require.Subset(t, CoreMarketingActions, p.MarketingActions)
		require.NotContains(t, names, p.Name)
		names = append(names, p.Name)
		if p.Type == Core && p.Basis == Confirmed {
			confirmed = append(confirmed, p.Name)
		} else {
			require.Contains(t, []string{OurReading, ThirdPartyPack}, p.Basis)
		}
	}
	require.Equal(t, []string{"3rd Party Export Restriction", "Restrict data sharing"}, confirmed)
	require.Len(t, Evaluate(BuiltIn([]string{"3rd Party Export Restriction"}), []string{"Export to Third Party"}, hiking("C2")), 1)
	pack := BuiltIn([]string{ThirdPartyPack})
	require.Len(t, Evaluate(pack, []string{"Email Targeting", "Onsite Personalization", "Combine with directly identifiable data"}, hiking(ThirdParty)), 3)
	require.Len(t, Evaluate(pack, []string{"Cross Site Targeting"}, hiking(ThirdParty, "RHD")), 1)
	require.Empty(t, Evaluate(pack, []string{"Cross Site Targeting", "Analytics"}, hiking(ThirdParty)))
}

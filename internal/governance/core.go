package governance

import "slices"

// Types of a policy.
const (
	Custom = "custom" // declared in the workspace
	Core   = "core"   // built in; it can be switched and nothing else (PL-7)
	Pack   = "pack"   // built in, ready to use, switched with its pack
)

// Bases say why a built-in policy reads as it does.
const (
	Confirmed  = "confirmed"   // label, action and name are in public documents
	OurReading = "our reading" // of what the label's definition says; no public document has the table
)

func carries(label string) Expression { return Expression{Label: label} }

func both(operands ...Expression) Expression {
	return Expression{Operator: "AND", Operands: operands}
}

func either(operands ...Expression) Expression {
	return Expression{Operator: "OR", Operands: operands}
}

// CorePolicies are built in and off until they are switched on (PL-6, EC-7). Exports always carry partner ids, so the one for
// C1 holds for each of them. C12 needs no policy.
var CorePolicies = []Policy{
	core("3rd Party Export Restriction", Confirmed, "C2 is not exported to a third party", carries("C2"), "Export to Third Party"),
	core("Restrict data sharing", Confirmed, "C11 is not shared in Segment Match", carries("C11"), "Segment Match"),
	core("Aggregated export only", OurReading, "C1 goes to a third party in aggregates only, and exports hold individuals", carries("C1"), "Export to Third Party"),
	core("PII combination restriction", OurReading, "C3 is not combined with directly identifiable data", carries("C3"), "Combine with directly identifiable data"),
	core("Targeting restriction", OurReading, "C4 targets nobody, on-site or cross-site; it encompasses C5, C6 and C7", carries("C4"), "Onsite Advertising", "Onsite Personalization", "Cross Site Targeting"),
	core("Interest-based targeting restriction", OurReading, "C5 is not used for cross-site targeting", carries("C5"), "Cross Site Targeting"),
	core("On-site ad restriction", OurReading, "C6 is not used for on-site advertising", carries("C6"), "Onsite Advertising"),
	core("On-site content restriction", OurReading, "C7 is not used for on-site content", carries("C7"), "Onsite Personalization"),
	core("Measurement restriction", OurReading, "C8 is not used to measure one's own sites and apps", carries("C8"), "Analytics"),
	core("Data science restriction", OurReading, "C9 is not used in data science", carries("C9"), "Data Science"),
	core("Stitched identity restriction", OurReading, "C10 is not used for single identity personalization", carries("C10"), "Single Identity Personalization"),
}

func core(name, basis, description string, deny Expression, actions ...string) Policy {
	return Policy{Name: name, Type: Core, Owner: Own, Basis: basis, Description: description, Status: Disabled, MarketingActions: actions, Deny: deny}
}

// ThirdPartyPack is the pack of policies for data that a vendor supplies: no core policy covers its label (EC-8).
const ThirdPartyPack = "third-party-data"

// Packs are sets of policies that are switched on together, by name.
var Packs = map[string][]Policy{ThirdPartyPack: {
	packed("Vendor data: no e-mail", "People whom we know from a vendor only get no e-mail", carries(ThirdParty), "Email Targeting"),
	packed("Vendor data: no on-site personalization", "What a vendor tells does not choose what people see on our own sites", carries(ThirdParty), "Onsite Personalization", "Single Identity Personalization"),
	packed("Vendor data: not combined with directly identifiable data", "A vendor's data stays apart from names, addresses and telephone numbers", carries(ThirdParty), "Combine with directly identifiable data"),
	packed("Vendor data: not shared on", "A vendor's data is not matched with other companies' audiences", carries(ThirdParty), "Segment Match"),
	packed("Vendor data: nothing sensitive in targeting", "A vendor's health, sensitive or precise location data targets nobody",
		both(carries(ThirdParty), either(carries("RHD"), carries("PSPD"), carries("S1"))), "Cross Site Targeting", "Onsite Advertising", "Email Targeting"),
}}

func packed(name, description string, deny Expression, actions ...string) Policy {
	return Policy{Name: name, Type: Pack, Owner: Own, Basis: ThirdPartyPack, Description: description, Status: Disabled, MarketingActions: actions, Deny: deny}
}

// Switches are the names by which built-in policies are switched on: their own, and those of packs.
func Switches() []string {
	out := []string{ThirdPartyPack}
	for _, p := range BuiltIn(nil) {
		out = append(out, p.Name)
	}
	return out
}

// BuiltIn returns the policies that are built in. Those are on that are named, by themselves or by their pack (PL-7).
func BuiltIn(enabled []string) []Policy {
	out := slices.Concat(CorePolicies, Packs[ThirdPartyPack])
	for i, p := range out {
		if slices.Contains(enabled, p.Name) || p.Type == Pack && slices.Contains(enabled, p.Basis) {
			out[i].Status = Enabled
		}
	}
	return out
}

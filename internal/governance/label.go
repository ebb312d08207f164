package governance

// Labels of the core set that the code itself refers to; the others are data.
const (
	ThirdParty = "Third-Party"
	NoExport   = "C12" // no export in any way, with or without a policy (EC-7)
)

// Categories of labels, as the public glossary groups them (LB-5).
const (
	ContractLabels   = "Contract"
	IdentityLabels   = "Identity"
	SensitiveLabels  = "Sensitive"
	PartnerEcosystem = "Partner Ecosystem"
	CustomLabels     = "Custom" // those that a workspace declares (LB-11)
)

// Label is a usage label and what it says of the data that carries it. Names are case-sensitive (PL-14).
type Label struct{ Name, Category, Meaning string }

// CoreLabelSet is the core label set (LB-5 and the table before LB-6), the meanings in our words (LB-15).
var CoreLabelSet = []Label{
	{"C1", ContractLabels, "leaves only as an aggregate, without ids of people or devices"},
	{"C2", ContractLabels, "is not exported to a third party"},
	{"C3", ContractLabels, "is not combined or used with what identifies people directly"},
	{"C4", ContractLabels, "targets no ads or content, on one's own sites or on others; C5, C6 and C7 in one"},
	{"C5", ContractLabels, "targets nobody across sites by interest"},
	{"C6", ContractLabels, "targets no ads on one's own sites"},
	{"C7", ContractLabels, "chooses no content on one's own sites"},
	{"C8", ContractLabels, "does not measure one's own sites and apps"},
	{"C9", ContractLabels, "is not used in data science"},
	{"C10", ContractLabels, "is not used to activate identities that were stitched together"},
	{"C11", ContractLabels, "is not matched with other companies' audiences"},
	{NoExport, ContractLabels, "is not exported in any way"},
	{"I1", IdentityLabels, "identifies a person directly"},
	{"I2", IdentityLabels, "identifies a person together with other data"},
	{"S1", SensitiveLabels, "tells a precise location"},
	{"S2", SensitiveLabels, "tells a location within a wide area"},
	{"PSPD", SensitiveLabels, "is sensitive personal data whose use is permitted"},
	{"RHD", SensitiveLabels, "is regulated health data"},
	{ThirdParty, PartnerEcosystem, "comes from an outside vendor, under an agreement that says how it may be used"},
}

// CoreLabels are the names of the core label set.
var CoreLabels = func() (names []string) {
	for _, l := range CoreLabelSet {
		names = append(names, l.Name)
	}
	return names
}()

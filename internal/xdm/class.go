package xdm

import (
	"slices"
	"strings"
)

// ProspectClassID and ProspectClassTitle name the one class that prospects have (SC-8).
const (
	ProspectClassID    = "https://ns.adobe.com/xdm/context/prospect-profile"
	ProspectClassTitle = "XDM Individual Prospect Profile"
)

// PartnerID is the class's field for the partner's identifier of a prospect (SC-10).
const PartnerID = "partnerID"

// ProspectClass returns the class's eight leaf fields (SC-9 to SC-17). All but partnerID are written by
// Prospector itself.
func ProspectClass() Group {
	return Group{ID: ProspectClassID, Title: ProspectClassTitle, Fields: []Field{
		{Path: "_id", Type: String, Format: "uri-reference", Title: "Record id", System: true},
		{Path: PartnerID, Type: String, Title: "Partner ID"},
		{Path: "_repo.createDate", Type: DateTime, Title: "Created", System: true},
		{Path: "_repo.modifyDate", Type: DateTime, Title: "Last modified", System: true},
		{Path: "createdByBatchID", Type: String, Format: "uri-reference", Title: "Batch that created the record", System: true},
		{Path: "modifiedByBatchID", Type: String, Format: "uri-reference", Title: "Batch that changed the record last", System: true},
		{Path: "repositoryCreatedBy", Type: String, Title: "Created by", System: true},
		{Path: "repositoryLastModifiedBy", Type: String, Title: "Last modified by", System: true},
	}}
}

// Classes and field groups of the public registry that people try on prospects, and what they extend.
const individualProfile = "XDM Individual Profile, which holds your own customers"

// foreignGroups are standard field groups that must not enter a prospect schema (SC-24, SC-25).
var foreignGroups = []struct{ id, title, extends string }{
	{"https://ns.adobe.com/xdm/mixins/profile-partner-enrichment-sample", "Profile Partner Enrichment (Sample)", individualProfile},
	{"https://ns.adobe.com/xdm/context/profile-person-details", "Demographic Details", individualProfile},
	{"https://ns.adobe.com/xdm/context/profile-personal-details", "Personal Contact Details", individualProfile},
	{"https://ns.adobe.com/xdm/context/profile-work-details", "Work Contact Details", individualProfile},
	{"https://ns.adobe.com/xdm/context/profile-segmentation", "Segment Membership Details", "profiles that the system writes"},
	{"https://ns.adobe.com/xdm/context/identitymap", "IdentityMap", "any class and would let other namespaces in"},
}

// ForeignGroup says what a standard field group extends that is not for prospects.
func ForeignGroup(name string) (extends string, ok bool) {
	for _, g := range foreignGroups {
		if g.id == name || squeezed(g.title) == squeezed(name) {
			return g.extends, true
		}
	}
	return "", false
}

// BuiltInGroup finds a built-in field group by title or $id. Spaces do not count, because the
// registry itself writes "Details(Core)".
func BuiltInGroup(name string) (Group, bool) {
	for _, g := range BuiltInGroups() {
		if g.ID == name || squeezed(g.Title) == squeezed(name) {
			return g, true
		}
	}
	return Group{}, false
}

func squeezed(s string) string { return strings.ReplaceAll(s, " ", "") }

// BuiltInGroups returns the partner field groups of the public registry (SC-21 to SC-23), in title order.
func BuiltInGroups() []Group {
	const mixins = "https://ns.adobe.com/xdm/mixins/prospect-details-"
	return []Group{
		{ID: mixins + "merkle-core", Title: "Merkle Prospect Details (Core)", Fields: merkleCore()},
		{ID: mixins + "merkle-corelogic", Title: "Merkle Prospect Details (corelogic)", Fields: merkleCorelogic()},
		{ID: mixins + "partner-sample", Title: "Partner Prospect Details (Sample)", Fields: fieldsOf(String, "partner",
			"ageRangeInHousehold", "apparelAccessories", "bicycling", "buyerRating", "cableTv", "domestics", "donorRating", "electronics",
			"foodAndBeverage", "footwear", "healthFoods", "hiking", "householdID", "individualID", "inferredCardHolder",
			"inferredPremiumCardholder", "investmentRating", "matchLevelFlag", "recordID", "residenceID", "responderRating", "sailing",
			"seasonalHolidayProducts", "skiing", "spendingVelocity", "spendingVolume", "tennis", "tvShoppers")},
	}
}

func merkleCore() []Field {
	const at = "merkle.demographics."
	return slices.Concat(
		fieldsOf(Integer, at+"age", "age", "ageRangeInHousehold", "inferredAge"),
		fieldsOf(DateTime, at+"age", "birthdate"),
		fieldsOf(String, at+"education", "edication", "inferredEducation"), // the standard's own spelling
		fieldsOf(String, at+"gender", "gender"),
		fieldsOf(Integer, at+"householdComposition", "individualCount", "numberOfPersonsLivingInUnit"),
		fieldsOf(String, at+"maritalStatus", "inferredMaritalStatus", "maritalStatus"),
		fieldsOf(String, at+"occupation", "occupation"),
	)
}

func merkleCorelogic() []Field {
	const homeValue, lender, mortgage, property = "merkle.homeValue", "merkle.lender", "merkle.mortgage", "merkle.propertyCharacteristics"
	return slices.Concat(
		fieldsOf(Number, homeValue, "apprImprovementValue", "apprLandValue", "apprTotalValue", "assdImprovementValue", "assdLandValue",
			"assdTotalValue", "marketImprovementValue", "marketLandValue", "marketTotalValue", "mortgageAssumptionAmountFromDeed",
			"totalValueCalculated"),
		fieldsOf(String, homeValue, "totalValueCalculatedInd"),
		fieldsOf(Integer, homeValue, "taxYear"),
		fieldsOf(String, lender, "lenderAddress", "lenderCity", "lenderFirstName", "lenderLastName", "lenderState", "lenderZIP", "lenderZIP4",
			"sellerCarryBack"),
		fieldsOf(String, mortgage, "addChangeField", "ownerCorporateIndicator", "priorSaleCode", "priorSalesDeedCategoryType"),
		fieldsOf(Number, mortgage, "mortgageAssumptionAmountFromTaxAssessor", "mortgageIntRate", "priorMortgageAmount", "priorSalePrice"),
		fieldsOf(DateTime, mortgage, "mortgageDueDate", "priorSaleDate"),
		fieldsOf(String, property, "buildingLdgImpvCode", "condition", "garage", "mobileHomeInd", "residentialModelIndicator", "style"),
		fieldsOf(Integer, property, "numberOfBuildings", "parkingSpaces"),
	)
}

// fieldsOf are leaf fields of one type below an object. Their titles follow from their names.
func fieldsOf(t Type, object string, names ...string) []Field {
	out := make([]Field, len(names))
	for i, name := range names {
		out[i] = Field{Path: object + "." + name, Type: t, Title: title(name)}
	}
	return out
}

// title makes "Age range in household" of "ageRangeInHousehold".
func title(name string) string {
	var out strings.Builder
	previousLower := false
	for i, r := range name {
		upper := r >= 'A' && r <= 'Z'
		switch {
		case i == 0:
			out.WriteString(strings.ToUpper(string(r)))
		case upper && previousLower:
			out.WriteByte(' ')
			next := name[i+len(string(r)):]
			if next == "" || next[0] >= 'A' && next[0] <= 'Z' || next[0] >= '0' && next[0] <= '9' { // an abbreviation
				out.WriteRune(r)
			} else {
				out.WriteString(strings.ToLower(string(r)))
			}
		default:
			out.WriteRune(r)
		}
		previousLower = !upper
	}
	return out.String()
}

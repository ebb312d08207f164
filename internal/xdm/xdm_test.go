package xdm

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func paths(fields []Field) []string {
	var out []string
	for _, f := range fields {
		out = append(out, f.Path)
	}
	return out
}

// SC-9 to SC-17: the class has exactly these eight leaf fields (AS-6 counts them).
func TestProspectClassHasItsEightFields(t *testing.T) {
	require.ElementsMatch(t, []string{"_id", "partnerID", "_repo.createDate", "_repo.modifyDate", "createdByBatchID",
		"modifiedByBatchID", "repositoryCreatedBy", "repositoryLastModifiedBy"}, paths(ProspectClass().Fields))
}

// AS-5, SC-21 to SC-24: three groups extend the class, spelt as the registry spells them.
func TestBuiltInGroups(t *testing.T) {
	require.Len(t, BuiltInGroups(), 3)
	sample, ok := BuiltInGroup("Partner Prospect Details (Sample)")
	require.True(t, ok)
	require.Len(t, sample.Fields, 28)
	require.Contains(t, paths(sample.Fields), "partner.householdID")
	require.NotContains(t, paths(sample.Fields), "partner.householdId")
	core, ok := BuiltInGroup("Merkle Prospect Details (Core)")
	require.True(t, ok)
	schema, err := Compose("merk", []Group{core})
	require.NoError(t, err)
	age, ok := schema.Field("merkle.demographics.age.age")
	require.True(t, ok)
	require.Equal(t, Integer, age.Type)
	birth, _ := schema.Field("merkle.demographics.age.birthdate")
	require.Equal(t, DateTime, birth.Type)
	_, ok = BuiltInGroup("Profile Partner Enrichment (Sample)")
	require.False(t, ok, "it extends the first-party class")
}

func TestNearestFindsASlipAndNothingElse(t *testing.T) {
	require.Equal(t, "partner.householdID", Nearest("partner.householdId", []string{"partner.hiking", "partner.householdID"}))
	require.Empty(t, Nearest("zip", []string{"partner.householdID"}))
}

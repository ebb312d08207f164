package identity

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// ID-7, ID-13: the types and the standard namespaces, none of which prospects may use (ID-3).
func TestStandardNamespacesAreNotForProspects(t *testing.T) {
	require.Equal(t, []Type{"Cookie ID", "Cross-Device ID", "Device ID", "Email address", "Phone number", "Non-people identifier", "Partner ID"}, Types)
	for _, typ := range Types {
		require.True(t, typ.Valid())
		require.Equal(t, typ == PartnerID, typ.AllowedForProspects(), typ)
	}
	require.False(t, Type("Partner").Valid())
	var names []string
	symbols := map[string]bool{}
	for _, n := range Standard {
		names = append(names, n.Name)
		require.False(t, symbols[n.Symbol], "the symbol %s is there twice", n.Symbol)
		symbols[n.Symbol] = true
		require.False(t, n.Type.AllowedForProspects(), n.Symbol)
	}
	require.Equal(t, []string{"AdCloud", "Adobe Analytics (Legacy ID)", "Apple IDFA (ID for Apple)", "Apple Push Notification service", "CORE", "ECID",
		"Email", "Emails (SHA256, lowercased)", "Firebase Cloud Messaging", "Google Ad ID (GAID)", "Google Click ID", "Phone", "Phone (E.164)",
		"Phone (SHA256)", "Phone (SHA256_E.164)", "TNTID", "Windows AID"}, names)
}

package prospect

import (
	"testing"

	"github.com/stretchr/testify/require"

	"prospector/internal/errkind"
	"prospector/internal/mapping"
	"prospector/internal/xdm"
)

// EC-15: the header decides which column is which, and where it differs from the mapping is always said.
func TestFit(t *testing.T) {
	drift, err := Fit([]string{"name", "hike", "pid"}, []string{"pid", "hike"}, []string{"name"})
	require.NoError(t, err)
	require.Equal(t, Drift{}, drift)
	drift, err = Fit([]string{"pid", "email", "", "other"}, []string{"pid", "hike"}, []string{"other"})
	require.NoError(t, err)
	require.Equal(t, Drift{Unmapped: []string{"email", ""}, Missing: []string{"hike"}}, drift)
	_, err = Fit([]string{"pid", "hike", "pid"}, []string{"pid", "hike"}, nil)
	require.ErrorContains(t, err, `repeats the columns "pid"`)
	require.Equal(t, errkind.BadInput, errkind.Of(err))
}

func TestColumns(t *testing.T) {
	group, _ := xdm.BuiltInGroup("Partner Prospect Details (Sample)")
	schema, err := xdm.Compose("s", []xdm.Group{group})
	require.NoError(t, err)
	columns, err := Columns([]mapping.Target{{Field: "partner.hiking", Column: "hike"}, {Field: "partnerID", Column: "pid"}}, schema)
	require.NoError(t, err)
	require.Equal(t, "partner.hiking", columns[0].Field.Path)
	_, err = Columns([]mapping.Target{{Field: "no.field"}}, schema)
	require.Equal(t, errkind.Internal, errkind.Of(err))
}

func TestReasonsAreReadAsTheyWereWritten(t *testing.T) {
	for _, r := range []Reason{{Code: WrongType, Field: "a.b"}, {Code: CorruptRow, Detail: "column count"}, {Code: Unmappable, Field: "a.b", Detail: "date"}, {Code: TooLarge}} {
		require.Equal(t, r, ParseReason(r.String()))
	}
}

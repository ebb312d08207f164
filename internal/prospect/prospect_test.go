package prospect

import (
	"testing"

	"github.com/stretchr/testify/require"

	"prospector/internal/errkind"
	"prospector/internal/xdm"
)

// EC-15: the header decides which column is which; a wrong one is refused as a whole.
func TestBind(t *testing.T) {
	group, _ := xdm.BuiltInGroup("Partner Prospect Details (Sample)")
	schema, err := xdm.Compose("s", []xdm.Group{group})
	require.NoError(t, err)
	mapping := map[string]string{"pid": "partnerID", "hike": "partner.hiking"}
	columns, err := Bind([]string{"name", "hike", " pid "}, mapping, []string{"name"}, schema)
	require.NoError(t, err)
	require.Equal(t, []int{1, 2}, []int{columns[0].Index, columns[1].Index})
	require.Equal(t, "partner.hiking", columns[0].Field.Path)

	for want, header := range map[string][]string{
		`lacks the mapped columns "hike"`:  {"pid"},
		`has the unmapped columns "email"`: {"pid", "hike", "email"},
		`repeats the columns "pid"`:        {"pid", "hike", "pid"},
	} {
		_, err := Bind(header, mapping, nil, schema)
		require.ErrorContains(t, err, want)
		require.Equal(t, errkind.BadInput, errkind.Of(err))
	}
}

package audience_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"prospector/internal/audience"
	"prospector/internal/xdm"
)

// What a rule makes certain is read from it, through other audiences too, and never too much is claimed.
func TestBounds(t *testing.T) {
	fields := audience.Fields{}
	for _, path := range []string{"p.state", "p.hiking"} {
		fields.Add(xdm.Field{Path: path, Type: xdm.String})
	}
	state := func(values ...string) map[string][]string { return map[string][]string{"p.state": values} }
	for rule, want := range map[string]audience.Bounds{
		"p.state = 'CA'": {Confined: state("CA")},
		"p.state IN ('NY', 'CA') AND p.hiking <> 'N'":                   {Confined: state("CA", "NY")},
		"p.state IN ('NY', 'CA') AND p.state IN ('NY', 'TX')":           {Confined: state("NY")},
		"p.state = 'CA' OR p.state = 'NY'":                              {Confined: state("CA", "NY")},
		"p.state = 'CA' OR p.hiking = 'Y'":                              {},
		"p.state <> 'CA'":                                               {},
		"NOT (p.state <> 'CA')":                                         {Confined: state("CA")},
		"NOT (p.state <> 'CA' OR p.hiking = 'N')":                       {Confined: state("CA")},
		"NOT (p.state <> 'CA' AND p.hiking = 'N')":                      {},
		"(p.state = 'CA') IS TRUE":                                      {Confined: state("CA")},
		"(p.state = 'CA') IS NOT TRUE":                                  {},
		"lower(p.state) = 'ca'":                                         {},
		"p.state = p.hiking":                                            {},
		"p.hiking = 'Y' AND NOT audience('blocked')":                    {Confined: map[string][]string{"p.hiking": {"Y"}}, Excluded: []string{"blocked"}},
		"p.hiking = 'Y' OR NOT audience('blocked')":                     {},
		"audience('blocked')":                                           {},
		"audience('west') AND p.hiking = 'Y'":                           {Confined: map[string][]string{"p.hiking": {"Y"}, "p.state": {"CA", "OR"}}, Excluded: []string{"blocked"}},
		"audience('west') OR (p.state = 'WA')":                          {Confined: state("CA", "OR", "WA")},
		"NOT audience('west') AND p.state = 'CA'":                       {Confined: state("CA"), Excluded: []string{"west"}},
		"NOT (audience('blocked') OR p.hiking = 'N')":                   {Excluded: []string{"blocked"}},
		"p.state IN ('NY') AND p.state IN ('TX', 'CA')":                 {Confined: map[string][]string{"p.state": nil}},
		"CASE WHEN p.hiking = 'Y' THEN p.state ELSE 'CA' END IN ('CA')": {},
		"(p.state = 'CA' AND p.hiking = 'Y') OR p.state = 'TX'":         {Confined: state("CA", "TX")},
	} {
		parsed, err := audience.Parse(rule, fields, audience.MayRefer("blocked", "west"))
		require.NoError(t, err, rule)
		got := parsed.Bounds(func(name string) audience.Bounds {
			if name == "west" {
				return audience.Bounds{Confined: state("CA", "OR"), Excluded: []string{"blocked"}}
			}
			return audience.Bounds{}
		})
		require.Len(t, got.Confined, len(want.Confined), rule)
		for path, values := range want.Confined {
			require.Contains(t, got.Confined, path, rule)
			require.ElementsMatch(t, values, got.Confined[path], rule)
		}
		require.ElementsMatch(t, want.Excluded, got.Excluded, rule)
		require.Equal(t, rule == "p.state IN ('NY') AND p.state IN ('TX', 'CA')", got.Nobody(), rule)
	}
}

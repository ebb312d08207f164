package governance

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Each term of a contract by itself: what it allows and what it refuses, and that it says nothing of others' data.
func TestContractTerms(t *testing.T) {
	day := func(text string) time.Time {
		out, err := time.Parse(time.DateTime, text)
		require.NoError(t, err)
		return out
	}
	contract := Contract{Name: "acme", Datasets: []string{"acme"}, Purposes: []string{"Analytics", "Data Science"}, Destinations: []string{"lab"},
		Starts: day("2026-01-01 00:00:00"), Ends: day("2027-01-01 00:00:00"), MostRows: 10, MostActivations: 2, Field: "p.state", Values: []string{"CA", "NY"}, Suppression: "blocked"}
	allowed := func() Departure {
		return Departure{Destination: "lab", MarketingActions: []string{"Analytics"}, Datasets: []string{"acme"}, Confined: map[string][]string{"p.state": {"CA"}},
			Excluded: []string{"blocked"}, Now: day("2026-12-31 23:59:59"), Rows: map[string]int64{"acme": 10, "merk": 1000}, Deliveries: map[string]int64{"acme": 1}}
	}
	require.Empty(t, Judge([]Contract{contract}, allowed()))
	for name, c := range map[string]struct {
		change func(*Departure)
		terms  []string
	}{
		"another's data":      {func(d *Departure) { *d = Departure{Destination: "shop", Datasets: []string{"merk"}} }, nil},
		"another purpose":     {func(d *Departure) { d.MarketingActions = []string{"Analytics", "Email Targeting"} }, []string{Purposes}},
		"no purpose":          {func(d *Departure) { d.MarketingActions = nil }, []string{Purposes}},
		"another destination": {func(d *Departure) { d.Destination = "shop" }, []string{Destinations}},
		"too early":           {func(d *Departure) { d.Now = day("2025-12-31 23:59:59") }, []string{Starts}},
		"first day":           {func(d *Departure) { d.Now = day("2026-01-01 00:00:00") }, nil},
		"too late":            {func(d *Departure) { d.Now = day("2027-01-01 00:00:00") }, []string{Ends}},
		"no time":             {func(d *Departure) { d.Now = time.Time{} }, nil},
		"one row more":        {func(d *Departure) { d.Rows["acme"] = 11 }, []string{MostRows}},
		"rows not known":      {func(d *Departure) { d.Rows = nil }, nil},
		"one delivery more":   {func(d *Departure) { d.Deliveries["acme"] = 2 }, []string{MostActivations}},
		"another state":       {func(d *Departure) { d.Confined["p.state"] = []string{"CA", "TX"} }, []string{Territory}},
		"any state":           {func(d *Departure) { d.Confined = nil }, []string{Territory}},
		"nobody":              {func(d *Departure) { d.Confined["p.state"] = nil }, nil},
		"list not published":  {func(d *Departure) { d.Unpublished = []string{"others", "blocked"} }, []string{SuppressionList}},
		"nobody left out":     {func(d *Departure) { d.Excluded = []string{"others"} }, []string{Suppression}},
		"everything wrong at all": {func(d *Departure) {
			*d = Departure{Destination: "shop", Datasets: []string{"acme"}, Now: day("2030-01-01 00:00:00")}
		}, []string{Purposes, Destinations, Ends, Territory, Suppression}},
	} {
		t.Run(name, func(t *testing.T) {
			d := allowed()
			c.change(&d)
			var terms []string
			for _, v := range Judge([]Contract{contract}, d) {
				require.Equal(t, OfContract, v.Kind)
				require.NotEmpty(t, v.Message)
				require.NotEmpty(t, v.Remedies)
				terms = append(terms, v.Term)
			}
			require.Equal(t, c.terms, terms)
		})
	}
}

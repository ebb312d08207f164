package partnerdata

import (
	"fmt"
	"io"
)

// Acme writes a comma-separated file on outdoor interests. A stretch in its middle has CRLF line
// ends; from 5,000 rows on one record is above 100 KB.
func Acme(w io.Writer, rows int, seed uint64) (Truth, error) {
	return write(w, layout{
		header: []string{"pid", "first_name", "last_name", "age_range", "zip", "state", "hiking", "bicycling", "skiing", "sailing",
			"tennis", "buyer_rating", "donor_rating", "spending_volume", "household_id"},
		delimiter: ',',
		name:      2,
		ways: append(structural(),
			with("state unknown", 5, "XX", "Ca", "Calif.", "ZZ", "PQ"),
			way{"ZIP of 4 digits", fourDigits},
			again("interest not Y or N", 6, "yes", "y", "1", "TRUE"),
			headerAgain,
		),
		large: true,
		crlf:  true,
		next:  acmeNext,
	}, rows, seed)
}

type acme struct {
	pid, first, last, age  string
	zip, state             string
	interests              [5]string // hiking, bicycling, skiing, sailing, tennis
	buyer, donor, spending string
	household              string
}

func (a acme) fields() []string {
	return append(append([]string{a.pid, a.first, a.last, a.age, a.zip, a.state}, a.interests[:]...),
		a.buyer, a.donor, a.spending, a.household)
}

// changed is the person a year later: the interest in hiking is another in any case.
func (a acme) changed(g *generator) record {
	hiking := "Y"
	if a.interests[0] == "Y" {
		hiking = "N"
	}
	a.attributes(g)
	a.interests[0] = hiking
	return a
}

func acmeNext(g *generator, index int) record {
	home := g.household(index)
	a := acme{pid: fmt.Sprintf("AC-%08X", g.number(index)), last: home.last, zip: home.zip, state: home.state.code, household: home.id}
	names := women
	if g.chance(490) {
		names = men
	}
	a.first = g.pick(names)
	switch {
	case g.chance(12):
		a.first += ` "` + g.pick(nicknames) + `"`
	case g.chance(15):
		a.last += []string{", Jr.", ", Sr.", ", III", ", MD"}[g.below(4)]
	}
	a.attributes(g)
	g.blank(&a.zip, 15)
	g.blank(&a.state, 8)
	g.blank(&a.household, 30)
	return a
}

// attributes draws what the partner infers about a person.
func (a *acme) attributes(g *generator) {
	age := g.index(ages)
	a.age = ages[age].value
	climate := climates[a.state]
	old := max(age-2, 0) // 0 to 45, then one more per range
	for i, perMille := range [...]int{
		/* hiking    */ 320 - 55*old + 130*climate.mountains + 30*climate.coast,
		/* bicycling */ 250 - 45*old + 40*climate.mountains + 20*climate.coast,
		/* skiing    */ 90 - 20*old + 120*climate.mountains + 60*climate.snow - 50*climate.heat,
		/* sailing   */ 22 + 8*age + 45*climate.coast,
		/* tennis    */ 80 - 8*old + 15*climate.heat,
	} {
		switch {
		case g.chance(60):
			a.interests[i] = ""
		case g.chance(max(perMille, 10)):
			a.interests[i] = "Y"
		default:
			a.interests[i] = "N"
		}
	}
	a.buyer = g.pick(ratings)
	a.donor = donors[min(g.below(4)+g.below(4)+age/2, len(donors)-1)]
	a.spending = g.pick(spendings)
	g.blank(&a.age, 20)
	g.blank(&a.buyer, 50)
	g.blank(&a.donor, 150)
	g.blank(&a.spending, 40)
}

// fourDigits is what a spreadsheet leaves of a ZIP code of New England or New Jersey.
func fourDigits(g *generator, r record) []byte {
	fields := r.fields()
	home := g.zipOf(stateOf([]string{"MA", "NJ", "CT", "ME", "NH", "RI", "VT"}[g.below(7)]))
	fields[4], fields[5] = home.zip[1:], home.state.code
	return join(fields, g.delimiter)
}

var (
	ages = weighted{{"18-24", 117}, {"25-34", 174}, {"35-44", 170}, {"45-54", 158}, {"55-64", 161}, {"65+", 220}}

	ratings   = weighted{{"A", 8}, {"B", 17}, {"C", 30}, {"D", 27}, {"E", 18}}
	donors    = []string{"1", "2", "3", "4", "5", "6", "7", "8", "9"}
	spendings = weighted{{"$0-$49", 18}, {"$50-$99", 22}, {"$100-$249", 27}, {"$250-$499", 18}, {"$500-$999", 10}, {"$1,000+", 5}}
)

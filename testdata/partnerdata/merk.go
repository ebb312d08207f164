package partnerdata

import (
	"fmt"
	"io"
	"strconv"
)

// Merk writes a pipe-delimited file on households, with a byte order mark at its beginning.
func Merk(w io.Writer, rows int, seed uint64) (Truth, error) {
	return write(w, layout{
		start: "\ufeff",
		header: []string{"merk_id", "full_name", "birthdate", "age", "gender", "education", "marital_status", "occupation",
			"household_count", "state"},
		delimiter: '|',
		name:      1,
		ways: append(structural(),
			with("age not a number", 3, "n/a", "unknown", "44.5", "4o"),
			again("age out of range", 3, "203", "-1", "999"),
			with("birthdate not a date", 2, "31/02/1980", "1980-02-31", "07/1969", "0000-00-00"),
			with("household count not whole", 8, "2.0", "3,0", "2+"),
		),
		next: merkNext,
	}, rows, seed)
}

type merk struct {
	id, name, birthdate, age, gender     string
	education, marital, occupation, home string
	state                                string
}

func (m merk) fields() []string {
	return []string{m.id, m.name, m.birthdate, m.age, m.gender, m.education, m.marital, m.occupation, m.home, m.state}
}

// changed is the person a year later: the size of the household is another in any case.
func (m merk) changed(g *generator) record {
	before := m.home
	m.attributes(g)
	if m.home == before {
		size, _ := strconv.Atoi(before)
		m.home = strconv.Itoa(size%9 + 1)
	}
	return m
}

func merkNext(g *generator, index int) record {
	home := g.household(index)
	m := merk{id: fmt.Sprintf("M%010d", g.number(index)), state: home.state.code, gender: "F"}
	names := women
	if g.chance(490) {
		m.gender, names = "M", men
	}
	m.name = g.pick(names) + " " + home.last
	//nolint:gocritic // each case draws anew
	switch {
	case g.chance(10):
		m.name = g.pick(names) + ` "` + g.pick(nicknames) + `" ` + home.last
	case g.chance(10):
		m.name = home.last + "|" + g.pick(lastNames) + ", " + g.pick(names)
	case g.chance(20):
		m.name += ", Jr."
	}
	m.attributes(g)
	if g.chance(20) {
		m.gender = "U"
	}
	g.blank(&m.gender, 15)
	g.blank(&m.state, 10)
	return m
}

// attributes draws what the partner knows or infers about a person.
func (m *merk) attributes(g *generator) {
	from := [...]int{18, 25, 35, 45, 55, 65}
	band := g.index(ages)
	age := from[band] + g.below(10)
	if band == 0 {
		age = from[0] + g.below(7)
	}
	if band == 5 {
		age = 65 + (g.below(31)+g.below(31))/2
	}
	const year = 2026 // of the delivery; only month and year of a birth are known
	m.age = strconv.Itoa(age)
	m.birthdate = fmt.Sprintf("%d-%02d-01", year-1-age+g.below(2), 1+g.below(12))
	m.education = g.pick(educations)
	m.marital = g.pick([]weighted{young, middle, older}[band/2])
	switch {
	case band == 5 && g.chance(850):
		m.occupation = "Retired"
	case band == 0 && g.chance(400):
		m.occupation = "Student"
	default:
		m.occupation = g.pick(occupations)
	}
	m.home = g.pick(alone)
	if m.marital == "M" {
		m.home = g.pick(families[band/2])
	}
	g.blank(&m.birthdate, 180)
	g.blank(&m.age, 30)
	g.blank(&m.education, 80)
	g.blank(&m.marital, 40)
	g.blank(&m.occupation, 120)
	g.blank(&m.home, 20)
}

// Marital status by age, and the size of a household by who lives in it.
var (
	young  = weighted{{"S", 68}, {"M", 28}, {"D", 4}}
	middle = weighted{{"S", 22}, {"M", 61}, {"D", 15}, {"W", 2}}
	older  = weighted{{"S", 10}, {"M", 57}, {"D", 15}, {"W", 18}}

	alone    = weighted{{"1", 55}, {"2", 22}, {"3", 12}, {"4", 7}, {"5", 3}, {"6", 1}}
	families = []weighted{
		{{"2", 48}, {"3", 26}, {"4", 16}, {"5", 7}, {"6", 2}, {"7", 1}},
		{{"2", 24}, {"3", 24}, {"4", 29}, {"5", 14}, {"6", 6}, {"7", 2}, {"8", 1}},
		{{"2", 66}, {"3", 19}, {"4", 9}, {"5", 4}, {"6", 2}},
	}

	educations  = weighted{{"High School", 28}, {"Some College", 20}, {"Vocational", 10}, {"College", 23}, {"Graduate", 14}, {"Less than HS", 5}}
	occupations = weighted{{"Professional/Technical", 22}, {"Administrative/Managerial", 17}, {"Sales/Service", 16}, {"Clerical/White Collar", 13},
		{"Craftsman/Blue Collar", 15}, {"Homemaker", 6}, {"Self Employed", 6}, {"Military", 1}, {"Farmer", 1}, {"Other", 3}}
)

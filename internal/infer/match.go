package infer

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"prospector/internal/xdm"
)

// words splits a column's name as people read it: "FirstName", "first_name" and "FIRST NAME" are the same.
func words(name string) []string {
	var out []string
	var word strings.Builder
	end := func() {
		if word.Len() > 0 {
			out = append(out, strings.ToLower(word.String()))
			word.Reset()
		}
	}
	runes := []rune(name)
	for i, r := range runes {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			end()
			continue
		}
		if unicode.IsUpper(r) && i > 0 && (unicode.IsLower(runes[i-1]) || unicode.IsDigit(runes[i-1]) ||
			unicode.IsUpper(runes[i-1]) && i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			end()
		}
		word.WriteRune(r)
	}
	end()
	return out
}

// plain is a name without case, spaces and signs.
func plain(name string) string { return strings.Join(words(name), "") }

// leafName makes a field's name, such as householdID of household_id.
func leafName(name string, position int) string {
	var out strings.Builder
	for _, word := range words(name) {
		word = strings.Map(func(r rune) rune {
			if r < 0x80 {
				return r
			}
			return -1
		}, word)
		switch {
		case word == "":
		case out.Len() == 0:
			out.WriteString(word)
		case word == "id":
			out.WriteString("ID")
		default:
			out.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	if out.Len() == 0 {
		return fmt.Sprintf("column%d", position+1)
	}
	return out.String()[:min(out.Len(), 60)]
}

// heading is a column's name as a title.
func heading(name string) string {
	text := []rune(strings.Join(words(name), " "))
	if len(text) == 0 {
		return name
	}
	text[0] = unicode.ToUpper(text[0])
	return string(text)
}

func set(texts string) map[string]bool {
	out := map[string]bool{}
	for _, text := range strings.Fields(texts) {
		out[text] = true
	}
	return out
}

var (
	personalNames = set(`name names firstname lastname middlename fullname givenname familyname surname forename maidenname nickname fname lname mname
		firstnm lastnm middleinitial email emailaddress mail phone phonenumber telephone tel mobile mobilenumber cell cellphone fax address addr
		streetaddress street dob dateofbirth birthdate birthday dateofdeath ssn sin nin passport iban ip ipaddress vorname nachname strasse telefon geburtsdatum
		nom prenom apellido nombre`)
	personalWords = set(`email phone telephone mobile fax surname forename ssn passport iban dob birthdate birthday address addr address1 address2 addr1 addr2
		street fullname firstname lastname`)
	personalPairs = set(`first+name last+name middle+name full+name given+name family+name maiden+name contact+name person+name customer+name prospect+name
		first+nm last+nm birth+date birth+day birth+dt home+phone social+security drivers+license driver+license ip+address e+mail`)
	// What follows makes a fact about an identifier of it, not the identifier.
	factWords = set(`flag ind indicator type count cnt opt optin optout status opens clicks quality match consent valid verified score domain carrier present available`)

	codeWords = set(`id ids pid uid uuid guid key code zip zip4 zip5 zipcode postal postalcode postcode plz fips isbn sku account number no nr`)
	zipWords  = set(`zip zip5 zipcode postal postalcode postcode plz`)
)

// personal reports whether a column seems to hold a direct identifier.
func personal(e *evidence) bool {
	if e.values > 0 && e.contacts*10 >= e.values { // some are enough, whatever its name is
		return true
	}
	w := words(e.name)
	if len(w) == 0 || factWords[w[len(w)-1]] || len(w) > 1 && factWords[w[len(w)-2]] {
		return false
	}
	if personalNames[plain(e.name)] {
		return true
	}
	for i, word := range w {
		if personalWords[word] || i+1 < len(w) && personalPairs[word+"+"+w[i+1]] {
			return true
		}
	}
	return false
}

// codeName reports whether a name promises codes, whose digits are no number even without leading zeroes.
func codeName(name string) bool {
	w := words(name)
	return len(w) > 0 && (codeWords[w[len(w)-1]] || zipName(name))
}

func zipName(name string) bool {
	w := words(name)
	return len(w) > 0 && (zipWords[w[len(w)-1]] || zipWords[plain(name)] || len(w) > 1 && w[len(w)-2] == "postal")
}

// identityNames are names of identifiers of a person at a partner, the best first.
var identityNames = []string{"partnerid", "pid", "prospectid", "personid", "individualid", "consumerid", "customerid", "memberid", "recordid", "id", "uid", "uuid", "guid", "key"}

// otherThings are what an id may be of that is no person.
var otherThings = set(`household hh residence home address property device cookie session batch file campaign segment order transaction store zip list product
	company business employer account vendor source provider job category type status state county country region city block geo tract market dma`)

const (
	noIdentity   = 1000
	byValuesOnly = 100
)

// identityRank orders names of possible identifiers.
func identityRank(e *evidence, partner string) int {
	name, w := plain(e.name), words(e.name)
	if i := slices.Index(identityNames, name); i >= 0 {
		return i * 2
	}
	if name == plain(partner)+"id" || name == plain(partner)+"pid" {
		return 3 // right behind pid
	}
	if len(w) > 1 && (w[len(w)-1] == "id" || w[len(w)-1] == "pid" || w[len(w)-1] == "key") && !otherThings[w[len(w)-2]] {
		return len(identityNames) * 2
	}
	if len(w) > 0 && codeWords[w[len(w)-1]] { // of something else
		return noIdentity
	}
	if e.values >= patternRows && e.missing() == 0 && e.distinct() == e.values && e.shortest == e.longest && e.shortest >= 6 && e.withDigit == e.values &&
		e.withSpace == 0 && e.fits[xdm.DateTime] == 0 && e.otherDates == 0 && e.fits[xdm.Number] == e.fits[xdm.Integer] {
		return byValuesOnly
	}
	return noIdentity
}

// identify chooses the column that identifies a prospect, or says that a person must.
func (p *Proposal) identify(columns []*evidence) {
	best, bestRank := -1, noIdentity
	for i, e := range columns {
		if p.Columns[i].Use != UseField {
			continue
		}
		rank := identityRank(e, p.Name)
		if rank == noIdentity {
			continue
		}
		switch duplicates := e.values - e.distinct(); {
		case e.values == 0:
		case e.stopped || !fewer(duplicates, p.Sample.Rows):
			p.Notes = append(p.Notes, fmt.Sprintf("%s is called like an identifier, but too many of its values are repeated (2 %% and more)", quoted(e.name)))
		case !few(e.missing(), p.Sample.Rows): // such rows would be refused
			p.Notes = append(p.Notes, fmt.Sprintf("%s is called like an identifier, but is missing in %d of %d rows", quoted(e.name), e.missing(), p.Sample.Rows))
		case rank < bestRank:
			best, bestRank = i, rank
		}
	}
	if best < 0 {
		p.Notes = append(p.Notes, "no column identifies a prospect beyond doubt: choose one yourself")
		return
	}
	e, c := columns[best], &p.Columns[best]
	p.Identity = &Identity{Column: c.Name, Missing: e.missing(), Duplicates: e.values - e.distinct(), ByName: bestRank < byValuesOnly}
	c.Use, c.Type, c.Path, c.FieldType, c.Group = UseIdentity, xdm.String, xdm.PartnerID, xdm.String, xdm.ProspectClassTitle
	c.Refused = e.missing()
	if c.Refused > 0 {
		c.note("missing in %d of %d rows, which would be refused", c.Refused, p.Sample.Rows)
	}
	if n := p.Identity.Duplicates; n > 0 {
		c.note("%d rows repeat an earlier one's", n)
	}
	if !p.Identity.ByName {
		c.note("chosen by its values alone: is it the partner's identifier of a person?")
	}
}

// alike are other names of built-in fields.
var alike = map[string]string{"agerange": "agerangeinhousehold", "education": "edication", "educationlevel": "edication", "householdcount": "individualcount",
	"householdsize": "individualcount", "dateofbirth": "birthdate", "dob": "birthdate", "sex": "gender"}

// anyones are built-in fields whose names any partner may use: one of them alone does not speak for a group.
var anyones = set(`age gender birthdate occupation maritalstatus edication individualcount condition garage style`)

// candidate is a built-in field that a column may fill.
type candidate struct {
	field  xdm.Field
	weight int // 2 when the name is the field's own
	alike  bool
}

// candidateIn finds the column's field in a group.
func candidateIn(g xdm.Group, e *evidence) (candidate, bool) {
	name := plain(e.name)
	for _, other := range []string{name, alike[name]} {
		for _, f := range g.Fields {
			leaf := f.Path[strings.LastIndexByte(f.Path, '.')+1:]
			if other == "" || plain(leaf) != other || f.Container != xdm.Single || f.System || !e.suits(f.Type) {
				continue
			}
			c := candidate{field: f, weight: 2, alike: other != name}
			if c.alike || anyones[other] {
				c.weight = 1
			}
			return c, true
		}
	}
	return candidate{}, false
}

// match gives columns to built-in field groups, the group that fits most columns first. A group that
// only shares a common word or two with the file is left out.
func (p *Proposal) match(columns []*evidence) {
	groups := xdm.BuiltInGroups()
	taken := map[string]bool{}
	open := func(i int) bool { return p.Columns[i].Path == "" && p.Columns[i].Use != UseIgnored }
	for {
		best, bestWeight := -1, 0
		for g, group := range groups {
			weight, strongest := 0, 0
			for i, e := range columns {
				if c, ok := candidateIn(group, e); ok && open(i) && p.Columns[i].Use == UseField {
					weight, strongest = weight+c.weight, max(strongest, c.weight)
				}
			}
			if enough := weight >= 2 && (len(p.Groups) == 0 || strongest == 2); enough && weight > bestWeight {
				best, bestWeight = g, weight
			}
		}
		if best < 0 {
			return
		}
		group := groups[best]
		groups = slices.Delete(groups, best, best+1)
		p.Groups = append(p.Groups, group.Title)
		for i, e := range columns {
			c, ok := candidateIn(group, e)
			if !ok || !open(i) || taken[c.field.Path] {
				continue
			}
			taken[c.field.Path] = true
			column := &p.Columns[i]
			column.Path, column.Group, column.FieldType = c.field.Path, group.Title, c.field.Type
			if c.alike {
				column.note("another name: is it the same thing?")
			}
		}
	}
}

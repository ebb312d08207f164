package governance

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Terms of a contract.
const (
	Purposes        = "purposes"
	Destinations    = "destinations"
	Starts          = "licence start"
	Ends            = "licence end"
	MostRows        = "mostRows"
	MostActivations = "mostActivations"
	Territory       = "territory"
	Suppression     = "suppression"
	SuppressionList = "suppression audience"
)

// Contract holds what a partner allows with some datasets. What is empty or zero is not bounded, purposes aside.
type Contract struct {
	Name            string
	Datasets        []string
	Purposes        []string // marketing actions
	Destinations    []string
	Starts          time.Time
	Ends            time.Time // the first instant at which it holds no more
	MostRows        int64     // of one delivery
	MostActivations int64     // deliveries in its time
	Field           string    // whose values must be among Values
	Values          []string
	Suppression     string // audience whose members must be left out
	Attribution     string
	At              map[string]string // where each term is written
}

// Departure is one audience of an activation on its way out, as contracts see it. Counts and the time are facts that the caller
// brings; what it does not know is not judged.
type Departure struct {
	Destination      string
	MarketingActions []string
	Datasets         []string            // whose rows leave
	Confined         map[string][]string // fields that can have these values only, by the rule
	Excluded         []string            // audiences whose members are left out, by the rule
	Unpublished      []string            // audiences that are not published
	Now              time.Time           // zero: not known
	Rows             map[string]int64    // of the whole delivery by dataset; nil: not known
	Deliveries       map[string]int64    // made before, by contract; nil: not known
}

// Covers reports whether some of the contract's data leaves.
func (c Contract) Covers(d Departure) bool { return len(c.covered(d)) > 0 }

func (c Contract) covered(d Departure) []string {
	return slices.DeleteFunc(slices.Clone(c.Datasets), func(name string) bool { return !slices.Contains(d.Datasets, name) })
}

// Judge returns the violations of contracts, contract by contract and term by term.
func Judge(contracts []Contract, d Departure) (out []Violation) {
	for _, c := range contracts {
		if c.Covers(d) {
			out = append(out, c.judge(d)...)
		}
	}
	return out
}

func (c Contract) judge(d Departure) (out []Violation) {
	breach := func(term, remedy, format string, args ...any) {
		v := Violation{Kind: OfContract, Policy: c.Name, At: c.At[term], Term: term, Message: fmt.Sprintf(format, args...), Remedies: []string{remedy}}
		for _, dataset := range c.covered(d) {
			v.Fields = append(v.Fields, FieldUse{Dataset: dataset})
		}
		out = append(out, v)
	}
	if len(d.MarketingActions) == 0 {
		breach(Purposes, fmt.Sprintf("set marketingActions of destination %s", d.Destination), "destination %s does not say what the data is used for, and only %s is allowed", d.Destination, strings.Join(c.Purposes, ", "))
	}
	for _, action := range d.MarketingActions {
		if !slices.Contains(c.Purposes, action) {
			breach(Purposes, fmt.Sprintf("use a destination for %s only", strings.Join(c.Purposes, ", ")), "%s is not among its purposes", action)
			out[len(out)-1].MarketingAction = action
		}
	}
	if len(c.Destinations) > 0 && !slices.Contains(c.Destinations, d.Destination) {
		breach(Destinations, "use "+strings.Join(c.Destinations, " or "), "destination %s is not among those that it allows", d.Destination)
	}
	switch {
	case d.Now.IsZero():
	case d.Now.Before(c.Starts):
		breach(Starts, "wait until then", "its licence starts on %s", c.Starts.Format(time.DateOnly))
	case !c.Ends.IsZero() && !d.Now.Before(c.Ends):
		breach(Ends, "renew the licence", "its licence ended on %s", c.Ends.AddDate(0, 0, -1).Format(time.DateOnly))
	}
	if rows := c.rows(d); c.MostRows > 0 && rows > c.MostRows {
		breach(MostRows, "limit the audience: limit: {profiles: …}", "the delivery holds %d rows, %d are allowed", rows, c.MostRows)
	}
	if made, known := d.Deliveries[c.Name]; c.MostActivations > 0 && known && made >= c.MostActivations {
		breach(MostActivations, "agree on more deliveries", "%d deliveries were made, %d are allowed", made, c.MostActivations)
	}
	if c.Field != "" {
		values, confined := d.Confined[c.Field]
		outside := slices.DeleteFunc(slices.Clone(values), func(v string) bool { return slices.Contains(c.Values, v) })
		remedy := fmt.Sprintf("make the rule (…) AND %s IN ('%s')", c.Field, strings.Join(c.Values, "', '"))
		switch {
		case !confined:
			breach(Territory, remedy, "the rule does not confine %s to the values that it allows: %s", c.Field, some(c.Values))
		case len(outside) > 0:
			breach(Territory, remedy, "the rule lets %s be %s, which it does not allow", c.Field, some(outside))
		}
	}
	if c.Suppression != "" && !slices.Contains(d.Excluded, c.Suppression) {
		breach(Suppression, fmt.Sprintf("make the rule (…) AND NOT audience('%s')", c.Suppression), "the rule does not leave out the members of audience %s", c.Suppression)
	}
	if slices.Contains(d.Unpublished, c.Suppression) {
		breach(SuppressionList, "publish audience "+c.Suppression, "audience %s, whose members must be left out, is not published", c.Suppression)
	}
	return out
}

// rows is how many rows of the contract's datasets leave.
func (c Contract) rows(d Departure) (out int64) {
	for _, name := range c.covered(d) {
		out += d.Rows[name]
	}
	return out
}

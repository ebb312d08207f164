package partnerdata

import (
	"fmt"
	"strings"
)

// state is a state, its population in thousands and the first three digits of its ZIP codes.
type state struct {
	code       string
	population int
	prefixes   string
}

// states holds the 50 states and DC, with their population of 2023.
var states = []state{
	{"AL", 5108, "350-352 354-369"}, {"AK", 733, "995-999"}, {"AZ", 7431, "850-853 855-857 859-860 863-865"},
	{"AR", 3068, "716-729"}, {"CA", 38965, "900-908 910-928 930-961"}, {"CO", 5878, "800-816"}, {"CT", 3617, "060-069"},
	{"DE", 1032, "197-199"}, {"DC", 679, "200 202-205"}, {"FL", 22611, "320-339 341-342 344 346-347 349"},
	{"GA", 11029, "300-319 398-399"}, {"HI", 1435, "967-968"}, {"ID", 1965, "832-838"}, {"IL", 12550, "600-629"},
	{"IN", 6862, "460-479"}, {"IA", 3207, "500-516 520-528"}, {"KS", 2941, "660-662 664-679"}, {"KY", 4526, "400-427"},
	{"LA", 4574, "700-701 703-708 710-714"}, {"ME", 1396, "039-049"}, {"MD", 6180, "206-212 214-219"},
	{"MA", 7001, "010-027"}, {"MI", 10037, "480-499"}, {"MN", 5738, "550-551 553-567"}, {"MS", 2940, "386-397"},
	{"MO", 6196, "630-631 633-641 644-658"}, {"MT", 1133, "590-599"}, {"NE", 1978, "680-681 683-693"},
	{"NV", 3194, "889-891 893-895 897-898"}, {"NH", 1402, "030-038"}, {"NJ", 9291, "070-089"},
	{"NM", 2114, "870-871 873-875 877-884"}, {"NY", 19571, "100-149"}, {"NC", 10835, "270-289"}, {"ND", 784, "580-588"},
	{"OH", 11786, "430-458"}, {"OK", 4054, "730-731 734-749"}, {"OR", 4233, "970-979"}, {"PA", 12962, "150-196"},
	{"RI", 1096, "028-029"}, {"SC", 5374, "290-299"}, {"SD", 919, "570-577"}, {"TN", 7126, "370-385"},
	{"TX", 30503, "750-770 772-799"}, {"UT", 3418, "840-847"}, {"VT", 647, "050-054 056-059"}, {"VA", 8716, "201 220-246"},
	{"WA", 7813, "980-986 988-994"}, {"WV", 1770, "247-268"}, {"WI", 5911, "530-532 534-535 537-549"}, {"WY", 584, "820-831"},
}

func stateOf(code string) state {
	for _, s := range states {
		if s.code == code {
			return s
		}
	}
	panic("no state " + code)
}

// climate is what makes people ski or sail; each is 0 or 1.
type climate struct{ mountains, coast, snow, heat int }

var climates = func() map[string]climate {
	out := map[string]climate{}
	for _, s := range states {
		in := func(list string) int {
			if strings.Contains(list, s.code) {
				return 1
			}
			return 0
		}
		out[s.code] = climate{
			mountains: in("AK CO ID MT NH NM NV OR UT VT WA WY"),
			coast:     in("ME NH MA RI CT NY NJ DE MD VA NC SC GA FL CA OR WA HI AK"),
			snow:      in("AK CO ID ME MA MI MN MT ND NH NY PA SD UT VT WA WI WY"),
			heat:      in("AL AR AZ FL GA HI LA MS OK SC TX"),
		}
	}
	return out
}()

// household is where a person lives, and with whom.
type household struct {
	id, last, zip string
	state         state
	left          int // records that still belong to it
}

// household returns the previous record's household or a new one.
func (g *generator) household(index int) household {
	if g.previous.left > 0 {
		g.previous.left--
		return g.previous
	}
	home := g.zipOf(g.state())
	home.id = fmt.Sprintf("H%010d", g.number(index))
	home.last = g.pick(lastNames)
	if g.chance(250) {
		home.left = 1 + g.below(3)
	}
	g.previous = home
	return home
}

var population = func() (sum int) {
	for _, s := range states {
		sum += s.population
	}
	return sum
}()

func (g *generator) state() state {
	n := g.below(population)
	for _, s := range states {
		if n -= s.population; n < 0 {
			return s
		}
	}
	panic("beyond the last state")
}

// zipOf returns a household in s: its ZIP code begins as one of that state.
func (g *generator) zipOf(s state) household {
	var prefixes []int
	for _, part := range strings.Fields(s.prefixes) {
		from, to := 0, 0
		if n, _ := fmt.Sscanf(part, "%d-%d", &from, &to); n == 1 {
			to = from
		}
		for p := from; p <= to; p++ {
			prefixes = append(prefixes, p)
		}
	}
	return household{state: s, zip: fmt.Sprintf("%03d%02d", prefixes[g.below(len(prefixes))], 1+g.below(99))}
}

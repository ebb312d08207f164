package expression

import (
	"regexp/syntax"
)

// Bounds of a rule. A rule at its bounds is checked in milliseconds and runs in one scan.
const (
	MaxBytes        = 64 << 10 // of the text
	MaxDepth        = 100      // of the tree, and of brackets
	MaxNodes        = 10_000
	MaxList         = 5_000 // constants of one IN or list
	MaxPattern      = 1_000 // bytes of a pattern
	maxInstructions = 4_000 // of a compiled regular expression
	maxShift        = 10_000 * 366 * 24 * 60 * 60
)

// pattern checks a regular expression: RE2's syntax, as Go and DuckDB have it. RE2 runs in time linear in the text,
// so that only the size of the compiled program needs a bound.
func pattern(n *Node, text string) error {
	if len(text) > MaxPattern {
		return Errorf(TooLarge, n.At, "", "a pattern has at most %d bytes, this one has %d", MaxPattern, len(text))
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		hint := "patterns are RE2: no look-around, no back-references"
		return Errorf(WrongValue, n.At, hint, "this is no regular expression: %s", reason(err))
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil || len(program.Inst) > maxInstructions {
		return Errorf(TooLarge, n.At, "use fewer or smaller repetitions", "this regular expression is too large")
	}
	return nil
}

// mostGroups is the highest number of a group that DuckDB hands out.
const mostGroups = 9

// groupsOf counts the groups of a checked pattern that can be asked for.
func groupsOf(text string) int {
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return 0
	}
	return min(parsed.MaxCap(), mostGroups)
}

func reason(err error) string {
	if wrong, ok := err.(*syntax.Error); ok { //nolint:errorlint // as regexp/syntax returns it
		return string(wrong.Code)
	}
	return err.Error()
}

// likePattern checks that \ is in front of a character.
func likePattern(n *Node, text string) error {
	if len(text) > MaxPattern {
		return Errorf(TooLarge, n.At, "", "a pattern has at most %d bytes, this one has %d", MaxPattern, len(text))
	}
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		if i++; i == len(text) {
			return Errorf(WrongValue, n.At, `write \\ for the character itself`, `a pattern must not end with \`)
		}
	}
	return nil
}

var seconds = map[string]int64{"millisecond": 0, "second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 7 * 86400, "month": 31 * 86400, "year": 366 * 86400}

// Units that begin at an instant, and parts of a date.
var (
	truncUnits = []string{"minute", "hour", "day", "week", "month", "quarter", "year"}
	parts      = []string{"year", "quarter", "month", "week", "day", "dow", "isodow", "doy", "hour", "minute"}
	ageUnits   = []string{"day", "month", "year"}
)

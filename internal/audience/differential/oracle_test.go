// Package differential holds generated rules against an evaluator that shares nothing with the generated SQL.
package differential

import (
	"crypto/md5"
	"encoding/binary"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"prospector/internal/audience/expression"
	"prospector/internal/xdm"
)

// row is one prospect: values by path, nil where there is none.
type row struct {
	id        string
	values    map[string]any
	audiences map[string]bool
}

// oracle evaluates a tree for one row at a time, as docs/audience-rules.md says. nil is unknown.
type oracle struct {
	row
	asOf time.Time
}

func (o oracle) verdict(n *expression.Node) expression.Verdict {
	switch o.value(n) {
	case true:
		return expression.True
	case false:
		return expression.False
	}
	return expression.Unknown
}

func (o oracle) value(n *expression.Node) any {
	switch n.Op {
	case expression.Attribute:
		return o.values[n.Word]
	case expression.Constant:
		return n.Value
	case expression.List:
		return o.all(n.Args)
	case expression.And, expression.Or:
		return o.joined(n, n.Op == expression.Or)
	case expression.Not:
		if v, ok := o.value(n.Args[0]).(bool); ok {
			return !v
		}
		return nil
	case expression.IsTrue:
		return o.value(n.Args[0]) == true
	case expression.IsNotTrue:
		return o.value(n.Args[0]) != true
	case expression.IsNull:
		return o.value(n.Args[0]) == nil
	case expression.IsNotNull:
		return o.value(n.Args[0]) != nil
	case expression.Coalesce:
		for _, arg := range n.Args {
			if v := o.value(arg); v != nil {
				return widened(v, n.Type)
			}
		}
		return nil
	case expression.If:
		if o.value(n.Args[0]) == true {
			return widened(o.value(n.Args[1]), n.Type)
		}
		return widened(o.value(n.Args[2]), n.Type)
	case expression.Now:
		return o.asOf
	case expression.Member:
		return o.audiences[n.Word]
	case expression.Split:
		return o.split(n.Word, n.Value.(expression.Range))
	}
	args := o.all(n.Args)
	if slices.Contains(args, nil) {
		return nil
	}
	return applied(o, n, args)
}

func (o oracle) all(nodes []*expression.Node) []any {
	out := make([]any, len(nodes))
	for i, n := range nodes {
		out[i] = o.value(n)
		if list, ok := out[i].([]any); ok && list == nil {
			out[i] = nil
		}
	}
	return out
}

func (o oracle) joined(n *expression.Node, decisive bool) any {
	var out any = !decisive
	for _, arg := range n.Args {
		switch v := o.value(arg); v {
		case decisive:
			return decisive
		case nil:
			out = nil
		}
	}
	return out
}

func (o oracle) split(seed string, share expression.Range) bool {
	sum := md5.Sum([]byte(seed + ":" + o.id))
	percent := float64(binary.BigEndian.Uint32(sum[:4])) / (1 << 32) * 100
	return percent >= share.From && percent < share.To
}

// applied is what is unknown as soon as one of its arguments is.
func applied(o oracle, n *expression.Node, args []any) any {
	switch n.Op {
	case expression.Equal:
		return compared(args[0], args[1]) == 0
	case expression.NotEqual:
		return compared(args[0], args[1]) != 0
	case expression.Less:
		return compared(args[0], args[1]) < 0
	case expression.LessOrEqual:
		return compared(args[0], args[1]) <= 0
	case expression.Greater:
		return compared(args[0], args[1]) > 0
	case expression.GreaterOrEqual:
		return compared(args[0], args[1]) >= 0
	case expression.In:
		return contains(args[1:], args[0])
	case expression.Like:
		return liked(args[0].(string), args[1].(string))
	case expression.ILike:
		return liked(lower(args[0].(string)), lower(args[1].(string)))
	case expression.Matches:
		return regexp.MustCompile(args[1].(string)).MatchString(args[0].(string))
	case expression.Group:
		found := regexp.MustCompile(args[1].(string)).FindStringSubmatch(args[0].(string))
		if found == nil {
			return nil
		}
		return found[args[2].(int64)]
	case expression.StartsWith:
		return strings.HasPrefix(args[0].(string), args[1].(string))
	case expression.EndsWith:
		return strings.HasSuffix(args[0].(string), args[1].(string))
	case expression.Contains:
		return strings.Contains(args[0].(string), args[1].(string))
	case expression.Lower:
		return lower(args[0].(string))
	case expression.Upper:
		return strings.ReplaceAll(strings.Map(unicode.ToUpper, args[0].(string)), "ß", "ẞ")
	case expression.Trim:
		return strings.Trim(args[0].(string), " ")
	case expression.Length:
		return int64(utf8.RuneCountInString(args[0].(string)))
	case expression.Add, expression.Subtract, expression.Multiply, expression.Divide, expression.Modulo, expression.Negate:
		return calculated(n.Op, args)
	case expression.Trunc:
		return truncated(args[0].(time.Time), n.Word)
	case expression.Shift:
		return shifted(args[0].(time.Time), n.Word, int(n.Value.(int64)))
	case expression.Part:
		return part(args[0].(time.Time), n.Word)
	case expression.Age:
		return age(args[0].(time.Time), o.asOf, n.Word)
	}
	return listed(n, args)
}

func lower(text string) string { return strings.Map(unicode.ToLower, text) }

func listed(n *expression.Node, args []any) any {
	if m, ok := args[0].(map[string]any); ok {
		switch n.Op {
		case expression.Get:
			return m[n.Word]
		case expression.Count:
			return int64(len(m))
		}
		keys, values := []any{}, []any{}
		for _, key := range slices.Sorted(mapKeys(m)) {
			keys, values = append(keys, key), append(values, m[key])
		}
		if n.Op == expression.Keys {
			return keys
		}
		return values
	}
	list := args[0].([]any)
	switch n.Op {
	case expression.Includes:
		return contains(list, args[1])
	case expression.Intersects:
		return slices.ContainsFunc(args[1].([]any), func(v any) bool { return contains(list, v) })
	case expression.SubsetOf:
		return !slices.ContainsFunc(list, func(v any) bool { return !contains(args[1].([]any), v) })
	case expression.Intersection:
		return distinct(slices.DeleteFunc(slices.Clone(list), func(v any) bool { return !contains(args[1].([]any), v) }))
	case expression.Distinct:
		return distinct(list)
	case expression.Count:
		return int64(len(list))
	}
	if len(list) == 0 {
		return nil
	}
	switch n.Op {
	case expression.Min:
		return slices.MinFunc(list, compared)
	case expression.Max:
		return slices.MaxFunc(list, compared)
	case expression.First:
		return list[0]
	}
	sum := 0.0
	for _, v := range list {
		sum += number(v)
	}
	if n.Op == expression.Average {
		sum /= float64(len(list))
	}
	return finite(sum)
}

func mapKeys(m map[string]any) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for key := range m {
			if !yield(key) {
				return
			}
		}
	}
}

func distinct(list []any) []any {
	out := slices.Clone(list)
	slices.SortFunc(out, compared)
	out = slices.CompactFunc(out, func(a, b any) bool { return compared(a, b) == 0 })
	return append([]any{}, out...)
}

func contains(list []any, v any) bool {
	return slices.ContainsFunc(list, func(each any) bool { return compared(each, v) == 0 })
}

func number(v any) float64 {
	if whole, ok := v.(int64); ok {
		return float64(whole)
	}
	return v.(float64)
}

func finite(v float64) any {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return v
}

func widened(v any, t expression.Type) any {
	if whole, ok := v.(int64); ok && t.Scalar == xdm.Number {
		return float64(whole)
	}
	return v
}

func compared(a, b any) int {
	switch a := a.(type) {
	case string:
		return strings.Compare(a, b.(string))
	case time.Time:
		return a.Compare(b.(time.Time))
	case bool:
		return map[bool]int{true: 0, false: 1}[a == b.(bool)]
	case int64:
		if b, ok := b.(int64); ok {
			switch {
			case a < b:
				return -1
			case a > b:
				return 1
			}
			return 0
		}
	}
	switch a, b := number(a), number(b); {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func calculated(op expression.Op, args []any) any {
	a := number(args[0])
	if op == expression.Negate {
		return -a
	}
	switch b := number(args[1]); op {
	case expression.Add:
		return finite(a + b)
	case expression.Subtract:
		return finite(a - b)
	case expression.Multiply:
		return finite(a * b)
	case expression.Divide:
		return finite(a / b)
	default:
		return finite(math.Mod(a, b))
	}
}

// liked matches by trying every length of %.
func liked(text, pattern string) bool {
	if pattern == "" {
		return text == ""
	}
	wanted, size := utf8.DecodeRuneInString(pattern)
	rest := pattern[size:]
	switch wanted {
	case '%':
		for i := range text {
			if liked(text[i:], rest) {
				return true
			}
		}
		return liked("", rest)
	case '\\':
		wanted, size = utf8.DecodeRuneInString(rest)
		rest = rest[size:]
	case '_':
		_, size := utf8.DecodeRuneInString(text)
		return text != "" && liked(text[size:], rest)
	}
	first, size := utf8.DecodeRuneInString(text)
	return text != "" && first == wanted && liked(text[size:], rest)
}

func truncated(t time.Time, unit string) time.Time {
	day := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	switch unit {
	case "minute":
		return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), 0, 0, time.UTC)
	case "hour":
		return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), 0, 0, 0, time.UTC)
	case "day":
		return day
	case "week":
		for day.Weekday() != time.Monday {
			day = day.AddDate(0, 0, -1)
		}
		return day
	case "month":
		return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
	case "quarter":
		return time.Date(t.Year(), (t.Month()-1)/3*3+1, 1, 0, 0, 0, 0, time.UTC)
	}
	return time.Date(t.Year(), 1, 1, 0, 0, 0, 0, time.UTC)
}

func shifted(t time.Time, unit string, count int) any {
	if t.Year() < 1 || t.Year() > 9999 {
		return nil
	}
	switch unit {
	case "year":
		count *= 12
		fallthrough
	case "month":
		first := time.Date(t.Year(), t.Month()+time.Month(count), 1, 0, 0, 0, 0, time.UTC)
		last := first.AddDate(0, 1, -1).Day()
		return time.Date(first.Year(), first.Month(), min(t.Day(), last), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
	case "week":
		return t.AddDate(0, 0, 7*count)
	case "day":
		return t.AddDate(0, 0, count)
	}
	size := map[string]int64{"hour": 3600_000_000, "minute": 60_000_000, "second": 1_000_000, "millisecond": 1000}[unit]
	return time.UnixMicro(t.UnixMicro() + int64(count)*size).UTC()
}

func part(t time.Time, part string) int64 {
	_, week := t.ISOWeek()
	return int64(map[string]int{"year": t.Year(), "quarter": (int(t.Month())-1)/3 + 1, "month": int(t.Month()), "week": week, "day": t.Day(),
		"dow": int(t.Weekday()), "isodow": (int(t.Weekday())+6)%7 + 1, "doy": t.YearDay(), "hour": t.Hour(), "minute": t.Minute()}[part])
}

// age counts by adding, day by day or month by month.
func age(from, asOf time.Time, unit string) int64 {
	from, asOf = truncated(from, "day"), truncated(asOf, "day")
	if unit == "day" {
		return int64(math.Round(asOf.Sub(from).Hours() / 24))
	}
	months := int64(0)
	reached := func(months int64) bool { // whether so many months are over: the day of the month has come
		first := time.Date(from.Year(), from.Month()+time.Month(months), 1, 0, 0, 0, 0, time.UTC)
		return !first.AddDate(0, 0, from.Day()-1).After(asOf)
	}
	for reached(months + 1) {
		months++
	}
	for !reached(months) {
		months--
	}
	if unit == "month" {
		return months
	}
	return int64(math.Floor(float64(months) / 12))
}

package duckdb

import (
	"strings"

	"prospector/internal/prospect"
	"prospector/internal/xdm"
)

// jsonForm is how DuckDB reads the lists and maps of clean records, which are JSON (see mapping.Mapping): as texts, each of which is
// then judged as one of a field with one value. A check of all elements at once would need a row for each.
var jsonForm = map[xdm.Container]string{xdm.Array: `["VARCHAR"]`, xdm.Map: `"MAP(VARCHAR, VARCHAR)"`}

// element is what an element is called in SQL.
const element = "x"

// size is the function that counts the elements of a list or map.
func size(sqlType string) string {
	if strings.HasPrefix(sqlType, "MAP(") {
		return "cardinality"
	}
	return "len"
}

// single is the field that an element would be.
func single(f xdm.Field) xdm.Field {
	f.Container, f.Required, f.Default = xdm.Single, false, nil
	return f
}

// castAll is the SQL of a list's or map's typed values.
func castAll(raw string, f xdm.Field) string {
	one := cast(element, single(f))
	switch {
	case one == element:
		return raw
	case f.Container == xdm.Map:
		return "map(map_keys(" + raw + "), list_transform(map_values(" + raw + "), lambda " + element + ": " + one + "))"
	}
	return "list_transform(" + raw + ", lambda " + element + ": " + one + ")"
}

// checkAll are the conditions under which a list or map refuses its row: that one element would. One that is empty is no value of a
// required field.
func checkAll(raw string, f xdm.Field) (out []check) {
	if f.Required {
		out = append(out, check{"coalesce(" + size(sqlType(f)) + "(" + raw + "), 0) = 0", prospect.Reason{Code: prospect.Required, Field: f.Path}.String()})
	}
	elements := raw
	if f.Container == xdm.Map {
		elements = "map_values(" + raw + ")"
	}
	failed := map[string]string{} // by reason: one element may be below a bound, and another above it
	var reasons []string
	for _, c := range checks(element, cast(element, single(f)), single(f)) {
		if before, known := failed[c.Reason]; known {
			failed[c.Reason] = before + " OR " + c.Failed
			continue
		}
		failed[c.Reason], reasons = c.Failed, append(reasons, c.Reason)
	}
	for _, reason := range reasons {
		out = append(out, check{"len(list_filter(" + elements + ", lambda " + element + ": " + failed[reason] + ")) > 0", reason})
	}
	return out
}

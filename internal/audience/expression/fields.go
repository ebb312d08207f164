package expression

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"prospector/internal/xdm"
)

// Fields are the attributes that a rule may use, by path: the union of the schemas (SC-34).
type Fields map[string]xdm.Field

// Add takes a field of one more schema in. A value that one of the schemas allows is allowed.
func (f Fields) Add(field xdm.Field) {
	old, ok := f[field.Path]
	if ok {
		field.Enum = union(old.Enum, field.Enum)
		field.Suggested = union(old.Suggested, field.Suggested)
	}
	f[field.Path] = field
}

// union is empty if one of the sets is: then anything is allowed.
func union(a, b []string) []string {
	if len(a) == 0 || len(b) == 0 {
		return nil
	}
	out := slices.Concat(a, b)
	slices.Sort(out)
	return slices.Compact(out)
}

// attribute resolves a path.
func (c *checker) attribute(n *Node) (*Node, error) {
	field, ok := c.scope.Fields[n.Word]
	if !ok {
		err := Errorf(UnknownField, n.At, "see the schema's fields", "no prospect schema has an attribute %s", shown(n.Word))
		err.Name = n.Word
		switch near := xdm.Nearest(n.Word, slices.Sorted(maps.Keys(c.scope.Fields))); {
		case n.Word == "xEvent" || strings.HasPrefix(n.Word, "xEvent."):
			err.Hint = "rules of prospects cannot use events"
		case near != "":
			err.Hint = fmt.Sprintf("did you mean %s?", near)
		}
		return nil, err
	}
	return &Node{Op: Attribute, Word: n.Word, At: n.At, Type: Type{field.Type, field.Container}}, nil
}

// shown cuts a word of a rule for a message.
func shown(word string) string {
	const most = 80
	if len(word) > most {
		word = strings.ToValidUTF8(word[:most], "") + "…"
	}
	return word
}

// enumerated holds constants against the values that an attribute may take.
func (c *checker) enumerated(attribute *Node, constants []*Node) error {
	if attribute.Op != Attribute {
		return nil
	}
	field := c.scope.Fields[attribute.Word]
	for _, constant := range constants {
		value := fmt.Sprint(constant.Value)
		switch {
		case constant.Op != Constant || constant.Type.instant():
		case len(field.Enum) > 0 && !slices.Contains(field.Enum, value):
			hint := "its values are " + strings.Join(field.Enum[:min(len(field.Enum), 10)], ", ")
			if near := xdm.Nearest(value, field.Enum); near != "" && len(field.Enum) > 10 {
				hint = "did you mean " + near + "?"
			}
			return Errorf(WrongValue, constant.At, hint, "%s is never %s", attribute.Word, shown(value))
		case len(field.Suggested) > 0 && !slices.Contains(field.Suggested, value):
			c.warnings = append(c.warnings, Warning{constant.At, fmt.Sprintf("%s is none of the suggested values of %s", shown(value), attribute.Word)})
		}
	}
	return nil
}

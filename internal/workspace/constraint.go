package workspace

import (
	"regexp"
	"strings"

	"prospector/internal/xdm"
)

// Constraints narrow what a field accepts (SC-32).
type Constraints struct {
	// Required refuses rows without a value.
	Required bool `yaml:"required"`
	// Enum lists the only values that are accepted.
	Enum []string `yaml:"enum" jsonschema:"minItems=1"`
	// Suggested lists values for people to choose from; others are accepted too.
	Suggested []string `yaml:"suggested"`
	// Format of a text.
	Format string `yaml:"format" jsonschema:"enum=email,enum=uri,enum=uri-reference"`
	// Pattern that the whole text must match, in RE2's syntax.
	Pattern string `yaml:"pattern"`
	// MinLength of a text, in characters.
	MinLength int `yaml:"minLength" jsonschema:"minimum=0"`
	// MaxLength of a text, in characters.
	MaxLength int `yaml:"maxLength" jsonschema:"minimum=1"`
	// Minimum of a number.
	Minimum *float64 `yaml:"minimum"`
	// Maximum of a number.
	Maximum *float64 `yaml:"maximum"`
	// Default stands in for a missing value, written as in a file.
	Default *string `yaml:"default"`
}

// apply adds the constraints to what the field's group says.
func (c Constraints) apply(f *xdm.Field) {
	f.Required = f.Required || c.Required
	if len(c.Enum) > 0 {
		f.Enum = c.Enum
	}
	if len(c.Suggested) > 0 {
		f.Suggested = c.Suggested
	}
	for text, given := range map[*string]string{&f.Format: c.Format, &f.Pattern: c.Pattern} {
		if given != "" {
			*text = given
		}
	}
	for number, given := range map[*int]int{&f.MinLength: c.MinLength, &f.MaxLength: c.MaxLength} {
		if given != 0 {
			*number = given
		}
	}
	if c.Minimum != nil {
		f.Minimum = c.Minimum
	}
	if c.Maximum != nil {
		f.Maximum = c.Maximum
	}
	if c.Default != nil {
		f.Default = c.Default
	}
}

// checkConstraints judges constraints that have been applied to a field.
func checkConstraints(at place, c Constraints, f xdm.Field) {
	text, number := f.Type == xdm.String, f.Type == xdm.Integer || f.Type == xdm.Number
	for _, key := range []struct {
		name        string
		given, fits bool
	}{
		{"enum", len(c.Enum) > 0, text}, {"suggested", len(c.Suggested) > 0, text}, {"format", c.Format != "", text}, {"pattern", c.Pattern != "", text},
		{"minLength", c.MinLength != 0, text}, {"maxLength", c.MaxLength != 0, text}, {"minimum", c.Minimum != nil, number}, {"maximum", c.Maximum != nil, number},
	} {
		if key.given && !key.fits {
			at.in(key.name).keyProblem("leave it out", "%s does not go with field %s, which is %s", key.name, f.Path, f.TypeText())
		}
	}
	for i, allowed := range c.Enum {
		if !xdm.IsText(allowed) {
			at.in("enum", index(i)).problem("leave it out", "no row can hold the value %q of field %s", allowed, f.Path)
		}
	}
	if !xdm.IsText(c.Pattern) {
		at.in("pattern").problem(`write \x00 if you mean the character NUL, which no row can hold`, "the pattern of field %s is no text", f.Path)
		return
	}
	if _, err := regexp.Compile(c.Pattern); err != nil {
		at.in("pattern").problem("patterns follow RE2's syntax, without look-around and back-references",
			"the pattern of field %s has a mistake: %s", f.Path, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		return
	}
	if c.Default != nil {
		switch err := f.CheckText(*c.Default); {
		case f.Container != xdm.Single:
			at.in("default").problem("leave it out", "field %s takes several values (%s), so it has no default", f.Path, f.TypeText())
		case err != nil:
			at.in("default").problem("write a value that the field accepts", "the default of field %s cannot be used: %v", f.Path, err)
		}
	}
	if f.MaxLength > 0 && f.MinLength > f.MaxLength || f.Minimum != nil && f.Maximum != nil && *f.Minimum > *f.Maximum {
		at.problem("exchange them", "the minimum of field %s is above its maximum, so no value fits", f.Path)
	}
}

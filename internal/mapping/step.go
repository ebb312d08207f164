// Package mapping says how a value gets from a partner's columns into a field: which columns it is taken
// from, and the steps that bring it into the form that the field wants. Steps are declared in a workspace
// and compiled once; a value that a step cannot take fails with the step's name and never with the value.
// It performs no I/O, but for the time zone database that a compiled dateTime step needs.
package mapping

import (
	"slices"
	"strings"

	"prospector/internal/errkind"
	"prospector/internal/identity"
	"prospector/internal/xdm"
)

// Step is one function that is applied to a value: a bare word, or an object with exactly one of the keys below. The words: trim
// takes the white space around it away; lowercase and uppercase change its letters; digits keeps 0 to 9; email writes an address
// as it is hashed, in lower case and without white space around it; phone writes a number that brings its country's calling code
// as E.164 does.
type Step struct {
	// Word of a step that needs nothing else: trim, lowercase, uppercase, digits, email or phone.
	Word string `yaml:"-"`
	// Date in the partner's format, such as DD.MM.YYYY, becomes 2006-01-02. YYYY, MM and DD are a year, month and day with all digits, M and D may have one digit; YY is 2000 to 2068 or 1969 to 1999. Other letters go in brackets: [W].
	Date *string `yaml:"date"`
	// DateTime in the partner's format becomes an instant in UTC, 2006-01-02T15:04:05Z.
	DateTime *DateTime `yaml:"dateTime"`
	// Decimal number in the partner's notation becomes 1234.50.
	Decimal *Decimal `yaml:"decimal"`
	// Phone is the calling code, such as "49", of the country of numbers that bring none; the number becomes +4930123456. The bare word phone wants a code in every number. Hashed, that is a Phone (SHA256_E.164); for Phone (SHA256) the step digits goes in between.
	Phone *string `yaml:"phone" jsonschema:"pattern=^[1-9][0-9]?[0-9]?$"`
	// Split takes a part of the value.
	Split *Split `yaml:"split"`
	// List makes a list of the parts between separators, such as "|"; only for fields whose container is array. Steps behind it take each part.
	List *string `yaml:"list" jsonschema:"minLength=1"`
	// Lookup replaces codes.
	Lookup *Lookup `yaml:"lookup"`
	// Hash of the value, in lower-case hexadecimal digits.
	Hash *identity.Algorithm `yaml:"hash" jsonschema:"enum=sha256,enum=sha1,enum=md5"`
	// Hashed values are such hashes already: anything else fails.
	Hashed *identity.Algorithm `yaml:"hashed" jsonschema:"enum=sha256,enum=sha1,enum=md5"`

	wrong error // of a step that there is not
}

// Words are the steps that are a bare word.
var Words = []string{"trim", "lowercase", "uppercase", "digits", "email", "phone"}

// Functions are the steps that are an object with one key.
var Functions = []string{"date", "dateTime", "decimal", "phone", "split", "list", "lookup", "hash", "hashed"}

// examples say how a function is written.
var examples = map[string]string{
	"date": "{date: DD.MM.YYYY}", "dateTime": `{dateTime: {format: "DD/MM/YYYY HH:mm", timeZone: Europe/Berlin}}`, "decimal": `{decimal: {point: ",", group: "."}}`,
	"phone": `{phone: "49"}`, "split": `{split: {by: " ", part: 1}}`, "list": `{list: "|"}`, "lookup": "{lookup: {values: {M: male, F: female}}}", "hash": "{hash: sha256}", "hashed": "{hashed: sha256}",
}

// function is a compiled step. It gets no empty value, and returns an empty one for null; what it returns
// holds until it is applied again. It is false when it cannot take the value.
type function interface {
	apply(value []byte) ([]byte, bool)
}

// UnmarshalYAML reads a bare word or an object. Whether the step is right, Check says.
func (s *Step) UnmarshalYAML(unmarshal func(any) error) error {
	var word string
	if unmarshal(&word) == nil {
		*s = Step{Word: word}
		return nil
	}
	var keys map[string]any
	if err := unmarshal(&keys); err != nil {
		return err
	}
	for key := range keys {
		if !slices.Contains(Functions, key) {
			*s = Step{wrong: unknown(key, Functions)}
			return nil // Check says so, and who reads the YAML knows where it stands
		}
	}
	type plain Step
	return unmarshal((*plain)(s))
}

// Check says what is wrong with the step. The error is an *errkind.Error of kind Invalid; its hint says
// which steps there are, or how the step is written.
func (s Step) Check() error {
	_, _, err := s.compile()
	return err
}

// compile returns the step's name and function.
func (s Step) compile() (name string, f function, err error) {
	if s.wrong != nil {
		return "", nil, s.wrong
	}
	names := s.given()
	switch {
	case s.Word != "" && len(names) == 0:
		f, err = s.word()
		return s.Word, f, err
	case s.Word != "" || len(names) > 1:
		return "", nil, errkind.Newf(errkind.Invalid, "a step does several things: %s", strings.Join(append(names, strings.Fields(s.Word)...), ", ")).
			WithHint("make each a step of its own, in their order")
	case len(names) == 0:
		return "", nil, errkind.Newf(errkind.Invalid, "a step is empty").WithHint("%s", allSteps())
	}
	name = names[0]
	if f, err = s.function(name); err != nil {
		return name, nil, errkind.Newf(errkind.Invalid, "%s: %w", name, err).WithHint("write it like %s", examples[name])
	}
	return name, f, nil
}

// given lists the functions that the step has a value for.
func (s Step) given() []string {
	has := map[string]bool{"date": s.Date != nil, "dateTime": s.DateTime != nil, "decimal": s.Decimal != nil, "phone": s.Phone != nil,
		"split": s.Split != nil, "list": s.List != nil, "lookup": s.Lookup != nil, "hash": s.Hash != nil, "hashed": s.Hashed != nil}
	var out []string
	for _, name := range Functions {
		if has[name] {
			out = append(out, name)
		}
	}
	return out
}

func (s Step) function(name string) (function, error) {
	switch name {
	case "date":
		return newDate(*s.Date)
	case "dateTime":
		return newDateTime(*s.DateTime)
	case "decimal":
		return newDecimal(*s.Decimal)
	case "phone":
		return newPhone(*s.Phone)
	case "split":
		return newSplit(*s.Split)
	case "list":
		return newSeparator(*s.List)
	case "lookup":
		return newLookup(*s.Lookup)
	case "hash":
		return newHash(*s.Hash)
	default:
		return newHashed(*s.Hashed)
	}
}

func (s Step) word() (function, error) {
	switch s.Word {
	case "trim":
		return trim{}, nil
	case "lowercase":
		return &letters{change: lower}, nil
	case "uppercase":
		return &letters{change: upper}, nil
	case "digits":
		return &digits{}, nil
	case "email":
		return &email{}, nil
	case "phone":
		return &phone{}, nil
	}
	if example, ok := examples[s.Word]; ok {
		return nil, errkind.Newf(errkind.Invalid, "the step %s needs a value", s.Word).WithHint("write it like %s", example)
	}
	return nil, unknown(s.Word, slices.Concat(Words, Functions))
}

// unknown is the error about a step that is none of the candidates.
func unknown(name string, candidates []string) error {
	err := errkind.Newf(errkind.Invalid, "there is no step %q", name)
	if slices.Contains(Words, name) {
		return errkind.Newf(errkind.Invalid, "the step %s takes no value", name).WithHint("write the bare word %s", name)
	}
	if near := xdm.Nearest(name, candidates); near != "" {
		return err.WithHint("did you mean %s? %s", near, allSteps())
	}
	return err.WithHint("%s", allSteps())
}

func allSteps() string {
	return "known are the words " + strings.Join(Words, ", ") + ", and with a value " + strings.Join(Functions, ", ")
}

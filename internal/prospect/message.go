package prospect

var messages = map[Code]string{
	CorruptRow:             "the record cannot be read",
	Required:               "a required field is missing or empty",
	TooLarge:               "the record is larger than allowed",
	"PROSPECT-IDENTITY":    "the identity has white space around it, control characters, or is too long",
	"PROSPECT-IDENTITYMAP": "the record has an identity map",
	"PROSPECT-FIELDS":      "the record has more fields than allowed",
	WrongType:              "the value is not of the field's type",
	NotInEnum:              "the value is not one of those that are allowed",
	NotPattern:             "the value does not match the field's pattern",
	NotFormat:              "the value has not the field's format",
	OutOfRange:             "the number is below the field's minimum or above its maximum",
	BadLength:              "the text is shorter or longer than the field allows, or the list or map larger",
	Unmappable:             "a step of the mapping cannot be taken with the value",
	Drifted:                "the record has keys that are neither mapped nor ignored",
}

// Message says the reason in words: field, what is wrong, and the detail. Like the reason it carries no values.
func (r Reason) Message() string {
	text, ok := messages[r.Code]
	if !ok {
		text = string(r.Code)
	}
	if r.Field != "" {
		text = r.Field + ": " + text
	}
	if r.Detail != "" {
		text += " (" + r.Detail + ")"
	}
	return text
}

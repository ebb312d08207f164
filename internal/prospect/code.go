package prospect

// Code says why a row was refused, or what became of a batch. Codes of the public documentation are used where
// they exist (BI-10), our own otherwise.
type Code string

// The codes of rows.
const (
	CorruptRow    Code = "INGEST-1401-400"      // the record cannot be read
	Required      Code = "INGEST-1555-400"      // a required field is missing or null
	BadIdentity   Code = "PROSPECT-IDENTITY"    // the identity has white space around it, control characters, or is too long
	IdentityMap   Code = "PROSPECT-IDENTITYMAP" // the record has an identity map, which would let other namespaces in (EC-1)
	TooLarge      Code = "PROSPECT-SIZE"        // the record has more bytes than it may (BI-14)
	TooManyFields Code = "PROSPECT-FIELDS"      // the record has more fields than it may (GR-14)
	WrongType     Code = "PROSPECT-TYPE"        // the value is not of the field's type
	NotInEnum     Code = "PROSPECT-ENUM"        // the value is not one of the allowed ones
	NotPattern    Code = "PROSPECT-PATTERN"     // the value does not match the field's pattern
	NotFormat     Code = "PROSPECT-FORMAT"      // the value has not the field's format
	OutOfRange    Code = "PROSPECT-RANGE"       // the number is below minimum or above maximum
	BadLength     Code = "PROSPECT-LENGTH"      // the text is shorter or longer, or the list or map larger, than allowed
	Unmappable    Code = "PROSPECT-MAPPING"     // a step of a calculated field cannot be taken with the value
	Drifted       Code = "PROSPECT-DRIFT"       // the record has keys that are neither mapped nor ignored
	Suppressed    Code = "PROSPECT-SUPPRESSED"  // whoever it is of is on a suppression list; the record is not kept
)

// The codes of batches.
const (
	PartlyLoaded  Code = "INGEST-1212-400" // rows were rejected, the others ingested
	NoDiagnostics Code = "INGEST-1211-400" // rows were rejected, and their reasons were not kept
	EmptyFile     Code = "106"
	EmptyHeader   Code = "118"
)

// Codes are the codes of rows, as docs/rows.md lists them.
var Codes = []Code{CorruptRow, Required, BadIdentity, IdentityMap, TooLarge, TooManyFields, WrongType, NotInEnum, NotPattern, NotFormat, OutOfRange,
	BadLength, Unmappable, Drifted, Suppressed}

// BatchCodes are the codes of batches.
var BatchCodes = []Code{PartlyLoaded, NoDiagnostics, EmptyFile, EmptyHeader}

var meanings = map[Code]string{
	CorruptRow: "the record cannot be read", Required: "a required field is missing or null",
	BadIdentity: "the identity has control characters, white space around it, or more than 1,000 bytes; the step trim takes white space away",
	IdentityMap: "the record has an identity map; prospects have the one identity that is mapped", TooLarge: "the record has more bytes than it may",
	TooManyFields: "the record has more fields than it may", WrongType: "the value is not of the field's type",
	NotInEnum: "the value is not one of the allowed ones", NotPattern: "the value does not match the field's pattern",
	NotFormat: "the value has not the field's format", OutOfRange: "the number is below minimum or above maximum",
	BadLength: "the text is shorter or longer, or the list or map larger, than allowed", Unmappable: "a step of the mapping cannot be taken with the value",
	Drifted:      "the record has keys that are neither mapped nor ignored",
	Suppressed:   "whoever it is of is on a suppression list; the record was not kept",
	PartlyLoaded: "rows were rejected, the others ingested", NoDiagnostics: "rows were rejected, and their reasons were not kept",
	EmptyFile: "the file is empty", EmptyHeader: "the file has no header",
}

// Meaning says in a few words what the code stands for, and is empty for a code that there is not.
func (c Code) Meaning() string { return meanings[c] }

package workspace

import (
	"prospector/internal/governance"
	"prospector/internal/yamldoc"
)

// Destination says where audiences may go, and what for.
type Destination struct {
	yamldoc.Document `yaml:"-"`
	// Name of the destination.
	Name string `yaml:"name" jsonschema:"required,pattern=^[A-Za-z0-9][A-Za-z0-9_-]*$,maxLength=100"`
	// Description for people.
	Description string `yaml:"description"`
	// Type of the destination; liveramp gets one file for all audiences of an activation, over SFTP.
	Type       string `yaml:"type" jsonschema:"required,enum=s3,enum=sftp,enum=liveramp"`
	Connection `yaml:",inline"`
	// MarketingActions that the data will be used for there; policies are checked against them.
	MarketingActions []string `yaml:"marketingActions"`
	// Format of the files.
	Format ExportFormat `yaml:"format"`
	// RowsPerFile before a further file begins (_2, _3 …): 5,000,000 unless given, 10,000,000 for LiveRamp.
	RowsPerFile int64 `yaml:"rowsPerFile" jsonschema:"minimum=1,maximum=1000000000"`
	// Manifest writes a list of the files, last; not for LiveRamp.
	Manifest bool `yaml:"manifest"`
	// Planning answers what should be known before data leaves.
	Planning DestinationPlanning `yaml:"planning"`
}

// ExportFormat says how exported files are written. Values are written as they are: a receiver who opens a file in a spreadsheet must import its columns as text, or it takes what begins with = + - or @ for a formula.
type ExportFormat struct {
	// Delimiter between fields; a comma unless given.
	Delimiter string `yaml:"delimiter"`
	// Compression of each file.
	Compression string `yaml:"compression" jsonschema:"enum=none,enum=gzip"`
}

// DestinationPlanning holds the answers to the planning questions that a destination raises (SD-7). What is
// missing is a warning.
type DestinationPlanning struct {
	// Identities that the destination can act on: symbols of namespaces.
	Identities []string `yaml:"identities"`
}

func (d *Destination) name() string { return d.Name }
func (d *Destination) kind() string { return "Destination" }

var exportDelimiters = []string{",", "|", ";", ":", "\t"} // FX-9

func (l *loader) checkDestination(d *Destination) {
	l.checkConnection(d, d.Connection)
	switch {
	case d.Type == "s3" && d.S3 == nil && d.SFTP != nil:
		l.at(d, "type").problem("write s3: {bucket: …} instead of sftp, or another type", "a destination of type s3 needs a connection s3")
	case d.Type != "s3" && d.SFTP == nil && d.S3 != nil:
		l.at(d, "type").problem("write sftp: {address: …} instead of s3, or another type", "a destination of type %s needs a connection sftp", d.Type)
	case d.Type == "liveramp" && d.Manifest:
		l.at(d, "manifest").keyProblem("leave manifest out", "LiveRamp ingests every file that it finds, so no manifest may lie beside them")
	}
	l.checkMarketingActions(l.at(d, "marketingActions"), d.MarketingActions)
	if len(d.MarketingActions) == 0 {
		l.at(d, "marketingActions").warning("set marketingActions", "what the data is used for is not said, so no policy but %s can apply", governance.ExportBan)
	}
	if d.Format.Delimiter == "" {
		d.Format.Delimiter = ","
	}
	if !contains(exportDelimiters, d.Format.Delimiter) {
		l.at(d, "format", "delimiter").problem("write comma, pipe, semicolon, colon or tab", "the delimiter cannot be %q", d.Format.Delimiter)
	}
	if d.Format.Compression == "" {
		d.Format.Compression = "none"
	}
	if d.RowsPerFile == 0 {
		d.RowsPerFile = map[bool]int64{true: 10_000_000, false: 5_000_000}[d.Type == "liveramp"] // GR-35
	}
	if len(d.Planning.Identities) == 0 {
		l.at(d, "planning").warning("set planning.identities to the namespaces that it knows", "which identities the destination can act on is not said")
	}
	for i, symbol := range d.Planning.Identities {
		if _, ok := l.workspace.namespaceType(symbol); !ok {
			l.noNamespace(l.at(d, "planning", "identities", index(i)), symbol)
		}
	}
}

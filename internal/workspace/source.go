package workspace

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"path"
	"slices"
	"strings"
	"time"

	"prospector/internal/governance"
	"prospector/internal/mapping"
	"prospector/internal/readiness"
	"prospector/internal/yamldoc"
)

// Source says where a dataset's files come from, how they are written and when they are looked for.
type Source struct {
	yamldoc.Document `yaml:"-"`
	// Name of the source.
	Name string `yaml:"name" jsonschema:"required,pattern=^[A-Za-z0-9][A-Za-z0-9_-]*$,maxLength=100"`
	// Description for people.
	Description string `yaml:"description"`
	// Dataset that the files go to, by name.
	Dataset    string `yaml:"dataset" jsonschema:"required,pattern=\\S"`
	Connection `yaml:",inline"`
	// Folder on the worker's machine, instead of a server.
	Folder *Folder `yaml:"folder"`
	// Path pattern of the files, relative to the drop point: in/*.csv.gz, in/**/*.csv with all folders below, or "{yyyy}/{MM}/{dd}/*.csv" in quotes, whose date is the business date of a file (an hour, {HH}, is matched and orders nothing).
	Path string `yaml:"path" jsonschema:"required,pattern=\\S"`
	// Recursive takes files whose names match in all folders below, too.
	Recursive bool `yaml:"recursive"`
	// Ignore files with such names, besides dot files and what ends in .part, .partial, .tmp or .filepart.
	Ignore []string `yaml:"ignore"`
	// Readiness says when a file is whole and may be taken.
	Readiness Readiness `yaml:"readiness"`
	// Backfill takes the files that were there before the source was, on its first run. It does unless this says false; then they are never taken, but by BackfillSource.
	Backfill *bool `yaml:"backfill"`
	// Encryption of the files.
	Encryption *Encryption `yaml:"encryption"`
	// Format of the files.
	Format Format `yaml:"format"`
	// Mapping from a file's column to an XDM path.
	Mapping map[string]string `yaml:"mapping" jsonschema:"required,minProperties=1"`
	// CalculatedFields are filled from several columns, from none, or through functions.
	CalculatedFields []mapping.Target `yaml:"calculatedFields"`
	// IgnoreColumns are known and deliberately not taken.
	IgnoreColumns []string `yaml:"ignoreColumns"`
	// Drift says what becomes of a file whose columns are not those of the mapping.
	Drift Drift `yaml:"drift"`
	// NullMarkers are texts that stand for no value, besides the empty one.
	NullMarkers []string `yaml:"nullMarkers"`
	// ErrorThreshold is the percentage of a file's rows that may be rejected, 5 unless given; above it nothing of the file is loaded.
	ErrorThreshold *float64 `yaml:"errorThreshold" jsonschema:"minimum=0,maximum=100"`
	// PartialIngestion loads the good rows of a file beside rejected ones, within errorThreshold. It does unless this says false; then one rejected row fails the file.
	PartialIngestion *bool `yaml:"partialIngestion"`
	// ErrorDiagnostics keeps each rejected row with its reasons. It does unless this says false, which goes only with partialIngestion: false; then rejected rows are counted and nothing of them is kept.
	ErrorDiagnostics *bool `yaml:"errorDiagnostics"`
	// Schedule of syncs. Without one, somebody starts them.
	Schedule *Schedule `yaml:"schedule"`
	// EvaluateAfterLoad evaluates, after a sync that loaded something, the audiences that it may change, and runs the activations that send them.
	EvaluateAfterLoad bool `yaml:"evaluateAfterLoad"`
	// Planning answers what should be known before data comes.
	Planning SourcePlanning `yaml:"planning"`
}

// Reading is a digest of how the bytes of a file become values: its format and its mapping.
func (s *Source) Reading() string {
	text, err := json.Marshal([]any{s.Format, s.Mapping, s.CalculatedFields, s.NullMarkers})
	if err != nil {
		panic(err) // texts and numbers
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// Folder is a drop point on the worker's machine, or mounted there.
type Folder struct {
	// Path of the folder, absolute.
	Path Reference `yaml:"path" jsonschema:"required,pattern=\\S"`
}

// Readiness says how to tell a whole file from one that is still being written.
type Readiness struct {
	// Rule: immediate takes files as they appear, which is right for S3 and its default; stable waits until a file has not changed for a while, the default elsewhere; marker waits for a file that the partner writes last; manifest for one that lists files with their sizes and checksums.
	Rule string `yaml:"rule" jsonschema:"enum=immediate,enum=stable,enum=marker,enum=manifest"`
	// Seconds for which a stable file has not changed; 60 unless given.
	Seconds int `yaml:"seconds" jsonschema:"minimum=1,maximum=86400"`
	// Suffix that a marker or manifest adds to the name of its file, such as .done or .sha256.
	Suffix string `yaml:"suffix"`
	// Name of the one marker or manifest of a folder, such as _SUCCESS or manifest.json.
	Name string `yaml:"name"`
}

// Encryption of a partner's files. Exactly one way is given: pgp.
type Encryption struct {
	// PGP as gpg writes it.
	PGP *PGP `yaml:"pgp" jsonschema:"required"`
}

// PGP holds the keys.
type PGP struct {
	// PrivateKeys that open the files, armored or binary.
	PrivateKeys []Secret `yaml:"privateKeys" jsonschema:"required,minItems=1"`
	// Passphrase of the private keys.
	Passphrase Secret `yaml:"passphrase"`
	// SignedBy are the partner's public keys. When given, each file must carry a valid signature by one of them.
	SignedBy []Reference `yaml:"signedBy" jsonschema:"minItems=1"`
}

// Drift says what becomes of a file whose columns are not those of the mapping. fail refuses the file and ends the run with an error, quarantine sets it aside with its reason and the run goes on, ignore takes it and says so in the result.
type Drift struct {
	// Unmapped columns are neither mapped nor ignored; fail unless given. With quarantine, a JSON record with unknown keys is rejected and the others are taken.
	Unmapped string `yaml:"unmapped" jsonschema:"enum=fail,enum=ignore,enum=quarantine"`
	// Missing columns are mapped; fail unless given. With ignore, their fields have no value. JSON records may lack any key.
	Missing string `yaml:"missing" jsonschema:"enum=fail,enum=ignore,enum=quarantine"`
}

// What becomes of a file that drifts.
const (
	DriftFail       = "fail"
	DriftIgnore     = "ignore"
	DriftQuarantine = "quarantine"
)

// SourcePlanning holds the answers to the planning questions that a source raises (SD-7). What is missing
// is a warning.
type SourcePlanning struct {
	// Cadence of the partner's files in words, such as daily. A schedule answers it as well.
	Cadence string `yaml:"cadence"`
	// Identifier that the data is tied to.
	Identifier string `yaml:"identifier" jsonschema:"enum=PII,enum=hashed PII,enum=partner ID"`
	// UsagePolicies that apply to the data (the partner's, legal, privacy, compliance), by the names of policies. An empty list says that there are none.
	UsagePolicies *[]string `yaml:"usagePolicies"`
}

func (s *Source) name() string { return s.Name }
func (s *Source) kind() string { return "Source" }

// ConnectionType is the kind of drop point: s3, sftp or folder.
func (s *Source) ConnectionType() string {
	switch {
	case s.S3 != nil:
		return "s3"
	case s.SFTP != nil:
		return "sftp"
	}
	return "folder"
}

// Threshold is the share of rejected rows, in percent, above which a batch fails as a whole (BI-7).
// Without partial ingestion it is 0.
func (s *Source) Threshold() float64 {
	switch {
	case !s.Partial():
		return 0
	case s.ErrorThreshold == nil:
		return 5
	}
	return *s.ErrorThreshold
}

// Partial reports whether a file's good rows are loaded beside rejected ones (BI-7).
func (s *Source) Partial() bool { return s.PartialIngestion == nil || *s.PartialIngestion }

// Diagnoses reports whether rejected rows are kept with their reasons (BI-8).
func (s *Source) Diagnoses() bool { return s.ErrorDiagnostics == nil || *s.ErrorDiagnostics }

func (l *loader) checkDiagnostics(s *Source) {
	switch {
	case s.Partial() && !s.Diagnoses():
		l.at(s, "errorDiagnostics").problem("leave it out, or set partialIngestion: false as well", "errorDiagnostics cannot be false while partialIngestion is on: rows would be lost without a reason")
	case !s.Partial() && s.ErrorThreshold != nil:
		l.at(s, "errorThreshold").keyProblem("leave one of them out", "errorThreshold says nothing with partialIngestion: false, where one rejected row fails the file")
	}
}

func (l *loader) checkSource(s *Source) {
	w := l.workspace
	l.checkDiagnostics(s)
	l.sourceDefaults(s)
	l.checkDropPoint(s)
	l.checkPath(s)
	l.checkReadiness(s)
	l.checkFormat(s)
	if s.Schedule != nil {
		l.checkSchedule(l.at(s, "schedule"), s.Schedule)
	}
	d, ok := find(w.Datasets, s.Dataset)
	if !ok {
		l.at(s, "dataset").missing("Dataset", s.Dataset, names(w.Datasets), "no dataset is called %q", s.Dataset)
		return
	}
	if schema, ok := find(w.Schemas, d.Schema); ok && schema.Composed != nil && !l.faulty[d] {
		l.mapping(s, schema)
	}
	l.sourcePlanning(s, d)
}

func (l *loader) checkDropPoint(s *Source) {
	if s.Folder == nil {
		l.checkConnection(s, s.Connection)
		return
	}
	at := l.at(s, "folder")
	if s.S3 != nil || s.SFTP != nil {
		at.keyProblem("leave one of them out", "it has two drop points, a server and a folder")
	}
	l.checkReferences(at, map[string]Reference{"path": s.Folder.Path})
	if text := string(s.Folder.Path); !strings.HasPrefix(text, "/") && !strings.HasPrefix(text, "${") {
		at.in("path").problem("write it from / on, as the worker sees it", "folder %q is not absolute", text)
	}
}

func (l *loader) checkPath(s *Source) {
	at := l.at(s, "path")
	const hint = "write a pattern below the drop point, such as in/*.csv.gz"
	_, err := s.Pattern()
	switch {
	case err != nil:
		at.problem(hint, "path %q %s", s.Path, err)
	case strings.HasPrefix(s.Path, "/"), slices.Contains(strings.Split(s.Path, "/"), ".."):
		at.problem(hint, "path %q leaves the drop point", s.Path)
	}
	for i, name := range s.Ignore {
		if _, err := path.Match(name, ""); err != nil || strings.Contains(name, "/") || name == "" {
			l.at(s, "ignore", index(i)).problem("write a pattern of file names, such as *.bak", "%q is no pattern of names", name)
		}
	}
}

// Pattern is the path pattern, read.
func (s *Source) Pattern() (readiness.Pattern, error) {
	return readiness.ParsePattern(s.Path, s.Recursive)
}

// Rule is the readiness rule of the source's files.
func (s *Source) Rule() readiness.Rule {
	r := s.Readiness
	return readiness.Rule{Kind: r.Rule, Quiet: time.Duration(r.Seconds) * time.Second, Suffix: r.Suffix, Name: r.Name}
}

// Backfills reports whether files are taken that were there before the source was (SR-18).
func (s *Source) Backfills() bool { return s.Backfill == nil || *s.Backfill }

func (l *loader) checkReadiness(s *Source) {
	at, r := l.at(s, "readiness"), s.Readiness
	switch {
	case !s.Rule().Needs():
		if r.Suffix != "" || r.Name != "" {
			at.problem("set rule to marker or manifest, or leave suffix and name out", "suffix and name say nothing to the rule %s", r.Rule)
		}
	case (r.Suffix == "") == (r.Name == ""):
		at.problem("give suffix, such as .done, or name, such as _SUCCESS", "the rule %s needs either suffix or name", r.Rule)
	case strings.Contains(r.Suffix+r.Name, "/"):
		at.problem("write a part of a name", "markers and manifests lie beside their files")
	}
}

func (l *loader) sourceDefaults(s *Source) {
	defaults := l.workspace.Sandbox.Defaults
	ready := readiness.Stable
	if s.S3 != nil {
		ready = readiness.Immediate
	}
	for text, standard := range map[*string]string{&s.Format.Delimiter: ",", &s.Format.Quote: `"`, &s.Format.Compression: "none", &s.Format.Records: "delimited",
		&s.Format.Encoding: "utf-8", &s.Readiness.Rule: ready, &s.Drift.Unmapped: DriftFail, &s.Drift.Missing: DriftFail} {
		if *text == "" {
			*text = standard
		}
	}
	if s.Readiness.Seconds == 0 {
		s.Readiness.Seconds = 60
	}
	if s.ErrorThreshold == nil {
		s.ErrorThreshold = defaults.ErrorThreshold
	}
	if s.NullMarkers == nil {
		s.NullMarkers = defaults.NullMarkers
	}
	if s.Schedule != nil && s.Schedule.TimeZone == "" {
		s.Schedule.TimeZone = "UTC"
		if defaults.TimeZone != "" {
			s.Schedule.TimeZone = defaults.TimeZone
		}
	}
}

// sourcePlanning asks the planning questions that the file leaves open (SD-7).
func (l *loader) sourcePlanning(s *Source, d *Dataset) {
	at := l.at(s, "planning")
	if s.Schedule == nil && s.Planning.Cadence == "" {
		at.warning("set schedule, or planning.cadence", "how often the partner delivers is not said")
	}
	if s.Planning.Identifier == "" {
		at.warning("set planning.identifier to PII, hashed PII or partner ID", "what durable identifier the data is tied to is not said")
	}
	if s.Planning.UsagePolicies == nil {
		at.warning("set planning.usagePolicies to the names of policies, or to [] when there are none", "which usage policies apply to the data is not said")
		return
	}
	for i, name := range *s.Planning.UsagePolicies {
		policy, ok := find(l.workspace.Policies, name)
		switch {
		case !ok && contains(governance.Switches(), name):
			if !l.workspace.switchedOn(name) {
				at.in("usagePolicies", index(i)).warning("name it in governance.enable of the sandbox", "policy %q applies to the data of dataset %s and is not enabled, so nothing enforces it", name, d.Name)
			}
		case !ok:
			at.in("usagePolicies", index(i)).missing("Policy", name, names(l.workspace.Policies), "no policy is called %q", name)
		case policy.Status != governance.Enabled:
			at.in("usagePolicies", index(i)).warning("set status: ENABLED in the policy", "policy %q applies to the data of dataset %s and is not enabled, so nothing enforces it", name, d.Name)
		}
	}
}

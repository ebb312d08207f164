package workspace

import (
	"regexp"
	"strings"

	"prospector/internal/yamldoc"
)

// Sandbox names the organisation and the sandbox. A workspace has exactly one, by custom in prospector.yaml.
type Sandbox struct {
	yamldoc.Document `yaml:"-"`
	// Name of the sandbox; file names of exports use it.
	Name string `yaml:"name" jsonschema:"required,pattern=\\S"`
	// Organization whose sandbox it is; file names of exports use it.
	Organization string `yaml:"organization" jsonschema:"required,pattern=\\S"`
	// Tenant id below which all custom fields stand, such as _luma. Unless given, any one will do.
	Tenant string `yaml:"tenant"`
	// Include lists more folders and files that belong to the workspace, relative to this one: what several sandboxes share.
	Include []string `yaml:"include"`
	// Defaults for what objects leave out.
	Defaults Defaults `yaml:"defaults"`
	// Evaluation of audiences.
	Evaluation Evaluation `yaml:"evaluation"`
	// Guardrails bound what is taken from partners at once.
	Guardrails Guardrails `yaml:"guardrails"`
	// Governance switches core policies and policy packs.
	Governance Governance `yaml:"governance"`
}

// Defaults stand in for keys that objects leave out.
type Defaults struct {
	// TimeZone of schedules, an IANA name; UTC unless given.
	TimeZone string `yaml:"timeZone"`
	// ErrorThreshold of sources, percent of a file's rows; 5 unless given.
	ErrorThreshold *float64 `yaml:"errorThreshold" jsonschema:"minimum=0,maximum=100"`
	// NullMarkers of sources.
	NullMarkers []string `yaml:"nullMarkers"`
	// Labels on every field of every schema.
	Labels []string `yaml:"labels"`
}

func (s *Sandbox) name() string { return s.Name }
func (s *Sandbox) kind() string { return "Sandbox" }

var tenantRule = regexp.MustCompile(`^_[a-z0-9]+$`)

func (l *loader) checkSandbox() {
	s := &l.workspace.Sandbox
	switch {
	case l.sandboxes == 0 && l.anyUnread("Sandbox"):
		return
	case l.sandboxes == 0:
		l.problems = append(l.problems, Problem{Position: yamldoc.Position{File: "prospector.yaml"}, Message: "the folder has no document of kind Sandbox, so it is no workspace",
			Hint: "write one here with kind: Sandbox, name: … and organization: …"})
		return
	case s.Tenant != "" && !tenantRule.MatchString(s.Tenant):
		l.at(s, "tenant").problem("write an underscore, then lower-case letters or digits, such as _luma", "the tenant id cannot be %q", s.Tenant)
	}
	for _, key := range []struct{ name, text string }{{"name", s.Name}, {"organization", s.Organization}} {
		if strings.ContainsAny(key.text, `/\`) {
			l.at(s, key.name).problem("leave the slash out", "%s cannot be %q: it is part of file names", key.name, key.text)
		}
	}
	l.checkLabels(l.at(s, "defaults", "labels"), s.Defaults.Labels)
	if zone := s.Defaults.TimeZone; zone != "" {
		l.checkTimeZone(l.at(s, "defaults", "timeZone"), zone)
	}
}

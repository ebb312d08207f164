package workspace

import (
	"fmt"
	"strings"

	"prospector/internal/identity"
	"prospector/internal/xdm"
)

// Identity is a field that identifies a person in a namespace (ID-4, ID-17).
type Identity struct {
	// Field path.
	Field string `yaml:"field" jsonschema:"required,pattern=\\S"`
	// Namespace symbol; it must be of type Partner ID.
	Namespace string `yaml:"namespace" jsonschema:"required,pattern=\\S"`
}

// SecondaryIdentity is a further identity field, or with primary the primary one.
type SecondaryIdentity struct {
	Identity `yaml:",inline"`
	// Primary makes it the primary identity; a schema has one.
	Primary bool `yaml:"primary"`
}

const (
	maxIdentities    = 50 // ID-22
	maxIdentityDepth = 4  // levels of a primary identity's path (ID-23)
)

// identities lets no namespace in that is not of type Partner ID (ID-3, ID-4, AS-1).
func (l *loader) identities(s *Schema) {
	primaryAt := l.at(s, "primaryIdentity")
	all := map[string]bool{}
	for i, x := range s.Identities {
		at := l.at(s, "identities", index(i))
		if x.Primary {
			if s.PrimaryIdentity.Field != "" { // AS-2, ID-19
				at.in("primary").problem("leave primary out", "it has a primary identity already, %s", s.PrimaryIdentity.Field)
				continue
			}
			s.PrimaryIdentity, primaryAt = x.Identity, at
			continue
		}
		l.identity(at, s, x.Identity)
		if all[x.Field] || x.Field == s.PrimaryIdentity.Field {
			at.in("field").problem("leave one of them out", "field %s is an identity twice", x.Field)
		}
		all[x.Field] = true
	}
	if len(s.Identities) > maxIdentities {
		l.at(s, "identities").keyProblem("leave some out", "it has %d identities, there may be %d", len(s.Identities), maxIdentities)
	}
	switch p := s.PrimaryIdentity; {
	case p.Field == "" && s.Profile:
		l.at(s, "profile").problem("write primaryIdentity: {field: partnerID, namespace: …}", "it is enabled for Profile and has no primary identity") // AS-4, SC-30
	case p.Field != "":
		l.identity(primaryAt, s, p)
		if strings.Count(p.Field, ".") >= maxIdentityDepth {
			primaryAt.in("field").warning("use partnerID", "the primary identity is nested deeper than %d levels", maxIdentityDepth)
		}
	}
}

func (l *loader) identity(at place, s *Schema, x Identity) {
	f := l.fieldAt(at.in("field"), s, x.Field)
	if f != nil && (f.Type != xdm.String || f.Container != xdm.Single || f.System) {
		at.in("field").problem("use a text that the partner sends, such as "+xdm.PartnerID, "field %s cannot be an identity", x.Field)
		f = nil
	}
	switch n, custom := find(l.workspace.Namespaces, x.Namespace); {
	case !custom:
		l.noNamespace(at.in("namespace"), x.Namespace)
	case !n.Type.AllowedForProspects(): // EC-2
		at.in("namespace").problem(fmt.Sprintf("use a namespace of type %s; a type is fixed once it is applied, then declare a new namespace with another symbol", identity.PartnerID),
			"namespace %s is of type %s, prospects may use only type %s", x.Namespace, n.Type, identity.PartnerID)
	case f != nil:
		f.Required = true // ID-18
	}
}

package workspace

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"prospector/internal/audience"
	"prospector/internal/governance"
	"prospector/internal/identity"
	"prospector/internal/xdm"
)

// check resolves every reference and judges every object. Order matters: an object is checked
// after those that it refers to.
func (l *loader) check() {
	w := l.workspace
	if l.sandboxes != 1 {
		l.problem(Position{File: "prospector.yaml", Line: 1}, "add one document with kind: Sandbox, name and organization",
			"the workspace has %d documents of kind Sandbox, it needs one", l.sandboxes)
	} else if w.Sandbox.Name == "" || w.Sandbox.Organization == "" {
		l.problem(w.Sandbox.Position, "", "the sandbox needs a name and an organization")
	}
	for _, n := range w.Namespaces {
		l.namespace(n)
	}
	for _, g := range w.FieldGroups {
		l.fieldGroup(g)
	}
	for _, s := range w.Schemas {
		l.schema(s)
	}
	if len(l.problems) > 0 {
		return // what follows needs composed schemas
	}
	for _, d := range w.Datasets {
		l.dataset(d)
	}
	for _, p := range w.Policies {
		l.policy(p)
	}
	if len(l.problems) > 0 {
		return
	}
	for _, s := range w.Sources {
		l.source(s)
	}
	for _, a := range w.Audiences {
		l.audience(a)
	}
	for _, d := range w.Destinations {
		l.destination(d)
	}
	for _, a := range w.Activations {
		l.activation(a)
	}
}

// nameRule is what an object may be called: names become parts of file names, of workflow ids and
// of folders.
var nameRule = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$`)

func (l *loader) objectName(at Position, kind, name string) {
	if !nameRule.MatchString(name) {
		l.problem(at, "use letters, digits, _ and -, at most 100, the first a letter or a digit", "%s name %q is not allowed", kind, name)
	}
}

func (l *loader) namespace(n *Namespace) {
	l.objectName(n.Position, "namespace symbol", n.Symbol)
	if !n.Type.Valid() {
		l.problem(n.Position, "known are "+joinTypes(identity.Types), "namespace %s has no known type: %q", n.Symbol, n.Type)
	}
	for _, s := range identity.Standard {
		if s.Symbol == n.Symbol {
			l.problem(n.Position, "choose another symbol", "namespace %s exists already as a standard namespace", n.Symbol)
		}
	}
}

func joinTypes[T ~string](types []T) string {
	out := make([]string, len(types))
	for i, t := range types {
		out[i] = string(t)
	}
	return strings.Join(out, ", ")
}

func (l *loader) fieldGroup(g *FieldGroup) {
	for _, f := range g.Fields {
		if !strings.HasPrefix(f.Path, "_") || strings.HasPrefix(f.Path, "_repo.") || !strings.Contains(f.Path, ".") {
			l.problem(g.Position, "put it below your tenant id, such as _luma.prospect.postalCode",
				"field %q of field group %s must start with a tenant id", f.Path, g.Name)
		}
		if !slices.Contains(xdm.Types, f.Type) {
			l.problem(g.Position, "known are "+joinTypes(xdm.Types), "field %s of field group %s has no known type: %q", f.Path, g.Name, f.Type)
		}
		l.constraints(g.Position, f.Path, f.Constraints)
	}
}

func (l *loader) constraints(at Position, field string, c Constraints) {
	if _, err := regexp.Compile(c.Pattern); err != nil {
		l.problem(at, "patterns follow RE2", "field %s: %v", field, err)
	}
}

func (l *loader) schema(s *Schema) {
	at := s.Position
	l.objectName(at, "schema", s.Name)
	if s.Class != xdm.ProspectClassTitle && s.Class != xdm.ProspectClassID {
		l.problem(at, "write class: "+xdm.ProspectClassTitle, "schema %s: class %q is not the prospect class", s.Name, s.Class)
	}
	var groups []xdm.Group
	for _, name := range s.FieldGroups {
		g, ok := l.group(name)
		if !ok {
			var known []string
			for _, b := range xdm.BuiltInGroups() {
				known = append(known, b.Title)
			}
			l.problem(at, didYouMean(name, append(known, names(l.workspace.FieldGroups)...)),
				"schema %s: no field group for the prospect class is called %q", s.Name, name)
			continue
		}
		groups = append(groups, g)
	}
	composed, err := xdm.Compose(s.Name, groups)
	if err != nil {
		l.problem(at, "", "schema %s: %v", s.Name, err)
		return
	}
	s.Composed = composed
	for _, p := range slices.Sorted(maps.Keys(s.Constraints)) {
		l.constraints(at, p, s.Constraints[p])
		if !l.field(at, "schema "+s.Name+": constraints", composed, p) {
			continue
		}
		i := slices.IndexFunc(composed.Fields, func(f xdm.Field) bool { return f.Path == p })
		s.Constraints[p].apply(&composed.Fields[i])
	}
	for _, p := range slices.Sorted(maps.Keys(s.Labels.Fields)) {
		l.field(at, "schema "+s.Name+": labels", composed, p)
		l.labels(at, s.Labels.Fields[p])
	}
	l.labels(at, s.Labels.All)
	l.primaryIdentity(s)
	if unlabelled := s.withoutLabels(); len(unlabelled) > 0 { // LB-1, EC-4
		l.workspace.Warnings = append(l.workspace.Warnings, fmt.Sprintf("%s: schema %s: %d fields carry no label, %s first; write labels: {all: [%s]}",
			at, s.Name, len(unlabelled), unlabelled[0], governance.ThirdParty))
	}
}

func (s *Schema) withoutLabels() []string {
	var out []string
	for _, f := range s.Composed.Fields {
		if len(s.Labels.All)+len(s.Labels.Fields[f.Path]) == 0 {
			out = append(out, f.Path)
		}
	}
	return out
}

func (l *loader) group(name string) (xdm.Group, bool) {
	if g, ok := find(l.workspace.FieldGroups, name); ok {
		out := xdm.Group{Title: g.Name}
		for _, f := range g.Fields {
			field := xdm.Field{Path: f.Path, Type: f.Type, Title: f.Title}
			f.apply(&field)
			out.Fields = append(out.Fields, field)
		}
		return out, true
	}
	return xdm.BuiltInGroup(name)
}

// primaryIdentity lets no namespace in that is not of type Partner ID (ID-3, ID-4, AS-1).
func (l *loader) primaryIdentity(s *Schema) {
	at, p := s.Position, s.PrimaryIdentity
	if p.Field == "" || p.Namespace == "" {
		l.problem(at, "write primaryIdentity: {field: partnerID, namespace: …}", "schema %s has no primary identity", s.Name)
		return
	}
	if !l.field(at, "schema "+s.Name+": primary identity", s.Composed, p.Field) {
		return
	}
	i := slices.IndexFunc(s.Composed.Fields, func(f xdm.Field) bool { return f.Path == p.Field })
	field := &s.Composed.Fields[i]
	if field.Type != xdm.String || field.System {
		l.problem(at, "use partnerID", "schema %s: field %s cannot be the primary identity", s.Name, p.Field)
	}
	field.Required = true // ID-18
	kind := identity.Type("")
	for _, n := range identity.Standard {
		if n.Symbol == p.Namespace {
			kind = n.Type
		}
	}
	if n, ok := find(l.workspace.Namespaces, p.Namespace); ok {
		kind = n.Type
	}
	switch {
	case kind == "":
		l.problem(at, didYouMean(p.Namespace, names(l.workspace.Namespaces)), "schema %s: no namespace is called %s", s.Name, p.Namespace)
	case !kind.AllowedForProspects():
		l.problem(at, fmt.Sprintf("use a namespace of type %s", identity.PartnerID),
			"schema %s: namespace %s is of type %s, prospects may use only type %s", s.Name, p.Namespace, kind, identity.PartnerID)
	}
}

func (l *loader) field(at Position, where string, s *xdm.Schema, fieldPath string) bool {
	if _, ok := s.Field(fieldPath); ok {
		return true
	}
	var known []string
	for _, f := range s.Fields {
		known = append(known, f.Path)
	}
	l.problem(at, didYouMean(fieldPath, known), "%s: the schema %s has no field %s", where, s.Name, fieldPath)
	return false
}

func (l *loader) labels(at Position, labels []string) {
	for _, label := range labels {
		if !slices.Contains(governance.CoreLabels, label) {
			l.problem(at, didYouMean(label, governance.CoreLabels), "unknown label %q", label)
		}
	}
}

func (l *loader) dataset(d *Dataset) {
	l.objectName(d.Position, "dataset", d.Name)
	l.labels(d.Position, d.Labels)
	s, ok := find(l.workspace.Schemas, d.Schema)
	if !ok {
		l.problem(d.Position, didYouMean(d.Schema, names(l.workspace.Schemas)), "dataset %s: no schema is called %q", d.Name, d.Schema)
		return
	}
	if d.Profile && !s.Profile {
		l.problem(d.Position, "write profile: true in the schema as well", "dataset %s is enabled for Profile, its schema %s is not", d.Name, s.Name)
	}
	if !d.Profile {
		return
	}
	for _, other := range l.workspace.Datasets {
		if other == d {
			break
		}
		if o, ok := find(l.workspace.Schemas, other.Schema); ok && other.Profile && o.PrimaryIdentity.Namespace == s.PrimaryIdentity.Namespace {
			l.problem(d.Position, "give each profile-enabled dataset a namespace of its own",
				"datasets %s and %s both hold profiles of namespace %s; profiles merged from several datasets are not supported yet",
				other.Name, d.Name, s.PrimaryIdentity.Namespace)
		}
	}
}

func (l *loader) policy(p *Policy) {
	if p.Status == "" {
		p.Status = governance.Draft
	}
	if !slices.Contains([]governance.Status{governance.Draft, governance.Enabled, governance.Disabled}, p.Status) {
		l.problem(p.Position, "write DRAFT, ENABLED or DISABLED", "policy %s: unknown status %q", p.Name, p.Status)
	}
	l.marketingActions(p.Position, "policy "+p.Name, p.MarketingActions)
	if len(p.MarketingActions) == 0 {
		l.problem(p.Position, "", "policy %s names no marketing action", p.Name)
	}
	l.expression(p.Position, p.Name, p.Deny)
}

func (l *loader) expression(at Position, policy string, e governance.Expression) {
	switch {
	case e.Label != "" && e.Operator == "" && len(e.Operands) == 0:
		l.labels(at, []string{e.Label})
	case e.Label == "" && (e.Operator == "AND" || e.Operator == "OR") && len(e.Operands) > 0:
		for _, o := range e.Operands {
			l.expression(at, policy, o)
		}
	default:
		l.problem(at, "write {label: C2} or {operator: AND, operands: […]}", "policy %s: deny must be a label, or AND or OR with operands (PL-4)", policy)
	}
}

func (l *loader) marketingActions(at Position, where string, actions []string) {
	for _, action := range actions {
		if !slices.Contains(governance.CoreMarketingActions, action) {
			l.problem(at, didYouMean(action, governance.CoreMarketingActions), "%s: unknown marketing action %q", where, action)
		}
	}
}

func (l *loader) source(s *Source) {
	at := s.Position
	l.objectName(at, "source", s.Name)
	l.connection(at, "source "+s.Name, &s.Connection)
	d, ok := find(l.workspace.Datasets, s.Dataset)
	if !ok {
		l.problem(at, didYouMean(s.Dataset, names(l.workspace.Datasets)), "source %s: no dataset is called %q", s.Name, s.Dataset)
		return
	}
	if _, err := path.Match(s.Path, ""); s.Path == "" || err != nil || strings.HasPrefix(s.Path, "/") {
		l.problem(at, "write a pattern relative to the drop point, such as in/*.csv.gz", "source %s: path %q is not a pattern", s.Name, s.Path)
	}
	if s.Format.Delimiter == "" {
		s.Format.Delimiter = ","
	}
	if s.Format.Quote == "" {
		s.Format.Quote = `"`
	}
	if len(s.Format.Delimiter) != 1 || len(s.Format.Quote) != 1 || s.Format.Delimiter == s.Format.Quote { // SR-11
		l.problem(at, "", "source %s: delimiter and quote must be one character each, and different", s.Name)
	}
	l.compression(at, "source "+s.Name, &s.Format.Compression)
	if t := s.Threshold(); t < 0 || t > 100 {
		l.problem(at, "", "source %s: errorThreshold %v is not a percentage", s.Name, t)
	}
	if s.NullMarkers == nil {
		s.NullMarkers = []string{""}
	}
	l.mapping(s, d)
	l.schedule(at, s)
}

func (l *loader) mapping(s *Source, d *Dataset) {
	schema, _ := find(l.workspace.Schemas, d.Schema)
	taken := map[string]string{}
	for _, col := range slices.Sorted(maps.Keys(s.Mapping)) {
		p := s.Mapping[col]
		if !l.field(s.Position, "source "+s.Name+": mapping", schema.Composed, p) {
			continue
		}
		if f, _ := schema.Composed.Field(p); f.System {
			l.problem(s.Position, "", "source %s: %s is written by Prospector and cannot be mapped", s.Name, p)
		}
		if other, ok := taken[p]; ok {
			l.problem(s.Position, "", "source %s: columns %s and %s are both mapped to %s", s.Name, other, col, p)
		}
		if slices.Contains(s.IgnoreColumns, col) {
			l.problem(s.Position, "", "source %s: column %s is mapped and ignored", s.Name, col)
		}
		taken[p] = col
	}
	for _, f := range schema.Composed.Fields {
		if _, ok := taken[f.Path]; f.Required && !ok {
			l.problem(s.Position, "map a column to it", "source %s: required field %s is not mapped", s.Name, f.Path)
		}
	}
}

func (l *loader) schedule(at Position, s *Source) {
	if s.Schedule == nil {
		return
	}
	if len(strings.Fields(s.Schedule.Cron)) != 5 {
		l.problem(at, "write five fields: minute hour day month weekday", "source %s: schedule cron %q is not a cron line", s.Name, s.Schedule.Cron)
	}
	if s.Schedule.TimeZone == "" {
		s.Schedule.TimeZone = "UTC"
	}
	if _, err := time.LoadLocation(s.Schedule.TimeZone); err != nil {
		l.problem(at, "write an IANA name, such as Europe/Berlin", "source %s: unknown time zone %q", s.Name, s.Schedule.TimeZone)
	}
}

func (l *loader) compression(at Position, where string, compression *string) {
	if *compression == "" {
		*compression = "none"
	}
	if *compression != "none" && *compression != "gzip" {
		l.problem(at, "write none or gzip", "%s: unknown compression %q", where, *compression)
	}
}

func (l *loader) connection(at Position, where string, c *Connection) {
	if (c.S3 == nil) == (c.SFTP == nil) {
		l.problem(at, "write s3: {…} or sftp: {…}", "%s needs exactly one connection", where)
		return
	}
	var secrets map[string]Secret
	if c.S3 != nil {
		if c.S3.Bucket == "" {
			l.problem(at, "", "%s: s3 needs a bucket", where)
		}
		if (c.S3.AccessKey == "") != (c.S3.SecretKey == "") {
			l.problem(at, "leave both out to use the default credential chain", "%s: s3 needs accessKey and secretKey together", where)
		}
		secrets = map[string]Secret{"secretKey": c.S3.SecretKey, "sessionToken": c.S3.SessionToken}
	} else {
		if c.SFTP.Address == "" || c.SFTP.User == "" || c.SFTP.HostKey == "" {
			l.problem(at, "the host key is one line as in authorized_keys; it is always verified", "%s: sftp needs address, user and hostKey", where)
		}
		if (c.SFTP.Password == "") == (c.SFTP.PrivateKey == "") {
			l.problem(at, "", "%s: sftp needs either password or privateKey", where)
		}
		secrets = map[string]Secret{"password": c.SFTP.Password, "privateKey": c.SFTP.PrivateKey, "passphrase": c.SFTP.Passphrase}
	}
	for _, key := range slices.Sorted(maps.Keys(secrets)) {
		if secrets[key] != "" && !secrets[key].IsReference() {
			l.problem(at, "write ${env:NAME} or ${file:/path}", "%s: %s must be a reference, a secret never stands in a workspace", where, key)
		}
	}
}

func (l *loader) audience(a *Audience) {
	l.objectName(a.Position, "audience", a.Name)
	for _, n := range a.Namespaces {
		if _, ok := find(l.workspace.Namespaces, n); !ok {
			l.problem(a.Position, didYouMean(n, names(l.workspace.Namespaces)), "audience %s: no namespace is called %q", a.Name, n)
		}
	}
	datasets := l.workspace.ProfileDatasets(a.Namespaces)
	if len(datasets) == 0 {
		l.problem(a.Position, "enable a dataset and its schema with profile: true", "audience %s: no dataset is enabled for Profile", a.Name)
		return
	}
	union := audience.Fields{}
	for _, d := range datasets {
		s, _ := find(l.workspace.Schemas, d.Schema)
		for _, f := range s.Composed.Fields {
			if !f.System {
				union[f.Path] = f.Type
			}
		}
	}
	rule, err := audience.Parse(a.Rule, union)
	if err != nil {
		l.problem(a.Position, "", "audience %s: rule: %v", a.Name, err)
		return
	}
	a.Parsed = rule
}

func (l *loader) destination(d *Destination) {
	at := d.Position
	l.objectName(at, "destination", d.Name)
	l.connection(at, "destination "+d.Name, &d.Connection)
	switch {
	case !slices.Contains([]string{"s3", "sftp", "liveramp"}, d.Type):
		l.problem(at, "write s3, sftp or liveramp", "destination %s: unknown type %q", d.Name, d.Type)
	case d.Type == "s3" && d.S3 == nil || d.Type == "sftp" && d.SFTP == nil:
		l.problem(at, "", "destination %s of type %s needs the connection %s", d.Name, d.Type, d.Type)
	case d.Type == "liveramp" && d.SFTP == nil:
		l.problem(at, "", "destination %s of type liveramp needs the connection sftp", d.Name)
	case d.Type == "liveramp" && d.Manifest:
		l.problem(at, "leave manifest out", "destination %s: LiveRamp ingests every file that it finds, so no manifest may lie beside them", d.Name)
	}
	l.marketingActions(at, "destination "+d.Name, d.MarketingActions)
	if len(d.MarketingActions) == 0 {
		l.workspace.Warnings = append(l.workspace.Warnings, fmt.Sprintf("%s: destination %s names no marketing action, so no policy but %s can apply to it; set marketingActions",
			at, d.Name, governance.ExportBan))
	}
	if d.Format.Delimiter == "" {
		d.Format.Delimiter = ","
	}
	if !slices.Contains([]string{",", "|", ";", ":", "\t"}, d.Format.Delimiter) { // FX-9
		l.problem(at, "write comma, pipe, semicolon, colon or tab", "destination %s: delimiter %q is not allowed", d.Name, d.Format.Delimiter)
	}
	l.compression(at, "destination "+d.Name, &d.Format.Compression)
	if d.RowsPerFile == 0 {
		d.RowsPerFile = map[bool]int64{true: 10_000_000, false: 5_000_000}[d.Type == "liveramp"]
	}
	if d.RowsPerFile < 1 {
		l.problem(at, "", "destination %s: rowsPerFile must be positive", d.Name)
	}
}

func (l *loader) activation(a *Activation) {
	at := a.Position
	l.objectName(at, "activation", a.Name)
	if _, ok := find(l.workspace.Destinations, a.Destination); !ok {
		l.problem(at, didYouMean(a.Destination, names(l.workspace.Destinations)), "activation %s: no destination is called %q", a.Name, a.Destination)
	}
	if len(a.Audiences) == 0 {
		l.problem(at, "", "activation %s names no audience", a.Name)
	}
	for _, name := range a.Audiences {
		if _, ok := find(l.workspace.Audiences, name); !ok {
			l.problem(at, didYouMean(name, names(l.workspace.Audiences)), "activation %s: no audience is called %q", a.Name, name)
		}
	}
	datasets := l.workspace.ProfileDatasets([]string{a.Namespace})
	if a.Namespace == "" || len(datasets) == 0 {
		l.problem(at, "one activation exports one namespace: "+strings.Join(names(l.workspace.Namespaces), ", "),
			"activation %s: namespace %q identifies no profile-enabled dataset", a.Name, a.Namespace)
		return
	}
	schema, _ := find(l.workspace.Schemas, datasets[0].Schema)
	headers := map[string]bool{}
	hasIdentity := false
	for _, m := range a.Mapping {
		if l.field(at, "activation "+a.Name+": mapping", schema.Composed, m.Field) {
			if f, _ := schema.Composed.Field(m.Field); f.System {
				l.problem(at, "", "activation %s: %s cannot be exported", a.Name, m.Field)
			}
		}
		if m.Header == "" || headers[m.Header] {
			l.problem(at, "give every column a header of its own", "activation %s: column %s has no header or one that is taken", a.Name, m.Field)
		}
		headers[m.Header] = true
		hasIdentity = hasIdentity || m.Field == schema.PrimaryIdentity.Field
	}
	if !hasIdentity {
		l.problem(at, "map "+schema.PrimaryIdentity.Field, "activation %s exports no identity", a.Name)
	}
}

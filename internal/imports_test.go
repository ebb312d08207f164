package internal_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// rooms says which of our packages each package may import: dependencies point one way, from commands
// over workflows and activities to the domain. docs/architecture.md has the picture.
var rooms = map[string][]string{
	"worker": {"workflows", "activities", "internal/access", "internal/access/oidc", "testdata", "testdata/partnerdata", "internal/catalog", "internal/catalog/sqlite", "internal/connect", "internal/datadir",
		"internal/api/server", "internal/destination", "internal/destination/s3destination", "internal/destination/sftpdestination", "internal/devserver",
		"internal/devserver/objectstore", "internal/devserver/sftpserver", "internal/devserver/temporalserver", "internal/errkind",
		"internal/source", "internal/filecodec", "internal/filecodec/parquetfile", "internal/pgp", "internal/source/foldersource", "internal/source/s3source", "internal/source/sftpsource", "internal/store", "internal/store/duckdb",
		"internal/temporalclient", "internal/workspace"},
	"starter": {"workflows", "activities", "internal/api", "internal/catalog", "internal/enforcement", "internal/errkind", "internal/governance", "internal/governance/drawing", "internal/identity", "internal/infer", "internal/plan",
		"internal/store", "internal/temporalclient", "internal/workspace", "internal/xdm"},
	"workflows": {"activities", "internal/catalog", "internal/errkind", "internal/ingest", "internal/plan", "internal/store", "internal/workspace"},
	"activities": {"internal/access", "internal/catalog", "internal/destination", "internal/enforcement", "internal/errkind", "internal/export", "internal/governance", "internal/ingest",
		"internal/pgp", "internal/plan", "internal/prospect", "internal/readiness", "internal/source", "internal/store", "internal/workspace"},
	"sql": {},

	// the domain: no input or output
	"internal/audience":              {"internal/audience/expression", "internal/audience/postgres", "internal/audience/pql", "internal/xdm"},
	"internal/audience/expression":   {"internal/xdm"},
	"internal/audience/postgres":     {"internal/audience/expression", "internal/xdm"},
	"internal/audience/pql":          {"internal/audience/expression", "internal/xdm"},
	"internal/audience/differential": {}, // tests only
	"internal/errkind":               {},
	"internal/export":                {},
	"internal/governance":            {},
	"internal/governance/drawing":    {"internal/governance"},
	"internal/identity":              {},
	"internal/prospect":              {"internal/errkind", "internal/mapping", "internal/xdm"},
	"internal/xdm":                   {},

	// it reads a text that somebody gives it
	"internal/access":               {"internal/errkind", "internal/xdm", "internal/yamldoc"},
	"internal/access/oidc":          {"internal/access", "internal/errkind"},
	"internal/access/oidc/oidctest": {},

	"internal/infer": {"internal/errkind", "internal/filecodec", "internal/governance", "internal/identity", "internal/xdm"},
	"internal/plan":  {"internal/enforcement", "internal/governance", "internal/workspace", "internal/xdm"},

	"internal/enforcement": {"internal/audience", "internal/errkind", "internal/governance", "internal/workspace", "internal/yamldoc"},

	"internal/yamldoc":               {},
	"internal/workspace":             {"internal/audience", "internal/errkind", "internal/governance", "internal/identity", "internal/mapping", "internal/readiness", "internal/xdm", "internal/yamldoc"},
	"internal/readiness":             {"internal/source"},
	"internal/mapping":               {"internal/errkind", "internal/identity", "internal/xdm"},
	"internal/pgp":                   {"internal/errkind"},
	"internal/workspace/generate":    {"internal/governance", "internal/identity", "internal/mapping", "internal/workspace", "internal/xdm"},
	"internal/filecodec":             {},
	"internal/filecodec/parquetfile": {"internal/filecodec"},
	"internal/ingest":                {"internal/errkind", "internal/filecodec", "internal/mapping", "internal/prospect", "internal/store", "internal/workspace"},

	"internal/ingest/differential": {}, // tests only

	"internal/store":           {"internal/audience", "internal/prospect", "internal/xdm"},
	"internal/store/storetest": {"internal/audience", "internal/errkind", "internal/filecodec", "internal/prospect", "internal/store", "internal/xdm"},
	"internal/store/duckdb":    {"internal/audience", "internal/errkind", "internal/prospect", "internal/store", "internal/xdm", "sql"},
	"internal/catalog":         {"internal/errkind", "internal/governance", "internal/source", "internal/store", "sql"},
	"internal/catalog/sqlite":  {"internal/catalog"},

	// the client knows the terms of the store and nothing else, so that the command line links no server
	"internal/api":        {"internal/errkind", "internal/store"},
	"internal/api/server": {"internal/access", "internal/api", "internal/audience", "internal/catalog", "internal/enforcement", "internal/errkind", "internal/prospect", "internal/store", "internal/workspace", "internal/xdm"},

	"internal/connect":                     {"internal/errkind"},
	"internal/source":                      {"internal/errkind"},
	"internal/source/ranged":               {"internal/errkind"},
	"internal/source/sourcetest":           {"internal/errkind", "internal/source"},
	"internal/source/foldersource":         {"internal/errkind", "internal/source"},
	"internal/source/s3source":             {"internal/connect", "internal/errkind", "internal/source", "internal/source/ranged"},
	"internal/source/sftpsource":           {"internal/connect", "internal/errkind", "internal/source", "internal/source/ranged"},
	"internal/destination":                 {},
	"internal/destination/destinationtest": {"internal/destination", "internal/errkind"},
	"internal/destination/s3destination":   {"internal/connect", "internal/destination", "internal/errkind"},
	"internal/destination/sftpdestination": {"internal/connect", "internal/destination", "internal/errkind"},

	"internal/datadir":                       {"internal/errkind"},
	"internal/temporalclient":                {"internal/errkind"},
	"internal/devserver":                     {},
	"internal/devserver/faultproxy":          {},
	"internal/devserver/objectstore":         {"internal/connect", "internal/devserver", "internal/errkind"},
	"internal/devserver/sftpserver":          {"internal/devserver", "internal/errkind"},
	"internal/devserver/sftpserver/sshdtest": {"internal/devserver"},
	"internal/devserver/temporalserver":      {"internal/devserver", "internal/errkind", "internal/temporalclient"},
}

// fences keep a dependency inside the packages that are there for it: a module with all its packages, or
// one package of the standard library.
var fences = map[string][]string{
	"database/sql":                    {"internal/catalog", "internal/store/duckdb"},
	"net/http":                        {"internal/access/oidc", "internal/api", "internal/connect", "internal/source/s3source", "internal/destination/s3destination", "internal/devserver"},
	"net":                             {"internal/api", "internal/connect", "internal/devserver"},
	"os":                              {"worker", "starter", "activities", "internal/api", "internal/connect", "internal/datadir", "internal/devserver", "internal/ingest", "internal/source/foldersource", "internal/store/duckdb", "internal/store/storetest", "internal/temporalclient", "internal/workspace"},
	"os/exec":                         {"internal/devserver", "worker"}, // of worker bench
	"go.temporal.io/sdk":              {"worker", "starter", "workflows", "activities", "internal/temporalclient", "internal/devserver"},
	"go.temporal.io/server":           {"internal/devserver"},
	"github.com/temporalio/ui-server": {"internal/devserver"},
	"github.com/versity/versitygw":    {"internal/devserver"},
	"github.com/duckdb":               {"internal/store/duckdb"},
	"modernc.org/sqlite":              {"internal/catalog/sqlite"},
	"github.com/aws":                  {"internal/connect", "internal/source/s3source", "internal/destination/s3destination", "internal/devserver"},
	"github.com/pkg/sftp":             {"internal/connect", "internal/source/sftpsource", "internal/destination/sftpdestination", "internal/devserver"},
	"golang.org/x/crypto":             {"internal/connect", "internal/devserver"},
	"github.com/ProtonMail":           {"internal/pgp"},
	"github.com/apache/arrow-go":      {"internal/filecodec/parquetfile"},
	"github.com/apache/thrift":        {"internal/filecodec/parquetfile"},
	"github.com/parquet-go":           {}, // in tests only, as the next
	"github.com/xitongsys":            {},
	"github.com/danielgtaylor/huma":   {"internal/api/server"},
	"github.com/coreos/go-oidc":       {"internal/access/oidc"},
	"github.com/spf13/cobra":          {"worker", "starter"},
	"github.com/goccy/go-yaml":        {"internal/yamldoc"},
	"github.com/santhosh-tekuri":      {"internal/workspace"},
	"github.com/invopop/jsonschema":   {"internal/workspace/generate"},
	"github.com/wasilibs/go-pgquery":  {"internal/audience/postgres"},
	"github.com/pganalyze":            {"internal/audience/postgres"},
	"github.com/alecthomas":           {"internal/audience/pql"},
	"github.com/stretchr/testify":     {"internal/access/oidc/oidctest", "internal/source/sourcetest", "internal/store/storetest", "internal/destination/destinationtest", "internal/devserver/sftpserver"},
}

// TestImportsPointOneWay holds the code against the map above.
func TestImportsPointOneWay(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range listPackages(t, `{{.ImportPath}} {{join .Imports " "}}`, "prospector/...") {
		name := strings.TrimPrefix(p[0], "prospector/")
		if name == "prospector/internal" || name == "internal" {
			continue // this test
		}
		seen[name] = true
		allowed, known := rooms[name]
		if !known {
			t.Errorf("package %s has no place in the map: add it, with what it may import", name)
		}
		for _, imported := range p[1:] {
			if ours, ok := strings.CutPrefix(imported, "prospector/"); ok && known && !slices.Contains(allowed, ours) {
				t.Errorf("%s must not import %s", name, ours)
			}
			for fenced, inside := range fences {
				if (imported == fenced || strings.Contains(fenced, ".") && within(imported, fenced)) && !slices.ContainsFunc(inside, func(room string) bool { return within(name, room) }) {
					t.Errorf("%s must not import %s", name, imported)
				}
			}
		}
	}
	for name := range rooms {
		require.True(t, seen[name], "the map holds package %s, which is not there", name)
	}
}

// The command line runs anywhere and starts at once: it links no store, no driver and no server.
func TestStarterLinksNoStore(t *testing.T) {
	for _, p := range listPackages(t, "{{.ImportPath}}", "-deps", "prospector/starter") {
		for _, heavy := range []string{"github.com/duckdb", "modernc.org/sqlite", "github.com/aws", "github.com/pkg/sftp", "github.com/apache/arrow-go", "github.com/danielgtaylor/huma", "go.temporal.io/server", "runtime/cgo"} {
			require.False(t, within(p[0], heavy), "starter links %s", p[0])
		}
	}
}

// A release worker links no server that is for development.
func TestReleaseLinksNoDevelopmentServer(t *testing.T) {
	for _, p := range listPackages(t, "{{.ImportPath}}", "-deps", "-tags", "release", "prospector/worker") {
		for _, heavy := range []string{"go.temporal.io/server", "github.com/temporalio/ui-server", "github.com/versity/versitygw", "prospector/internal/devserver", "prospector/testdata"} {
			require.False(t, within(p[0], heavy), "a release links %s", p[0])
		}
	}
}

func within(name, room string) bool { return name == room || strings.HasPrefix(name, room+"/") }

// listPackages returns the lines of go list, each as its words.
func listPackages(t *testing.T, format string, arguments ...string) [][]string {
	t.Helper()
	command := exec.Command("go", append([]string{"list", "-f", format}, arguments...)...)
	if slices.Contains(arguments, "prospector/starter") {
		command.Env = append(os.Environ(), "CGO_ENABLED=0") // as it is built
	}
	out, err := command.Output()
	require.NoError(t, err)
	var lines [][]string
	for line := range strings.Lines(string(out)) {
		if words := strings.Fields(line); len(words) > 0 {
			lines = append(lines, words)
		}
	}
	require.NotEmpty(t, lines)
	return lines
}

package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"prospector/internal/errkind"
)

// What a partner calls a file does nothing to a terminal, and the name that is shown is one that can be given.
func TestOddNames(t *testing.T) {
	for name, want := range map[string]string{
		"in/grüße €.csv": "in/grüße €.csv", "in/a\nb.csv": `"in/a\nb.csv"`, "in/\u202egpj.csv": `"in/\u202egpj.csv"`, "in/\x1b[2J.csv": `"in/\x1b[2J.csv"`,
		"in/\xff.csv": `"in/\xff.csv"`, `in/"a".csv`: `"in/\"a\".csv"`, `"a.csv"`: `"\"a.csv\""`,
	} {
		shown := printable(name)
		require.Equal(t, want, shown)
		require.Equal(t, name, written(shown))
	}
	require.Equal(t, `"a.csv`, written(`"a.csv`), "no quoted name")
	require.Equal(t, "a.csv", written("a.csv"))
	require.Equal(t, `line\nturn\u202e\tend\xff ü"\`, visible("line\nturn\u202e\tend\xff ü\"\\"))
	require.Equal(t, "one\ntwo\\r", visibleLines("one\ntwo\r"))
}

// A long name does not widen the table on a terminal; elsewhere it is whole.
func TestTable(t *testing.T) {
	long := "in/" + strings.Repeat("x", 200) + "-2026.csv"
	rows := [][]string{{"file", "state"}, {long, "loaded"}, {"in/\u202e.csv", long}}
	var out strings.Builder
	require.NoError(t, tableFor(0, &out, rows))
	require.Contains(t, out.String(), long+"  loaded\n")
	require.Contains(t, out.String(), `in/\u202e.csv`)
	out.Reset()
	require.NoError(t, tableFor(80, &out, rows))
	lines := strings.Split(out.String(), "\n")
	require.Equal(t, "in/xxxxxxxxxxxxxxxx…xxxxxxxxxxx-2026.csv  loaded", lines[1])
	require.True(t, strings.HasSuffix(lines[2], long), "other columns are whole")
}

// An empty --retry-of, as of a script whose variable is not set, starts no ordinary run; nor do the other flags that narrow one.
func TestEmptyFlags(t *testing.T) {
	for _, flag := range []string{"retry-of", "business-date", "from", "to"} {
		c := newRoot()
		c.SetArgs([]string{"run", "sync-source", "acme", "--" + flag, ""})
		err := c.ExecuteContext(context.Background())
		require.EqualError(t, err, "--"+flag+" is empty; name one, or leave the flag out")
		require.Equal(t, errkind.Invalid.ExitCode(), exitCode(err))
	}
}

// A result whose paths are quoted already is not quoted again.
func TestPrintSyncedKeepsQuotedPaths(t *testing.T) {
	printed := stdout(t, func() {
		require.NoError(t, printSynced(json.RawMessage(`{"source": "acme", "waiting": [{"path": "in/\u202e.csv", "reason": "r"}, {"path": "\"in/c\\td.csv\"", "reason": "r"}], "failed": [{"path": "\"in/a\\nb.csv\"", "message": "it must not"}]}`)))
	})
	require.Contains(t, printed, `waiting  "in/\u202e.csv": r`)
	require.Contains(t, printed, `waiting  "in/c\td.csv": r`)
	require.Contains(t, printed, `failed   "in/a\nb.csv": it must not`)
}

// SR-23: a dry run says which file a run would refuse, why its rows are rejected, and which columns are not there or not taken.
func TestPrintDryRun(t *testing.T) {
	printed := stdout(t, func() {
		require.NoError(t, printSynced(json.RawMessage(`{"source": "acme", "matching": 1, "failed": [{"path": "in/a.csv", "kind": "BadInput", "message": "in/a.csv: 1 of 2 rows checked rejected (50.0%)"}],
			"probed": [{"path": "in/a.csv", "bytes": 22, "sampled": true, "refused": "in/a.csv: 1 of 2 rows checked rejected (50.0%)",
				"counts": {"read": 2, "accepted": 1, "rejected": 1, "drift": {"unmapped": ["x"], "missing": ["b", "d"]}},
				"reasons": [{"reason": {"code": "PROSPECT-TYPE", "field": "_luma.i"}, "rows": 1}]}]}`)))
	})
	require.Contains(t, printed, "failed   in/a.csv: 1 of 2 rows checked rejected (50.0%)\n")
	require.Regexp(t, `in/a\.csv +22 +2 +1 +1\n`, printed)
	require.Contains(t, printed, `  in/a.csv: columns that were not taken: ["x"]`+"\n"+`  in/a.csv: columns that are not there: ["b" "d"]`+"\n")
	require.Contains(t, printed, "  in/a.csv: 1 rows rejected: PROSPECT-TYPE _luma.i: the value is not of the field's type\n")
}

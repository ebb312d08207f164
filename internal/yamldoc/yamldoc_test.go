package yamldoc

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const text = `# a comment
kind: A
list:
  - {x: 1}
  - y: 2
    z: three
map: {"quoted key": v}
empty:
---
---
kind: B
`

func TestPositions(t *testing.T) {
	documents, problems := Parse("a.yaml", []byte(text))
	require.Empty(t, problems)
	require.Len(t, documents, 2)
	d := documents[0]
	for _, c := range []struct {
		path []string
		want string
		key  string
	}{
		{nil, "a.yaml:2:1", "a.yaml:2:1"},
		{[]string{"kind"}, "a.yaml:2:7", "a.yaml:2:1"},
		{[]string{"list"}, "a.yaml:4:5", "a.yaml:3:1"},
		{[]string{"list", "0"}, "a.yaml:4:5", "a.yaml:4:5"},
		{[]string{"list", "0", "x"}, "a.yaml:4:9", "a.yaml:4:6"},
		{[]string{"list", "1", "z"}, "a.yaml:6:8", "a.yaml:6:5"},
		{[]string{"list", "7", "z"}, "a.yaml:4:5", "a.yaml:4:5"},
		{[]string{"map", "quoted key"}, "a.yaml:7:21", "a.yaml:7:7"},
		{[]string{"empty"}, "a.yaml:8:1", "a.yaml:8:1"},
		{[]string{"absent"}, "a.yaml:2:1", "a.yaml:2:1"},
	} {
		require.Equal(t, c.want, d.At(c.path...).String(), c.path)
		require.Equal(t, c.key, d.KeyAt(c.path...).String(), c.path)
	}
	require.Equal(t, "a.yaml:11:1", documents[1].At().String())
	value, err := documents[1].Declared()
	require.NoError(t, err)
	require.Equal(t, map[string]any{"kind": "B"}, value)
}

func TestSyntaxErrors(t *testing.T) {
	for text, want := range map[string]string{
		"a: [1":         "a.yaml:1:4: sequence end token ']' not found",
		"a: 1\na: 2":    `a.yaml:2:1: mapping key "a" already defined in line 1`,
		"a: 1\n b: 2":   "a.yaml:",
		"kind: \"open":  "a.yaml:1:7: ",
		"a: *nowhere\n": "",
	} {
		_, problems := Parse("a.yaml", []byte(text+"\n---\nkind: B\n"))
		if want == "" {
			require.Empty(t, problems, "an alias is judged when it is decoded")
			continue
		}
		require.Len(t, problems, 1)
		require.Contains(t, problems[0].Error(), want)
		require.NotContains(t, problems[0].Error(), "\n")
	}
}

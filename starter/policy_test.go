package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"prospector/internal/enforcement"
	"prospector/internal/errkind"
	"prospector/internal/governance"
	"prospector/internal/plan"
)

// ran is what a command prints, and its error.
func ran(t *testing.T, arguments ...string) (printed string, failure error) {
	t.Helper()
	root := newRoot()
	root.SetArgs(arguments)
	printed = stdout(t, func() { failure = root.Execute() })
	return printed, failure
}

// stdout is what f prints.
func stdout(t *testing.T, f func()) string {
	t.Helper()
	reader, writer, err := os.Pipe()
	require.NoError(t, err)
	before := os.Stdout
	os.Stdout = writer
	defer func() { os.Stdout = before }()
	printed := make(chan []byte)
	go func() {
		var out bytes.Buffer
		_, _ = io.Copy(&out, reader)
		printed <- out.Bytes()
	}()
	f()
	require.NoError(t, writer.Close())
	return string(<-printed)
}

// PL-11: the list has labels, actions, status and kind of every policy, the built-in ones too.
func TestPolicyList(t *testing.T) {
	text, err := ran(t, "policy", "list", sample)
	require.NoError(t, err)
	require.Regexp(t, `No e-mail with vendor data +ENABLED +custom +own +Email Targeting +Third-Party +governance.yaml:1`, text)
	require.Regexp(t, `Restrict data sharing +DISABLED +core, confirmed +own +Segment Match +C11`, text)
	text, err = ran(t, "policy", "list", sample, "--json")
	require.NoError(t, err)
	var policies []governance.Policy
	require.NoError(t, json.Unmarshal([]byte(text), &policies))
	require.Len(t, policies, 17)
}

// The commands take the workspace as an argument or a flag, and not both.
func TestPolicyWorkspace(t *testing.T) {
	for _, command := range [][]string{{"list"}, {"evaluate", "--action", "Email Targeting", "--labels", "C9"}, {"impact", sample}} {
		command = append([]string{"policy"}, command...)
		byArgument, err := ran(t, append(slices.Clone(command), sample)...)
		require.NoError(t, err)
		byFlag, err := ran(t, append(slices.Clone(command), "--workspace", sample)...)
		require.NoError(t, err)
		require.NotEmpty(t, byFlag)
		if command[1] != "evaluate" { // whose answer has the time
			require.Equal(t, byArgument, byFlag)
		}
		_, err = ran(t, append(slices.Clone(command), sample, "--workspace", sample)...)
		require.ErrorContains(t, err, "one of them")
	}
}

// PL-12, PL-13: what is asked is answered with time, user and labels, in words and as JSON; a denial is exit code 3.
func TestPolicyEvaluate(t *testing.T) {
	text, err := ran(t, "policy", "evaluate", sample, "--action", "Email Targeting", "--dataset", "acme_2026", "--fields", "partner.hiking")
	require.Equal(t, errkind.Refused, errkind.Of(err))
	require.Equal(t, 3, exitCode(err))
	require.Contains(t, text, "dataset acme_2026: from source acme, s3\n  Third-Party in dataset acme_2026: partner.hiking\ndenied: policy \"No e-mail with vendor data\" (governance.yaml:1), ENABLED, for Third-Party\n")
	text, err = ran(t, "policy", "evaluate", sample, "--action", "Analytics", "--labels", "Third-Party,C2", "--json")
	require.NoError(t, err)
	var answer enforcement.Answer
	require.NoError(t, json.Unmarshal([]byte(text), &answer))
	require.Equal(t, []string{"C2", "Third-Party"}, answer.Labels)
	require.NotEmpty(t, answer.User)
	require.False(t, answer.Timestamp.IsZero())
	_, err = ran(t, "policy", "evaluate", sample, "--action", "Analytics")
	require.Equal(t, 2, exitCode(err))
}

// PL-20: what an edited policy would stop, and what it would free, is said before it is applied, and drawn.
func TestPolicyImpact(t *testing.T) {
	file := filepath.Join(t.TempDir(), "policy.yaml")
	require.NoError(t, os.WriteFile(file, []byte("kind: Policy\nname: No e-mail with vendor data\nstatus: ENABLED\nmarketingActions: [Export to Third Party]\ndeny: {label: Third-Party}\n"), 0o600))
	graph := filepath.Join(t.TempDir(), "lineage.svg")
	text, err := ran(t, "policy", "impact", file, "--workspace", sample, "--graph", graph)
	require.NoError(t, err)
	svg, err := os.ReadFile(graph)
	require.NoError(t, err)
	require.Contains(t, string(svg), "activation merk-to-liveramp, audience established-households: policy")
	require.NotContains(t, string(svg), "activation acme-to-newsletter")
	require.Contains(t, text, "activation acme-to-media is not affected\nactivation merk-to-liveramp stops\n  audience established-households: policy \"No e-mail with vendor data\" (changed, policy.yaml:1) denies Export to Third Party for label Third-Party\n")
	require.Contains(t, text, "activation acme-to-newsletter is blocked no more\n")
	text, err = ran(t, "policy", "impact", sample, "--workspace", sample, "--json")
	require.NoError(t, err)
	var impacts []plan.Impact
	require.NoError(t, json.Unmarshal([]byte(text), &impacts))
	require.Len(t, impacts, 3)
	require.Equal(t, plan.Blocked, impacts[2].Outcome)
	require.Equal(t, impacts[2].Before, impacts[2].After)
	require.Contains(t, text, `"before": []`)
	edited := t.TempDir()
	require.NoError(t, os.CopyFS(edited, os.DirFS(sample)))
	require.NoError(t, os.Remove(filepath.Join(edited, "activations.yaml")))
	text, err = ran(t, "policy", "impact", edited, "--workspace", sample)
	require.NoError(t, err)
	require.Equal(t, "activation acme-to-media is removed\nactivation merk-to-liveramp is removed\nactivation acme-to-newsletter is removed\n", text)
	_, err = ran(t, "policy", "impact", "no-such-file.yaml", "--workspace", sample)
	require.Equal(t, 2, exitCode(err))
}

// What is blocked today is said by check, with all that explains it; the workspace is valid all the same.
func TestCheckNamesWhatIsBlocked(t *testing.T) {
	text, err := ran(t, "check", sample, "--json")
	require.NoError(t, err)
	var out checked
	require.NoError(t, json.Unmarshal([]byte(text), &out))
	require.True(t, out.Valid)
	require.Len(t, out.Blocked, 1)
	require.Equal(t, "acme-to-newsletter", out.Blocked[0].Activation)
	require.NotEmpty(t, out.Blocked[0].Violations[0].Lineage.Edges)
}

//go:build !release

package main

import (
	"encoding/json"
	"errors"
	"flag"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"prospector/workflows"
)

var update = flag.Bool("update", false, "write the workflow histories that the replay test reads")

// chain is every step from a partner's file to a delivery, as workflow results without ids and times.
type chain struct {
	Acme, Merk workflows.SyncSourceResult
	Evaluation workflows.EvaluateAudiencesResult
	Media      workflows.ActivateAudiencesResult
	LiveRamp   workflows.ActivateAudiencesResult
}

// steps runs the chain, starting again where d died, until all of it is done.
func (c *chain) steps() []func(d *devProcess) error {
	return []func(d *devProcess) error{
		func(d *devProcess) error {
			return d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: "acme"}, &c.Acme)
		},
		func(d *devProcess) error {
			return d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: "merk"}, &c.Merk)
		},
		func(d *devProcess) error {
			return d.run(workflows.EvaluateAudiences, workflows.EvaluateAudiencesInput{}, &c.Evaluation)
		},
		func(d *devProcess) error {
			return d.run(workflows.ActivateAudiences, workflows.ActivateAudiencesInput{Activation: "acme-to-media"}, &c.Media)
		},
		func(d *devProcess) error {
			return d.run(workflows.ActivateAudiences, workflows.ActivateAudiencesInput{Activation: "merk-to-liveramp"}, &c.LiveRamp)
		},
	}
}

// summary is what must be the same however the chain was disturbed.
func (c *chain) summary(t *testing.T) string {
	t.Helper()
	type file struct {
		Rows   int64
		SHA256 string
	}
	var files []file
	for _, d := range []workflows.ActivateAudiencesResult{c.Media, c.LiveRamp} {
		for _, f := range d.Files {
			if !strings.HasPrefix(f.File, "manifest-") { // it names the delivery
				files = append(files, file{f.Rows, f.SHA256})
			}
		}
	}
	out, err := json.MarshalIndent([]any{outcomes(c.Acme), outcomes(c.Merk), sizes(report{Evaluation: c.Evaluation}), files}, "", " ")
	require.NoError(t, err)
	return string(out)
}

func outcomes(s workflows.SyncSourceResult) []any {
	var out []any
	for _, f := range s.Files {
		out = append(out, f.Path, f.SHA256, f.State, f.Outcome, f.Reasons)
	}
	return out
}

// A process that is killed at any step loses nothing and repeats nothing: after a restart on the same
// directory the run that was under way finishes with the result of an undisturbed one.
func TestKilledWorkerGoesOn(t *testing.T) {
	t.Parallel()
	undisturbed := runChain(t, "")
	for _, step := range []string{"fetch", "validate", "load", "export", "deliver"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, undisturbed, runChain(t, step))
		})
	}
}

// runChain runs the chain in a directory of its own; with a step, the process is killed there once.
func runChain(t *testing.T, killAt string) string {
	t.Helper()
	dir := t.TempDir()
	var environment []string
	if killAt != "" {
		environment = []string{"PROSPECTOR_STOP_AT=" + killAt}
	}
	d := startDev(t, dir, environment)
	d.putAcme("in/acme_prospects.csv.gz", acmeFile(t, 7))
	d.putMerk(hostKey(t, d), "outgoing/merk_prospects.psv", merkFile(t, 7))
	var c chain
	killed := false
	for _, do := range c.steps() {
		err := doUntilExit(d, do)
		if errors.Is(err, errExited) {
			require.False(t, killed, "the process ended twice: %s", d.stderr)
			killed = true
			d = startDev(t, dir, nil)
			err = do(d) // the run that was under way is waited for, not started again
		}
		require.NoError(t, err)
	}
	require.Equal(t, killAt != "", killed, "the process was not killed at %s", killAt)
	if *update && killAt == "" {
		saveHistories(t, d)
	}
	d.stop()
	for _, unfinished := range []string{"s3/buckets/*/.sgwtmp/multipart/*/*", "sftp/*/*/.*.part"} {
		left, err := filepath.Glob(filepath.Join(dir, unfinished))
		require.NoError(t, err)
		require.Empty(t, left, "what an upload has left that was killed")
	}
	left, err := filepath.Glob(filepath.Join(dir, "sent", "*"))
	require.NoError(t, err)
	require.Empty(t, left)
	return c.summary(t)
}

var errExited = errors.New("the process ended")

// doUntilExit returns errExited when d was killed meanwhile.
func doUntilExit(d *devProcess, do func(*devProcess) error) error {
	done := make(chan error, 1)
	go func() { done <- do(d) }()
	select {
	case err := <-done:
		return err
	case err := <-d.exited:
		var exit *exec.ExitError
		require.ErrorAs(d.t, err, &exit)
		require.Equal(d.t, syscall.SIGKILL, exit.Sys().(syscall.WaitStatus).Signal())
		return errExited
	}
}

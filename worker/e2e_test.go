//go:build !release

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"prospector/internal/catalog"
	"prospector/internal/connect"
	"prospector/internal/destination"
	"prospector/internal/destination/s3destination"
	"prospector/internal/destination/sftpdestination"
	"prospector/internal/errkind"
	"prospector/internal/temporalclient"
	"prospector/testdata"
	"prospector/testdata/partnerdata"
	"prospector/workflows"
)

var update = flag.Bool("update", false, "write the workflow histories that the replay test reads")

// asWorker makes the test binary the worker command, so that tests run the real one in processes of
// its own and can kill it.
const asWorker = "PROSPECTOR_TEST_AS_WORKER"

func TestMain(m *testing.M) {
	if os.Getenv(asWorker) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// command is the worker command on free ports, with its data in dir.
func command(t *testing.T, dir string, environment []string, arguments ...string) *exec.Cmd {
	t.Helper()
	executable, err := os.Executable()
	require.NoError(t, err)
	arguments = append(arguments, "--data-dir", dir, "--temporal-port", "0", "--ui-port", "0", "--s3-port", "0", "--sftp-port", "0")
	c := exec.Command(executable, arguments...)
	c.Env = append(append(os.Environ(), asWorker+"=1"), environment...)
	return c
}

// devProcess is a running `worker dev`.
type devProcess struct {
	t                         *testing.T
	command                   *exec.Cmd
	client                    *temporalclient.Client
	ui, s3, sftp, hostKeyFile string
	stderr                    *bytes.Buffer
	exited                    chan error
}

func startDev(t *testing.T, dir string, environment []string, arguments ...string) *devProcess {
	t.Helper()
	c := command(t, dir, environment, append([]string{"dev"}, arguments...)...)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	d := &devProcess{t: t, command: c, stderr: &bytes.Buffer{}, exited: make(chan error, 1), hostKeyFile: filepath.Join(dir, "sftp_host_key")}
	c.Stderr = d.stderr
	require.NoError(t, c.Start())
	t.Cleanup(func() { _ = c.Process.Kill() })

	addresses := map[string]string{}
	address := regexp.MustCompile(`^  (Temporal Web UI|Temporal|S3|SFTP)  +(\S+)`)
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "Stop") {
		if match := address.FindStringSubmatch(lines.Text()); match != nil {
			addresses[match[1]] = match[2]
		}
	}
	require.Len(t, addresses, 4, "worker dev did not start: %s", d.stderr)
	go func() {
		_, _ = io.Copy(io.Discard, out)
		d.exited <- c.Wait()
	}()
	d.ui, d.s3, d.sftp = addresses["Temporal Web UI"], addresses["S3"], addresses["SFTP"]
	d.client, err = temporalclient.Dial(t.Context(), temporalclient.Settings{Address: addresses["Temporal"], Namespace: "default"}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(d.client.Close)
	return d
}

// stop does what Ctrl-C does, and expects a clean end.
func (d *devProcess) stop() {
	d.t.Helper()
	require.NoError(d.t, d.command.Process.Signal(os.Interrupt))
	require.NoError(d.t, d.waitForExit(), "%s", d.stderr)
}

func (d *devProcess) waitForExit() error {
	d.t.Helper()
	select {
	case err := <-d.exited:
		return err
	case <-time.After(time.Minute):
		d.t.Fatalf("worker dev did not end: %s", d.stderr)
		return nil
	}
}

func (d *devProcess) s3Destination(bucket string) destination.Destination {
	d.t.Helper()
	out, err := s3destination.New(d.t.Context(), connect.S3Options{Endpoint: d.s3, Region: "us-east-1", Bucket: bucket, AccessKey: devUser, SecretKey: devSecret, PathStyle: true})
	require.NoError(d.t, err)
	return out
}

func (d *devProcess) putAcme(path string, content []byte) {
	d.t.Helper()
	server := d.s3Destination("acme-drop")
	require.NoError(d.t, server.Put(d.t.Context(), path, bytes.NewReader(content), int64(len(content)), nil))
	require.NoError(d.t, server.Close())
}

func (d *devProcess) putMerk(hostKey, path string, content []byte) {
	d.t.Helper()
	server, err := sftpdestination.New(d.t.Context(), connect.SFTPOptions{Address: d.sftp, User: devUser, Password: devSecret, HostKey: hostKey, Folder: "merk"})
	require.NoError(d.t, err)
	require.NoError(d.t, server.Put(d.t.Context(), path, bytes.NewReader(content), int64(len(content)), nil))
	require.NoError(d.t, server.Close())
}

type identified interface{ WorkflowID() string }

// run starts a workflow and waits for it.
func (d *devProcess) run(workflow any, in identified, result any) error {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), 3*time.Minute)
	defer cancel()
	return execute(ctx, d.client, in.WorkflowID(), workflow, in, result)
}

func requireTool(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv("PROSPECTOR_REQUIRE_TOOLS") != "" {
			t.Fatalf("%s is not installed", name)
		}
		t.Skipf("%s is not installed", name)
	}
}

func runDemoCommand(t *testing.T, dir string) report {
	t.Helper()
	c := command(t, dir, nil, "demo", "--json")
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	require.NoError(t, c.Run(), "%s", &errs)
	var r report
	require.NoError(t, json.Unmarshal(out.Bytes(), &r), "%s", &out)
	return r
}

// judge lets a program that shares no code with this one recompute the audiences from the partners'
// files and read what was delivered.
func judge(t *testing.T, dir string, r report) {
	t.Helper()
	requireTool(t, "python3")
	folders := map[string]string{"media-drop": t.TempDir(), "liveramp": t.TempDir()}
	held := map[string]string{"media-drop": filepath.Join(dir, "s3", "buckets", "media-drop", "prospects"), "liveramp": filepath.Join(dir, "sftp", "liveramp", "uploads")}
	for _, d := range r.Deliveries {
		for _, f := range d.Files {
			content, err := os.ReadFile(filepath.Join(held[d.Destination], f.File))
			require.NoError(t, err)
			sum := sha256.Sum256(content)
			require.Equal(t, f.SHA256, hex.EncodeToString(sum[:]), "the receipt of %s", f.File)
			require.NoError(t, os.WriteFile(filepath.Join(folders[d.Destination], f.File), content, 0o600))
		}
	}
	out, err := exec.Command("python3", filepath.Join("..", "testdata", "judge", "recompute.py"),
		"--acme", filepath.Join(dir, "s3", "buckets", "acme-drop", "in", "acme_prospects.csv.gz"),
		"--merk", filepath.Join(dir, "sftp", "merk", "outgoing", "merk_prospects.psv"),
		"--media", folders["media-drop"], "--liveramp", folders["liveramp"]).CombinedOutput()
	require.NoError(t, err, "%s", out)
	var counts map[string]map[string]int64
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	t.Log(lines[len(lines)-1])
	_ = json.Unmarshal([]byte(lines[len(lines)-1]), &counts)
}

// The whole chain in one command, twice: the second run loads nothing again, and both deliver exactly
// what a plain recomputation gives.
func TestDemo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := runDemoCommand(t, dir)

	type counts struct{ Read, Accepted, Rejected, Created, Superseded int64 }
	got := map[string]counts{}
	for _, s := range first.Sources {
		require.Len(t, s.Files, 1)
		o := s.Files[0].Outcome
		require.Equal(t, o.Read, o.Accepted+o.Rejected)
		got[s.Source] = counts{o.Read, o.Accepted, o.Rejected, o.Created, o.Superseded}
		require.NotEmpty(t, s.Files[0].Reasons)
	}
	require.Equal(t, map[string]counts{"acme": {20000, 19799, 201, 19699, 100}, "merk": {5000, 4950, 50, 4925, 25}}, got)
	require.Equal(t, map[string]int64{"outdoor-families": 4551, "coastal-sailors": 799, "established-households": 844}, sizes(first))
	require.Equal(t, []namespaceProfiles{{"acme_pid", "acme_2026", 19699}, {"merk_pid", "merk_2026", 4925}}, first.Profiles)
	require.Len(t, first.Deliveries, 2)
	require.Len(t, first.Blocked, 1)
	violation := first.Blocked[0].Violations[0]
	require.Equal(t, "No e-mail with vendor data", violation.Policy)
	require.Equal(t, "Email Targeting", violation.MarketingAction)
	require.Equal(t, []string{"Third-Party"}, violation.Labels)
	empty, err := os.ReadDir(filepath.Join(dir, "s3", "buckets", "newsletter"))
	require.NoError(t, err)
	require.Empty(t, empty, "the blocked activation left something")
	require.Equal(t, []string{"sync-source/acme"}, first.Schedules)
	judge(t, dir, first)

	second := runDemoCommand(t, dir)
	for _, s := range second.Sources {
		require.Empty(t, s.Files, "source %s was loaded twice", s.Source)
		require.Equal(t, 1, s.AlreadyLoaded)
	}
	require.Equal(t, first.Profiles, second.Profiles)
	require.Equal(t, sizes(first), sizes(second))
	judge(t, dir, second)

	var text bytes.Buffer
	require.NoError(t, printDemo(t, dir, &text))
	require.Contains(t, text.String(), "nothing was loaded twice")
	for _, want := range []string{"No e-mail with vendor data", "Email Targeting", "dataset acme_2026", "audience outdoor-families → destination newsletter", "go run ./worker dev"} {
		require.Contains(t, text.String(), want)
	}
	left, err := filepath.Glob(filepath.Join(dir, "staging", "*"))
	require.NoError(t, err)
	require.Empty(t, left, "partner data was left in staging")
}

func printDemo(t *testing.T, dir string, out io.Writer) error {
	c := command(t, dir, nil, "demo")
	c.Stdout = out
	return c.Run()
}

func sizes(r report) map[string]int64 {
	out := map[string]int64{}
	for _, m := range r.Evaluation.Memberships {
		out[m.Audience] = m.Size()
	}
	return out
}

// small files of the same kind as the demo's.
const smallRows = 3000

func acmeFile(t *testing.T, seed uint64) []byte {
	t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	_, err := partnerdata.Acme(zipped, smallRows, seed)
	require.NoError(t, err)
	require.NoError(t, zipped.Close())
	return out.Bytes()
}

func merkFile(t *testing.T, seed uint64) []byte {
	t.Helper()
	var out bytes.Buffer
	_, err := partnerdata.Merk(&out, smallRows, seed)
	require.NoError(t, err)
	return out.Bytes()
}

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

// hostKey reads the public half of a dev server's host key.
func hostKey(t *testing.T, d *devProcess) string {
	t.Helper()
	key, err := os.ReadFile(d.hostKeyFile)
	require.NoError(t, err)
	signer, err := ssh.ParsePrivateKey(key)
	require.NoError(t, err)
	return string(ssh.MarshalAuthorizedKey(signer.PublicKey()))
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

// applyEdited applies the sample workspace with replacements in one file.
func (d *devProcess) applyEdited(file string, replacements ...string) error {
	t := d.t
	t.Helper()
	dir := filepath.Dir(d.hostKeyFile)
	content, err := testdata.Workspace.ReadFile("workspace/" + file)
	require.NoError(t, err)
	for i := 0; i < len(replacements); i += 2 {
		require.Contains(t, string(content), replacements[i])
	}
	edited := strings.NewReplacer(replacements...).Replace(string(content))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "workspace", file), []byte(edited), 0o600))
	return d.run(workflows.ApplyWorkspace, workflows.ApplyWorkspaceInput{Dir: filepath.Join(dir, "workspace")}, nil)
}

// zipped compresses text.
func zipped(t *testing.T, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := io.WriteString(w, text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

// Bad input ends a run with one clear error that names the source and what to do, and what was
// published before stays as it was.
func TestBadInput(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := startDev(t, dir, []string{"PROSPECTOR_TEST_WRONG=wrong"})

	sync := func(name string) error {
		var out workflows.SyncSourceResult
		return d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: name}, &out)
	}
	requireFailure := func(err error, kind errkind.Kind, words ...string) {
		t.Helper()
		require.Error(t, err)
		require.Equal(t, kind, workflows.KindOf(err), workflows.MessageOf(err))
		for _, word := range words {
			require.Contains(t, workflows.MessageOf(err), word)
		}
		require.NotContains(t, workflows.MessageOf(err), "\n")
		t.Log(workflows.MessageOf(err))
	}
	requireFailure(sync("merk"), errkind.Missing, "source merk", "no file matches outgoing/*.psv")
	requireFailure(sync("acme"), errkind.Missing, "source acme", "no file matches in/*.csv.gz")
	requireFailure(sync("amce"), errkind.Invalid, `no source is called "amce"`, "acme")
	requireFailure(d.run(workflows.IngestFile, workflows.IngestFileInput{Source: "acme", Path: "in/no.csv.gz"}, nil), errkind.Missing, "source acme", "in/no.csv.gz")

	d.putAcme("in/good.csv.gz", acmeFile(t, 3))
	require.NoError(t, sync("acme"))
	published := func() (out workflows.EvaluateAudiencesResult) {
		t.Helper()
		require.NoError(t, d.run(workflows.EvaluateAudiences, workflows.EvaluateAudiencesInput{}, &out))
		return out
	}
	before := sizes(report{Evaluation: published()})
	require.Positive(t, before["outdoor-families"])

	header := "pid,first_name,last_name,age_range,zip,state,hiking,bicycling,skiing,sailing,tennis,buyer_rating,donor_rating,spending_volume,household_id\n"
	good := acmeFile(t, 4)
	for _, c := range []struct {
		name    string
		content []byte
		kind    errkind.Kind
		words   []string
	}{
		{"in/cut.csv.gz", good[:len(good)/2], errkind.BadInput, []string{"source acme", "in/cut.csv.gz"}},
		{"in/not_gzip.csv.gz", []byte("pid,first_name\n1,2\n"), errkind.BadInput, []string{"source acme", "in/not_gzip.csv.gz", "gzip"}},
		{"in/empty.csv.gz", zipped(t, ""), errkind.BadInput, []string{"source acme", "in/empty.csv.gz", "empty"}},
		{"in/renamed.csv.gz", zipped(t, strings.Replace(header, "zip", "postcode", 1)), errkind.BadInput, []string{"source acme", "in/renamed.csv.gz", "zip", "postcode"}},
		{"in/all_bad.csv.gz", zipped(t, header+strings.Repeat("a,b\n", 100)), errkind.BadInput, []string{"source acme", "in/all_bad.csv.gz", "100 of 100 rows"}},
	} {
		d.putAcme(c.name, c.content)
		requireFailure(sync("acme"), c.kind, c.words...)
		var again workflows.SyncSourceResult
		require.NoError(t, d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: "acme"}, &again), "a refused file is not taken again")
		require.Empty(t, again.Files)
	}

	require.NoError(t, d.applyEdited("sources.yaml", "secretKey: ${env:PROSPECTOR_S3_SECRET_KEY}", "secretKey: ${env:PROSPECTOR_TEST_WRONG}",
		"password: ${env:PROSPECTOR_SFTP_PASSWORD}", "password: ${env:PROSPECTOR_TEST_WRONG}"))
	requireFailure(sync("acme"), errkind.Denied, "source acme")
	requireFailure(sync("merk"), errkind.Denied, "source merk")
	require.NoError(t, d.applyEdited("sources.yaml", "address: ${env:PROSPECTOR_SFTP_ADDRESS}", "address: 127.0.0.1:1", "secretKey: ${env:PROSPECTOR_S3_SECRET_KEY}", "secretKey: ${env:PROSPECTOR_TEST_UNSET}"))
	requireFailure(sync("merk"), errkind.Transient, "source merk", "127.0.0.1:1")
	requireFailure(sync("acme"), errkind.Denied, "source acme", "PROSPECTOR_TEST_UNSET")
	requireFailure(d.applyEdited("sources.yaml", "dataset: acme_2026", "dataset: acme_2062"), errkind.Invalid, "sources.yaml:4:10", "acme_2062")
	require.NoError(t, d.applyEdited("sources.yaml"))
	require.NoError(t, sync("acme"))

	// Who is in an audience was decided by fields that a changed rule does not name any more.
	require.NoError(t, d.applyEdited("audiences.yaml", "partner.sailing = 'Y' AND ", ""))
	requireFailure(d.run(workflows.ActivateAudiences, workflows.ActivateAudiencesInput{Activation: "acme-to-media"}, nil), errkind.Conflict,
		"audience coastal-sailors has changed since it was evaluated", "EvaluateAudiences first")
	require.NoError(t, d.applyEdited("audiences.yaml"))

	for _, typed := range []struct{ workflow, input, want string }{
		{"Sync", `{"source": "acme"}`, "there is no workflow type Sync; known are ActivateAudiences"},
		{"SyncSource", `{"source": 5}`, "the input is not what the workflow takes"},
		{"EvaluateAudiences", `{"audience": ["coastal-sailors"]}`, `unknown field "audience"`},
		{"SyncSource", `{}`, `the input has no "source"`},
	} {
		startFromWebUI(t, d, "typed", typed.workflow, typed.input)
		requireFailure(d.client.GetWorkflow(t.Context(), "typed", "").Get(t.Context(), nil), errkind.Invalid, typed.want)
	}

	require.Equal(t, before, sizes(report{Evaluation: published()}))
	d.stop()
}

// A run is started from the Web UI with JSON that a person types, and from the command line; a second
// process on the same directory is refused; a restart keeps what was.
func TestDevServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := startDev(t, dir, nil)
	d.putAcme("in/acme_prospects.csv.gz", acmeFile(t, 5))

	startFromWebUI(t, d, "typed-by-hand", "SyncSource", `{"source": "acme"}`)
	var synced workflows.SyncSourceResult
	require.NoError(t, d.client.GetWorkflow(t.Context(), "typed-by-hand", "").Get(t.Context(), &synced))
	require.Len(t, synced.Files, 1)
	require.Equal(t, catalog.Loaded, synced.Files[0].State)

	refused := command(t, dir, nil, "dev")
	out, err := refused.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "in use by another prospector process")
	require.Contains(t, string(out), fmt.Sprintf("pid %d", d.command.Process.Pid))

	run := starterCommand(t)
	text, code := run(d.client.Address, "run", "sync-source", "acme")
	require.Equal(t, 0, code, text)
	require.Contains(t, text, "nothing new")
	text, code = run(d.client.Address, "run", "evaluate-audiences", "--json")
	require.Equal(t, 0, code, text)
	require.Contains(t, text, `"audience": "coastal-sailors"`)
	text, code = run(d.client.Address, "run", "activate-audiences", "acme-to-newsletter")
	require.Equal(t, 3, code, text)
	require.Contains(t, text, `policy "No e-mail with vendor data"`)
	d.putAcme("in/broken.csv.gz", []byte("not gzip"))
	text, code = run(d.client.Address, "run", "sync-source", "acme")
	require.Equal(t, 4, code, text)
	text, code = run(d.client.Address, "status", "typed-by-hand")
	require.Equal(t, 0, code, text)
	require.Contains(t, text, `"accepted": `)
	text, code = run(d.client.Address, "status", "nobody")
	require.Equal(t, 1, code, text)
	require.Contains(t, text, "no run has the workflow id nobody")
	text, code = run(d.client.Address, "check", filepath.Join(dir, "workspace"))
	require.Equal(t, 0, code, text)

	d.stop()
	d = startDev(t, dir, nil)
	text, code = run(d.client.Address, "status")
	require.Equal(t, 0, code, text)
	require.Contains(t, text, "typed-by-hand")
	require.NoError(t, d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: "acme"}, &synced))
	require.Empty(t, synced.Files)
	d.stop()
}

// starterCommand builds the command line and returns a function that runs it against a Temporal.
func starterCommand(t *testing.T) func(address string, arguments ...string) (text string, exitCode int) {
	t.Helper()
	starter := filepath.Join(t.TempDir(), "starter")
	build := exec.Command("go", "build", "-o", starter, "prospector/starter")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	built, err := build.CombinedOutput()
	require.NoError(t, err, "%s", built)
	return func(address string, arguments ...string) (string, int) {
		c := exec.Command(starter, append(arguments, "--address", address)...)
		out, _ := c.CombinedOutput()
		return string(out), c.ProcessState.ExitCode()
	}
}

// startFromWebUI does what the Web UI's form does: one JSON payload, posted with the page's token.
func startFromWebUI(t *testing.T, d *devProcess, id, workflow, input string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	browser := &http.Client{Jar: jar, Timeout: 30 * time.Second}
	get, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.ui+"/api/v1/settings", nil)
	require.NoError(t, err)
	page, err := browser.Do(get)
	require.NoError(t, err)
	require.NoError(t, page.Body.Close())
	token := ""
	for _, cookie := range jar.Cookies(get.URL) {
		if cookie.Name == "_csrf" {
			token = cookie.Value
		}
	}
	require.NotEmpty(t, token)
	body, err := json.Marshal(map[string]any{
		"workflowType": map[string]string{"name": workflow}, "taskQueue": map[string]string{"name": workflows.TaskQueue},
		"input": map[string]any{"payloads": []any{map[string]any{"metadata": map[string][]byte{"encoding": []byte("json/plain")}, "data": []byte(input)}}},
	})
	require.NoError(t, err)
	post, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.ui+"/api/v1/namespaces/default/workflows/"+id, bytes.NewReader(body))
	require.NoError(t, err)
	post.Header.Set("X-CSRF-TOKEN", token)
	post.Header.Set("Content-Type", "application/json")
	answer, err := browser.Do(post)
	require.NoError(t, err)
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusOK, answer.StatusCode, "%s", text)
}

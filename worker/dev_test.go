//go:build !release

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/catalog"
	"prospector/workflows"
)

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

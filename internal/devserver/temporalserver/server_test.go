//go:build !release

package temporalserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"go.temporal.io/server/common/log/tag"

	"prospector/internal/errkind"
)

func greet(_ workflow.Context, name string) (string, error) { return "hello " + name, nil }

func start(t *testing.T, options Options) *Server {
	t.Helper()
	options.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	began := time.Now()
	s, err := Start(t.Context(), options)
	require.NoError(t, err)
	t.Logf("started in %s", time.Since(began))
	t.Cleanup(s.Stop)
	return s
}

func dial(t *testing.T, s *Server) client.Client {
	t.Helper()
	c, err := client.Dial(client.Options{HostPort: s.Address(), Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// greeted runs the workflow once, with a search attribute.
func greeted(t *testing.T, c client.Client, id, attribute, value string) {
	t.Helper()
	w := worker.New(c, "greetings", worker.Options{})
	w.RegisterWorkflow(greet)
	require.NoError(t, w.Start())
	defer w.Stop()
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
		ID: id, TaskQueue: "greetings",
		TypedSearchAttributes: temporal.NewSearchAttributes(temporal.NewSearchAttributeKeyKeyword(attribute).ValueSet(value)),
	}, greet, value)
	require.NoError(t, err)
	var answer string
	require.NoError(t, run.Get(t.Context(), &answer))
	require.Equal(t, "hello "+value, answer)
}

// found waits for the one workflow that a visibility query finds.
func found(t *testing.T, c client.Client, query string) string {
	t.Helper()
	var id string
	require.Eventually(t, func() bool {
		listed, err := c.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Query: query})
		if err != nil || len(listed.GetExecutions()) != 1 {
			return false
		}
		id = listed.Executions[0].GetExecution().GetWorkflowId()
		return true
	}, 10*time.Second, 20*time.Millisecond)
	return id
}

func TestServer(t *testing.T) {
	// A path that would be read as a query, a fragment and an escape if it were put into a URI as it is.
	dir := filepath.Join(t.TempDir(), "what?mode=ro#50%20")
	var port int

	t.Run("runs a workflow and shows the web UI", func(t *testing.T) {
		s := start(t, Options{Dir: dir, SearchAttributes: []string{"Partner"}})
		require.FileExists(t, filepath.Join(dir, "temporal.db"))
		require.NoFileExists(t, filepath.Join(dir, "temporal.db.unfinished"))
		require.True(t, strings.HasPrefix(s.Address(), "127.0.0.1:"))
		_, err := fmt.Sscanf(s.Address(), "127.0.0.1:%d", &port)
		require.NoError(t, err)
		c := dial(t, s)
		described, err := c.WorkflowService().DescribeNamespace(t.Context(), &workflowservice.DescribeNamespaceRequest{Namespace: "default"})
		require.NoError(t, err)
		require.Equal(t, 30*24*time.Hour, described.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration())
		greeted(t, c, "first", "Partner", "acme")
		require.Equal(t, "first", found(t, c, `Partner = 'acme' AND ExecutionStatus = 'Completed'`))

		answer, err := http.Get(s.UIURL() + "/namespaces/default/workflows")
		require.NoError(t, err)
		defer answer.Body.Close()
		page, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, answer.StatusCode)
		require.Contains(t, string(page), "<html")

		_, err = Start(t.Context(), Options{Dir: t.TempDir(), Port: port})
		require.Equal(t, errkind.Conflict, errkind.Of(err))
		require.ErrorContains(t, err, fmt.Sprintf("port %d on 127.0.0.1 cannot be used", port))

		c.Close()
		s.Stop()
		s.Stop() // harmless
		_, err = net.DialTimeout("tcp", s.Address(), time.Second)
		require.Error(t, err)
	})

	t.Run("finds the run again, and adds search attributes to an old file", func(t *testing.T) {
		s := start(t, Options{Dir: dir, Port: port, NoUI: true, SearchAttributes: []string{"Partner", "Dataset"}, Retention: 48 * time.Hour})
		require.Empty(t, s.UIURL())
		require.Equal(t, fmt.Sprintf("127.0.0.1:%d", port), s.Address())
		c := dial(t, s)
		require.Equal(t, "first", found(t, c, `Partner = 'acme'`))
		var answer string
		require.NoError(t, c.GetWorkflow(t.Context(), "first", "").Get(t.Context(), &answer))
		require.Equal(t, "hello acme", answer)
		greeted(t, c, "second", "Dataset", "acme_2026")
		require.Equal(t, "second", found(t, c, `Dataset = 'acme_2026'`))
	})

	t.Run("leaves nothing running when a start fails", func(t *testing.T) {
		tooMany := make([]string, 10) // together with the two that the file has
		for i := range tooMany {
			tooMany[i] = fmt.Sprintf("Attribute%d", i)
		}
		_, err := Start(t.Context(), Options{Dir: dir, Port: port, SearchAttributes: tooMany, Logger: slog.New(slog.DiscardHandler)})
		require.ErrorContains(t, err, "add search attributes")
		_, err = net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
		require.Error(t, err)

		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = Start(cancelled, Options{Dir: dir, Port: port})
		require.ErrorIs(t, err, context.Canceled)
	})

	t.Run("makes a half-made file anew", func(t *testing.T) {
		half := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(half, "temporal.db"), nil, 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(half, "temporal.db.unfinished"), nil, 0o600))
		s := start(t, Options{Dir: half, NoUI: true, Namespace: "other"})
		c, err := client.Dial(client.Options{HostPort: s.Address(), Namespace: "other", Logger: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
		c.Close()
	})
}

func TestFatalOnlyLogs(t *testing.T) {
	l := &serverLogger{log: slog.New(slog.DiscardHandler), level: slog.LevelError}
	l.With().Fatal("no listener")
	l.Fatal("later")
	require.EqualError(t, l.explain(io.EOF), "no listener: EOF")
}

func TestCallsBeforeTheServerIsUpAreNotLogged(t *testing.T) {
	var out bytes.Buffer
	l := &serverLogger{log: slog.New(slog.NewTextHandler(&out, nil)), level: slog.LevelError}
	l.Error("service failures", tag.Error(errors.New("Frontend is not healthy yet")))
	require.Empty(t, out.String())
	l.Error("service failures", tag.Error(io.EOF))
	require.Contains(t, out.String(), "EOF")
}

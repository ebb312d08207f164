package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"

	"prospector/internal/errkind"
	"prospector/internal/temporalclient"
	"prospector/workflows"
)

func newStatus(s *shared) *cobra.Command {
	var limit int32
	c := &cobra.Command{
		Use:   "status [WORKFLOW-ID]",
		Short: "List recent runs, or show one: its steps, result or error",
		Example: `  starter status
  starter status sync-source/acme`,
		Args: arguments(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			connection, err := s.dial(c.Context())
			if err != nil {
				return err
			}
			defer connection.Close()
			if limit < 1 {
				return usageError{errors.New("--limit must be 1 or more")}
			}
			if len(args) == 0 {
				return s.listRuns(c.Context(), connection, limit)
			}
			return s.showRun(c.Context(), connection, args[0])
		},
	}
	c.Flags().Int32Var(&limit, "limit", 20, "how many runs to list, newest first")
	return c
}

// runSummary is one line of the list.
type runSummary struct {
	WorkflowID string     `json:"workflowId"`
	RunID      string     `json:"runId"`
	Workflow   string     `json:"workflow"`
	Status     string     `json:"status"`
	Outcome    string     `json:"outcome,omitempty"`
	Started    time.Time  `json:"started"`
	Ended      *time.Time `json:"ended,omitempty"`
}

func summarize(info *workflowpb.WorkflowExecutionInfo) runSummary {
	out := runSummary{WorkflowID: info.GetExecution().GetWorkflowId(), RunID: info.GetExecution().GetRunId(), Workflow: info.GetType().GetName(),
		Status: statusText(info.GetStatus()), Started: info.GetStartTime().AsTime()}
	if info.GetCloseTime() != nil {
		ended := info.GetCloseTime().AsTime()
		out.Ended = &ended
	}
	if outcome, ok := info.GetSearchAttributes().GetIndexedFields()["Outcome"]; ok {
		_ = converter.GetDefaultDataConverter().FromPayload(outcome, &out.Outcome) // of another type: not ours
	}
	return out
}

func (s runSummary) took() string {
	if s.Ended == nil {
		return time.Since(s.Started).Round(time.Second).String() + " so far"
	}
	return s.Ended.Sub(s.Started).Round(10 * time.Millisecond).String()
}

func (s *shared) listRuns(ctx context.Context, c *temporalclient.Client, limit int32) error {
	listed, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Namespace: c.Namespace, PageSize: limit,
		Query: fmt.Sprintf("TaskQueue = '%s'", workflows.TaskQueue)})
	if err != nil {
		return fmt.Errorf("list runs: %w", err)
	}
	runs := make([]runSummary, 0, len(listed.GetExecutions()))
	for _, info := range listed.GetExecutions() {
		runs = append(runs, summarize(info))
	}
	if s.asJSON {
		return printJSON(os.Stdout, runs)
	}
	if len(runs) == 0 {
		fmt.Println("no runs yet; start one with: starter run sync-source SOURCE")
		return nil
	}
	rows := [][]string{{"workflow id", "workflow", "status", "outcome", "started", "took"}}
	for _, r := range runs {
		rows = append(rows, []string{r.WorkflowID, r.Workflow, r.Status, r.Outcome, r.Started.Local().Format(time.DateTime), r.took()})
	}
	return table(os.Stdout, rows)
}

// runDetail is one run.
type runDetail struct {
	runSummary
	Pending []pendingStep   `json:"pending,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Kind    errkind.Kind    `json:"kind,omitempty"`
	Error   string          `json:"error,omitempty"`
}

func (s *shared) showRun(ctx context.Context, c *temporalclient.Client, id string) error {
	described, err := c.DescribeWorkflowExecution(ctx, id, "")
	var notFound *serviceerror.NotFound
	if errors.As(err, &notFound) {
		return errkind.New(errkind.Missing, "", fmt.Errorf("no run has the workflow id %s", id), "list them with: starter status")
	}
	if err != nil {
		return fmt.Errorf("status of %s: %w", id, err)
	}
	detail := runDetail{runSummary: summarize(described.GetWorkflowExecutionInfo())}
	if described.GetWorkflowExecutionInfo().GetStatus() == enums.WORKFLOW_EXECUTION_STATUS_RUNNING {
		if detail.Pending, err = pendingSteps(ctx, c, id, detail.RunID); err != nil {
			return err
		}
	} else if err := c.GetWorkflow(ctx, id, detail.RunID).Get(ctx, &detail.Result); err != nil {
		detail.Kind, detail.Error, detail.Result = workflows.KindOf(err), workflows.MessageOf(err), partialResult(err)
	}
	if s.asJSON {
		return printJSON(os.Stdout, detail)
	}
	return detail.print()
}

func (d runDetail) print() error {
	fmt.Printf("%s  %s  %s  %s\nstarted %s, %s\n", visible(d.WorkflowID), d.Workflow, d.Status, d.Outcome, d.Started.Local().Format(time.DateTime), d.took())
	for _, step := range d.Pending {
		fmt.Println("  " + visible(step.String()))
	}
	if d.Error != "" {
		fmt.Printf("%s: %s\n", d.Kind, visibleLines(d.Error))
	}
	if d.Result != nil {
		return printJSON(os.Stdout, d.Result)
	}
	return nil
}

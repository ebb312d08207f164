package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"prospector/internal/temporalclient"
	"prospector/workflows"
)

func newSchedules(s *shared) *cobra.Command {
	return &cobra.Command{
		Use:   "schedules",
		Short: "Show the schedules of sources and audiences: last and next runs, and what is overdue",
		Long: `Show the schedules of sources and audiences: last and next runs, and what is overdue.

A run that should have begun and did not, runs that were missed for good, a last run that failed and a worker that is
not there are alerts; with any of them the command ends with 1, so that it can be watched from outside.`,
		Example: `  starter schedules
  starter schedules --json`,
		Args: arguments(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			connection, err := s.dial(c.Context())
			if err != nil {
				return err
			}
			defer connection.Close()
			found, err := connection.Schedules(c.Context(), workflows.ScheduleMark)
			if err != nil {
				return err
			}
			workers, err := connection.Workers(c.Context(), workflows.TaskQueue)
			if err != nil {
				return err
			}
			return s.showSchedules(found, workers)
		},
	}
}

// scheduleLine is a schedule and what is wrong with it.
type scheduleLine struct {
	temporalclient.ScheduleStatus
	Alerts []string `json:"alerts,omitempty"`
}

func (s *shared) showSchedules(found []temporalclient.ScheduleStatus, workers int) error {
	lines := make([]scheduleLine, len(found))
	alerts := 0
	for i, status := range found {
		lines[i] = scheduleLine{status, status.Alerts()}
		if workers == 0 && !status.Paused {
			lines[i].Alerts = append(lines[i].Alerts, "no worker is there to carry its runs out")
		}
		alerts += len(lines[i].Alerts)
	}
	if s.asJSON {
		if err := printJSON(os.Stdout, lines); err != nil {
			return err
		}
	} else if err := printSchedules(lines); err != nil {
		return err
	}
	if alerts > 0 {
		return errors.New("some schedules need somebody to look at them")
	}
	return nil
}

func printSchedules(lines []scheduleLine) error {
	if len(lines) == 0 {
		fmt.Println("nothing has a schedule; add one in the workspace and apply it")
		return nil
	}
	rows := [][]string{{"schedule", "next run", "last run", "it", "note"}}
	for _, l := range lines {
		next, last, came := "-", "never", ""
		switch {
		case l.Paused:
			next = "paused"
		case len(l.Next) > 0:
			next = l.Next[0].Local().Format(time.DateTime)
		}
		if l.Last != nil {
			last, came = l.Last.StartedAt.Local().Format(time.DateTime), l.Last.Status
		}
		rows = append(rows, []string{l.ID, next, last, came, l.Note})
	}
	if err := table(os.Stdout, rows); err != nil {
		return err
	}
	for _, l := range lines {
		for _, alert := range l.Alerts {
			fmt.Printf("ALERT %s: %s\n", l.ID, alert)
		}
	}
	return nil
}

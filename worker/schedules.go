package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"prospector/internal/errkind"
	"prospector/internal/workspace"
	"prospector/workflows"
)

// schedules keeps the Temporal Schedules of sources and audiences.
type schedules struct{ client client.Client }

// Sync implements activities.Schedules. Schedules that no workspace has declared are left alone.
func (s schedules) Sync(ctx context.Context, w *workspace.Workspace) (changes []string, err error) {
	wanted := map[string]client.ScheduleOptions{}
	for _, source := range w.Sources {
		if source.Schedule != nil {
			schedule, err := workflows.SourceSchedule(source)
			if err != nil {
				return nil, fmt.Errorf("schedule of source %s: %w", source.Name, err)
			}
			wanted[schedule.ID] = schedule
		}
	}
	evaluations, err := workflows.EvaluationSchedules(w)
	if err != nil {
		return nil, fmt.Errorf("schedules of audiences: %w", err)
	}
	for _, schedule := range evaluations {
		wanted[schedule.ID] = schedule
	}
	existing, err := s.client.ScheduleClient().List(ctx, client.ScheduleListOptions{PageSize: 100})
	if err != nil {
		return nil, fmt.Errorf("list schedules: %w", err)
	}
	for existing.HasNext() {
		entry, err := existing.Next()
		if err != nil {
			return nil, fmt.Errorf("list schedules: %w", err)
		}
		if _, ours := entry.Memo.GetFields()[workflows.ScheduleMark]; !ours || wanted[entry.ID].ID != "" {
			continue
		}
		if err := s.client.ScheduleClient().GetHandle(ctx, entry.ID).Delete(ctx); err != nil {
			return nil, fmt.Errorf("delete schedule %s: %w", entry.ID, err)
		}
		changes = append(changes, "removed "+entry.ID)
	}
	for id, schedule := range wanted {
		change, err := s.put(ctx, schedule)
		if err != nil {
			return nil, fmt.Errorf("schedule %s: %w", id, err)
		}
		if change != "" {
			changes = append(changes, change+" "+id)
		}
	}
	return changes, nil
}

// put creates a schedule, or makes one that is there equal to what is declared.
func (s schedules) put(ctx context.Context, o client.ScheduleOptions) (change string, err error) {
	_, err = s.client.ScheduleClient().Create(ctx, o)
	if err == nil {
		return "added", nil
	}
	if !errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		return "", err
	}
	handle := s.client.ScheduleClient().GetHandle(ctx, o.ID)
	now, err := handle.Describe(ctx)
	if err != nil {
		return "", err
	}
	if _, ours := now.Memo.GetFields()[workflows.ScheduleMark]; !ours {
		return "", errkind.New(errkind.Conflict, "", errors.New("somebody else made a schedule of this name"), "delete it in Temporal and apply again")
	}
	state := now.Schedule.State
	paused, note := o.Paused, o.Note
	if state.Paused && !strings.HasSuffix(state.Note, workflows.DeclaredNote) { // by hand, for a reason that we do not know
		paused, note, change = true, state.Note, "kept the pause that was set by hand of"
	}
	if state.Note != note || state.Paused != paused {
		change = "changed"
	}
	// Always: its times cannot be read back as they were written.
	return change, handle.Update(ctx, client.ScheduleUpdateOptions{DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
		schedule := in.Description.Schedule
		schedule.Spec, schedule.Action = &o.Spec, o.Action
		schedule.Policy.Overlap, schedule.Policy.CatchupWindow = o.Overlap, o.CatchupWindow
		schedule.State.Paused, schedule.State.Note = paused, note
		return &client.ScheduleUpdate{Schedule: &schedule}, nil
	}})
}

package workspace

import "cmp"

// Evaluation says when the sandbox's audiences are evaluated, and what of their sizes is told.
type Evaluation struct {
	// Schedule of all audiences that have none of their own; daily at 01:00 unless given. To evaluate only after loads or on demand, pause it.
	Schedule *Schedule `yaml:"schedule"`
	// Activate runs every activation after a scheduled evaluation.
	Activate bool `yaml:"activate"`
	// MinimumCount is the size below which the size of an audience is not told; 0 unless given, so that all are.
	MinimumCount int64 `yaml:"minimumCount" jsonschema:"minimum=0"`
}

// daily is when audiences are evaluated unless the sandbox says otherwise.
const daily = "0 1 * * *"

// EvaluationSchedule is the schedule of the audiences that have none of their own; nil when there is no such audience.
func (w *Workspace) EvaluationSchedule() *Schedule {
	for _, a := range w.Audiences {
		if a.Schedule == nil && a.Status != Inactive {
			return w.Sandbox.Evaluation.Schedule
		}
	}
	return nil
}

// fillEvaluation puts defaults in place.
func (l *loader) fillEvaluation() {
	e, defaults := &l.workspace.Sandbox.Evaluation, l.workspace.Sandbox.Defaults
	declared := e.Schedule != nil
	if !declared {
		e.Schedule = &Schedule{Cron: daily}
	}
	schedules := []*Schedule{e.Schedule}
	for _, a := range l.workspace.Audiences {
		schedules = append(schedules, a.Schedule)
	}
	for _, s := range schedules {
		if s != nil {
			s.TimeZone = cmp.Or(s.TimeZone, defaults.TimeZone, "UTC")
		}
	}
	for _, a := range l.workspace.Audiences {
		a.Status = cmp.Or(a.Status, Published)
		if a.Limit != nil {
			a.Limit.Seed = cmp.Or(a.Limit.Seed, a.Name)
		}
	}
	if declared {
		l.checkSchedule(l.at(&l.workspace.Sandbox, "evaluation", "schedule"), e.Schedule)
	}
}

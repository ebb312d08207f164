package main

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"prospector/internal/temporalclient"
	"prospector/workflows"
)

// watchEvery is how often schedules are looked at.
const watchEvery = time.Minute

// watchSchedules logs, once each, what is wrong with schedules: a run that did not happen must not be a silence.
func watchSchedules(ctx context.Context, c *temporalclient.Client, log *slog.Logger) {
	said := map[string][]string{}
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		found, err := c.Schedules(ctx, workflows.ScheduleMark)
		if err != nil {
			if ctx.Err() == nil {
				log.Warn("the schedules could not be looked at", "error", err)
			}
			continue
		}
		for _, status := range found {
			alerts := status.Alerts()
			for _, alert := range alerts {
				if !slices.Contains(said[status.ID], alert) {
					log.Error("a schedule needs somebody to look at it", "schedule", status.ID, "alert", alert)
				}
			}
			said[status.ID] = alerts
		}
	}
}

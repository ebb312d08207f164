package main

import (
	"context"
	"log/slog"
	"time"

	"prospector/activities"
)

// keepHouse removes what has been kept long enough, now and once a day until ctx ends.
func (h *host) keepHouse(ctx context.Context, log *slog.Logger) {
	ticker := time.NewTicker(24 * time.Hour)
	defer ticker.Stop()
	for {
		h.expireQuarantine(ctx, log)
		if err := h.catalog.ExpireAudit(ctx, time.Now().UTC()); err != nil && ctx.Err() == nil {
			log.Error("remove old audit records", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// expireQuarantine removes rejected rows that are older than their datasets keep them.
func (h *host) expireQuarantine(ctx context.Context, log *slog.Logger) {
	w, err := h.applied.workspace(ctx)
	if err != nil {
		return // nothing is applied yet
	}
	for _, d := range w.Datasets {
		if err := h.store.ExpireQuarantine(ctx, activities.Stored(w, d), time.Now().UTC()); err != nil && ctx.Err() == nil {
			log.Error("remove old rejected rows", "dataset", d.Name, "error", err)
		}
	}
}

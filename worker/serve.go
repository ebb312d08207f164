package main

import (
	"log/slog"

	"prospector/activities"
	"prospector/internal/access/oidc"
	"prospector/internal/api/server"
)

// serve answers reads on loopback, from the stores that this process holds. In development a port that is taken is replaced.
func (h *host) serve(o hostOptions, anyPort bool, log *slog.Logger) (*server.Server, error) {
	return server.Start(h.activities.DataDir, o.api, anyPort, server.Options{Store: h.store, Memberships: h.catalog, Lineage: h.catalog, Audit: h.catalog, Access: h.access, OIDC: new(oidc.Verifier).Verify, Workspace: h.applied.workspace,
		Dataset: activities.Stored, Log: log})
}

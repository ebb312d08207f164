package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"prospector/internal/access"
	"prospector/internal/api"
	"prospector/internal/catalog"
	"prospector/internal/errkind"
)

// Audit is the record of who did what.
type Audit interface {
	RecordAudit(ctx context.Context, records ...catalog.AuditRecord) error
	RecordSignIn(ctx context.Context, request, principal string, in catalog.SignIn, at time.Time) error
	Audit(ctx context.Context, q catalog.AuditQuery) ([]catalog.AuditRecord, error)
	AuditHead(ctx context.Context) (catalog.AuditHead, error)
	VerifyAudit(ctx context.Context, noted catalog.AuditHead) (catalog.AuditReport, error)
}

// AuditFilter narrows the audit. It is exported because the library reads its fields only then.
type AuditFilter struct {
	Kind    string    `query:"kind" doc:"Of the object, such as Audience, Batch, Profile, Request."`
	Action  string    `query:"action" doc:"Such as change, activate, view, request."`
	Actor   string    `query:"actor" doc:"Who did it."`
	Outcome string    `query:"outcome" enum:"allowed,denied,failed"`
	Object  string    `query:"object" doc:"Name or id of the object."`
	From    time.Time `query:"from" doc:"From then on."`
	To      time.Time `query:"to" doc:"Before then."`
}

func (f AuditFilter) query() catalog.AuditQuery {
	return catalog.AuditQuery{Kind: f.Kind, Action: f.Action, Actor: f.Actor, Outcome: f.Outcome, Object: f.Object, From: f.From, To: f.To}
}

type auditInput struct {
	AuditFilter
	Limit int   `query:"limit" default:"100" minimum:"1" maximum:"1000"`
	After int64 `query:"after" minimum:"0" doc:"What the page before gave as next."`
}

type verifyInput struct {
	Number int64  `query:"number" minimum:"0" doc:"Of a head that was noted before."`
	Hash   string `query:"hash" doc:"Of that head."`
}

type auditExportInput struct {
	AuditFilter
	Format string `query:"format" default:"jsonl" enum:"jsonl,csv"`
}

func (s *server) audit(routes huma.API) {
	get := func(id, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: http.MethodGet, Path: "/api/v1/audit" + path, Summary: summary}
	}
	register(s, routes, get("list-audit", "", "A page of the audit, the newest record first"), s.listAudit, access.ViewUserActivityLog)
	register(s, routes, get("get-audit-head", "/head", "The end of the audit's chain: noted elsewhere, it shows later that nothing before it has changed"), s.auditHead, access.ViewUserActivityLog)
	register(s, routes, get("verify-audit", "/verify", "Whether the audit's chain holds, and where it does not"), s.verifyAudit, access.ViewUserActivityLog)
	stream(s, routes, get("export-audit", "/export", "The records of at most 90 days that match, as JSON Lines or CSV"), s.exportAudit, access.ViewUserActivityLog)
}

func (s *server) listAudit(ctx context.Context, in *auditInput) (out api.AuditPage, err error) {
	q := in.query()
	q.After, q.Limit = in.After, in.Limit
	found, err := s.Audit.Audit(ctx, q)
	out.Records = make([]api.AuditRecord, len(found))
	for i, r := range found {
		out.Records[i] = api.AuditRecord(r)
	}
	if len(found) == in.Limit {
		out.Next = found[in.Limit-1].Number
	}
	return out, err
}

func (s *server) auditHead(ctx context.Context, _ *struct{}) (api.AuditHead, error) {
	head, err := s.Audit.AuditHead(ctx)
	return api.AuditHead(head), err
}

func (s *server) verifyAudit(ctx context.Context, in *verifyInput) (api.AuditReport, error) {
	report, err := s.Audit.VerifyAudit(ctx, catalog.AuditHead{Number: in.Number, Hash: strings.ToLower(in.Hash)})
	out := api.AuditReport{Records: report.Records, First: report.First, Head: api.AuditHead(report.Head), Breaks: make([]api.AuditBreak, len(report.Breaks))}
	for i, b := range report.Breaks {
		out.Breaks[i] = api.AuditBreak(b)
	}
	return out, err
}

const auditSpan = api.AuditExportDays * 24 * time.Hour

// exportAudit gives the records of a span of time, the last 90 days unless said; who exported them is a record itself (MO-10, MO-11).
func (s *server) exportAudit(_ context.Context, in *auditExportInput) (export, error) {
	q := in.query()
	if q.To.IsZero() {
		if q.To = time.Now().UTC(); !q.From.IsZero() && q.To.After(q.From.Add(auditSpan)) {
			q.To = q.From.Add(auditSpan)
		}
	}
	if q.From.IsZero() {
		q.From = q.To.Add(-auditSpan)
	}
	switch span := q.To.Sub(q.From); {
	case span <= 0:
		return export{}, errkind.New(errkind.Invalid, "", errors.New("to is not after from"), "")
	case span > auditSpan:
		return export{}, errkind.New(errkind.Invalid, "", fmt.Errorf("an export covers at most %d days", api.AuditExportDays), "export several, one after the other")
	}
	q.Limit = api.MostAuditRecords
	header := []string{"number", "at", "actor", "action", "kind", "object", "outcome", "detail", "before", "after", "run", "previous", "hash"}
	return export{format: in.Format, header: header,
		begin: func(ctx context.Context) error {
			return s.looks(ctx, "export", catalog.AuditedAudit, q.From.UTC().Format(time.RFC3339)+" to "+q.To.UTC().Format(time.RFC3339), in.Format)
		},
		rows: func(ctx context.Context, emit func(value any, record []string) error) error {
			for {
				found, err := s.Audit.Audit(ctx, q)
				if err != nil {
					return err
				}
				for _, r := range found {
					record := []string{strconv.FormatInt(r.Number, 10), r.At.Format(time.RFC3339Nano), r.Actor, r.Action, r.Kind, r.Object, r.Outcome, r.Detail, r.Before, r.After, r.Run, r.Previous, r.Hash}
					if err := emit(api.AuditRecord(r), record); err != nil {
						return err
					}
				}
				if len(found) < q.Limit {
					return nil
				}
				q.After = found[len(found)-1].Number
			}
		}}, nil
}

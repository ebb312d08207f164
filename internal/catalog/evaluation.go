package catalog

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"prospector/internal/errkind"
	"prospector/internal/store"
)

// Membership is one audience's result of a published evaluation.
type Membership struct {
	store.Membership
	Evaluation string    `json:"evaluation"`
	AsOf       time.Time `json:"asOf"`
	Published  time.Time `json:"publishedAt"`
}

// PublishEvaluation makes memberships the current ones, all at once. Publishing again changes nothing. Conflict when a later
// evaluation of one of the audiences was published.
func (c *Catalog) PublishEvaluation(ctx context.Context, id string, asOf time.Time, results []store.Membership, at time.Time, audit ...AuditRecord) error {
	return c.inTransaction(ctx, func(tx *sql.Tx) error {
		for _, m := range results {
			if err := c.supersededOn(ctx, tx, id, asOf, m.Audience); err != nil {
				return err
			}
			namespaces, err := json.Marshal(m.Namespaces)
			if err != nil {
				return err
			}
			if err := c.exec(ctx, tx, "catalog/insert_membership", id, m.Audience, m.Part, m.Realized, m.Existing, m.Exited, m.Error, m.Definition, string(namespaces)); err != nil {
				return err
			}
		}
		if err := c.exec(ctx, tx, "catalog/publish_evaluation", id, instant(asOf), instant(at)); err != nil {
			return err
		}
		return c.recordAudit(ctx, tx, audit...)
	})
}

// Superseded is Conflict when a later evaluation of one of the audiences was published than the one that is to be.
func (c *Catalog) Superseded(ctx context.Context, id string, asOf time.Time, audiences ...string) error {
	for _, audience := range audiences {
		if err := c.supersededOn(ctx, c.db, id, asOf, audience); err != nil {
			return err
		}
	}
	return nil
}

func (c *Catalog) supersededOn(ctx context.Context, on querier, id string, asOf time.Time, audience string) error {
	var later, at string
	err := c.queryOn(ctx, on, "catalog/later_evaluation", []any{audience, id, instant(asOf)}, func(scan func(...any) error) error { return scan(&later, &at) })
	if err != nil || later == "" {
		return err
	}
	then, err := parseInstant(at)
	if err != nil {
		return err
	}
	return errkind.New(errkind.Conflict, "evaluation "+id, fmt.Errorf("%s of audience %s is as of %s, later than this one's %s, and was published before it",
		later, audience, then.Format(time.RFC3339), asOf.UTC().Format(time.RFC3339)), "nothing is lost: every audience keeps the membership that it has; for a newer one run EvaluateAudiences again")
}

// Evaluation returns a published evaluation's results, none when it has not been published.
func (c *Catalog) Evaluation(ctx context.Context, id string) ([]Membership, error) {
	return c.memberships(ctx, "catalog/evaluation_memberships", id)
}

// LatestMemberships returns the newest membership of every audience that has one. except leaves an
// evaluation out, so that a repeated run compares itself with what came before it.
func (c *Catalog) LatestMemberships(ctx context.Context, except string) (map[string]Membership, error) {
	list, err := c.memberships(ctx, "catalog/latest_memberships", except)
	out := make(map[string]Membership, len(list))
	for _, m := range list {
		out[m.Audience] = m
	}
	return out, err
}

// LatestResults returns what every audience's latest evaluation came to, those that failed too.
func (c *Catalog) LatestResults(ctx context.Context) ([]Membership, error) {
	return c.memberships(ctx, "catalog/latest_results")
}

// AudienceHistory returns what an audience's evaluations came to, the latest first.
func (c *Catalog) AudienceHistory(ctx context.Context, audience string, limit int) ([]Membership, error) {
	return c.memberships(ctx, "catalog/audience_memberships", audience, limit)
}

func (c *Catalog) memberships(ctx context.Context, statement string, arguments ...any) ([]Membership, error) {
	var out []Membership
	err := c.query(ctx, statement, arguments, func(scan func(...any) error) error {
		var m Membership
		var asOf, published, namespaces string
		err := scan(&m.Evaluation, &asOf, &m.Audience, &m.Part, &m.Realized, &m.Existing, &m.Exited, &m.Error, &m.Definition, &namespaces, &published)
		if err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(namespaces), &m.Namespaces); err != nil {
			return err
		}
		if m.AsOf, err = parseInstant(asOf); err != nil {
			return err
		}
		if m.Published, err = parseInstant(published); err != nil {
			return err
		}
		out = append(out, m)
		return nil
	})
	return out, err
}

// KeptParts returns the membership parts of every published evaluation, without those that were forgotten.
func (c *Catalog) KeptParts(ctx context.Context) (map[string][]string, error) {
	out := map[string][]string{}
	err := c.query(ctx, "catalog/kept_parts", nil, func(scan func(...any) error) error {
		var evaluation, part string
		err := scan(&evaluation, &part)
		out[evaluation] = append(out[evaluation], part)
		return err
	})
	return out, err
}

// ForgetStaleParts forgets the parts that are neither an audience's current nor its previous one.
func (c *Catalog) ForgetStaleParts(ctx context.Context) error {
	return c.exec(ctx, c.db, "catalog/forget_stale_parts")
}

// ForgetAudience forgets all parts of an audience: one of that name that is evaluated later begins anew.
func (c *Catalog) ForgetAudience(ctx context.Context, audience string) error {
	return c.exec(ctx, c.db, "catalog/forget_audience", audience)
}

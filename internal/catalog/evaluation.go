package catalog

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"prospector/internal/store"
)

// Membership is one audience's result of a published evaluation.
type Membership struct {
	store.Membership
	Evaluation string    `json:"evaluation"`
	AsOf       time.Time `json:"asOf"`
	Published  time.Time `json:"publishedAt"`
}

// PublishEvaluation makes memberships the current ones, all at once. Publishing again changes nothing.
func (c *Catalog) PublishEvaluation(ctx context.Context, id string, asOf time.Time, results []store.Membership, at time.Time, audit ...AuditRecord) error {
	return c.inTransaction(ctx, func(tx *sql.Tx) error {
		for _, m := range results {
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

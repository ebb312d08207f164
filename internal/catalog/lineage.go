package catalog

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"

	"prospector/internal/store"
)

// RecordDerivations records of which versions of datasets an evaluation or a delivery was made (DS-6). Recording again replaces it.
func (c *Catalog) RecordDerivations(ctx context.Context, subject string, derivations []store.Derivation) error {
	return c.inTransaction(ctx, func(tx *sql.Tx) error {
		for _, d := range derivations {
			if err := c.exec(ctx, tx, "catalog/record_derivation", subject, d.Dataset, d.FirstVersion, d.Version, d.Batches, d.Latest); err != nil {
				return err
			}
		}
		return nil
	})
}

// Derivations returns of which versions of datasets an evaluation or a delivery was made, none for those of earlier versions of
// Prospector.
func (c *Catalog) Derivations(ctx context.Context, subject string) (out []store.Derivation, err error) {
	err = c.query(ctx, "catalog/select_derivations", []any{subject}, func(scan func(...any) error) error {
		var d store.Derivation
		err := scan(&d.Dataset, &d.FirstVersion, &d.Version, &d.Batches, &d.Latest)
		out = append(out, d)
		return err
	})
	return out, err
}

// AudienceUses returns the audiences that had members in a dataset when they were evaluated while a batch was in it.
func (c *Catalog) AudienceUses(ctx context.Context, dataset string, spans []store.BatchSpan) ([]store.AudienceUse, error) {
	out := []store.AudienceUse{}
	counted := map[[2]string]bool{}
	last := map[string]string{} // evaluation by audience
	for _, span := range spans {
		err := c.query(ctx, "catalog/evaluations_of_version", []any{dataset, span.Loaded, span.Deleted}, func(scan func(...any) error) error {
			var audience, evaluation, asOf, text string
			if err := scan(&audience, &evaluation, &asOf, &text); err != nil {
				return err
			}
			var namespaces []store.NamespaceMembers
			if err := json.Unmarshal([]byte(text), &namespaces); err != nil {
				return err
			}
			holds := slices.ContainsFunc(namespaces, func(n store.NamespaceMembers) bool { return n.Datasets[dataset] > 0 })
			if !holds || counted[[2]string{audience, evaluation}] {
				return nil
			}
			counted[[2]string{audience, evaluation}] = true
			at, err := parseInstant(asOf)
			if err != nil {
				return err
			}
			i := slices.IndexFunc(out, func(u store.AudienceUse) bool { return u.Audience == audience })
			if i < 0 {
				i, out = len(out), append(out, store.AudienceUse{Audience: audience, First: at})
			}
			out[i].Evaluations++
			if !at.Before(out[i].Last) {
				out[i].Last, last[audience] = at, evaluation
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	latest, err := c.LatestMemberships(ctx, "")
	for i, u := range out {
		out[i].Current = latest[u.Audience].Evaluation == last[u.Audience]
	}
	slices.SortFunc(out, func(a, b store.AudienceUse) int { return strings.Compare(a.Audience, b.Audience) })
	return out, err
}

// DeliveryUses returns the deliveries that were made of a dataset while a batch was in it, the latest first, at most
// store.MostUses, and how many there are.
func (c *Catalog) DeliveryUses(ctx context.Context, dataset string, spans []store.BatchSpan) (out []store.DeliveryUse, n int64, err error) {
	out = []store.DeliveryUse{}
	for _, span := range spans {
		err := c.query(ctx, "catalog/deliveries_of_version", []any{dataset, span.Loaded, span.Deleted}, func(scan func(...any) error) error {
			var u store.DeliveryUse
			var began string
			if err := scan(&u.Delivery, &u.Activation, &u.Destination, &u.Status, &began, &u.Files); err != nil {
				return err
			}
			if slices.ContainsFunc(out, func(other store.DeliveryUse) bool { return other.Delivery == u.Delivery }) {
				return nil
			}
			u.Began, err = parseInstant(began)
			out = append(out, u)
			return err
		})
		if err != nil {
			return nil, 0, err
		}
	}
	slices.SortStableFunc(out, func(a, b store.DeliveryUse) int { return b.Began.Compare(a.Began) })
	return out[:min(len(out), store.MostUses)], int64(len(out)), nil
}

// HasDelivered reports whether a file of an activation's deliveries to a destination has arrived.
func (c *Catalog) HasDelivered(ctx context.Context, activation, destination string) (has bool, err error) {
	err = c.query(ctx, "catalog/has_delivered", []any{activation, destination}, func(scan func(...any) error) error { return scan(&has) })
	return has, err
}

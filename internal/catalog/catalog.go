// Package catalog is the record of everything that happened: the ledger of files seen at sources,
// batches, evaluations, policy decisions, deliveries and their receipts. It is small and
// transactional; embedded it is one SQLite file beside the datasets (package sqlite). Where a
// dataset's file holds a fact too, the dataset's file is right.
package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"prospector/internal/errkind"
	queries "prospector/sql"
)

// Catalog is safe for concurrent use.
type Catalog struct{ db *sql.DB }

// New uses a database that a driver has opened, creating what is missing in it.
func New(ctx context.Context, db *sql.DB) (*Catalog, error) {
	c := &Catalog{db: db}
	for _, name := range []string{"catalog/schema", "catalog/version_table"} {
		if err := c.exec(ctx, db, name); err != nil {
			return nil, fmt.Errorf("open catalog: %w", err)
		}
	}
	if err := c.migrate(ctx); err != nil {
		return nil, fmt.Errorf("open catalog: %w", err)
	}
	return c, nil
}

// migration is a statement, and what it cannot do itself.
type migration struct {
	statement string
	then      func(c *Catalog, ctx context.Context, tx *sql.Tx) error
}

// migrations are what catalogs of earlier versions lack, in the order in which they came. One that has been
// released is never changed.
var migrations = []migration{{statement: "catalog/migrations/ledger"}, {statement: "catalog/migrations/batches"}, {statement: "catalog/migrations/listings"},
	{statement: "catalog/migrations/audiences"}, {"catalog/migrations/audit_chain", (*Catalog).chainOldAudit}, {statement: "catalog/migrations/decision_contracts"},
	{statement: "catalog/migrations/batch_reading"}, {statement: "catalog/migrations/lineage"}, {statement: "catalog/migrations/departures"}}

// migrate brings a catalog up to date, each step wholly or not at all. A catalog of a later version is refused.
func (c *Catalog) migrate(ctx context.Context) error {
	var version int
	if err := c.query(ctx, "catalog/schema_version", nil, func(scan func(...any) error) error { return scan(&version) }); err != nil {
		return err
	}
	if version > len(migrations) {
		return errkind.New(errkind.Conflict, "", fmt.Errorf("it was written by a later version of Prospector (%d, this one knows %d)", version, len(migrations)),
			"start that version, or restore the data directory from before it")
	}
	for ; version < len(migrations); version++ {
		err := c.inTransaction(ctx, func(tx *sql.Tx) error {
			step := migrations[version]
			err := c.exec(ctx, tx, step.statement)
			if err == nil && step.then != nil {
				err = step.then(c, ctx, tx)
			}
			if err != nil {
				return err
			}
			return c.exec(ctx, tx, "catalog/record_migration", version+1, instant(time.Now()))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Close closes the database.
func (c *Catalog) Close() error { return c.db.Close() }

type executor interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func (c *Catalog) exec(ctx context.Context, on executor, name string, args ...any) error {
	text, err := queries.Statement(name, nil)
	if err != nil {
		return err
	}
	if _, err := on.ExecContext(ctx, text, args...); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// query calls each for every row.
func (c *Catalog) query(ctx context.Context, name string, args []any, each func(scan func(...any) error) error) error {
	return c.queryOn(ctx, c.db, name, args, each)
}

func (c *Catalog) queryOn(ctx context.Context, on querier, name string, args []any, each func(scan func(...any) error) error) error {
	text, err := queries.Statement(name, nil)
	if err != nil {
		return err
	}
	rows, err := on.QueryContext(ctx, text, args...)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	defer func() { _ = rows.Close() }() // its error is rows.Err's
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// inTransaction runs do; all of it happens or nothing.
func (c *Catalog) inTransaction(ctx context.Context, do func(tx *sql.Tx) error) error {
	tx, err := c.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// instant writes a time so that text order is time order.
func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000000Z") }

func parseInstant(text string) (time.Time, error) { return time.Parse(time.RFC3339Nano, text) }

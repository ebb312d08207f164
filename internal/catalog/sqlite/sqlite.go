// Package sqlite opens the catalog's database as one SQLite file. It is apart from the catalog so that
// programs that only speak of its records do not link a database.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"prospector/internal/catalog"
)

// Open opens the catalog in the file at path, creating what is missing. What has been committed
// survives the loss of power.
func Open(ctx context.Context, path string) (*catalog.Catalog, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open catalog: %w", err)
	}
	options := url.Values{"_pragma": {"journal_mode(wal)", "synchronous(full)", "busy_timeout(10000)"}, "_txlock": {"immediate"}}
	name := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: options.Encode()}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, fmt.Errorf("open catalog: %w", err)
	}
	c, err := catalog.New(ctx, db)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), db.Close())
	}
	return c, nil
}

// Package duckdb keeps datasets in DuckDB: one file per dataset, attached to one in-memory instance
// that belongs to this process, and one Parquet part per batch beside it. It is the only package that
// links DuckDB. The instance may touch the data directory and nothing else: file access is limited and
// the settings are locked before the first statement that depends on partner data.
package duckdb

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"

	"github.com/duckdb/duckdb-go/v2"

	"prospector/internal/errkind"
	queries "prospector/sql"
)

// Options bound what the store takes of the machine.
type Options struct {
	MemoryLimit string // DuckDB's own, such as "2GB", but for the checks of files; the process needs about a third more
	Threads     int    // 0 means all cores
}

// Store is the embedded store. Close it, or the next start has to replay the log of its files.
type Store struct {
	dir     string
	db      *sql.DB
	checker *sql.DB // only checks values, see openChecker

	mu       sync.Mutex
	attached map[string]*attachment
}

// Open opens the store below dir.
func Open(ctx context.Context, dir string, o Options) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	for _, folder := range []string{"store", "staging", "memberships", "temp"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o700); err != nil {
			return nil, fmt.Errorf("open store: %w", err)
		}
	}
	for _, leftovers := range []string{filepath.Join(dir, "staging", pipePrefix+"*"), filepath.Join(dir, "temp", "*")} {
		if err := removeAll(leftovers); err != nil {
			return nil, fmt.Errorf("open store: %w", err)
		}
	}
	if o.MemoryLimit == "" {
		o.MemoryLimit = "2GB"
	}
	s := &Store{dir: dir, attached: map[string]*attachment{}}
	var settings []string
	if o.Threads > 0 {
		settings = append(settings, fmt.Sprintf("SET threads = %d", o.Threads))
	}
	if s.db, err = s.open(ctx, o.MemoryLimit, "temp", settings...); err != nil {
		return nil, err
	}
	if s.checker, err = s.openChecker(ctx, min(cmp.Or(o.Threads, runtime.NumCPU()), mostChecks)); err != nil {
		return nil, errors.Join(err, s.db.Close())
	}
	return s, nil
}

// At most mostChecks files are checked at a time, the others wait. Each may take checkMemory MB: more than the row groups
// that it holds, and with less DuckDB would fail on wide rows.
const (
	mostChecks  = 4
	checkMemory = 256
)

// openChecker opens the instance through which files become parts. A file is read by one thread, whatever an instance
// may use, and where that is not the thread that asked, DuckDB lets the latter spin until the end. So this instance has
// no threads but those that ask. It attaches no dataset.
func (s *Store) openChecker(ctx context.Context, checks int) (*sql.DB, error) {
	db, err := s.open(ctx, fmt.Sprintf("%dMB", checks*checkMemory), filepath.Join("temp", "checker"), "SET threads = 1", "SET preserve_insertion_order = false")
	if err != nil {
		return nil, err
	}
	if err := s.exec(ctx, db, "schema/checker", nil); err != nil {
		return nil, errors.Join(fmt.Errorf("open store: %w", err), db.Close())
	}
	db.SetMaxOpenConns(checks)
	return db, nil
}

// open opens an instance and locks its settings.
func (s *Store) open(ctx context.Context, memory, temp string, settings ...string) (*sql.DB, error) {
	connector, err := duckdb.NewConnector("", nil)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	db := sql.OpenDB(connector)
	settings = append(settings,
		"SET memory_limit = "+queries.Text(memory),
		"SET temp_directory = "+queries.Text(filepath.Join(s.dir, temp)),
		"SET TimeZone = 'UTC'",
		"SET autoinstall_known_extensions = false",
		"SET autoload_known_extensions = false",
		"SET allow_community_extensions = false",
		"SET allowed_directories = ["+queries.Text(s.dir)+"]",
		"SET enable_external_access = false",
		"SET enable_external_file_cache = false", // files are written again under their names
		"SET lock_configuration = true",
	)
	for _, setting := range settings {
		if _, err := db.ExecContext(ctx, setting); err != nil {
			return nil, errors.Join(fmt.Errorf("open store: %s: %w", setting, err), db.Close())
		}
	}
	return db, nil
}

// removeAll removes what a killed process left behind.
func removeAll(pattern string) error {
	leftovers, err := filepath.Glob(pattern)
	for _, path := range leftovers {
		err = errors.Join(err, os.RemoveAll(path))
	}
	return err
}

// Close writes what is in memory and releases the files.
func (s *Store) Close() error { return errors.Join(s.checker.Close(), s.db.Close()) }

// part is where a loaded batch's typed rows are. Profiles are made from it again when a batch is undone or a profile
// explained, so that nothing but the batch's deletion removes it.
func (s *Store) part(dataset, batch string) string {
	return filepath.Join(s.dir, "store", dataset, "parts", batch+".parquet")
}

// draft is where validation writes a batch's rows, loaded before or not, until a load makes it the part.
func (s *Store) draft(dataset, batch string) string {
	return filepath.Join(s.dir, "store", dataset, "parts", batch+".draft.parquet")
}

// publishDraft makes a batch's draft its part. An earlier attempt to load may have done so.
func (s *Store) publishDraft(dataset, batch string) error {
	part := s.part(dataset, batch)
	err := onDisk(s.draft(dataset, batch))
	if err == nil {
		err = os.Rename(s.draft(dataset, batch), part)
	}
	if errors.Is(err, os.ErrNotExist) {
		_, err = os.Stat(part)
	}
	return err
}

// onDisk waits until a file has reached the disk: what is committed about it must not outlive it.
func onDisk(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove part: %w", err)
	}
	return nil
}

// inside makes a path below the data directory absolute.
func (s *Store) inside(path string) string { return filepath.Join(s.dir, filepath.FromSlash(path)) }

type executor interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func (s *Store) exec(ctx context.Context, on executor, name string, data map[string]any, args ...any) error {
	text, err := queries.Statement(name, data)
	if err != nil {
		return err
	}
	if _, err := on.ExecContext(ctx, text, args...); err != nil {
		s.reattachInvalid(err)
		return failure(ctx, name, err)
	}
	return nil
}

// query runs a statement and calls each for every row; the row's values are scanned by scan.
func (s *Store) query(ctx context.Context, on querier, name string, data map[string]any, args []any, each func(scan func(...any) error) error) error {
	text, err := queries.Statement(name, data)
	if err != nil {
		return err
	}
	rows, err := on.QueryContext(ctx, text, args...)
	if err != nil {
		s.reattachInvalid(err)
		return failure(ctx, name, err)
	}
	defer func() { _ = rows.Close() }() // its error is rows.Err's
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return failure(ctx, name, err)
	}
	return nil
}

var invalidated = regexp.MustCompile(`Database "([^"]+)" has been invalidated`)

// reattachInvalid lets go of a dataset's file that DuckDB does not use any more, since it could not be written to the end, as
// when the disk was full. What was committed is in its log; the next statement attaches it again.
func (s *Store) reattachInvalid(err error) {
	found := invalidated.FindStringSubmatch(err.Error())
	if found == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.db.ExecContext(context.Background(), "DETACH DATABASE IF EXISTS "+queries.Identifier(found[1])); err != nil {
		return // a transaction still uses it; whoever comes next tries again
	}
	for name, a := range s.attached {
		if a.alias == found[1] {
			delete(s.attached, name)
		}
	}
}

// failure names the statement, and keeps DuckDB's message only as far as it cannot quote row values.
func failure(ctx context.Context, name string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", name, context.Cause(ctx))
	}
	message := err.Error()
	switch {
	case strings.Contains(message, "has been invalidated"):
		return errkind.New(errkind.Transient, name, errors.New("the dataset's file could not be written to its end and is opened again"), "make room where the data directory is; if this goes on, restart the worker")
	case strings.Contains(message, "Out of Memory"), strings.Contains(message, "No space left"):
		return errkind.New(errkind.Transient, name, errors.New(firstLine(message)),
			"raise --memory-limit, or make room where the data directory is")
	case strings.HasPrefix(message, "Conversion Error"), strings.HasPrefix(message, "Invalid Input Error"), strings.HasPrefix(message, "Out of Range Error"),
		strings.HasPrefix(message, "Mismatch Type Error"), strings.HasPrefix(message, "Constraint Error"):
		return errkind.Newf(errkind.Internal, "%s: the database refused a value that validation had passed", name)
	case strings.HasPrefix(message, "Parser Error"), strings.HasPrefix(message, "Binder Error"), strings.HasPrefix(message, "Catalog Error"):
		return errkind.New(errkind.Internal, name, errors.New(firstLine(message)), "")
	}
	return fmt.Errorf("%s: %s", name, firstLine(message))
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

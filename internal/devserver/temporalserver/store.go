//go:build !release

package temporalserver

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	sqliteschema "go.temporal.io/server/schema/sqlite"

	"prospector/internal/errkind"
)

const (
	databaseFile = "temporal.db"
	// unfinished marks a file whose tables are being created: it is made anew if that broke off.
	unfinished = ".unfinished"
)

// openStore returns the configuration of the SQLite file, with its tables and the namespace in it.
func openStore(options Options) (*config.SQL, error) {
	if options.Dir == "" {
		return nil, errkind.New(errkind.Invalid, "start the temporal server", fmt.Errorf("no folder is given"), "")
	}
	dir, err := filepath.Abs(options.Dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, errkind.New(errkind.Denied, "start the temporal server", err, "give a folder that you may write to")
	}
	path := filepath.Join(dir, databaseFile)
	store := &config.SQL{
		PluginName:   sqlite.PluginName,
		DatabaseName: escape(path),
		// The write-ahead log survives the end of the process; a power cut may lose the last commits.
		ConnectAttributes: map[string]string{"mode": "rwc", "journal_mode": "wal", "synchronous": "1", "busy_timeout": "10000"},
	}
	if err := createTables(path, store); err != nil {
		return nil, fmt.Errorf("create the tables of %s: %w", path, err)
	}
	attributes := make(map[string]enumspb.IndexedValueType, len(options.SearchAttributes))
	for _, name := range options.SearchAttributes {
		attributes[name] = enumspb.INDEXED_VALUE_TYPE_KEYWORD
	}
	namespace, err := sqliteschema.NewNamespaceConfig(clusterName, options.Namespace, false, attributes)
	if err != nil {
		return nil, fmt.Errorf("namespace %s: %w", options.Namespace, err)
	}
	if err := sqliteschema.CreateNamespaces(store, namespace); err != nil {
		return nil, fmt.Errorf("create namespace %s: %w", options.Namespace, err)
	}
	return store, nil
}

func createTables(path string, store *config.SQL) error {
	mark := path + unfinished
	if exists(path) && !exists(mark) {
		return nil
	}
	for _, leftover := range []string{path, path + "-wal", path + "-shm", path + "-journal"} {
		if err := os.RemoveAll(leftover); err != nil {
			return err
		}
	}
	if err := os.WriteFile(mark, nil, 0o600); err != nil {
		return err
	}
	if err := sqliteschema.SetupSchema(store); err != nil {
		return err
	}
	return os.Remove(mark)
}

// escape makes a path safe in the file URI that the server's store builds from it.
func escape(path string) string {
	return strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

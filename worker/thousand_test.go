//go:build !release

package main

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/catalog"
	"prospector/internal/catalog/sqlite"
	"prospector/internal/errkind"
	"prospector/workflows"
)

// droppedFiles is what several uploads at a time leave at a drop point.
type droppedFiles struct {
	sync.Mutex
	folder string
	final  map[string]string // content by path
	rows   map[string]string // household by prospect
}

func (d *droppedFiles) write(path, content string) {
	if err := os.WriteFile(filepath.Join(d.folder, path), []byte(content), 0o600); err != nil {
		panic(err)
	}
}

// content is a file of two prospects who are in no other file; which says what this version of it holds.
func (d *droppedFiles) content(i int, which string) string {
	return acmeHeader + fmt.Sprintf("p%d,A,B,25-34,02139,MA,Y,N,,Y,,3,2,,%s\nq%d,A,B,25-34,02139,MA,Y,N,,Y,,3,2,,%s\n", i, which, i, which)
}

func (d *droppedFiles) ends(i int, path, content, which string) {
	d.Lock()
	defer d.Unlock()
	d.final[path] = content
	d.rows[fmt.Sprintf("p%d", i)], d.rows[fmt.Sprintf("q%d", i)] = which, which
}

// The partner's ways to drop a file. quick is within what counts as writing, long is not.
const quick, long = 400 * time.Millisecond, 2500 * time.Millisecond

func (d *droppedFiles) drop(i int) {
	path := fmt.Sprintf("in/%04d.csv", i)
	content, which := d.content(i, "first"), "first"
	pause := quick
	if i%100 >= 50 {
		pause = long
	}
	switch i % 10 {
	case 0, 1, 2, 3, 4, 5: // what no run may take
		d.write(path+[]string{".part", ".tmp", ".filepart", ".partial"}[i%4], content)
		return
	case 6: // half-written, in place, and finished later
		d.write(path, content[:len(content)/2])
		time.Sleep(pause)
		d.write(path, content)
	case 7: // written again with other rows
		d.write(path, content)
		time.Sleep(pause)
		content, which = d.content(i, "second"), "second"
		d.write(path, content)
	case 8: // renamed, from a name that no run takes or from one that any run may
		from := path + ".part"
		if i%20 == 8 {
			from = fmt.Sprintf("in/%04d-draft.csv", i)
		}
		d.write(from, content)
		time.Sleep(pause)
		if err := os.Rename(filepath.Join(d.folder, from), filepath.Join(d.folder, path)); err != nil {
			panic(err)
		}
	case 9:
		d.write(path, content)
	}
	d.ends(i, path, content, which)
}

// EC-14: 1,000 files are dropped in random order while the source is synced again and again. Some are half-written at
// first, some written again, some renamed, some never finished; some of that within and some beyond the time for which
// a file must not change. At the end every final version was loaded exactly once, no other one after it, the profiles
// say what the final versions say, and the ledger has the story of each.
func TestThousandFiles(t *testing.T) {
	t.Parallel()
	const files, uploads = 1000, 8
	dir := t.TempDir()
	d := startDev(t, dir, nil)
	dropped := &droppedFiles{folder: d.folderSource("path: in/*.csv\nreadiness: {rule: stable, seconds: 1}\n"), final: map[string]string{}, rows: map[string]string{}}
	require.NoError(t, os.MkdirAll(filepath.Join(dropped.folder, "in"), 0o755))
	order := make(chan int, files)
	for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(files) {
		order <- i
	}
	close(order)
	var partner sync.WaitGroup
	for range uploads {
		partner.Go(func() {
			for i := range order {
				dropped.drop(i)
			}
		})
	}
	ended := make(chan struct{})
	go func() { partner.Wait(); close(ended) }()

	loads := map[string]int{} // by path and content
	for quiet := 0; quiet < 2; {
		done := false
		select {
		case <-ended:
			done = true
		default:
		}
		var out workflows.SyncSourceResult
		if err := d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: "acme"}, &out); err != nil {
			kind := workflows.KindOf(err)
			require.Contains(t, []errkind.Kind{errkind.Missing, errkind.Conflict, errkind.BadInput}, kind, "%v", err)
			if kind != errkind.Missing || len(loads) > 0 {
				out = partial(t, err)
			}
			for _, f := range out.Failed { // the partner was on it: it was replaced, moved or cut
				require.Contains(t, []errkind.Kind{errkind.Missing, errkind.Conflict, errkind.BadInput}, f.Kind, f.Message)
				require.False(t, done && f.Kind != errkind.BadInput, f.Message)
			}
		}
		require.Len(t, out.Files, out.Taken)
		for _, f := range out.Files {
			if f.State == catalog.Loaded {
				loads[f.Path+" "+f.SHA256]++
			}
		}
		if done && out.Taken == 0 && out.WaitingFiles == 0 && out.FailedFiles == 0 {
			quiet++
		}
	}
	d.stop()

	ledger, err := sqlite.Open(t.Context(), filepath.Join(dir, "catalog.db"))
	require.NoError(t, err)
	defer func() { require.NoError(t, ledger.Close()) }()
	entries, err := ledger.Files(t.Context(), "acme") // the latest version of a path first
	require.NoError(t, err)
	states, latest := map[catalog.State]int{}, map[string]catalog.File{}
	for _, f := range entries {
		states[f.State]++
		events, err := ledger.FileEvents(t.Context(), f.Batch)
		require.NoError(t, err)
		var story []catalog.State
		for _, e := range events {
			story = append(story, e.State)
		}
		require.Equal(t, catalog.Seen, story[0], f.Path)
		require.Equal(t, f.State, story[len(story)-1], f.Path)
		loaded := 0
		for _, state := range story {
			if state == catalog.Loaded {
				loaded++
			}
		}
		switch f.State {
		case catalog.Loaded:
			require.Equal(t, 1, loaded, "%s: %v", f.Path, story)
			require.Equal(t, 1, loads[f.Path+" "+f.SHA256], f.Path)
		case catalog.Gone, catalog.Duplicate, catalog.Rejected:
			require.Zero(t, loaded, "%s: %v", f.Path, story)
		default:
			t.Fatalf("%s is %s", f.Path, f.State)
		}
		if _, later := latest[f.Path]; !later {
			latest[f.Path] = f
		}
	}
	t.Log(states)
	require.Greater(t, len(entries), len(dropped.final)+20, "versions that a run met and that are not the final ones")
	require.Greater(t, states[catalog.Gone], 5, "of them, those that were never taken")
	for path, content := range dropped.final {
		sum := sha256.Sum256([]byte(content))
		f := latest[path]
		require.Equal(t, catalog.Loaded, f.State, path)
		require.Equal(t, hex.EncodeToString(sum[:]), f.SHA256, path)
	}

	db, err := sql.Open("duckdb", filepath.Join(dir, "store", "acme_2026", "profiles.duckdb")+"?access_mode=read_only")
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	rows, err := db.QueryContext(t.Context(), `SELECT partner_id, "partner.householdID" FROM profiles`)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	profiles := map[string]string{}
	for rows.Next() {
		var id, household string
		require.NoError(t, rows.Scan(&id, &household))
		profiles[id] = household
	}
	require.NoError(t, rows.Err())
	require.Equal(t, dropped.rows, profiles)
}

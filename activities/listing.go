package activities

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"prospector/internal/catalog"
	"prospector/internal/errkind"
	"prospector/internal/readiness"
	"prospector/internal/source"
	"prospector/internal/workspace"
)

// listing is one look at a drop point.
type listing struct {
	activities *Activities
	source     *workspace.Source
	opened     source.Source
	pattern    readiness.Pattern
	rule       readiness.Rule
	in         ListSourceInput
	run        string
	at         time.Time
	most       int // due files at a time

	companions map[string]source.File // markers or manifests, by path
	manifests  map[string]readiness.Manifest
	broken     map[string]error // manifests that cannot be used
	files      []catalog.Sighting
	wrong      map[string]error // files whose names or dates are refused, by path
	unreadable []UnreadableFolder
	known      []catalog.File // before this look
	entries    []catalog.File // of files, in their order
	looks      map[string]int // in which the run dealt with a batch; this one's are of an attempt whose answer was lost
	changes    []catalog.FileState
	dealt      []string // batches that this look says something of, once
	named      struct{ waiting, refused, gone budget }
}

// list looks at markers and manifests first: what they vouch for was whole before the files are listed.
func (l *listing) list(ctx context.Context) error {
	l.companions, l.wrong = map[string]source.File{}, map[string]error{}
	if l.rule.Needs() {
		found, err := l.opened.List(ctx, l.pattern.Companions(l.rule))
		if obstacles := (source.Obstacles{}); err != nil && !errors.As(err, &obstacles) { // the files' listing meets them, too
			return err
		}
		for _, f := range found {
			l.companions[f.Path] = f
		}
	}
	files, err := l.opened.List(ctx, l.pattern.Glob())
	var obstacles source.Obstacles
	if err != nil && !errors.As(err, &obstacles) {
		return err
	}
	for _, f := range files {
		if _, companion := l.companions[f.Path]; companion || source.Ignored(f.Path, l.source.Ignore) {
			continue
		}
		seen := catalog.Sighting{File: f}
		if err := source.CheckName(f.Path); err != nil {
			l.wrong[f.Path] = err
		} else if seen.BusinessDate, err = l.pattern.BusinessDate(f.Path); err != nil {
			l.wrong[f.Path] = errkind.New(errkind.BadInput, fmt.Sprintf("%q", f.Path), err, "ask the partner to name it as agreed")
		}
		l.files = append(l.files, seen)
	}
	l.meet(obstacles)
	return nil
}

// meet keeps what could not be listed. What stands in the place of a file is refused like a file with a wrong name:
// once, whatever happens in it.
func (l *listing) meet(obstacles source.Obstacles) {
	for _, o := range obstacles {
		switch {
		case errkind.Of(o.Err) != errkind.BadInput:
			l.unreadable = append(l.unreadable, UnreadableFolder{Path: o.Path, Kind: errkind.Of(o.Err), Reason: o.Err.Error()})
		case !source.Ignored(o.Path, l.source.Ignore):
			l.wrong[o.Path] = o.Err
			l.files = append(l.files, catalog.Sighting{File: source.File{Path: o.Path, Modified: time.Unix(0, 0).UTC(), ETag: "not a file"}})
		}
	}
}

// hidden reports whether a path lies in a folder that may not be read.
func (l *listing) hidden(filePath string) bool {
	return slices.ContainsFunc(l.unreadable, func(f UnreadableFolder) bool { return strings.HasPrefix(filePath, f.Path+"/") })
}

// enter makes the ledger know what was listed.
func (l *listing) enter(ctx context.Context) (err error) {
	if l.known, err = l.activities.Ledger.Files(ctx, l.source.Name); err != nil {
		return err
	}
	if l.looks, err = l.activities.Ledger.SyncFiles(ctx, l.run); err != nil {
		return err
	}
	if !l.in.DryRun {
		l.entries, err = l.activities.Ledger.SeeFiles(ctx, l.source.Name, l.files, l.at)
		return err
	}
	l.entries = catalog.Entries(l.known, l.source.Name, l.files, l.at)
	return nil
}

func (l *listing) judge(ctx context.Context, asked asked, out *ListSourceOutput) error {
	out.Matching = len(l.entries)
	l.named.waiting, l.named.refused, l.named.gone = newBudget(), newBudget(), newBudget()
	l.sayGone(out)
	out.UnreadableFolders = len(l.unreadable)
	for room := newBudget(); len(out.Unreadable) < len(l.unreadable) && room.takes(l.unreadable[len(out.Unreadable)]); {
		out.Unreadable = append(out.Unreadable, l.unreadable[len(out.Unreadable)])
	}
	start := time.Time{}
	if !l.source.Backfills() {
		var err error
		if start, err = l.start(ctx); err != nil {
			return err
		}
	}
	slices.SortStableFunc(l.entries, func(x, y catalog.File) int {
		return cmp.Or(strings.Compare(asked.dayOf(x), asked.dayOf(y)), x.Modified.Compare(y.Modified), cmp.Compare(x.Path, y.Path))
	})
	for _, f := range l.entries {
		if err := l.judgeFile(ctx, f, start, asked, out); err != nil {
			return err
		}
	}
	l.sayMissing(out)
	l.cutDue(out)
	return nil
}

// sayMissing names what the manifests of this look list and nobody has ever seen.
func (l *listing) sayMissing(out *ListSourceOutput) {
	seen := map[string]bool{}
	for _, files := range [][]catalog.File{l.known, l.entries} {
		for _, f := range files {
			seen[f.Path] = true
		}
	}
	for _, manifest := range slices.Sorted(maps.Keys(l.manifests)) {
		for _, listed := range slices.Sorted(maps.Keys(l.manifests[manifest])) {
			if seen[listed] || l.hidden(listed) {
				continue
			}
			seen[listed] = true
			out.WaitingFiles++
			if waiting := (WaitingFile{Path: quoted(listed), Reason: fmt.Sprintf("manifest %q lists it, and it is not there", manifest)}); l.named.waiting.takes(waiting) {
				out.Waiting = append(out.Waiting, waiting)
			}
		}
	}
}

// cutDue leaves the due files that the run takes before it looks again.
func (l *listing) cutDue(out *ListSourceOutput) {
	room := budget{l.most, dueBytes}
	n := 0
	for n < len(out.Due) && (room.takes(out.Due[n]) || n == 0) {
		l.dealt = append(l.dealt, out.Due[n].Batch)
		n++
	}
	out.Due, out.More = out.Due[:n], len(out.Due)-n
}

// start is before which files are old news. Once a run has ended well, whatever is new has come since, even when the
// server dates it earlier, as uploads that keep their times do.
func (l *listing) start(ctx context.Context) (time.Time, error) {
	runs, err := l.activities.Ledger.Syncs(ctx, l.source.Name, 100)
	if err != nil {
		return time.Time{}, err
	}
	if slices.ContainsFunc(runs, func(s catalog.Sync) bool { return s.Outcome == catalog.SyncSucceeded }) {
		return time.Time{}, nil
	}
	if s := l.source.Schedule; s != nil && s.Start != "" {
		return s.Instant(s.Start)
	}
	start, err := l.activities.Ledger.SourceStart(ctx, l.source.Name)
	if err != nil || !start.IsZero() {
		return start, err
	}
	if !l.in.DryRun { // it was applied before starts were recorded
		err = l.activities.Ledger.StartSources(ctx, []string{l.source.Name}, l.at)
	}
	return l.at, err
}

func (l *listing) judgeFile(ctx context.Context, f catalog.File, start time.Time, asked asked, out *ListSourceOutput) error {
	look, dealt := l.looks[f.Batch]
	if dealt && look < l.in.Look {
		return nil
	}
	if wrong := l.wrong[f.Path]; wrong != nil {
		if asked.day != "" && !asked.upTo { // nobody can tell its day
			out.Elsewhen++
			return nil
		}
		if f.State.Refused() && !dealt {
			out.RefusedBefore++
			return nil
		}
		l.refuse(f, wrong, out)
		return nil
	}
	corrected, err := l.corrected(ctx, f)
	if err != nil {
		return err
	}
	old := f.Modified.Before(start)
	switch {
	case f.State == catalog.Skipped && !l.in.Skipped, old && f.State == catalog.Seen && !l.in.Skipped:
		out.Skipped++
		l.change(f, catalog.Skipped, "it was last changed before the source was there, and backfill is false")
	case f.State.Refused() && !l.in.Retry && !corrected && !l.retried(f, asked):
		out.RefusedBefore++
	case f.State == catalog.Loaded, f.State == catalog.Duplicate:
		out.AlreadyLoaded++
	case !asked.wants(f):
		out.Elsewhen++
	default:
		reason, after, err := l.waits(ctx, f)
		if err != nil {
			return err
		}
		if reason == "" {
			if f.State != catalog.Seen && !f.State.Refused() && f.State != catalog.Failed && f.State != catalog.Taken {
				l.change(f, catalog.Seen, "")
			}
			out.DueBytes += f.Size
			out.Due = append(out.Due, DueFile{Path: f.Path, Batch: f.Batch, BusinessDate: f.BusinessDate, Size: f.Size})
			return nil
		}
		out.WaitingFiles++
		if waiting := (WaitingFile{Path: f.Path, Reason: reason}); l.named.waiting.takes(waiting) {
			out.Waiting = append(out.Waiting, waiting)
		}
		l.change(f, catalog.Waiting, reason)
		if after > 0 && (out.LookAgain == 0 || after < out.LookAgain) {
			out.LookAgain = max(after.Truncate(time.Millisecond)+time.Millisecond, 100*time.Millisecond)
		}
	}
	return nil
}

// retried reports whether a file was refused in the window of the run that is retried. What somebody deleted stays so.
func (l *listing) retried(f catalog.File, asked asked) bool {
	return l.in.RetryOf != "" && f.State != catalog.Deleted && asked.wants(f)
}

// refuse records that a file cannot be taken as it is, and says so in this look, also when it is asked again because
// the answer was lost.
func (l *listing) refuse(f catalog.File, why error, out *ListSourceOutput) {
	out.RefusedFiles++
	if refused := (RefusedFile{Path: quoted(f.Path), Batch: f.Batch, Reason: why.Error()}); l.named.refused.takes(refused) {
		out.Refused = append(out.Refused, refused)
	}
	l.dealt = append(l.dealt, f.Batch)
	l.change(f, catalog.Rejected, why.Error())
}

// quoted keeps a partner's odd names on one line.
func quoted(name string) string {
	if text := fmt.Sprintf("%q", name); text != `"`+name+`"` {
		return text
	}
	return name
}

func (l *listing) change(f catalog.File, state catalog.State, detail string) {
	if f.State != state || f.Detail != detail {
		l.changes = append(l.changes, catalog.FileState{Batch: f.Batch, State: state, Detail: detail})
	}
}

// sayGone ends the stories of versions that were never taken and are no longer there.
func (l *listing) sayGone(out *ListSourceOutput) {
	listed := map[string]bool{}
	paths := map[string]bool{}
	for _, f := range l.entries {
		listed[f.Batch], paths[f.Path] = true, true
	}
	for _, f := range l.known {
		look, dealt := l.looks[f.Batch]
		saidNow := f.State == catalog.Gone && dealt && look == l.in.Look // by an attempt whose answer was lost
		if listed[f.Batch] || l.hidden(f.Path) || !f.State.Due() || f.State == catalog.Gone && !saidNow || strings.HasPrefix(f.Path, localPrefix) || strings.HasPrefix(f.Path, replayPrefix) {
			continue
		}
		if paths[f.Path] {
			l.change(f, catalog.Gone, "the partner replaced it before it was taken")
			continue
		}
		l.change(f, catalog.Gone, "it is no longer there")
		l.dealt = append(l.dealt, f.Batch)
		out.GoneFiles++
		if l.named.gone.takes(f.Path) {
			out.Gone = append(out.Gone, f.Path)
		}
	}
}

// corrected reports whether a manifest promises something else of a file now than what it was refused by.
func (l *listing) corrected(ctx context.Context, f catalog.File) (bool, error) {
	if f.State != catalog.Rejected || l.rule.Kind != readiness.Manifested {
		return false, nil
	}
	companion, ok := l.companions[l.rule.Companion(f.Path)]
	if !ok || f.Expected != nil && f.Expected.Manifest == companion.Version() {
		return false, nil
	}
	promised, reason, err := l.promise(ctx, companion, f)
	if err != nil || reason != "" {
		return false, err
	}
	if f.Expected.Says(promised) {
		return false, l.expect(ctx, f, promised)
	}
	return true, nil
}

// waits says why a file is not ready. What a manifest promises of one that is goes into the ledger.
func (l *listing) waits(ctx context.Context, f catalog.File) (reason string, after time.Duration, err error) {
	before := f.State == catalog.Failed || f.State == catalog.Taken || f.State.Refused() // this very version was ready before
	var companion *source.File
	if found, ok := l.companions[l.rule.Companion(f.Path)]; ok {
		companion = &found
	}
	if before && (l.rule.Kind != readiness.Manifested || companion == nil) {
		return "", 0, nil
	}
	reason, after = l.rule.Waits(f.File, f.SeenAt, l.at, companion)
	if reason != "" || l.rule.Kind != readiness.Manifested {
		return reason, after, nil
	}
	promised, reason, err := l.promise(ctx, *companion, f)
	if err != nil || reason != "" {
		return reason, 0, err
	}
	return "", 0, l.expect(ctx, f, promised)
}

// promise is what a manifest says of a file, or why it cannot be relied on for it.
func (l *listing) promise(ctx context.Context, companion source.File, f catalog.File) (promised catalog.Expected, reason string, err error) {
	manifest, wrong, err := l.manifest(ctx, companion, f.Path)
	if err != nil {
		return promised, "", err
	}
	promise, listed := manifest[f.Path]
	switch {
	case wrong != nil:
		return promised, fmt.Sprintf("its manifest cannot be used: %s", wrong), nil
	case !listed:
		return promised, "its manifest does not list it", nil
	case promise.Size != nil && *promise.Size != f.Size:
		return promised, fmt.Sprintf("its manifest says %d bytes, it has %d", *promise.Size, f.Size), nil
	}
	return catalog.Expected{SHA256: promise.SHA256, MD5: promise.MD5, Rows: promise.Rows, Manifest: companion.Version()}, "", nil
}

func (l *listing) expect(ctx context.Context, f catalog.File, promised catalog.Expected) error {
	if l.in.DryRun {
		return nil
	}
	return l.activities.Ledger.ExpectFile(ctx, f.Batch, promised)
}

// manifest reads a manifest once.
func (l *listing) manifest(ctx context.Context, f source.File, of string) (readiness.Manifest, error, error) {
	if m, ok := l.manifests[f.Path]; ok || l.broken[f.Path] != nil {
		return m, l.broken[f.Path], nil
	}
	if l.manifests == nil {
		l.manifests, l.broken = map[string]readiness.Manifest{}, map[string]error{}
	}
	if f.Size > readiness.MaxManifest {
		l.broken[f.Path] = fmt.Errorf("it has %d bytes, there may be %d", f.Size, readiness.MaxManifest)
		return nil, l.broken[f.Path], nil
	}
	body, err := l.opened.Open(ctx, f, 0)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = body.Close() }() // only read
	data, err := io.ReadAll(body)
	if err != nil {
		return nil, nil, err
	}
	if l.rule.Suffix == "" {
		of = ""
	}
	m, wrong := readiness.ParseManifest(f.Path, data, of)
	if wrong != nil {
		l.broken[f.Path] = wrong
		return nil, wrong, nil
	}
	l.manifests[f.Path] = m
	return m, nil, nil
}

package activities

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"prospector/internal/enforcement"
	"prospector/internal/export"
	"prospector/internal/store"
	"prospector/internal/workspace"
)

// ExportAudiencesOutput lists the finished files in the order in which they must be delivered: the
// manifest, if any, comes last.
type ExportAudiencesOutput struct {
	Files    []export.File `json:"files"`
	Excluded int64         `json:"excluded,omitempty"` // members left out for want of consent (PL-25), for a contract's terms or by a suppression list, of all file sets

	DerivedFrom []store.Derivation `json:"derivedFrom"`          // of which datasets the rows are (DS-6)
	Suppressed  []string           `json:"suppressed,omitempty"` // by which memberships, lists and terms people were left out
}

// ExportAudiences writes the files of a delivery on this machine: one file set per audience, or for
// LiveRamp one for all of them (DE-23).
func (a *Activities) ExportAudiences(ctx context.Context, in Clearance) (ExportAudiencesOutput, error) {
	out, err := a.exportAudiences(ctx, in)
	return out, failure(err)
}

func (a *Activities) exportAudiences(ctx context.Context, in Clearance) (out ExportAudiencesOutput, err error) {
	ctx, report, end := a.progress(ctx, "export", "rows", 0)
	defer end()
	w, activation, destination, err := a.cleared(ctx, in)
	if err != nil {
		return out, err
	}
	namespace, err := exportedNamespace(w, activation)
	if err != nil {
		return out, err
	}
	if err := errors.Join(removeFolder(a.exported(in.Delivery)), os.MkdirAll(a.exported(in.Delivery), 0o700)); err != nil {
		return out, err
	}
	made, err := a.derive(ctx, in.Delivery, namespace.Datasets)
	if err != nil {
		return out, err
	}
	if err := a.undone(ctx, w, activation, in.Memberships); err != nil { // since it was decided
		return out, a.overtaken(ctx, in, err)
	}
	bound, by, err := a.leftOut(ctx, w, activation)
	if err != nil {
		return out, a.overtaken(ctx, in, err)
	}
	out.Suppressed = by
	rows, leaving := int64(0), leavingRows(w, activation, in.Memberships)
	counted := map[string]int64{}
	for _, set := range fileSets(w, activation, destination, in) {
		set.query.Namespace, set.query.AsOf, set.query.Terms = namespace, now(), bound
		if set.query.Standings != nil {
			if err := a.recall(ctx, activation, in.Delivery, set.query.Standings); err != nil {
				return out, err
			}
		}
		excluded, err := a.Audiences.LeftOut(ctx, set.query)
		if err != nil {
			return out, fmt.Errorf("activation %s: %w", in.Activation, err)
		}
		out.Excluded += excluded
		var files []export.File
		held, err := a.Audiences.Export(ctx, set.query, func(r io.Reader) (err error) {
			files, err = export.Split(r, set.layout, a.createExported(in.Delivery), func(n int64) { report(rows + n) })
			return err
		})
		if err != nil {
			return out, fmt.Errorf("activation %s: %w", in.Activation, err)
		}
		for dataset, n := range held {
			counted[dataset] += n
			leaving[dataset] = max(leaving[dataset], counted[dataset])
		}
		for _, f := range files {
			rows += f.Rows
		}
		out.Files = append(out.Files, files...)
	}
	if len(counted) > 0 {
		if err := a.withinContracts(ctx, w, activation, in, leaving); err != nil {
			return out, err
		}
	}
	began, err := a.Lineage.Derivations(ctx, in.Delivery)
	if err != nil {
		return out, err
	}
	if out.DerivedFrom, err = made(); err != nil {
		return out, err
	}
	if err := a.stands(ctx, w, activation, began, out.Suppressed); err != nil { // it was overtaken meanwhile
		return out, a.overtaken(ctx, in, err)
	}
	if destination.Manifest {
		manifest, err := a.writeManifest(in, destination, out, attributions(w, activation))
		if err != nil {
			return out, err
		}
		out.Files = append(out.Files, manifest)
	}
	return out, nil
}

func (a *Activities) createExported(delivery string) func(name string) (io.WriteCloser, error) {
	return func(name string) (io.WriteCloser, error) {
		return os.OpenFile(a.exported(delivery, name), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	}
}

func (a *Activities) writeManifest(in Clearance, destination *workspace.Destination, out ExportAudiencesOutput, attribution []string) (export.File, error) {
	folder := ""
	switch {
	case destination.S3 != nil:
		folder = destination.S3.Prefix
	case destination.SFTP != nil:
		folder = destination.SFTP.Folder
	}
	manifest := export.NewManifest(in.Delivery, in.AsOf, folder, out.Files)
	manifest.Attribution = attribution
	for _, d := range out.DerivedFrom {
		manifest.DerivedFrom = append(manifest.DerivedFrom, export.ManifestDataset(d))
	}
	data, err := manifest.JSON()
	if err != nil {
		return export.File{}, err
	}
	return export.Whole(export.ManifestFile(destination.Name, in.Delivery), data, a.createExported(in.Delivery))
}

// attributions are the texts that contracts want to go with an activation's data.
func attributions(w *workspace.Workspace, activation *workspace.Activation) (out []string) {
	for _, c := range enforcement.Contracts(w, activation) {
		if c.Attribution != "" {
			out = append(out, c.Attribution)
		}
	}
	return out
}

// named is the time in the names of a delivery's files: its own. Runs that were under way when it was not yet kept go on with the
// evaluation's.
func (c Clearance) named() time.Time {
	if c.Began.IsZero() {
		return c.AsOf
	}
	return c.Began
}

// fileSet is one query and how its rows become files.
type fileSet struct {
	query  store.ExportQuery
	layout export.Layout
}

func fileSets(w *workspace.Workspace, activation *workspace.Activation, destination *workspace.Destination, in Clearance) []fileSet {
	var paths, headers []string
	for _, m := range activation.Mapping {
		paths, headers = append(paths, m.Field), append(headers, m.Header)
	}
	format := destination.Format
	base := fileSet{query: store.ExportQuery{Paths: paths, Delimiter: format.Delimiter},
		layout: export.Layout{RowsPerFile: destination.RowsPerFile, Compression: format.Compression}}
	if destination.Type == "liveramp" {
		set := base
		set.query.Standings = &store.Standings{}
		for _, m := range in.Memberships {
			set.query.Memberships = append(set.query.Memberships, m.Part)
			set.query.Standings.Audiences = append(set.query.Standings.Audiences, m.Audience)
			headers = append(headers, m.Audience)
		}
		set.layout.Header = export.Header(headers, format.Delimiter)
		set.layout.Name = func(part int) string {
			return export.LiveRampFile(w.Sandbox.Organization, destination.Name, w.Sandbox.Name, in.named(), part)
		}
		return []fileSet{set}
	}
	var out []fileSet
	for _, m := range in.Memberships {
		set := base
		set.query.Memberships = []string{m.Part}
		set.layout.Header = export.Header(headers, format.Delimiter)
		set.layout.Name = func(part int) string {
			return export.AudienceFile(destination.Name, m.Audience, in.named(), part, format.Compression)
		}
		out = append(out, set)
	}
	return out
}

//go:build !release

package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"prospector/internal/catalog"
	"prospector/workflows"
)

// report is what the demo came to.
type report struct {
	DataDir    string                              `json:"dataDir"`
	WebUI      string                              `json:"webUI"`
	Sources    []workflows.SyncSourceResult        `json:"sources"`
	Profiles   []namespaceProfiles                 `json:"profiles"`
	Evaluation workflows.EvaluateAudiencesResult   `json:"evaluation"`
	Deliveries []workflows.ActivateAudiencesResult `json:"deliveries"`
	Blocked    []catalog.Decision                  `json:"blocked"`
	Schedules  []string                            `json:"schedules"`
}

type namespaceProfiles struct {
	Namespace string `json:"namespace"`
	Dataset   string `json:"dataset"`
	Prospects int64  `json:"prospects"`
}

// printer writes to out until something fails; who reads it is a person, so the error is dropped.
type printer struct{ *tabwriter.Writer }

func (p printer) line(columns ...string) { fmt.Fprintln(p, strings.Join(columns, "\t")) }

func (p printer) title(text string) {
	_ = p.Flush()
	fmt.Fprintln(p, "\n"+text)
}

func (r *report) print(out io.Writer, d *dev) {
	p := printer{tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)}
	r.printFiles(p)
	r.printAudiences(p)
	r.printDeliveries(p)
	r.printBlocked(p)
	p.title("Where to look next")
	p.line("  Every run, step by step", r.WebUI+"  (while up: worker demo --stay, or worker dev)")
	p.line("  Schedules", strings.Join(r.Schedules, ", ")+"  (paused)")
	p.line("  Delivered files", r.DataDir+"/s3/buckets/media-drop, "+r.DataDir+"/sftp/liveramp/uploads")
	p.line("  Workspace to edit", d.options.host.workspace)
	p.line("  Go on with", "go run ./worker dev"+dataDirFlag(d))
	p.line("  and there, for example", d.starter("run sync-source acme"))
	_ = p.Flush()
}

func dataDirFlag(d *dev) string {
	if strings.HasSuffix(d.options.host.dataDir, "/.prospector") {
		return ""
	}
	return " --data-dir " + d.options.host.dataDir
}

func (r *report) printFiles(p printer) {
	p.title("Files")
	p.line("  source", "file", "read", "accepted", "rejected", "new", "updated", "superseded")
	for _, s := range r.Sources {
		for _, f := range s.Files {
			if f.Outcome == nil {
				p.line("  "+s.Source, f.Path, "same bytes as "+f.DuplicateOf+", not loaded again")
				continue
			}
			o := f.Outcome
			p.line("  "+s.Source, f.Path, number(o.Read), number(o.Accepted), number(o.Rejected), number(o.Created), number(o.Updated), number(o.Superseded))
		}
		if len(s.Files) == 0 {
			p.line("  "+s.Source, fmt.Sprintf("nothing new: %d of %d files already loaded, nothing was loaded twice", s.AlreadyLoaded, s.Matching))
		}
	}
	for _, s := range r.Sources {
		for _, f := range s.Files {
			if len(f.Reasons) == 0 {
				continue
			}
			p.title("Why rows of " + s.Source + " were rejected (they are kept in quarantine)")
			for _, reason := range f.Reasons {
				p.line("  "+number(reason.Rows), reason.Reason.String())
			}
		}
	}
	p.title("Profiles")
	p.line("  namespace", "dataset", "prospects")
	for _, n := range r.Profiles {
		p.line("  "+n.Namespace, n.Dataset, number(n.Prospects))
	}
}

func (r *report) printAudiences(p printer) {
	p.title("Audiences (evaluation " + r.Evaluation.Evaluation + ")")
	p.line("  audience", "prospects", "realized", "existing", "exited")
	for _, m := range r.Evaluation.Memberships {
		p.line("  "+m.Audience, number(m.Size()), number(m.Realized), number(m.Existing), number(m.Exited))
	}
}

func (r *report) printDeliveries(p printer) {
	p.title("Deliveries (read back from the destination)")
	p.line("  destination", "file", "rows", "bytes", "sha256")
	for _, d := range r.Deliveries {
		for _, f := range d.Files {
			p.line("  "+d.Destination, f.File, number(f.Rows), number(f.Bytes), f.SHA256)
		}
	}
}

func (r *report) printBlocked(p printer) {
	p.title("Blocked by policy (nothing left)")
	for _, b := range r.Blocked {
		for _, v := range b.Violations {
			p.line("  activation", b.Activation)
			p.line("  policy", v.Policy)
			p.line("  label", strings.Join(v.Labels, ", "))
			p.line("  marketing action", v.MarketingAction)
			for _, way := range v.Lineage.Ways() {
				p.line("  lineage", way)
			}
			p.line("  what to do", v.Resolution)
			p.line("  decision", b.ID)
		}
	}
}

// number writes a count with thousands separated.
func number(n int64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

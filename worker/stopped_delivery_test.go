//go:build !release

package main

import (
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/devserver/faultproxy"
	"prospector/internal/errkind"
	"prospector/workflows"
)

const noTargeting = "kind: Policy\nname: no targeting\nstatus: ENABLED\nmarketingActions: [Cross Site Targeting]\ndeny: {label: Third-Party}\n---\nkind: Policy\nname: No e-mail"

// arrived are the audience files in a bucket of the dev server; parts of unfinished uploads have no name of a file.
func arrived(t *testing.T, dir, bucket string) (files []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(filepath.Join(dir, "s3", "buckets", bucket), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() && !strings.Contains(path, ".sgwtmp") {
			files = append(files, path)
		}
		return nil // what is cleaned up may go meanwhile
	}))
	return files
}

// forward passes requests on to a server, with the host that was signed. What has been sent arrives, though its sender has gone.
func forward(t *testing.T, server string) http.Handler {
	t.Helper()
	target, err := url.Parse(server)
	require.NoError(t, err)
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = target.Scheme, target.Host, r.In.Host
		r.Out = r.Out.WithContext(t.Context())
	}, ErrorLog: log.New(io.Discard, "", 0)}
}

// EC-6: a policy that is applied while a file is sent stops it: nothing appears at the destination, not even once what was held up on
// its way arrives, whether the bytes were held or the answers to them.
func TestPolicyStopsUploadUnderway(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := startDev(t, dir, nil)
	d.putAcme("in/acme_prospects.csv.gz", acmeFile(t, 5))
	require.NoError(t, d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: "acme"}, nil))
	require.NoError(t, d.run(workflows.EvaluateAudiences, workflows.EvaluateAudiencesInput{}, nil))
	stopWhileHeld := func(endpoint string, held <-chan struct{}, release func()) {
		require.NoError(t, d.applyEdited("governance.yaml"))
		require.NoError(t, d.applyEdited("destinations.yaml", "${env:PROSPECTOR_S3_ENDPOINT}", endpoint))
		ended := make(chan error, 1)
		go func() {
			ended <- d.run(workflows.ActivateAudiences, workflows.ActivateAudiencesInput{Activation: "acme-to-media"}, nil)
		}()
		select {
		case <-held:
		case err := <-ended:
			require.FailNow(t, "the delivery ended", "%v", err)
		}
		require.NoError(t, d.applyEdited("governance.yaml", "kind: Policy\nname: No e-mail", noTargeting))
		err := <-ended
		require.Equal(t, errkind.Refused, workflows.KindOf(err), "%v", err)
		require.ErrorContains(t, err, `policy "no targeting"`)
		release()
		require.Never(t, func() bool { return len(arrived(t, dir, "media-drop")) > 0 }, 2*time.Second, 100*time.Millisecond)
	}

	passing := forward(t, d.s3)
	held, released := make(chan struct{}), make(chan struct{})
	first := true
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			body, err := io.ReadAll(r.Body)
			if err == nil && first {
				first = false
				close(held)
			}
			<-released
			r.Body = io.NopCloser(strings.NewReader(string(body)))
		}
		passing.ServeHTTP(w, r)
	}))
	t.Cleanup(web.Close)
	stopWhileHeld(web.URL, held, func() { close(released) })

	proxy, err := faultproxy.Start(t.Context(), strings.TrimPrefix(d.s3, "http://"))
	require.NoError(t, err)
	t.Cleanup(proxy.Stop)
	proxy.Stall()
	connected := make(chan struct{})
	go func() {
		for proxy.Open() == 0 && t.Context().Err() == nil {
			time.Sleep(10 * time.Millisecond)
		}
		close(connected)
	}()
	stopWhileHeld("http://"+proxy.Address(), connected, proxy.Resume)
}

// EC-11, EC-6: a delivery that waits for its destination is overtaken by a list of people who must be left out, by a batch that is undone,
// and by a label that makes a consent policy count. Its files are of before, and do not leave; the next one leaves without those people.
func TestOvertakenFilesDoNotLeave(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := startDev(t, dir, nil)
	folder := d.folderSource("path: in/*.csv\nreadiness: {rule: immediate}\n")
	proxy, err := faultproxy.Start(t.Context(), strings.TrimPrefix(d.s3, "http://"))
	require.NoError(t, err)
	t.Cleanup(proxy.Stop)
	contract := "kind: Contract\nname: acme\nsources: [acme]\npurposes: [Cross Site Targeting]\nsuppression: stop\n---\nkind: Audience\nname: stop\nnamespaces: [acme_pid]\nrule: partner.bicycling = 'Y'\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "workspace", "contracts.yaml"), []byte(contract), 0o600))
	consent := "kind: ConsentPolicy\nname: hikers only\nstatus: ENABLED\nmarketingActions: [Cross Site Targeting]\nlabels: [S2]\nrequire: partner.hiking = 'Y'\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "workspace", "consent.yaml"), []byte(consent), 0o600))
	require.NoError(t, d.applyEdited("activations.yaml", "[outdoor-families, coastal-sailors]", "[coastal-sailors]"))
	require.NoError(t, d.applyEdited("destinations.yaml", "${env:PROSPECTOR_S3_ENDPOINT}", "http://"+proxy.Address()))
	require.NoError(t, d.applyEdited("audiences.yaml", "partner.sailing = 'Y' AND", "NOT audience('stop') AND partner.sailing = 'Y' AND"))
	at := time.Now().Add(-time.Hour)
	sync := func(file, rows string) string {
		at = at.Add(time.Minute)
		drop(t, folder, "in/"+file, acmeHeader+rows, at)
		var out workflows.SyncSourceResult
		require.NoError(t, d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: "acme"}, &out))
		require.NoError(t, d.run(workflows.EvaluateAudiences, workflows.EvaluateAudiencesInput{}, nil))
		return out.Files[0].Batch
	}
	deliver := func() (out workflows.ActivateAudiencesResult, err error) {
		err = d.run(workflows.ActivateAudiences, workflows.ActivateAudiencesInput{Activation: "acme-to-media"}, &out)
		return out, err
	}
	meanwhile := func(change func()) {
		t.Helper()
		proxy.Refuse(true)
		refused, ended := proxy.Total(), make(chan error, 1)
		go func() {
			_, err := deliver()
			ended <- err
		}()
		require.Eventually(t, func() bool { return proxy.Total() > refused }, time.Minute, 10*time.Millisecond)
		change()
		proxy.Refuse(false)
		err := <-ended
		require.Equal(t, errkind.Conflict, workflows.KindOf(err), "%v", err)
		// The file is judged every few seconds: between the change and the evaluation that follows, or after both.
		require.Regexp(t, "run EvaluateAudiences first|others may have to be left out .* start ActivateAudiences again", err.Error())
		require.Empty(t, arrived(t, dir, "media-drop"))
	}
	undone := sync("1.csv", prospectRows("a1", "a2", "a3"))
	sync("2.csv", prospectRows("a1", "a2"))
	meanwhile(func() {
		require.NoError(t, d.run(workflows.DeleteBatch, workflows.DeleteBatchInput{Dataset: "acme_2026", Batch: undone}, nil))
		require.NoError(t, d.run(workflows.EvaluateAudiences, workflows.EvaluateAudiencesInput{}, nil))
	})
	meanwhile(func() { sync("3.csv", "a2,A,B,25-34,02139,MA,Y,Y,,Y,,3,2,,ha2\n") }) // a2 objects
	meanwhile(func() {
		require.NoError(t, d.applyEdited("schemas.yaml", "labels: {all: [Third-Party]}\nconstraints:\n  partner", "labels: {all: [Third-Party], fields: {partner.ageRangeInHousehold: [S2]}}\nconstraints:\n  partner"))
	})
	out, err := deliver()
	require.NoError(t, err)
	require.EqualValues(t, 1, out.Files[0].Rows)
}

// PL-18: a delivery that fails after its first file has left counts for a contract that came while it was under way.
func TestHalfDeliveriesCount(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := startDev(t, dir, nil)
	d.putAcme("in/acme_prospects.csv.gz", acmeFile(t, 5))
	require.NoError(t, d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: "acme"}, nil))
	require.NoError(t, d.run(workflows.EvaluateAudiences, workflows.EvaluateAudiencesInput{}, nil))
	passing, begun, applied := forward(t, d.s3), make(chan struct{}, 100), make(chan struct{})
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun <- struct{}{}
		<-applied
		if strings.Contains(r.URL.Path, "coastal-sailors") { // the second file
			w.WriteHeader(http.StatusForbidden)
			return
		}
		passing.ServeHTTP(w, r)
	}))
	t.Cleanup(web.Close)
	require.NoError(t, d.applyEdited("destinations.yaml", "${env:PROSPECTOR_S3_ENDPOINT}", web.URL))
	activate := func() error {
		return d.run(workflows.ActivateAudiences, workflows.ActivateAudiencesInput{Activation: "acme-to-media"}, nil)
	}
	ended := make(chan error, 1)
	go func() { ended <- activate() }()
	<-begun
	contract := "kind: Contract\nname: acme\nsources: [acme]\npurposes: [Cross Site Targeting, Email Targeting]\nmostActivations: 1\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "workspace", "contracts.yaml"), []byte(contract), 0o600))
	require.NoError(t, d.applyEdited("governance.yaml"))
	close(applied)
	err := <-ended
	require.Equal(t, errkind.Denied, workflows.KindOf(err))
	require.Len(t, arrived(t, dir, "media-drop"), 1)
	require.ErrorContains(t, err, "has arrived at media-drop all the same: "+filepath.Base(arrived(t, dir, "media-drop")[0]))
	err = activate()
	require.Equal(t, errkind.Refused, workflows.KindOf(err), "%v", err)
	require.ErrorContains(t, err, `contract "acme" (contracts.yaml:5): 1 deliveries were made, 1 are allowed`)
}

//go:build !release

package activities

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"prospector/internal/catalog"
	"prospector/internal/connect"
	"prospector/internal/destination"
	"prospector/internal/destination/s3destination"
	"prospector/internal/destination/sftpdestination"
	"prospector/internal/devserver/faultproxy"
	"prospector/internal/devserver/objectstore"
	"prospector/internal/devserver/sftpserver"
	"prospector/internal/errkind"
	"prospector/internal/export"
	"prospector/internal/store"
	"prospector/internal/workspace"
)

// receiver is a real server behind a network that fails, and what is on it.
type receiver struct {
	open       func(context.Context, *workspace.Destination) (destination.Destination, error)
	proxy      *faultproxy.Proxy
	unfinished func(*testing.T) int
	content    func(t *testing.T, name string) []byte // nil: there is none
	remove     func(t *testing.T, name string)        // as whoever receives it does
	appears    func(name string)                      // called, if given, when a file has just appeared; its sender learns nothing of that
}

func receivingS3(t *testing.T) *receiver {
	server, err := objectstore.Start(t.Context(), objectstore.Options{Dir: t.TempDir(), AccessKey: "test", SecretKey: "not-a-secret"})
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	require.NoError(t, server.CreateBucket(t.Context(), "drop"))
	target, err := url.Parse(server.Endpoint())
	require.NoError(t, err)
	r := &receiver{}
	forward := &httputil.ReverseProxy{Rewrite: func(out *httputil.ProxyRequest) {
		out.Out.URL.Scheme, out.Out.URL.Host, out.Out.Host = target.Scheme, target.Host, out.In.Host
	}}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if r.appears == nil || request.Method != http.MethodPost || !request.URL.Query().Has("uploadId") {
			forward.ServeHTTP(w, request)
			return
		}
		forward.ServeHTTP(httptest.NewRecorder(), request)
		r.appears(strings.TrimPrefix(request.URL.Path, "/drop/"))
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(web.Close)
	r.proxy = startProxy(t, strings.TrimPrefix(web.URL, "http://"))
	options := connect.S3Options{Endpoint: "http://" + r.proxy.Address(), Bucket: "drop", AccessKey: "test", SecretKey: "not-a-secret", PathStyle: true}
	r.open = func(ctx context.Context, _ *workspace.Destination) (destination.Destination, error) {
		return s3destination.New(ctx, options)
	}
	direct := options
	direct.Endpoint = server.Endpoint()
	client, err := connect.S3(t.Context(), direct)
	require.NoError(t, err)
	r.unfinished = func(t *testing.T) int {
		listed, err := client.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: aws.String("drop")})
		require.NoError(t, err)
		return len(listed.Uploads)
	}
	r.content = func(t *testing.T, name string) []byte {
		object, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("drop"), Key: aws.String(name)})
		if err != nil {
			return nil
		}
		defer object.Body.Close()
		var content bytes.Buffer
		_, err = content.ReadFrom(object.Body)
		require.NoError(t, err)
		return content.Bytes()
	}
	r.remove = func(t *testing.T, name string) {
		_, err := client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("drop"), Key: aws.String(name)})
		require.NoError(t, err)
	}
	return r
}

func receivingSFTP(t *testing.T) *receiver {
	r := &receiver{}
	dir := t.TempDir()
	var server *sftpserver.Server
	server, err := sftpserver.Start(t.Context(), sftpserver.Options{Dir: dir, HostKeyFile: filepath.Join(t.TempDir(), "host_key"), User: "test", Password: "not-a-secret",
		Refuse: func(method, path string) error {
			if r.appears == nil || method != "PosixRename" {
				return nil
			}
			name := path[1 : len(path)-len(".part")]
			name = strings.TrimSuffix(name, filepath.Ext(name))
			if err := os.Rename(filepath.Join(dir, path), filepath.Join(dir, name)); err != nil {
				return err
			}
			r.appears(name)
			server.CutAll()
			return errors.New("nobody is told")
		}})
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	r.proxy = startProxy(t, server.Address())
	options := connect.SFTPOptions{Address: r.proxy.Address(), User: "test", Password: "not-a-secret", HostKey: server.HostKey(), Folder: "/"}
	r.open = func(ctx context.Context, _ *workspace.Destination) (destination.Destination, error) {
		return sftpdestination.New(ctx, options)
	}
	r.unfinished = func(t *testing.T) int {
		found, err := filepath.Glob(filepath.Join(dir, ".*.part"))
		require.NoError(t, err)
		return len(found)
	}
	r.content = func(t *testing.T, name string) []byte {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		require.NoError(t, err)
		return content
	}
	r.remove = func(t *testing.T, name string) { require.NoError(t, os.Remove(filepath.Join(dir, name))) }
	return r
}

var receivers = map[string]func(*testing.T) *receiver{"s3": receivingS3, "sftp": receivingSFTP}

// current says of every evaluation and delivery that its datasets are as they were.
type current struct{ Lineage }

func (current) Derivations(context.Context, string) ([]store.Derivation, error) {
	return []store.Derivation{{Dataset: "acme_2026", FirstVersion: 7, Version: 7}, {Dataset: "merk_2026", FirstVersion: 7, Version: 7}}, nil
}

// delivering is a cleared delivery to a receiver.
type delivering struct {
	*restricted
	clearance Clearance
	to        *receiver
	applied   atomic.Pointer[workspace.Workspace]
}

func newDelivering(t *testing.T, to *receiver, activation string) *delivering {
	r := newRestricted(t)
	r.Access, r.DataDir, r.Lineage, r.Audiences, r.Destinations = nil, t.TempDir(), current{}, held{version: 7}, to.open
	d := &delivering{restricted: r, to: to}
	w, err := r.Workspace(t.Context())
	require.NoError(t, err)
	d.applied.Store(w)
	d.Workspace = func(context.Context) (*workspace.Workspace, error) { return d.applied.Load(), nil }
	d.clearance = d.check(activation, "dlv_1")
	return d
}

func (d *delivering) check(activation, delivery string) (out Clearance) {
	d.Helper()
	value, err := d.env.ExecuteActivity(d.CheckPolicy, CheckPolicyInput{Activation: activation, Delivery: delivery, RequestedBy: "ann"})
	require.NoError(d, err)
	require.NoError(d, value.Get(&out))
	return out
}

// export writes a file as ExportAudiences does.
func (d *delivering) export(name string, content []byte) DeliverFileInput {
	d.Helper()
	sum := sha256.Sum256(content)
	path := d.exported(d.clearance.Delivery, name)
	require.NoError(d, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(d, os.WriteFile(path, content, 0o600))
	return DeliverFileInput{Clearance: d.clearance, File: export.File{Name: name, Bytes: int64(len(content)), SHA256: hex.EncodeToString(sum[:])}}
}

// deliver is one attempt.
func (d *delivering) deliver(in DeliverFileInput) (left int, err error) {
	d.Helper()
	value, err := d.env.ExecuteActivity(d.DeliverFile, in)
	if err != nil {
		return 0, err
	}
	var out DeliverFileOutput
	require.NoError(d, value.Get(&out))
	return out.Left, nil
}

// takeAway is one attempt, with what a failure tells.
func (d *delivering) takeAway() (out TakeAwayOutput, err error) {
	d.Helper()
	value, err := d.env.ExecuteActivity(d.TakeAwayUnfinished, TakeAwayInput{Delivery: d.clearance.Delivery})
	if err != nil {
		var application *temporal.ApplicationError
		require.ErrorAs(d, err, &application)
		require.NoError(d, application.Details(&out))
		return out, err
	}
	require.NoError(d, value.Get(&out))
	return out, nil
}

// forbid is a policy that is applied while the delivery is under way.
func (d *delivering) forbid() {
	d.Helper()
	d.applied.Store(sampleEdited(d.T, append(slices.Clone(sailing), "governance.yaml", "kind: Policy", "kind: Policy\nname: no sailors\nstatus: ENABLED\nmarketingActions: [Cross Site Targeting]\ndeny: {label: C9}\n---\nkind: Policy")...))
}

// restart is another process on the same directory.
func (d *delivering) restart() {
	before := d.Activities
	d.Activities = &Activities{DataDir: before.DataDir, Workspace: before.Workspace, Audit: before.Audit, Deliveries: before.Deliveries, Memberships: before.Memberships,
		Lineage: before.Lineage, Audiences: before.Audiences, Destinations: before.Destinations}
	d.env.RegisterActivity(d.Activities)
}

// cut is an attempt within which the network fails, for good.
func (d *delivering) cut(in DeliverFileInput) {
	d.Helper()
	d.Reached = func(string) {
		d.to.proxy.Refuse(true)
		d.to.proxy.CutAll(faultproxy.Reset)
	}
	_, err := d.deliver(in)
	require.Equal(d, errkind.Transient, kindOf(err), "%v", err)
	d.Reached = nil
}

var large = bytes.Repeat([]byte("partner-id-0123456789\n"), 100_000)

// EC-6: what was sent of a file that may not leave any more does not stay at the destination because nobody could take it away at once: its
// server was away, or the worker was killed. As long as it is there, what must be looked for is named. Files that have arrived stay.
func TestStoppedUploadsAreTakenAway(t *testing.T) {
	t.Parallel()
	for name, open := range receivers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDelivering(t, open(t), "acme-to-media")
			_, err := d.deliver(d.export("first.csv", []byte("it has arrived")))
			require.NoError(t, err)
			in := d.export("second.csv", large)
			d.cut(in)
			require.Equal(t, 1, d.to.unfinished(t))
			d.restart()
			d.forbid()
			_, err = d.deliver(in)
			require.Equal(t, errkind.Refused, kindOf(err), "%v", err)

			out, err := d.takeAway()
			require.Equal(t, errkind.Transient, kindOf(err), "%v", err)
			require.True(t, out.Again)
			require.Len(t, out.Left, 1)
			require.Contains(t, out.Left[0], "second.csv")
			require.Contains(t, out.Left[0], d.to.proxy.Address())
			require.Contains(t, out.LeftRemark(), "remove by hand what was sent of unfinished files to media-drop: "+out.Left[0])
			d.to.proxy.Refuse(false)
			for range 2 { // its answer may be lost
				out, err = d.takeAway()
				require.NoError(t, err)
				require.Equal(t, TakeAwayOutput{Destination: "media-drop", Arrived: []string{"first.csv"}}, out)
			}
			require.Zero(t, d.to.unfinished(t))
			require.Nil(t, d.to.content(t, "second.csv"))
			require.Equal(t, "it has arrived", string(d.to.content(t, "first.csv")))

			_, err = d.env.ExecuteActivity(d.FinishDelivery, FinishDeliveryInput{Delivery: "dlv_1", Status: catalog.Undelivered, Remark: out.Remark()})
			require.NoError(t, err)
			require.Equal(t, "failed; has arrived at media-drop all the same: first.csv", d.recorded(catalog.AuditQuery{Object: "dlv_1", Action: "end"})[0].Detail)
			require.NoDirExists(t, d.sent("dlv_1"))
		})
	}
}

// What an attempt left is taken away by the next one that reaches the destination, without touching what that one sends. An attempt that
// Temporal has given up sends nothing once the delivery has ended.
func TestNextAttemptTakesAway(t *testing.T) {
	t.Parallel()
	for name, open := range receivers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDelivering(t, open(t), "acme-to-media")
			in := d.export("a.csv", large)
			d.cut(in)
			require.Equal(t, 1, d.to.unfinished(t))
			d.restart()
			d.to.proxy.Refuse(false)
			left, err := d.deliver(in)
			require.NoError(t, err)
			require.Zero(t, left)
			require.Zero(t, d.to.unfinished(t))
			require.True(t, bytes.Equal(large, d.to.content(t, "a.csv")))

			if name == "sftp" { // at S3, tries go on for longer
				d.cut(in)
				require.Equal(t, 1, d.to.unfinished(t))
				d.to.proxy.Refuse(false)
			}
			out, err := d.takeAway()
			require.NoError(t, err)
			require.Equal(t, []string{"a.csv"}, out.Arrived, "by the attempt before")
			require.Zero(t, d.to.unfinished(t))
			require.True(t, bytes.Equal(large, d.to.content(t, "a.csv")))
			_, err = d.deliver(in)
			require.Equal(t, errkind.Missing, kindOf(err), "%v", err)
			require.Zero(t, d.to.unfinished(t))
		})
	}
}

// EC-6: of a file that has appeared, although the answer that said so was lost and it was forbidden then, it is not said that it was
// stopped: it is there, or may be.
func TestLostAnswersAreNoStops(t *testing.T) {
	t.Parallel()
	for name, open := range receivers {
		for _, fetched := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				d := newDelivering(t, open(t), "acme-to-media")
				in := d.export("a.csv", []byte("partner-id"))
				var appeared atomic.Int32
				d.to.appears = func(name string) {
					require.Equal(t, "a.csv", name)
					d.forbid()
					appeared.Add(1)
				}
				_, err := d.deliver(in)
				if kindOf(err) == errkind.Transient { // it does not try again by itself
					_, err = d.deliver(in)
				}
				require.Equal(t, errkind.Refused, kindOf(err), "%v", err)
				require.EqualValues(t, 1, appeared.Load())
				require.Equal(t, "partner-id", string(d.to.content(t, "a.csv")))
				if fetched {
					d.to.remove(t, "a.csv")
				}
				d.restart()
				out, err := d.takeAway()
				require.NoError(t, err)
				if fetched {
					require.Equal(t, "may have arrived at media-drop all the same: a.csv", out.Remark())
					return
				}
				require.Equal(t, "has arrived at media-drop all the same: a.csv", out.Remark())
				require.Equal(t, "partner-id", string(d.to.content(t, "a.csv")))
			})
		}
	}
}

// What was let through and did not appear, because it was taken away first, is not said to have arrived; an earlier file of the same name
// neither.
func TestWhatWasTakenAwayHasNotArrived(t *testing.T) {
	t.Parallel()
	for name, open := range receivers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDelivering(t, open(t), "acme-to-media")
			in := d.export("a.csv", []byte("partner-id"))
			to, err := d.to.open(t.Context(), nil)
			require.NoError(t, err)
			require.NoError(t, to.Put(t.Context(), "a.csv", strings.NewReader("an earlier"), 10, destination.Hooks{}))
			require.NoError(t, within(d.env, func(ctx context.Context) error {
				s, err := d.sending(ctx, in)
				require.NoError(t, err)
				killed := errors.New("the worker was killed")
				err = to.Put(ctx, "a.csv", strings.NewReader("partner-id"), 10, destination.Hooks{Begin: s.begins, Appear: func() error { return errors.Join(killed, s.appears()) }})
				require.ErrorIs(t, err, killed)
				return nil
			}))
			require.NoError(t, to.Close())
			require.Equal(t, 1, d.to.unfinished(t))
			d.restart()
			out, err := d.takeAway()
			require.NoError(t, err)
			require.Empty(t, out.Remark())
			require.Zero(t, d.to.unfinished(t))
			require.Equal(t, "an earlier", string(d.to.content(t, "a.csv")))
		})
	}
}

// A destination that is elsewhere by now, or is declared no more, is not asked: that nothing is there means nothing. What must be looked for
// is named with the place where it was sent.
func TestMovedDestinationsKeepWhatWasSent(t *testing.T) {
	t.Parallel()
	d := newDelivering(t, receivingSFTP(t), "acme-to-media")
	in := d.export("a.csv", large)
	d.cut(in)
	d.Destinations = receivingSFTP(t).open
	out, err := d.takeAway()
	require.Equal(t, errkind.Conflict, kindOf(err), "%v", err)
	require.False(t, out.Again)
	require.Len(t, out.Left, 1)
	require.Contains(t, out.Left[0], d.to.proxy.Address())
	require.Contains(t, out.Why, "the destination has moved")

	d.applied.Store(sampleEdited(t, "destinations.yaml", "name: media-drop", "name: media-bucket", "activations.yaml", "destination: media-drop", "destination: media-bucket"))
	again, err := d.takeAway()
	require.Error(t, err)
	require.Equal(t, out.Left, again.Left)
}

// What a run has left that was terminated, the next one of the same id takes away; what it cannot reach is recorded, and tried again by the
// run after it.
func TestLostDeliveriesAreTakenAway(t *testing.T) {
	t.Parallel()
	d := newDelivering(t, receivingSFTP(t), "acme-to-media")
	const run = "an earlier run"
	lost, err := d.catalog.Decision(t.Context(), d.clearance.Decision)
	require.NoError(t, err)
	lost.ID, lost.Delivery, lost.Run = "dec_lost", "dlv_"+RunDigest("default-test-workflow-id", run), run
	_, err = d.catalog.RecordDecision(t.Context(), lost, time.Now())
	require.NoError(t, err)
	require.NoError(t, d.catalog.BeginDelivery(t.Context(), lost.Delivery, lost, "eval_1", time.Now()))
	d.clearance.Delivery, d.clearance.Decision = lost.Delivery, lost.ID
	d.cut(d.export("a.csv", large))
	files, err := d.sentFiles(lost.Delivery)
	require.NoError(t, err)
	require.Equal(t, "default-test-run-id", files[0].Run)
	files[0].Run = run
	require.NoError(t, files[0].save())
	d.restart()

	d.check("acme-to-media", "dlv_2")
	ended := d.recorded(catalog.AuditQuery{Object: lost.Delivery, Action: "end"})
	require.Len(t, ended, 1)
	require.Contains(t, ended[0].Detail, "its run was ended from outside; remove by hand what was sent of unfinished files to media-drop: file sftp://"+d.to.proxy.Address()+"/.a.csv.")
	require.Equal(t, 1, d.to.unfinished(t))
	require.NoDirExists(t, d.exported(lost.Delivery))

	d.to.proxy.Refuse(false)
	d.check("acme-to-media", "dlv_3")
	require.Zero(t, d.to.unfinished(t))
	require.NoDirExists(t, d.sent(lost.Delivery))
	require.Len(t, d.recorded(catalog.AuditQuery{Object: lost.Delivery, Action: "end"}), 1)
}

// DE-23: what a delivery tells counts when its file may appear, not when recording that has failed and it does not.
func TestNothingIsToldUnrecorded(t *testing.T) {
	t.Parallel()
	d := newDelivering(t, receivingSFTP(t), "merk-to-liveramp")
	in := d.export("a.csv", []byte("partner-id"))
	part := d.inside(standing("dlv_1"))
	require.NoError(t, os.WriteFile(part, []byte("who is told"), 0o600))
	d.Deliveries = unrecorded{d.Deliveries}
	_, err := d.deliver(in)
	require.ErrorContains(t, err, "the catalog is away")
	require.Nil(t, d.to.content(t, "a.csv"))
	require.NoDirExists(t, d.inside("told"))
	require.FileExists(t, part)

	d.Deliveries = d.catalog
	_, err = d.deliver(in)
	require.NoError(t, err)
	require.DirExists(t, d.inside("told"))
}

// unrecorded cannot record that a file leaves.
type unrecorded struct{ Deliveries }

func (unrecorded) RecordDeparture(context.Context, string, []string, time.Time) error {
	return errkind.Newf(errkind.Transient, "the catalog is away")
}

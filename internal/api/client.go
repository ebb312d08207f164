package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"

	"prospector/internal/errkind"
	"prospector/internal/store"
)

// Client reads from the worker that runs on a data directory. Its errors have the kinds and hints of the worker's.
type Client struct {
	dataDir  string
	endpoint Endpoint
	http     *http.Client
}

// Variables for whoever has a token of the access file, but not the data directory.
const (
	AddressVariable = "PROSPECTOR_API_ADDRESS"
	TokenVariable   = "PROSPECTOR_API_TOKEN"
)

// Connect finds the worker: the one that runs on a data directory, or where the variables say.
func Connect(dataDir string) (*Client, error) {
	endpoint := Endpoint{Address: os.Getenv(AddressVariable), Token: os.Getenv(TokenVariable)}
	if endpoint.Token == "" {
		var err error
		if endpoint, err = Find(dataDir); err != nil {
			return nil, err
		}
	}
	if endpoint.Address == "" {
		endpoint.Address = "http://127.0.0.1:7080"
	}
	return &Client{dataDir, endpoint, &http.Client{Transport: &http.Transport{}}}, nil // without a proxy: it is on this machine
}

// SignIn asks whose token this is.
func (c *Client) SignIn(ctx context.Context) (out SignIn, err error) {
	return out, c.decoded(&out)(c.send(ctx, http.MethodPost, "/api/v1/sign-in", nil, nil))
}

// Profiles asks for a page of profiles. The values are the query of /api/v1/profiles.
func (c *Client) Profiles(ctx context.Context, query url.Values) (out ProfilePage, err error) {
	return out, c.get(ctx, "/api/v1/profiles", query, &out)
}

// Profile asks for one profile.
func (c *Client) Profile(ctx context.Context, namespace, id string) (out ProfileView, err error) {
	return out, c.get(ctx, "/api/v1/profile", url.Values{"namespace": {namespace}, "id": {id}}, &out)
}

// Provenance asks where a profile's attributes come from.
func (c *Client) Provenance(ctx context.Context, namespace, id string) (out store.Provenance, err error) {
	return out, c.get(ctx, "/api/v1/profile/provenance", url.Values{"namespace": {namespace}, "id": {id}}, &out)
}

// Counts asks how many profiles there are.
func (c *Client) Counts(ctx context.Context) (out store.Counts, err error) {
	return out, c.get(ctx, "/api/v1/counts", nil, &out)
}

// Batches asks for a page of a dataset's batches.
func (c *Client) Batches(ctx context.Context, dataset string, query url.Values) (out BatchPage, err error) {
	return out, c.get(ctx, "/api/v1/datasets/"+url.PathEscape(dataset)+"/batches", query, &out)
}

// Batch asks for one batch.
func (c *Client) Batch(ctx context.Context, dataset, batch string) (out store.BatchDetail, err error) {
	return out, c.get(ctx, "/api/v1/datasets/"+url.PathEscape(dataset)+"/batches/"+url.PathEscape(batch), nil, &out)
}

// Policies asks for the policies that hold.
func (c *Client) Policies(ctx context.Context) (out PolicyList, err error) {
	return out, c.get(ctx, "/api/v1/policies", nil, &out)
}

// BatchUses asks what may hold rows of a batch.
func (c *Client) BatchUses(ctx context.Context, dataset, batch string) (out store.Uses, err error) {
	return out, c.get(ctx, "/api/v1/datasets/"+url.PathEscape(dataset)+"/batches/"+url.PathEscape(batch)+"/uses", nil, &out)
}

// Audiences asks for the audiences. The values are the query of /api/v1/audiences.
func (c *Client) Audiences(ctx context.Context, query url.Values) (out AudienceList, err error) {
	return out, c.get(ctx, "/api/v1/audiences", query, &out)
}

func audiencePath(name string, rest string) string {
	return "/api/v1/audiences/" + url.PathEscape(name) + rest
}

// Audience asks for one audience.
func (c *Client) Audience(ctx context.Context, name string) (out AudienceDetail, err error) {
	return out, c.get(ctx, audiencePath(name, ""), nil, &out)
}

// AudienceHistory asks for what an audience's evaluations came to.
func (c *Client) AudienceHistory(ctx context.Context, name string, query url.Values) (out AudienceHistory, err error) {
	return out, c.get(ctx, audiencePath(name, "/history"), query, &out)
}

// Members asks for a page of an audience's members.
func (c *Client) Members(ctx context.Context, name string, query url.Values) (out MemberPage, err error) {
	return out, c.get(ctx, audiencePath(name, "/members"), query, &out)
}

// Why asks why a prospect is in an audience or is not.
func (c *Client) Why(ctx context.Context, name, namespace, id string) (out AudienceReason, err error) {
	return out, c.get(ctx, audiencePath(name, "/why"), url.Values{"namespace": {namespace}, "id": {id}}, &out)
}

// Overlap asks how many prospects audiences share.
func (c *Client) Overlap(ctx context.Context, names []string) (out AudienceOverlap, err error) {
	return out, c.get(ctx, "/api/v1/overlap", url.Values{"audiences": {strings.Join(names, ",")}}, &out)
}

// Preview asks who would be in an audience.
func (c *Client) Preview(ctx context.Context, in PreviewRequest) (out AudiencePreview, err error) {
	body, err := json.Marshal(in)
	if err != nil {
		return out, err
	}
	if len(body) > MostBodyBytes {
		return out, errkind.New(errkind.Invalid, "", fmt.Errorf("the request with the rule has %d bytes, %d can be sent", len(body), MostBodyBytes), "write it as several audiences that refer to each other")
	}
	return out, c.decoded(&out)(c.send(ctx, http.MethodPost, "/api/v1/preview", nil, bytes.NewReader(body)))
}

// Quarantine asks for a page of a dataset's rejected rows.
func (c *Client) Quarantine(ctx context.Context, dataset string, query url.Values) (out QuarantinePage, err error) {
	return out, c.get(ctx, "/api/v1/datasets/"+url.PathEscape(dataset)+"/quarantine", query, &out)
}

// Audit asks for a page of the audit. The values are the query of /api/v1/audit.
func (c *Client) Audit(ctx context.Context, query url.Values) (out AuditPage, err error) {
	return out, c.get(ctx, "/api/v1/audit", query, &out)
}

// AuditHead asks for the end of the audit's chain.
func (c *Client) AuditHead(ctx context.Context) (out AuditHead, err error) {
	return out, c.get(ctx, "/api/v1/audit/head", nil, &out)
}

// VerifyAudit asks whether the audit's chain holds, with a head that was noted before unless it is the zero one.
func (c *Client) VerifyAudit(ctx context.Context, noted AuditHead) (out AuditReport, err error) {
	query := url.Values{}
	if noted != (AuditHead{}) {
		query = url.Values{"number": {strconv.FormatInt(noted.Number, 10)}, "hash": {noted.Hash}}
	}
	return out, c.get(ctx, "/api/v1/audit/verify", query, &out)
}

// ExportAudit copies all records of the audit that match to w, as ExportQuarantine does.
func (c *Client) ExportAudit(ctx context.Context, query url.Values, w io.Writer) error {
	return c.export(ctx, "/api/v1/audit/export", query, w)
}

// ExportQuarantine copies all rejected rows that match to w, in the format of the query. An export that the worker could not
// end is an error: what was written then is not all.
func (c *Client) ExportQuarantine(ctx context.Context, dataset string, query url.Values, w io.Writer) error {
	return c.export(ctx, "/api/v1/datasets/"+url.PathEscape(dataset)+"/quarantine/export", query, w)
}

func (c *Client) export(ctx context.Context, path string, query url.Values, w io.Writer) (err error) {
	answer, err := c.ask(ctx, path, query)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, answer.Close()) }()
	if _, err := io.Copy(w, answer); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return errkind.New(errkind.Transient, "", errors.New("the worker ended the export before it was whole"), "try again; the worker's log says why")
		}
		return err
	}
	return nil
}

func (c *Client) get(ctx context.Context, path string, query url.Values, into any) error {
	return c.decoded(into)(c.ask(ctx, path, query))
}

// decoded reads an answer.
func (c *Client) decoded(into any) func(io.ReadCloser, error) error {
	return func(answer io.ReadCloser, err error) error {
		if err != nil {
			return err
		}
		decoder := json.NewDecoder(answer)
		decoder.UseNumber() // whole numbers stay whole
		if err := decoder.Decode(into); err != nil {
			return errors.Join(fmt.Errorf("read the worker's answer: %w", err), answer.Close())
		}
		return answer.Close()
	}
}

func (c *Client) ask(ctx context.Context, path string, query url.Values) (io.ReadCloser, error) {
	return c.send(ctx, http.MethodGet, path, query, nil)
}

func (c *Client) send(ctx context.Context, method, path string, query url.Values, body io.Reader) (io.ReadCloser, error) {
	target := c.endpoint.Address + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return nil, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	request.Header.Set("Authorization", "Bearer "+c.endpoint.Token)
	answer, err := c.http.Do(request) //nolint:bodyclose // the caller's, or closed below
	var dialled *net.OpError
	switch {
	case errors.As(err, &dialled) && dialled.Op == "dial":
		return nil, noWorker(c.dataDir) // it was killed
	case err != nil:
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err // without the address: it carries what was asked for
		}
		return nil, fmt.Errorf("ask the worker: %w", err)
	case answer.StatusCode == http.StatusOK:
		return answer.Body, nil
	}
	defer func() { _ = answer.Body.Close() }() // it failed anyway
	var p Problem
	if err := json.NewDecoder(io.LimitReader(answer.Body, 1<<20)).Decode(&p); err != nil || p.Kind == "" {
		return nil, errkind.Newf(errkind.Internal, "the worker answered %s", answer.Status)
	}
	return nil, errkind.New(p.Kind, "", errors.New(p.Detail), p.Hint)
}

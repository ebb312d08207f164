package server

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"prospector/internal/api"
	"prospector/internal/store"
)

// chunk is how many rows a client must take within chunkTime.
const chunk = 500

// exportQuarantine streams. An export that fails underway is cut off, so that nobody takes a part for all of it.
func (s *server) exportQuarantine(ctx context.Context, in *exportInput) (*huma.StreamResponse, error) {
	d, err := s.dataset(ctx, in.Dataset)
	if err != nil {
		return nil, s.failed(err)
	}
	if in.Batch != "" {
		if _, err := s.Store.Batch(ctx, d, in.Batch); err != nil {
			return nil, s.failed(err)
		}
	}
	return &huma.StreamResponse{Body: func(c huma.Context) {
		request, response := humago.Unwrap(c)
		done, err := s.turn(request.Context())
		if err != nil {
			return // whoever asked is gone
		}
		defer done()
		out := newRowWriter(response, in.Format)
		control, rows := http.NewResponseController(response), 0
		err = s.Store.ExportQuarantine(request.Context(), d, in.query(), func(row store.QuarantinedRow) error {
			if rows%chunk == 0 {
				if err := control.SetWriteDeadline(time.Now().Add(chunkTime)); err != nil {
					return err
				}
			}
			rows++
			return out.write(row)
		})
		if err == nil {
			err = out.end()
		}
		switch {
		case err == nil:
		case !out.begun:
			s.failed(err).write(response)
		default:
			_ = s.failed(err) // logged; there is nobody to tell
			panic(http.ErrAbortHandler)
		}
	}}, nil
}

// rowWriter writes rejected rows. Nothing of an answer is sent before the first of them.
type rowWriter struct {
	response http.ResponseWriter
	begun    bool
	format   string
	buffer   *bufio.Writer
	json     *json.Encoder
	csv      *csv.Writer
}

func newRowWriter(response http.ResponseWriter, format string) *rowWriter {
	w := &rowWriter{response: response, format: format}
	w.buffer = bufio.NewWriterSize(writerFunc(func(p []byte) (int, error) {
		w.begun = true
		return response.Write(p)
	}), 64<<10)
	w.json, w.csv = json.NewEncoder(w.buffer), csv.NewWriter(w.buffer)
	w.json.SetEscapeHTML(false)
	return w
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

var _ io.Writer = writerFunc(nil)

var csvHeader = []string{"batch", "source", "file", "line", "offset", "reasons", "resolvedBy", "raw", "rawBase64"}

func (w *rowWriter) begin() error {
	if w.response.Header().Get("Content-Type") != "" {
		return nil
	}
	if w.format == api.CSV {
		w.response.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
		return w.csv.Write(csvHeader)
	}
	w.response.Header().Set("Content-Type", "application/jsonl")
	return nil
}

func (w *rowWriter) write(row store.QuarantinedRow) error {
	if err := w.begin(); err != nil {
		return err
	}
	if w.format != api.CSV {
		return w.json.Encode(row)
	}
	var reasons []string
	for _, r := range row.Reasons {
		reasons = append(reasons, r.Reason.String())
	}
	raw, rawBase64 := "", ""
	if row.Raw != nil {
		raw = *row.Raw
	} else if text, err := json.Marshal(row.RawBase64); err == nil {
		rawBase64 = strings.Trim(string(text), `"`)
	}
	return w.csv.Write([]string{row.Batch, row.Source, row.File, strconv.FormatInt(row.Line, 10), strconv.FormatInt(row.Offset, 10), strings.Join(reasons, "; "), row.ResolvedBy, raw, rawBase64})
}

func (w *rowWriter) end() error {
	if err := w.begin(); err != nil {
		return err
	}
	w.csv.Flush()
	if err := w.csv.Error(); err != nil {
		return err
	}
	return w.buffer.Flush()
}

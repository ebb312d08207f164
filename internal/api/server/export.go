package server

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"prospector/internal/access"
	"prospector/internal/api"
)

// chunk is how many rows a client must take within chunkTime.
const chunk = 500

// export is an answer of any number of rows.
type export struct {
	format string
	header []string                        // of CSV
	begin  func(ctx context.Context) error // records who exports it
	rows   func(ctx context.Context, emit func(value any, record []string) error) error
}

// stream registers a read that exports. An export that fails underway is cut off, so that nobody takes a part for all of it.
func stream[I any](s *server, routes huma.API, o huma.Operation, do func(ctx context.Context, in *I) (export, error), needs ...access.Permission) {
	o.Description = described(needs)
	huma.Register(routes, o, func(ctx context.Context, in *I) (*huma.StreamResponse, error) {
		var e export
		err := s.mayDo(ctx, needs)
		if err == nil {
			e, err = do(ctx, in)
		}
		if err == nil {
			err = e.begin(ctx)
		}
		if err != nil {
			return nil, s.failed(ctx, o.OperationID, err)
		}
		return &huma.StreamResponse{Body: func(c huma.Context) {
			request, response := humago.Unwrap(c)
			done, err := s.turn(request.Context())
			if err != nil {
				return // whoever asked is gone
			}
			defer done()
			out := newRowWriter(response, e)
			control, rows := http.NewResponseController(response), 0
			err = e.rows(request.Context(), func(value any, record []string) error {
				if rows%chunk == 0 {
					if err := control.SetWriteDeadline(time.Now().Add(chunkTime)); err != nil {
						return err
					}
				}
				rows++
				return out.write(value, record)
			})
			if err == nil {
				err = out.end()
			}
			switch {
			case err == nil:
			case !out.begun:
				s.failed(request.Context(), o.OperationID, err).write(response)
			default:
				_ = s.failed(request.Context(), o.OperationID, err) // logged; there is nobody to tell
				panic(http.ErrAbortHandler)
			}
		}}, nil
	})
}

// rowWriter writes rows. Nothing of an answer is sent before the first of them.
type rowWriter struct {
	export
	response http.ResponseWriter
	begun    bool
	buffer   *bufio.Writer
	json     *json.Encoder
	csv      *csv.Writer
}

func newRowWriter(response http.ResponseWriter, e export) *rowWriter {
	w := &rowWriter{response: response, export: e}
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

func (w *rowWriter) start() error {
	if w.response.Header().Get("Content-Type") != "" {
		return nil
	}
	if w.format == api.CSV {
		w.response.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
		return w.csv.Write(w.header)
	}
	w.response.Header().Set("Content-Type", "application/jsonl")
	return nil
}

func (w *rowWriter) write(value any, record []string) error {
	if err := w.start(); err != nil {
		return err
	}
	if w.format != api.CSV {
		return w.json.Encode(value)
	}
	return w.csv.Write(asText(record))
}

// asText keeps spreadsheets from taking a cell for a formula: people open these files, and partners write what is in them. JSON Lines
// are exact.
func asText(record []string) []string {
	for i, cell := range record {
		if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
			record[i] = "'" + cell
		}
	}
	return record
}

func (w *rowWriter) end() error {
	if err := w.start(); err != nil {
		return err
	}
	w.csv.Flush()
	if err := w.csv.Error(); err != nil {
		return err
	}
	return w.buffer.Flush()
}

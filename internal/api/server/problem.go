package server

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"prospector/internal/api"
	"prospector/internal/errkind"
)

// problem is an error as the API says it (RFC 9457).
type problem struct{ api.Problem }

func (p *problem) Error() string             { return p.Detail }
func (p *problem) GetStatus() int            { return p.Status }
func (p *problem) ContentType(string) string { return "application/problem+json" }

var statuses = map[errkind.Kind]int{errkind.Missing: http.StatusNotFound, errkind.Invalid: http.StatusUnprocessableEntity, errkind.BadInput: http.StatusUnprocessableEntity,
	errkind.Denied: http.StatusForbidden, errkind.Refused: http.StatusForbidden, errkind.Conflict: http.StatusConflict, errkind.Transient: http.StatusServiceUnavailable}

// problemOf makes a problem of an error with a kind.
func problemOf(err error) *problem {
	kind := errkind.Of(err)
	p := &problem{api.Problem{Type: "about:blank", Kind: kind, Detail: err.Error(), Status: http.StatusInternalServerError}}
	if status, ok := statuses[kind]; ok {
		p.Status = status
	}
	p.Title = http.StatusText(p.Status)
	var e *errkind.Error
	if errors.As(err, &e) && e.Hint != "" {
		p.Hint = e.Hint
		p.Detail = strings.TrimSuffix(p.Detail, "; "+e.Hint)
	}
	return p
}

func (p *problem) write(w http.ResponseWriter) {
	p.Title = http.StatusText(p.Status)
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p.Problem) // whoever asked may be gone
}

func writeProblem(w http.ResponseWriter, err error) { problemOf(err).write(w) }

// The library's own errors, such as of a parameter that is out of range, are problems too. It keeps their form in a variable.
func init() {
	huma.NewError = func(status int, message string, details ...error) huma.StatusError {
		p := &problem{api.Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: message, Kind: errkind.Invalid}}
		if status >= http.StatusInternalServerError {
			p.Kind = errkind.Internal
		}
		var texts []string
		for _, each := range details {
			var detail *huma.ErrorDetail
			if errors.As(each, &detail) { // without the value that was given
				texts = append(texts, detail.Location+": "+detail.Message)
			}
		}
		if len(texts) > 0 {
			p.Detail = strings.Join(texts, "; ")
		}
		return p
	}
}

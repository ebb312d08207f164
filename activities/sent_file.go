package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.temporal.io/sdk/activity"

	"prospector/internal/destination"
	"prospector/internal/errkind"
	"prospector/internal/export"
)

// sentFile is what is known of a file of a delivery at its destination. It is written down before anything is sent, so that whoever comes
// after a process that was killed knows what to look for.
type sentFile struct {
	Destination string      `json:"destination"`
	Activation  string      `json:"activation"`
	Run         string      `json:"run"` // of the workflow
	File        export.File `json:"file"`
	Arrived     bool        `json:"arrived,omitempty"` // it was there, with these bytes
	Uploads     []upload    `json:"uploads,omitempty"` // of which it is not known that they came to an end

	path string
}

type upload struct {
	destination.Unfinished
	Appearing bool `json:"appearing,omitempty"` // the request that makes it appear may have been sent
	Discarded bool `json:"discarded,omitempty"` // nothing unfinished is left of it
	Removed   bool `json:"removed,omitempty"`   // because it was found and taken away
}

// sent is where a delivery keeps what it has sent. It outlives the exported files, which an attempt that is made again writes anew.
func (a *Activities) sent(delivery string, file ...string) string {
	return filepath.Join(append([]string{a.DataDir, "sent", delivery}, file...)...)
}

const sentSuffix = ".json"

// sending is what is known of a file before it is sent, by earlier attempts.
func (a *Activities) sending(ctx context.Context, in DeliverFileInput) (*sentFile, error) {
	path := a.sent(in.Clearance.Delivery, in.File.Name+sentSuffix)
	s, err := readSent(path)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return s, err
	}
	return &sentFile{Destination: in.Clearance.Destination, Activation: in.Clearance.Activation, Run: activity.GetInfo(ctx).WorkflowExecution.RunID,
		File: in.File, path: path}, os.MkdirAll(filepath.Dir(path), 0o700)
}

// sentFiles are those of a delivery.
func (a *Activities) sentFiles(delivery string) (out []*sentFile, err error) {
	entries, err := os.ReadDir(a.sent(delivery))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), sentSuffix) {
			continue // it was being written
		}
		s, err := readSent(a.sent(delivery, e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // the delivery has ended meanwhile
		}
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// sentBy are deliveries of an activation, beside one, of which it is written down what they have sent, with their runs.
func (a *Activities) sentBy(activation, except string) (runs map[string]string, err error) {
	entries, err := os.ReadDir(a.sent(""))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	runs = map[string]string{}
	for _, e := range entries {
		files, err := a.sentFiles(e.Name())
		if err == nil && e.Name() != except && len(files) > 0 && files[0].Activation == activation {
			runs[e.Name()] = files[0].Run
		}
	}
	return runs, nil
}

func readSent(path string) (*sentFile, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s := sentFile{path: path}
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("what was sent of %s: %w", strings.TrimSuffix(filepath.Base(path), sentSuffix), err)
	}
	return &s, nil
}

func (s *sentFile) save() error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(s.path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(s.path+".new", s.path)
}

// begins, appears and arrives follow one upload, the last one.
func (s *sentFile) begins(u destination.Unfinished) error {
	s.Uploads = append(s.Uploads, upload{Unfinished: u})
	return s.save()
}

func (s *sentFile) appears() error {
	s.Uploads[len(s.Uploads)-1].Appearing = true
	return s.save()
}

func (s *sentFile) arrives() error {
	s.Arrived, s.Uploads = true, s.Uploads[:len(s.Uploads)-1]
	return s.save()
}

// left are the uploads of which something may be there.
func (s *sentFile) left() (out []upload) {
	for _, u := range s.Uploads {
		if !u.Discarded {
			out = append(out, u)
		}
	}
	return out
}

// discard takes away what is left of uploads.
func (s *sentFile) discard(ctx context.Context, d destination.Destination) error {
	if len(s.left()) == 0 {
		return nil
	}
	var failed []error
	for i := range s.Uploads {
		u := &s.Uploads[i]
		if u.Discarded {
			continue
		}
		found, err := d.Discard(ctx, u.Unfinished)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		u.Discarded, u.Removed = true, found
	}
	s.Uploads = slices.DeleteFunc(s.Uploads, func(u upload) bool { return u.Discarded && !u.Appearing })
	return errors.Join(append(failed, s.save())...)
}

// uncertain reports whether the file may have arrived without an answer that said so.
func (s *sentFile) uncertain() bool {
	return !s.Arrived && slices.ContainsFunc(s.Uploads, func(u upload) bool { return u.Appearing })
}

// look finds out whether the file has arrived, if that is not known.
func (s *sentFile) look(ctx context.Context, d destination.Destination) error {
	if !s.uncertain() {
		return nil
	}
	got, err := d.ReadBack(ctx, s.File.Name, nil)
	switch {
	case err != nil && errkind.Of(err) != errkind.Missing:
		return err
	case err == nil && got.Size == s.File.Bytes && got.SHA256 == s.File.SHA256:
		s.Arrived = true
	default: // what was taken away had not appeared; what was not, somebody may have fetched
		s.Uploads = slices.DeleteFunc(s.Uploads, func(u upload) bool { return u.Removed })
	}
	return s.save()
}

package sftpsource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"

	"prospector/internal/connect"
	"prospector/internal/errkind"
	"prospector/internal/source"
	"prospector/internal/source/ranged"
)

// A connection carries 2 MiB per round trip at most, which is the library's window. Two parts on it keep
// it full while one of them ends and the next begins.
const (
	partsPerLane = 2
	maxLanes     = 4
)

var reading = ranged.Options{PartSize: 4 << 20, Parallel: partsPerLane * maxLanes}

// download reads the rest of one version.
type download struct {
	source  *Source
	op      string
	file    source.File
	lanes   []*lane
	ctx     context.Context // of the dialling that nobody waits for
	cancel  context.CancelFunc
	dialing sync.WaitGroup
	begun   []unproven // by worker
}

// unproven is the beginning of a part that has arrived, but of which the server could not be asked
// any more whether it is of the version.
type unproven struct {
	offset int64
	size   int
}

func (s *Source) open(ctx context.Context, op string, f source.File, offset int64) (io.ReadCloser, error) {
	d := &download{source: s, op: op, file: f, begun: make([]unproven, s.reading.Parallel)}
	d.ctx, d.cancel = context.WithCancel(ctx)
	for range maxLanes {
		d.lanes = append(d.lanes, &lane{download: d})
	}
	if err := d.begin(ctx, offset); err != nil {
		d.end(!errkind.Of(err).Retryable()) // an answer is no failure of the connection
		return nil, err
	}
	if offset == f.Size {
		d.end(true)
		return io.NopCloser(strings.NewReader("")), nil
	}
	options := s.reading
	options.Op = op
	if f.Size-offset > options.PartSize { // a single part is checked by itself
		options.Check = d.check
	}
	r, err := ranged.Open(ctx, offset, f.Size, options, d.fetch)
	if err != nil {
		d.end(false)
		return nil, err
	}
	return &reader{Reader: r, download: d, release: context.AfterFunc(ctx, d.abandon)}, nil
}

// begin checks that the file is the version still, and opens it on the first lane.
func (d *download) begin(ctx context.Context, offset int64) error {
	connection, err := d.source.client.Take(ctx, d.op)
	if err != nil {
		return err
	}
	first := d.lanes[0]
	first.connection = connection
	return connection.Do(ctx, d.op, func() error {
		now, err := d.source.stat(connection, d.file.Path)
		if err != nil {
			return err
		}
		if !same(d.file, now) {
			return changed()
		}
		if offset < d.file.Size {
			first.remote, err = connection.Open(d.source.options.Path(d.file.Path))
		}
		return err
	})
}

// fetch is a ranged.Fetch. What it says has arrived was there while the server still had the version.
func (d *download) fetch(ctx context.Context, worker int, offset int64, into []byte, arrived func(int)) error {
	arrived(0) // begin was answered
	lane, err := d.laneOf(ctx, worker)
	if err != nil {
		return err
	}
	connection, remote := lane.connection, lane.remote
	have := 0
	if begun := d.begun[worker]; begun.offset == offset {
		have = begun.size
	}
	err = connection.Do(ctx, d.op, func() error {
		if have > 0 {
			if err := d.prove(connection); err != nil {
				return err
			}
			arrived(have)
		}
		if have == len(into) {
			return nil
		}
		n, err := readAt(remote, into[have:], offset+int64(have), connection.Packet)
		have += n
		d.begun[worker] = unproven{offset, have}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		// The library takes a cut connection for the end of the file at times: asking again settles it.
		if err := d.prove(connection); err != nil {
			return err
		}
		arrived(have)
		if have < len(into) {
			return errkind.New(errkind.Transient, "", fmt.Errorf("the file ended %d bytes early", len(into)-have), "open the rest of the file")
		}
		return nil
	})
	if err != nil {
		lane.drop(connection)
	}
	return err
}

// check asks on the first lane.
func (d *download) check(ctx context.Context) error {
	lane, err := d.laneOf(ctx, 0)
	if err != nil {
		return err
	}
	connection := lane.connection
	err = connection.Do(ctx, d.op, func() error { return d.prove(connection) })
	if err != nil {
		lane.drop(connection)
	}
	return err
}

// prove fails unless the server has the version.
func (d *download) prove(c *connect.SFTPConnection) error {
	switch now, err := d.source.stat(c, d.file.Path); {
	case errors.Is(err, fs.ErrNotExist), err == nil && !same(d.file, now):
		return changed()
	default:
		return err
	}
}

// end gives the connections back, when nothing runs on them any more.
func (d *download) end(well bool) {
	d.cancel()
	d.dialing.Wait()
	var closing sync.WaitGroup
	for _, l := range d.lanes {
		closing.Go(func() { l.end(well) })
	}
	closing.Wait()
}

// abandon ends the connections at once.
func (d *download) abandon() {
	d.cancel()
	for _, l := range d.lanes {
		l.abandon()
	}
}

func same(a, b source.File) bool { return a.Size == b.Size && a.Version() == b.Version() }

func changed() error {
	return errkind.New(errkind.Conflict, "", errors.New("the file has changed since it was listed"), "list again and take the new version")
}

type reader struct {
	*ranged.Reader
	download *download
	release  func() bool
	once     sync.Once
	whole    bool
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.whole = r.whole || errors.Is(err, io.EOF)
	return n, err
}

// Close ends a download that is not finished, and its connections.
func (r *reader) Close() error {
	r.once.Do(func() {
		_ = r.Reader.Close() // never fails
		r.release()
		r.download.end(r.whole)
	})
	return nil
}

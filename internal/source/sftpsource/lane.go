package sftpsource

import (
	"context"
	"sync"
	"time"

	"github.com/pkg/sftp"

	"prospector/internal/connect"
	"prospector/internal/errkind"
)

const (
	firstPause = 2 * time.Second // after a lane could not be opened; it doubles
	endLimit   = 5 * time.Second // for the goodbye, which nothing depends on
)

// lane is a connection with the file open on it. Only the first is needed: a server may refuse further
// ones, or take its time, and the parts go over the first meanwhile.
type lane struct {
	download *download

	mu         sync.Mutex
	connection *connect.SFTPConnection // nil while there is none
	remote     *sftp.File
	dialing    bool
	pause      time.Duration
	notBefore  time.Time
	abandoned  bool
}

// open is a lane as it was at one moment.
type open struct {
	*lane
	connection *connect.SFTPConnection
	remote     *sftp.File
}

// laneOf is the lane for a worker's next part.
func (d *download) laneOf(ctx context.Context, worker int) (open, error) {
	if l := d.lanes[worker/partsPerLane%len(d.lanes)]; l != d.lanes[0] {
		if ready, ok := l.ready(); ok {
			return ready, nil
		}
	}
	return d.lanes[0].dial(ctx)
}

// ready returns the lane if it is open. Else it is being opened from now on.
func (l *lane) ready() (open, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.alive() {
		return open{l, l.connection, l.remote}, true
	}
	if !l.dialing && !l.abandoned && !l.download.source.lonely.Load() && time.Now().After(l.notBefore) {
		l.dialing = true
		l.download.dialing.Go(l.dialAside)
	}
	return open{}, false
}

// dialAside opens a further lane. That it cannot be is no failure of the download.
func (l *lane) dialAside() {
	connection, remote, err := l.connect(l.download.ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dialing = false
	switch {
	case err == nil && l.abandoned:
		connection.Abandon()
	case err == nil:
		l.connection, l.remote, l.pause = connection, remote, 0
	case errkind.Of(err) == errkind.Denied: // asking again could lock the user out
		l.download.source.lonely.Store(true)
	default:
		l.pause = max(2*l.pause, firstPause)
		l.notBefore = time.Now().Add(l.pause)
	}
}

// dial opens the lane unless it is open.
func (l *lane) dial(ctx context.Context) (open, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.alive() {
		connection, remote, err := l.connect(ctx)
		if err != nil {
			return open{}, err
		}
		l.connection, l.remote = connection, remote
	}
	return open{l, l.connection, l.remote}, nil
}

func (l *lane) connect(ctx context.Context) (*connect.SFTPConnection, *sftp.File, error) {
	d := l.download
	connection, err := d.source.client.Take(ctx, d.op)
	if err != nil {
		return nil, nil, err
	}
	var remote *sftp.File
	err = connection.Do(ctx, d.op, func() error {
		if err := d.prove(connection); err != nil {
			return err
		}
		remote, err = connection.Open(d.source.options.Path(d.file.Path))
		return err
	})
	if err != nil {
		connection.Abandon()
		return nil, nil, err
	}
	return connection, remote, nil
}

func (l *lane) alive() bool { return l.connection != nil && l.connection.Alive() }

// drop ends a connection on which something failed. The lane is opened anew when it is needed.
func (l *lane) drop(connection *connect.SFTPConnection) {
	connection.Abandon()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.connection == connection {
		l.connection, l.remote = nil, nil
	}
}

// end closes the file and gives the connection back.
func (l *lane) end(well bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.abandoned = true
	if l.connection == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), endLimit)
	defer cancel()
	if well && (l.remote == nil || l.connection.Do(ctx, l.download.op, l.remote.Close) == nil) {
		l.download.source.client.Return(l.connection)
	} else {
		l.connection.Abandon()
	}
	l.connection = nil
}

// abandon ends the connection at once.
func (l *lane) abandon() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.abandoned = true
	if l.connection != nil {
		l.connection.Abandon()
	}
}

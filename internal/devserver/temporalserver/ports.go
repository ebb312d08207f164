//go:build !release

package temporalserver

import (
	"fmt"
	"net"

	"prospector/internal/devserver"
	"prospector/internal/errkind"
)

type ports struct{ frontend, http, history, matching, worker, ui int }

// allocate finds a port for everything that listens. All are bound at the same time, so that no
// two are the same, and released just before they are used. A port that was asked for and is
// taken is refused here, because the Web UI would end the process over it.
func allocate(options Options) (p ports, err error) {
	var held []net.Listener
	defer func() {
		for _, l := range held {
			l.Close()
		}
	}()
	for _, want := range []struct {
		into   *int
		port   int
		needed bool
	}{
		{&p.frontend, options.Port, true}, {&p.ui, options.UIPort, !options.NoUI},
		{&p.http, 0, true}, {&p.history, 0, true}, {&p.matching, 0, true}, {&p.worker, 0, true},
	} {
		if !want.needed {
			continue
		}
		l, err := devserver.Listen(want.port)
		if err != nil {
			return ports{}, errkind.New(errkind.Conflict, "start the temporal server",
				fmt.Errorf("port %d on %s cannot be used: %w", want.port, host, err),
				"stop the process that listens there, or choose another port (0 takes any free one)")
		}
		held = append(held, l)
		*want.into = l.Addr().(*net.TCPAddr).Port
	}
	return p, nil
}

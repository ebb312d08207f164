//go:build !release

package sftpserver

import (
	"errors"
	"io"
	"sync"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

const (
	loginLimit = 30 * time.Second
	maxPacket  = 256 << 10 // clients may ask for more than the library's 32 KiB
)

// serve speaks SSH on a connection until it ends.
func (s *Server) serve(c *liveConn) {
	if c.SetDeadline(time.Now().Add(loginLimit)) != nil {
		return
	}
	conn, channels, requests, err := ssh.NewServerConn(c, s.config)
	if err != nil {
		return
	}
	defer conn.Close()
	if c.SetDeadline(time.Time{}) != nil {
		return
	}
	var sessions sync.WaitGroup
	defer sessions.Wait()
	sessions.Go(func() { ssh.DiscardRequests(requests) }) // it answers keep-alives
	for offered := range channels {
		if offered.ChannelType() != "session" {
			_ = offered.Reject(ssh.UnknownChannelType, "only sessions")
			continue
		}
		channel, requests, err := offered.Accept()
		if err != nil {
			return
		}
		sessions.Go(func() { s.session(channel, requests) })
	}
}

// session waits for the request for SFTP and refuses all others: there is no shell here.
func (s *Server) session(channel ssh.Channel, requests <-chan *ssh.Request) {
	defer channel.Close()
	for request := range requests {
		var subsystem struct{ Name string }
		if request.Type != "subsystem" || ssh.Unmarshal(request.Payload, &subsystem) != nil || subsystem.Name != "sftp" {
			_ = request.Reply(false, nil)
			continue
		}
		_ = request.Reply(true, nil)
		var others sync.WaitGroup
		defer others.Wait()
		others.Go(func() { ssh.DiscardRequests(requests) })
		j := jail{s.root, s.refuse}
		server := sftp.NewRequestServer(channel, sftp.Handlers{FileGet: j, FilePut: j, FileCmd: j, FileList: j}, sftp.WithRSMaxTxPacket(maxPacket))
		status := struct{ Status uint32 }{}
		if err := server.Serve(); err != nil && !errors.Is(err, io.EOF) {
			status.Status = 1
		}
		_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(status))
		_ = channel.Close() // ends the requests
		return
	}
}

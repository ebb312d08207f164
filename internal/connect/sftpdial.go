package connect

import (
	"cmp"
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"prospector/internal/errkind"
)

const (
	sftpDefaultPort    = "22"
	sftpDialTimeout    = 10 * time.Second
	sftpHandshakeLimit = 30 * time.Second // from the first byte until SFTP answers
	sftpKeepAlive      = 15 * time.Second
)

const (
	sftpPacket      = 32 << 10 // the library's default, which every server takes
	sftpLargePacket = 255 << 10
)

// Writes one after the other would cost a round trip each.
var sftpSettings = []sftp.ClientOption{sftp.UseConcurrentWrites(true), sftp.UseConcurrentReads(true)}

// sftpDialer opens signed-in connections.
type sftpDialer struct {
	op        string
	address   string
	config    ssh.ClientConfig
	known     knownKeys
	handshake time.Duration
	stall     time.Duration
	keepAlive time.Duration
}

func newSFTPDialer(o SFTPOptions) (*sftpDialer, error) {
	d := &sftpDialer{
		op: "connect to " + o.URL(""), handshake: cmp.Or(o.HandshakeLimit, sftpHandshakeLimit), stall: cmp.Or(o.StallLimit, StallLimit),
		keepAlive: cmp.Or(o.KeepAlive, sftpKeepAlive),
	}
	var err error
	if d.address, err = sftpAddress(o.Address); err != nil {
		return nil, errkind.New(errkind.Invalid, d.op, err, "write the address as host:port")
	}
	if o.User == "" {
		return nil, errkind.New(errkind.Invalid, d.op, errors.New("no user is given"), "set user")
	}
	if d.known, err = newKnownKeys(d.address, o); err != nil {
		return nil, SFTPError(d.op, err)
	}
	auth, err := authMethods(o)
	if err != nil {
		return nil, SFTPError(d.op, err)
	}
	d.config = ssh.ClientConfig{User: o.User, Auth: auth, HostKeyAlgorithms: d.known.algorithms}
	return d, nil
}

// sftpAddress completes an address that names only a host.
func sftpAddress(address string) (string, error) {
	if address == "" {
		return "", errors.New("no address is given")
	}
	_, _, err := net.SplitHostPort(address)
	if err == nil {
		return address, nil
	}
	host := strings.TrimSuffix(strings.TrimPrefix(address, "["), "]")
	if strings.Contains(host, ":") && net.ParseIP(host) == nil {
		return "", err
	}
	return net.JoinHostPort(host, sftpDefaultPort), nil
}

// dial returns a connection on which SFTP answers. Both ctx and the handshake limit end a handshake
// with a server that says nothing.
func (d *sftpDialer) dial(ctx context.Context) (*SFTPConnection, error) {
	tcp, err := (&net.Dialer{Timeout: sftpDialTimeout}).DialContext(ctx, "tcp", d.address)
	if err != nil {
		return nil, d.failed(ctx, err)
	}
	wire := newWatchedConn(tcp, d.stall)
	release := context.AfterFunc(ctx, func() { _ = wire.Close() })
	connection, err := d.signIn(wire)
	if err == nil && !release() {
		err = ctx.Err()
	}
	if err != nil {
		release()
		_ = wire.Close()
		return nil, d.failed(ctx, err)
	}
	return connection, nil
}

func (d *sftpDialer) signIn(wire *watchedConn) (*SFTPConnection, error) {
	if err := wire.SetDeadline(time.Now().Add(d.handshake)); err != nil { // ssh.ClientConfig.Timeout is only for TCP
		return nil, err
	}
	config := d.config
	var refused error
	config.HostKeyCallback = func(address string, remote net.Addr, key ssh.PublicKey) error {
		refused = d.known.check(address, remote, key)
		return refused
	}
	conn, channels, requests, err := ssh.NewClientConn(wire, d.address, &config)
	if err != nil {
		if refused != nil {
			return nil, refused
		}
		return nil, err
	}
	client := ssh.NewClient(conn, channels, requests)
	files, err := sftp.NewClient(client, sftpSettings...)
	if err != nil {
		return nil, err
	}
	if err := wire.SetDeadline(time.Time{}); err != nil {
		return nil, err
	}
	packet, err := packetOf(conn, files)
	if err != nil {
		return nil, err
	}
	connection := &SFTPConnection{Client: files, Packet: packet, wire: wire, gone: make(chan struct{})}
	go func() {
		_ = client.Wait() // says that it is gone, whatever the reason
		close(connection.gone)
	}()
	go connection.keepAlive(client, d.keepAlive)
	return connection, nil
}

// packetOf is how many bytes a request may move, and tells the library. OpenSSH takes 255 KiB since it
// has a name for its limits, which costs less time per byte; over a distance, it is no faster.
func packetOf(conn ssh.Conn, files *sftp.Client) (int, error) {
	_, limits := files.HasExtension("limits@openssh.com")
	if !limits || !strings.Contains(string(conn.ServerVersion()), "OpenSSH") {
		return sftpPacket, nil
	}
	return sftpLargePacket, sftp.MaxPacketUnchecked(sftpLargePacket)(files)
}

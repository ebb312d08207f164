package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"prospector/internal/errkind"
)

// Codes that servers newer than version 3 of the protocol send, by the specification's names.
const (
	fxNoSuchPath    = 10
	fxWriteProtect  = 12
	fxNoSpace       = 14
	fxQuotaExceeded = 15
)

// SFTPError gives an error of the SFTP library its kind. op says what was attempted and on which
// object. A cancellation keeps its meaning.
func SFTPError(op string, err error) error {
	var known *errkind.Error
	var status *sftp.StatusError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%s: %w", op, err)
	case errors.As(err, &known):
		return errkind.New(known.Kind, op, err, "")
	case errors.Is(err, fs.ErrNotExist):
		return errkind.New(errkind.Missing, op, err, "")
	case errors.Is(err, fs.ErrPermission):
		return errkind.New(errkind.Denied, op, err, "allow the user to list, read and write there, or correct the folder")
	case errors.As(err, &status):
		return refusal(op, status)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, sftp.ErrSSHFxConnectionLost), errors.Is(err, net.ErrClosed):
		return errkind.New(errkind.Transient, op, fmt.Errorf("the connection was cut: %w", err), tryAgain)
	}
	return errkind.New(errkind.Transient, op, err, tryAgain)
}

// refusal is for a server that says no in its own words.
func refusal(op string, status *sftp.StatusError) error {
	switch status.Code {
	case fxNoSuchPath:
		return errkind.New(errkind.Missing, op, status, "")
	case fxWriteProtect:
		return errkind.New(errkind.Denied, op, status, "ask the partner to let the user write there")
	case fxNoSpace, fxQuotaExceeded:
		return errkind.New(errkind.Transient, op, status, "ask the partner to make room; "+tryAgain)
	}
	return errkind.New(errkind.Transient, op, status, "the server refuses it and does not say why: its disk may be full; "+tryAgain)
}

// failed gives an error of signing in its kind.
func (d *sftpDialer) failed(ctx context.Context, err error) error {
	var known *errkind.Error
	var negotiation *ssh.AlgorithmNegotiationError
	switch text := err.Error(); {
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", d.op, ctx.Err())
	case errors.As(err, &known):
		return SFTPError(d.op, err)
	case errors.As(err, &negotiation) && negotiation.What == "host key":
		return errkind.New(errkind.Denied, d.op, fmt.Errorf("the server has no host key of the pinned type %s", strings.Join(d.known.types, " or ")), askPartner+d.known.setting)
	case errors.As(err, &negotiation):
		return errkind.New(errkind.Denied, d.op, err, "ask the partner to allow one of the offered algorithms")
	// The library has no types for these.
	case strings.Contains(text, "unable to authenticate"), strings.Contains(text, "Too many authentication failures"):
		return errkind.New(errkind.Denied, d.op, fmt.Errorf("the server refuses to sign in user %s", d.config.User), "check the user, and the password or the private key")
	case strings.Contains(text, "subsystem request failed"):
		return errkind.New(errkind.Denied, d.op, errors.New("the server does not offer SFTP to this user"), "ask the partner to allow SFTP for the user")
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() || errors.Is(err, os.ErrDeadlineExceeded) {
		err = fmt.Errorf("no answer in time: %w", err)
	}
	return errkind.New(errkind.Transient, d.op, err, fmt.Sprintf("check that %s is an SFTP server and can be reached from here", d.address))
}

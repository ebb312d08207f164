package connect

import (
	"crypto/x509"
	"encoding/base64"
	"errors"
	"strings"

	"golang.org/x/crypto/ssh"

	"prospector/internal/errkind"
)

// authMethods are tried in this order: the private key, then the password.
func authMethods(o SFTPOptions) ([]ssh.AuthMethod, error) {
	var methods []ssh.AuthMethod
	if o.PrivateKey != "" {
		signer, err := parsePrivateKey(o.PrivateKey, o.Passphrase)
		if err != nil {
			return nil, err
		}
		methods = append(methods, ssh.PublicKeys(signer))
	}
	if o.Password != "" {
		methods = append(methods, ssh.Password(o.Password))
	}
	if len(methods) == 0 {
		return nil, errkind.New(errkind.Denied, "", errors.New("neither a password nor a private key is given"), "set password or privateKey")
	}
	return methods, nil
}

func parsePrivateKey(pem, passphrase string) (ssh.Signer, error) {
	pem = decoded(pem)
	signer, err := ssh.ParsePrivateKey([]byte(pem))
	var locked *ssh.PassphraseMissingError
	if !errors.As(err, &locked) {
		if err != nil {
			return nil, errkind.New(errkind.Denied, "", errors.New("the private key cannot be read"), "set privateKey to the whole key file, with its BEGIN and END lines")
		}
		return signer, nil
	}
	if passphrase == "" {
		return nil, errkind.New(errkind.Denied, "", errors.New("the private key needs a passphrase"), "set passphrase")
	}
	signer, err = ssh.ParsePrivateKeyWithPassphrase([]byte(pem), []byte(passphrase))
	switch {
	case errors.Is(err, x509.IncorrectPasswordError):
		return nil, errkind.New(errkind.Denied, "", errors.New("the passphrase does not open the private key"), "check passphrase")
	case err != nil:
		return nil, errkind.New(errkind.Denied, "", errors.New("the private key cannot be read"), "set privateKey to a key that OpenSSH can read")
	}
	return signer, nil
}

// decoded is a key as a file, which some keep as Base64 on one line.
func decoded(key string) string {
	if strings.Contains(key, "-----BEGIN") {
		return key
	}
	if file, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(key), "")); err == nil {
		return string(file)
	}
	return key
}

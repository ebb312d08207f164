package pgp

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"prospector/internal/errkind"
)

const (
	armorBegin   = "-----BEGIN PGP "
	armorMessage = "-----BEGIN PGP MESSAGE-----"
	armorEnd     = "-----END PGP MESSAGE-----"
	headBytes    = 1 << 16 // of a file, in which its form and recipients are looked for
	bufferBytes  = 1 << 18
)

const notPGPHint = "ask the partner which file it is, or correct what the source says of encryption"

// message is an encrypted file as it is read: its packets, and the armor around them if there is one.
type message struct {
	packets    *bufio.Reader
	armor      *bufio.Reader // what follows the packets, nil for a binary file
	recipients []uint64      // ids of the keys it is encrypted for, 0 for one that is not named
	keys       []*packet.EncryptedKey
	passphrase bool // it may also be opened by one
}

// openMessage finds out what a file is. Kind BadInput when it is no encrypted PGP message.
func openMessage(src io.Reader) (*message, error) {
	in := bufio.NewReaderSize(src, bufferBytes)
	head, err := in.Peek(headBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(head) == 0 {
		return nil, errkind.New(errkind.BadInput, "", errors.New("the file is empty"), resendHint)
	}
	m := &message{packets: in}
	if at := bytes.Index(head, []byte(armorBegin)); at >= 0 && (at == 0 || head[at-1] == '\n' || bytes.HasPrefix(head, []byte("\xef\xbb\xbf"+armorBegin))) {
		if !bytes.HasPrefix(head[at:], []byte(armorMessage)) {
			return nil, errkind.New(errkind.BadInput, "", errors.New("the file holds a PGP key, signature or signed text, not an encrypted message"), notPGPHint)
		}
		if _, err := in.Discard(at); err != nil {
			return nil, err
		}
		block, err := armor.Decode(in) // it reads with our buffer, so that what follows stays there
		if err != nil {
			return nil, damaged(err)
		}
		m.armor, m.packets = in, bufio.NewReaderSize(block.Body, bufferBytes)
	}
	return m, m.findRecipients()
}

// findRecipients reads the packets before the encrypted data.
func (m *message) findRecipients() error {
	head, err := m.packets.Peek(headBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return damaged(err)
	}
	packets := packet.NewReader(bytes.NewReader(head))
	for {
		p, err := packets.Next()
		switch p := p.(type) {
		case *packet.EncryptedKey:
			m.recipients, m.keys = append(m.recipients, p.KeyId), append(m.keys, p)
			continue
		case *packet.SymmetricKeyEncrypted:
			m.passphrase = true
			continue
		case *packet.SymmetricallyEncrypted, *packet.AEADEncrypted:
			return nil
		case *packet.Compressed, *packet.LiteralData, *packet.OnePassSignature, *packet.Signature:
			if err == nil && len(m.recipients) == 0 && !m.passphrase {
				return errkind.New(errkind.BadInput, "", errors.New("the file is a PGP message that is not encrypted"), "ask the partner to encrypt it for the public key they have of us")
			}
		}
		if len(m.recipients) > 0 || m.passphrase {
			return nil // decrypting says what is wrong with the rest
		}
		if m.armor != nil || errors.Is(err, io.ErrUnexpectedEOF) {
			return damaged(err)
		}
		return errkind.New(errkind.BadInput, "", errors.New("the file is no encrypted PGP message"), notPGPHint)
	}
}

// finish judges what follows the message when it has been read: nothing may but the end of the armor.
func (m *message) finish() error {
	if _, err := m.packets.ReadByte(); !errors.Is(err, io.EOF) {
		return followed(err)
	}
	if m.armor == nil {
		return nil
	}
	for ended := false; ; {
		line, err := m.armor.ReadSlice('\n')
		switch text := strings.TrimSpace(string(line)); {
		case text == armorEnd && !ended:
			ended = true
		case text != "":
			return followed(nil)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return followed(err)
		}
	}
}

// followed says that something follows a message, unless reading on failed for another reason.
func followed(err error) error {
	if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
		return damaged(err)
	}
	return errkind.New(errkind.BadInput, "", errors.New("something else follows the PGP message, perhaps a second one"), "ask the partner for one file with one message")
}

// keyIDs names the recipients, as gpg shows them.
func (m *message) keyIDs() string {
	const most = 10
	ids := slices.Compact(slices.Sorted(slices.Values(m.recipients)))
	var out []string
	for _, id := range ids[:min(most, len(ids))] {
		if id == 0 {
			out = append(out, "a key it does not name")
			continue
		}
		out = append(out, fmt.Sprintf("%016X", id))
	}
	if len(ids) > most {
		out = append(out, fmt.Sprintf("%d more", len(ids)-most))
	}
	return strings.Join(out, ", ")
}

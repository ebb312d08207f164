package pgp

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/stretchr/testify/require"

	"prospector/internal/errkind"
)

// text is n lines of a delimited file, some of them with CRLF.
func text(n int) []byte {
	random := rand.New(rand.NewPCG(1, uint64(n)))
	out := []byte("id,hash\n")
	for i := range n {
		out = fmt.Appendf(out, "%d,%016x%s\n", i, random.Uint64(), []string{"", "\r"}[i%2])
	}
	return out
}

func open(t testing.TB, k Keys) *Opener {
	t.Helper()
	o, err := New(k)
	require.NoError(t, err)
	return o
}

func decrypt(o *Opener, file []byte) ([]byte, Result, error) {
	var out bytes.Buffer
	result, err := o.Decrypt(context.Background(), &out, bytes.NewReader(file), 0)
	return out.Bytes(), result, err
}

func requireKind(t *testing.T, kind errkind.Kind, err error) {
	t.Helper()
	var known *errkind.Error
	require.ErrorAs(t, err, &known)
	require.Equal(t, kind, known.Kind, "%v", err)
	require.NotEmpty(t, known.Hint)
	require.NotContains(t, err.Error(), secret)
	t.Log(err)
}

func TestOpensWhatGnuPGMakes(t *testing.T) {
	g := newGPG(t)
	partner := g.fingerprints(t, "partner")[0]
	for _, recipient := range []string{"rsa", "ecc"} {
		plain := open(t, Keys{Private: []string{g.private(t, recipient)}})
		signed := open(t, Keys{Private: []string{g.private(t, recipient)}, SignedBy: []string{g.public(t, "partner")}})
		for _, args := range []string{
			"", "--armor", "--compress-algo none", "--compress-algo zlib", "--compress-algo bzip2", "--rfc4880",
			"--cipher-algo 3DES", "--cipher-algo CAST5", "--hidden-recipient stranger@example.com", "--recipient partner@example.com",
			"--armor --recipient stranger@example.com --recipient partner@example.com", "--throw-keyids", "--set-filename secret.csv",
			"--sign --local-user partner@example.com", "--armor --sign --local-user partner@example.com --compress-algo none",
			"--sign --local-user partner@example.com --local-user stranger@example.com --digest-algo SHA256",
		} {
			t.Run(recipient+" "+args, func(t *testing.T) {
				for _, n := range []int{0, 20_000} {
					content := text(n)
					if n == 0 {
						content = nil
					}
					file := g.run(t, content, append([]string{"--encrypt", "--recipient", recipient + "@example.com"}, strings.Fields(args)...)...)
					got, result, err := decrypt(plain, file)
					require.NoError(t, err)
					require.True(t, bytes.Equal(content, got))
					require.Equal(t, Result{Bytes: int64(len(content))}, result)
					got, result, err = decrypt(signed, file)
					if !strings.Contains(args, "--sign") {
						requireKind(t, errkind.BadInput, err)
						require.ErrorContains(t, err, "the file is not signed")
						continue
					}
					require.NoError(t, err)
					require.True(t, bytes.Equal(content, got))
					require.Equal(t, Result{Bytes: int64(len(content)), Signer: partner}, result)
				}
			})
		}
	}
}

// A text signature covers other line ends than those of the file; what comes out is what was put in.
func TestTextMode(t *testing.T) {
	g := newGPG(t)
	o := open(t, Keys{Private: []string{g.private(t, "ecc")}, SignedBy: []string{g.public(t, "partner")}})
	file := g.encrypt(t, []byte("a,b\n1,2\n"), "--textmode", "--sign", "--local-user", "partner@example.com")
	got, _, err := decrypt(o, file)
	require.NoError(t, err)
	require.Equal(t, "a,b\r\n1,2\r\n", string(got)) // as GnuPG wrote it
}

func TestFilesAfterATransfer(t *testing.T) {
	g := newGPG(t)
	o := open(t, Keys{Private: []string{g.private(t, "ecc")}})
	armored := g.encrypt(t, text(2000), "--armor", "--comment", "sent by us")
	for name, file := range map[string][]byte{
		"CRLF":             bytes.ReplaceAll(armored, []byte("\n"), []byte("\r\n")),
		"text in front":    append([]byte("Dear all,\n\nhere it is:\n"), armored...),
		"byte order mark":  append([]byte("\xef\xbb\xbf"), armored...),
		"blanks behind":    append(bytes.Clone(armored), "\r\n \n\n"...),
		"no line end":      bytes.TrimSpace(armored),
		"without checksum": append(bytes.Clone(armored[:bytes.LastIndex(armored, []byte("\n="))+1]), armorEnd...),
	} {
		t.Run(name, func(t *testing.T) {
			got, _, err := decrypt(o, file)
			require.NoError(t, err)
			require.Equal(t, text(2000), got)
		})
	}
	var out bytes.Buffer
	_, err := o.Decrypt(t.Context(), &out, iotest.OneByteReader(bytes.NewReader(armored)), 0)
	require.NoError(t, err)
	require.Equal(t, text(2000), out.Bytes())
}

func TestFlippedBits(t *testing.T) {
	g := newGPG(t)
	content := text(30)
	plain := open(t, Keys{Private: []string{g.private(t, "ecc")}})
	signed := open(t, Keys{Private: []string{g.private(t, "ecc")}, SignedBy: []string{g.public(t, "partner")}})
	for _, compress := range []string{"none", "zip"} {
		file := g.encrypt(t, content, "--sign", "--local-user", "partner@example.com", "--compress-algo", compress)
		for _, o := range []*Opener{plain, signed} {
			unseen := 0
			for i := range file {
				flipped := bytes.Clone(file)
				flipped[i] ^= 1 << (i % 8)
				got, result, err := decrypt(o, flipped)
				if err == nil { // a length or a prefix around the encrypted data, which holds what it held
					require.Equal(t, content, got)
					unseen++
					continue
				}
				require.Zero(t, result)
				require.NotEqual(t, errkind.Transient, errkind.Of(err))
			}
			require.Less(t, unseen, 10, "of %d", len(file))
		}
	}
	// of armor, only what does not count may change
	file := g.encrypt(t, content, "--armor")
	for i := range file {
		flipped := bytes.Clone(file)
		flipped[i] ^= 1 << (i % 7)
		if got, _, err := decrypt(plain, flipped); err == nil {
			require.Equal(t, content, got)
		}
	}
}

func TestFlippedBitInALargeFile(t *testing.T) {
	g := newGPG(t)
	o := open(t, Keys{Private: []string{g.private(t, "ecc")}})
	file := g.encrypt(t, text(100_000), "--compress-algo", "none")
	for _, at := range []int{len(file) / 3, len(file) - 1} {
		file[at] ^= 0x10
		_, _, err := decrypt(o, file)
		requireKind(t, errkind.BadInput, err)
		require.ErrorContains(t, err, "changed, damaged or cut short")
		file[at] ^= 0x10
	}
	_, _, err := decrypt(o, file)
	require.NoError(t, err)
}

func TestCutAnywhere(t *testing.T) {
	g := newGPG(t)
	o := open(t, Keys{Private: []string{g.private(t, "ecc")}})
	content := text(300) // several partial packets
	for _, args := range [][]string{{"--compress-algo", "none"}, {"--compress-algo", "zip"}, {"--armor"}} {
		file := g.encrypt(t, content, args...)
		for n := range file {
			if n > 1200 && n < len(file)-300 && n%7 != 0 {
				continue
			}
			got, _, err := decrypt(o, file[:n])
			if err == nil {
				require.Equal(t, "--armor", args[0])
				require.Equal(t, content, got) // only its end is missing
				require.Greater(t, n, len(file)-40)
				continue
			}
			require.Equal(t, errkind.BadInput, errkind.Of(err), "%d of %d: %v", n, len(file), err)
		}
		_, _, err := decrypt(o, file[:len(file)/2])
		requireKind(t, errkind.BadInput, err)
	}
}

func TestSomethingFollows(t *testing.T) {
	g := newGPG(t)
	o := open(t, Keys{Private: []string{g.private(t, "ecc")}})
	for _, args := range [][]string{nil, {"--armor"}} {
		file := g.encrypt(t, text(300), args...)
		for _, more := range [][]byte{g.encrypt(t, text(20), args...), []byte("x"), []byte("\nthat was it\n"), {0}, {0xff}, bytes.Repeat([]byte{0xd4, 0xff}, 5000)} {
			_, _, err := decrypt(o, append(bytes.Clone(file), more...))
			requireKind(t, errkind.BadInput, err)
		}
	}
}

func TestWrongKey(t *testing.T) {
	g := newGPG(t)
	o := open(t, Keys{Private: []string{g.private(t, "rsa")}})
	ours, theirs := g.fingerprints(t, "rsa"), g.fingerprints(t, "ecc")
	_, _, err := decrypt(o, g.encrypt(t, text(9), "--recipient", "stranger@example.com"))
	requireKind(t, errkind.Denied, err)
	require.ErrorContains(t, err, theirs[1][24:])                               // the part it was encrypted for
	require.ErrorContains(t, err, g.fingerprints(t, "stranger")[1][24:])        //
	require.ErrorContains(t, err, "the private keys here are "+ours[0]+"; ask") // what we hold
	_, _, err = decrypt(o, g.encrypt(t, text(9), "--throw-keyids"))
	requireKind(t, errkind.Denied, err)
	require.ErrorContains(t, err, "encrypted for a key it does not name")
}

// A file whose cipher is not supported is told from a damaged one: the partner must choose another cipher, not send it again.
func TestUnsupportedCipher(t *testing.T) {
	g := newGPG(t)
	o := open(t, Keys{Private: []string{g.private(t, "rsa"), g.private(t, "ecc")}})
	for cipher, name := range map[string]string{"CAMELLIA128": "Camellia-128", "CAMELLIA192": "Camellia-192", "CAMELLIA256": "Camellia-256", "TWOFISH": "Twofish", "BLOWFISH": "Blowfish", "IDEA": "IDEA"} {
		for _, recipient := range []string{"--recipient rsa@example.com", "--recipient ecc@example.com --armor", "--hidden-recipient rsa@example.com", "--recipient stranger@example.com --recipient ecc@example.com"} {
			file := g.run(t, text(10), append([]string{"--encrypt", "--cipher-algo", cipher}, strings.Fields(recipient)...)...)
			_, _, err := decrypt(o, file)
			requireKind(t, errkind.BadInput, err)
			require.EqualError(t, err, "the file is encrypted with the cipher "+name+", which is not supported; ask the partner to encrypt it with AES, in GnuPG by --cipher-algo AES256")
		}
	}
	file := g.run(t, text(10), "--encrypt", "--cipher-algo", "CAMELLIA256", "--recipient", "stranger@example.com")
	_, _, err := decrypt(o, file)
	requireKind(t, errkind.Denied, err) // nobody but the stranger can tell its cipher
}

func TestSignatures(t *testing.T) {
	g := newGPG(t)
	o := open(t, Keys{Private: []string{g.private(t, "ecc")}, SignedBy: []string{g.public(t, "partner"), g.public(t, "locked")}})
	for _, signer := range []string{"stranger", "ecc"} { // also not by ourselves
		_, result, err := decrypt(o, g.encrypt(t, text(9), "--sign", "--local-user", signer+"@example.com"))
		requireKind(t, errkind.Denied, err)
		require.ErrorContains(t, err, "the file is signed by "+g.fingerprints(t, signer)[0])
		require.ErrorContains(t, err, "signedBy holds "+g.fingerprints(t, "partner")[0]+", "+g.fingerprints(t, "locked")[0])
		require.Zero(t, result)
	}
	_, result, err := decrypt(o, g.encrypt(t, text(9), "--sign", "--local-user", "locked@example.com"))
	require.NoError(t, err)
	require.Equal(t, g.fingerprints(t, "locked")[0], result.Signer)
	_, _, err = decrypt(o, g.encrypt(t, text(9), "--sign", "--local-user", "partner@example.com", "--digest-algo", "SHA1"))
	requireKind(t, errkind.BadInput, err)
	require.ErrorContains(t, err, "insecure message hash algorithm")
}

// seal encrypts packets as they are for a public key, as no tool would.
func seal(t *testing.T, public string, packets []byte, protected bool) []byte {
	keys, err := readKeys("", public)
	require.NoError(t, err)
	session := bytes.Repeat([]byte{5}, 16)
	var out bytes.Buffer
	require.NoError(t, packet.SerializeEncryptedKey(&out, keys[0].Subkeys[0].PublicKey, packet.CipherAES128, session, nil))
	if protected {
		w, err := packet.SerializeSymmetricallyEncrypted(&out, packet.CipherAES128, false, packet.CipherSuite{}, session, nil)
		require.NoError(t, err)
		_, err = w.Write(packets)
		require.NoError(t, err)
		require.NoError(t, w.Close())
		return out.Bytes()
	}
	block, err := aes.NewCipher(session)
	require.NoError(t, err)
	stream, prefix := packet.NewOCFBEncrypter(block, bytes.Repeat([]byte{9}, 16), packet.OCFBResync)
	var sealed bytes.Buffer
	sealed.Write(prefix)
	_, err = cipher.StreamWriter{S: stream, W: &sealed}.Write(packets)
	require.NoError(t, err)
	out.Write(binary.BigEndian.AppendUint32([]byte{0xc9, 0xff}, uint32(sealed.Len())))
	out.Write(sealed.Bytes())
	return out.Bytes()
}

func TestSignatureOfOtherContent(t *testing.T) {
	g := newGPG(t)
	o := open(t, Keys{Private: []string{g.private(t, "ecc")}, SignedBy: []string{g.public(t, "partner")}})
	packets := g.run(t, []byte("id,amount\n1,100\n"), "--sign", "--local-user", "partner@example.com", "--compress-algo", "none")
	_, result, err := decrypt(o, seal(t, g.public(t, "ecc"), packets, true))
	require.NoError(t, err)
	require.Equal(t, g.fingerprints(t, "partner")[0], result.Signer)
	at := bytes.Index(packets, []byte("1,100"))
	packets[at+2] = '9'
	_, _, err = decrypt(o, seal(t, g.public(t, "ecc"), packets, true))
	requireKind(t, errkind.BadInput, err)
	require.ErrorContains(t, err, "the signature by "+g.fingerprints(t, "partner")[0]+" does not hold")
	require.NotContains(t, err.Error(), "amount")
}

func TestNoIntegrityProtection(t *testing.T) {
	g := newGPG(t)
	o := open(t, Keys{Private: []string{g.private(t, "ecc")}})
	packets := g.run(t, text(20), "--store", "--compress-algo", "none")
	got, _, err := decrypt(o, seal(t, g.public(t, "ecc"), packets, true))
	require.NoError(t, err)
	require.Equal(t, text(20), got)
	got, _, err = decrypt(o, seal(t, g.public(t, "ecc"), packets, false))
	requireKind(t, errkind.BadInput, err)
	require.ErrorContains(t, err, "not integrity protected")
	require.Empty(t, got)
}

func TestWhatIsNoEncryptedMessage(t *testing.T) {
	g := newGPG(t)
	o := open(t, Keys{Private: []string{g.private(t, "ecc")}})
	signer := []string{"--local-user", "partner@example.com"}
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"nothing":               {nil, "the file is empty"},
		"text":                  {text(900), "the file is no encrypted PGP message"},
		"gzip":                  {[]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"), "the file is no encrypted PGP message"},
		"UTF-16":                {[]byte("\xff\xfe-\x00-\x00-\x00-\x00"), "the file is no encrypted PGP message"},
		"Latin-1":               {[]byte("\xc4rger,\xd6l\n"), ""},
		"public key":            {[]byte(g.public(t, "ecc")), "holds a PGP key, signature or signed text"},
		"binary key":            {g.run(t, nil, "--export", "ecc@example.com"), "the file is no encrypted PGP message"},
		"signed":                {g.run(t, text(900), append(signer, "--sign")...), "a PGP message that is not encrypted"},
		"signed and armored":    {g.run(t, text(900), append(signer, "--armor", "--sign")...), "a PGP message that is not encrypted"},
		"signed, not packed":    {g.run(t, text(900), append(signer, "--sign", "--compress-algo", "none")...), "a PGP message that is not encrypted"},
		"signed in clear":       {g.run(t, text(900), append(signer, "--clear-sign")...), "holds a PGP key, signature or signed text"},
		"signature":             {g.run(t, text(900), append(signer, "--armor", "--detach-sign")...), "holds a PGP key, signature or signed text"},
		"passphrase":            {g.run(t, text(900), "--symmetric"), "encrypted with a passphrase, not for a key"},
		"armor without a block": {[]byte(armorMessage + "\n"), "cut short"},
		"armor without content": {[]byte(armorMessage + "\n\n" + armorEnd + "\n"), "cut short"},
		"armor around text":     {[]byte(armorMessage + "\n\nAAAA\n" + armorEnd + "\n"), "damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			got, _, err := decrypt(o, c.file)
			requireKind(t, errkind.BadInput, err)
			require.ErrorContains(t, err, c.want)
			require.Empty(t, got)
		})
	}
}

func TestPassphrase(t *testing.T) {
	g := newGPG(t)
	private, name := g.private(t, "locked"), g.fingerprints(t, "locked")[0]
	o := open(t, Keys{Private: []string{g.private(t, "ecc"), private}, Passphrase: secret})
	file := g.run(t, text(900), "--encrypt", "--recipient", "locked@example.com")
	got, _, err := decrypt(o, file)
	require.NoError(t, err)
	require.Equal(t, text(900), got)
	_, err = New(Keys{Private: []string{g.private(t, "ecc"), private}, Passphrase: "wrong horse"})
	requireKind(t, errkind.Denied, err)
	require.ErrorContains(t, err, "the passphrase does not open private key 2 of 2, "+name)
	require.NotContains(t, err.Error(), "wrong horse")
	_, err = New(Keys{Private: []string{private}})
	requireKind(t, errkind.Denied, err)
	require.ErrorContains(t, err, "private key 1 of 1, "+name+", needs a passphrase")
}

func TestKeyFiles(t *testing.T) {
	g := newGPG(t)
	rsa, ecc := g.fingerprints(t, "rsa")[0], g.fingerprints(t, "ecc")[0]
	for name, keys := range map[string]Keys{
		"two keys of one export": {Private: []string{g.private(t, "rsa", "ecc")}, SignedBy: []string{g.public(t, "stranger", "partner")}},
		"two exports in one":     {Private: []string{g.private(t, "rsa") + g.private(t, "ecc")}, SignedBy: []string{g.public(t, "stranger") + "\n" + g.public(t, "partner")}},
		"two exports":            {Private: []string{g.private(t, "rsa"), g.private(t, "ecc")}, SignedBy: []string{g.public(t, "stranger"), g.public(t, "partner")}},
		"binary": {
			Private:  []string{string(g.run(t, nil, "--export-secret-keys", "rsa@example.com", "ecc@example.com"))},
			SignedBy: []string{string(g.run(t, nil, "--export", "stranger@example.com", "partner@example.com"))},
		},
		"only the part that decrypts": {Private: []string{g.export(t, "--export-secret-subkeys", "rsa", "ecc")}, SignedBy: []string{g.public(t, "partner")}},
	} {
		t.Run(name, func(t *testing.T) {
			o := open(t, keys)
			require.Equal(t, rsa+", "+ecc, fingerprints(o.private))
			for _, recipient := range []string{"rsa", "ecc"} {
				file := g.run(t, text(90), "--encrypt", "--sign", "--local-user", "partner@example.com", "--recipient", recipient+"@example.com")
				got, _, err := decrypt(o, file)
				require.NoError(t, err)
				require.Equal(t, text(90), got)
			}
		})
	}
}

func TestUnreadableKeys(t *testing.T) {
	g := newGPG(t)
	private, public := g.private(t, "ecc"), g.public(t, "partner")
	message := string(g.encrypt(t, text(3), "--armor"))
	for name, c := range map[string]struct {
		keys Keys
		want string
	}{
		"none":            {Keys{}, "no private key is given"},
		"empty":           {Keys{Private: []string{""}}, "private key 1 of 1 cannot be read"},
		"text":            {Keys{Private: []string{private, "hunter2"}}, "private key 2 of 2 cannot be read"},
		"cut":             {Keys{Private: []string{private[:300]}}, "private key 1 of 1 cannot be read"},
		"a message":       {Keys{Private: []string{message}}, "private key 1 of 1 cannot be read"},
		"the public one":  {Keys{Private: []string{public}}, "is only the public key"},
		"signedBy text":   {Keys{Private: []string{private}, SignedBy: []string{public, "hunter2"}}, "signedBy key 2 of 2 cannot be read"},
		"no second block": {Keys{Private: []string{private + private[:100]}}, "private key 1 of 1 cannot be read"},
		"only the signing part": {
			Keys{Private: []string{g.run2(t, "--export-secret-keys", g.fingerprints(t, "ecc")[0]+"!")}}, "holds nothing that decrypts",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New(c.keys)
			requireKind(t, errkind.Denied, err)
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "hunter2")
			require.NotContains(t, err.Error(), "example.com")
		})
	}
}

// run2 is run with text.
func (g gnupg) run2(t *testing.T, args ...string) string { return string(g.run(t, nil, args...)) }

// An expired key of ours goes on decrypting; partners' files of before the expiry keep their signatures.
func TestExpiredKeys(t *testing.T) {
	g := newGPG(t)
	name := g.fingerprints(t, "expired")[0]
	then := []string{"--faked-system-time", "20200601T000000"}
	file := g.run(t, text(90), append(then, "--encrypt", "--recipient", "expired@example.com", "--sign", "--local-user", "expired@example.com")...)
	old := g.public(t, "expired")
	o := open(t, Keys{Private: []string{g.private(t, "expired")}, SignedBy: []string{old}})
	got, result, err := decrypt(o, file)
	require.NoError(t, err)
	require.Equal(t, text(90), got)
	require.Equal(t, name, result.Signer)

	renewing := g.copyWith(t, g.private(t, "expired")+g.public(t, "ecc"))
	renewing.run(t, nil, "--quick-set-expire", name, "2y")
	renewed := renewing.public(t, "expired")
	later := renewing.encrypt(t, text(9), "--sign", "--local-user", "expired@example.com")
	ours := []string{g.private(t, "ecc")}
	_, _, err = decrypt(open(t, Keys{Private: ours, SignedBy: []string{old}}), later)
	requireKind(t, errkind.Denied, err)
	require.ErrorContains(t, err, "renewed public key")
	for _, keys := range [][]string{{renewed}, {old, renewed}, {renewed, old}} {
		_, result, err = decrypt(open(t, Keys{Private: ours, SignedBy: keys}), later)
		require.NoError(t, err)
		require.Equal(t, name, result.Signer)
	}
}

func TestExpiring(t *testing.T) {
	g := newGPG(t)
	name := g.fingerprints(t, "expired")[0]
	o := open(t, Keys{Private: []string{g.private(t, "ecc", "expired")}, SignedBy: []string{g.public(t, "partner", "expired")}})
	at := time.Date(2020, 12, 31, 0, 0, 0, 0, time.UTC) // 365 days after the first of 2020, a leap year
	want := []Expiry{{name, UseDecrypt, at}, {name, UseVerify, at}}
	got := o.Expiring(time.Now(), 0)
	for i := range got {
		got[i].At = got[i].At.UTC()
	}
	require.Equal(t, want, got)
	require.Len(t, o.Expiring(at.AddDate(0, 0, -30), 31*24*time.Hour), 2)
	require.Empty(t, o.Expiring(at.AddDate(0, 0, -30), 29*24*time.Hour))
	require.Empty(t, open(t, Keys{Private: []string{g.private(t, "ecc")}}).Expiring(time.Now(), 1000*24*time.Hour))

	// parts of a key end on their own
	renewing := g.copyWith(t, g.private(t, "ecc"))
	fpr := renewing.fingerprints(t, "ecc")[0]
	renewing.run(t, nil, "--quick-set-expire", fpr, "30d", "*")
	soon := open(t, Keys{Private: []string{renewing.private(t, "ecc")}, SignedBy: []string{renewing.public(t, "ecc")}}).Expiring(time.Now(), 60*24*time.Hour)
	require.Len(t, soon, 1)
	require.Equal(t, UseDecrypt, soon[0].Use)
	require.WithinDuration(t, time.Now().AddDate(0, 0, 30), soon[0].At, 25*time.Hour)
	renewing.run(t, nil, "--quick-add-key", fpr, "cv25519", "encr", "never") // the next one goes on
	require.Empty(t, open(t, Keys{Private: []string{renewing.private(t, "ecc")}, Passphrase: secret}).Expiring(time.Now(), 60*24*time.Hour))
}

func TestLimit(t *testing.T) {
	g := newGPG(t)
	o := open(t, Keys{Private: []string{g.private(t, "ecc")}})
	content := text(5000)
	for _, args := range [][]string{{"--compress-algo", "none"}, {"--compress-algo", "zip"}} {
		file := g.encrypt(t, content, args...)
		_, err := o.Decrypt(t.Context(), io.Discard, bytes.NewReader(file), int64(len(content)))
		require.NoError(t, err)
		_, err = o.Decrypt(t.Context(), io.Discard, bytes.NewReader(file), int64(len(content))-1)
		requireKind(t, errkind.BadInput, err)
		require.ErrorContains(t, err, fmt.Sprintf("more than %d bytes come out of the file", len(content)-1))
	}
	bomb := g.encrypt(t, make([]byte, 100<<20))
	require.Less(t, len(bomb), 1<<20)
	out := &counted{}
	_, err := o.Decrypt(t.Context(), out, bytes.NewReader(bomb), 10<<20)
	requireKind(t, errkind.BadInput, err)
	require.LessOrEqual(t, out.n, 10<<20)
}

type counted struct{ n int }

func (c *counted) Write(p []byte) (int, error) { c.n += len(p); return len(p), nil }

// A message may be packed many times over.
func TestBombInABomb(t *testing.T) {
	g := newGPG(t)
	o := open(t, Keys{Private: []string{g.private(t, "ecc")}})
	packets := g.run(t, make([]byte, 50<<20), "--store", "--compress-algo", "zlib")
	hidden := append(binary.BigEndian.AppendUint32([]byte{0xfe, 0xff}, uint32(50<<20)), make([]byte, 50<<20)...) // a packet that nobody knows
	var packed bytes.Buffer
	w, err := packet.SerializeCompressed(struct {
		io.Writer
		io.Closer
	}{&packed, io.NopCloser(nil)}, packet.CompressionZLIB, nil)
	require.NoError(t, err)
	_, err = w.Write(append(hidden, packets...))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	_, err = o.Decrypt(t.Context(), io.Discard, bytes.NewReader(seal(t, g.public(t, "ecc"), packed.Bytes(), true)), 10<<20)
	requireKind(t, errkind.BadInput, err)
}

func TestErrorsOfOthersStayTheirs(t *testing.T) {
	g := newGPG(t)
	o := open(t, Keys{Private: []string{g.private(t, "ecc")}})
	file := g.encrypt(t, text(100_000), "--compress-algo", "none")
	disk := &fs.PathError{Op: "read", Path: "staged", Err: errors.New("input/output error")}
	for _, at := range []int{0, 10, 100_000, len(file)} {
		_, err := o.Decrypt(t.Context(), io.Discard, io.MultiReader(bytes.NewReader(file[:at]), iotest.ErrReader(disk)), 0)
		require.Equal(t, disk, err)
	}
	full := errors.New("no space left on device")
	_, err := o.Decrypt(t.Context(), failing{full}, bytes.NewReader(file), 0)
	require.Equal(t, full, err)

	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("the worker stops")
	_, err = o.Decrypt(ctx, stopping{func() { cancel(why) }}, bytes.NewReader(file), 0)
	require.Equal(t, why, err)
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

type stopping struct{ stop func() }

func (s stopping) Write(p []byte) (int, error) { s.stop(); return len(p), nil }

func TestSeveralFilesAtOnce(t *testing.T) {
	g := newGPG(t)
	o := open(t, Keys{Private: []string{g.private(t, "rsa", "ecc")}, SignedBy: []string{g.public(t, "partner")}})
	file := g.encrypt(t, text(5000), "--sign", "--local-user", "partner@example.com")
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			if _, _, err := decrypt(o, file); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
}

// FuzzDecrypt holds the reader of files to never failing in another way than with an error.
func FuzzDecrypt(f *testing.F) {
	g := newGPG(f)
	o := open(f, Keys{Private: []string{g.private(f, "ecc")}, SignedBy: []string{g.public(f, "partner")}})
	binary := g.encrypt(f, text(5), "--sign", "--local-user", "partner@example.com")
	f.Add(binary)
	f.Add(g.encrypt(f, text(5), "--armor"))
	var armored bytes.Buffer
	w, err := armor.Encode(&armored, "PGP MESSAGE", nil)
	if err != nil {
		f.Fatal(err)
	}
	w.Write(binary)
	w.Close()
	f.Add(armored.Bytes())
	f.Fuzz(func(t *testing.T, file []byte) {
		_, result, err := decrypt(o, file)
		if (err == nil) != (result.Signer != "") {
			t.Fatalf("signed by %q: %v", result.Signer, err)
		}
		if err != nil && errkind.Of(err) == errkind.Transient {
			t.Fatal("an error without a kind: ", err)
		}
	})
}

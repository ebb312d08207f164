package identity

import (
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"prospector/internal/xdm"
)

// ID-21: "Emails (SHA256, lowercased)" are trimmed and lower-cased before they are hashed.
func TestNormalizeEmail(t *testing.T) {
	for text, want := range map[string]string{
		"jane.doe@example.com":            "jane.doe@example.com",
		" \tJane.Doe@Example.COM\r\n":     "jane.doe@example.com",
		"\u00a0JANE+news@mail.example.de": "jane+news@mail.example.de",
		"MÜLLER@BÜCHER.example":           "müller@bücher.example",
		"'o@example.com":                  "'o@example.com",
	} {
		got, ok := NormalizeEmail(text)
		require.True(t, ok, "%q", text)
		require.Equal(t, want, got)
		require.Regexp(t, "^(?:"+xdm.FormatForms[xdm.Email]+")$", got, "the validator takes it")
	}
	for _, text := range []string{"", " ", "jane", "jane@", "@example.com", "jane@example", "jane@example.", "jane@.com", "jane@example..com",
		"jane@doe@example.com", "jane doe@example.com", "jane@exam ple.com", "jane@exam\u00a0ple.com", "jane@example.com\x00", "j\xffne@example.com"} {
		got, ok := NormalizeEmail(text)
		require.False(t, ok, "%q", text)
		require.Empty(t, got)
	}
}

// Nothing that has been lowered once can be lowered again, or hashes would depend on how often it was done.
func TestLowerCaseIsStable(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		require.Equal(t, unicode.ToLower(r), unicode.ToLower(unicode.ToLower(r)))
	}
}

var phones = []struct{ text, country, want string }{
	// symbols, letters and leading zeroes go, the country code comes
	{"030 123456", "49", "+4930123456"},
	{"(030) 12 34-56", "49", "+4930123456"},
	{"030/123.456", "49", "+4930123456"},
	{"\u202a030\u00a0123456\u202c", "49", "+4930123456"},
	{"Tel. 030 123456 (mobil)", "49", "+4930123456"},
	{"30-abc-123456", "49", "+4930123456"},
	{"тел. 030 123456", "49", "+4930123456"},
	{"4921 12345", "49", "+49492112345"}, // without + or 00 it is not the country code
	{"612 34 56 78", "34", "+34612345678"},

	// numbers that bring their code
	{"+49 30 123456", "49", "+4930123456"},
	{"+49 30 123456", "1", "+4930123456"},
	{"+49 (0) 30 123456", "49", "+4930123456"},
	{"+49 (0) 30 123456", "", "+4930123456"},
	{"+49 ( 0)30 123456", "33", "+4930123456"},
	{"+49 (030) 123456", "", "+4930123456"},
	{"+49 030 123456", "49", "+4930123456"},
	{"49 (0) 30 123456", "49", "+4930123456"},
	{"0049 30 123456", "49", "+4930123456"},
	{"0049 (0)30 123456", "33", "+4930123456"},
	{"+0049 30 123456", "49", "+4930123456"},
	{"\uff0b49 30 123456", "49", "+4930123456"},
	{"4930123456", "", "+4930123456"},
	{"+1 (212) 555-0123", "49", "+12125550123"},

	// extensions
	{"030 123456 ext. 12", "49", "+4930123456"},
	{"030 123456 x12", "49", "+4930123456"},
	{"030 123456;EXT=12", "49", "+4930123456"},
	{"030 123456 extension 12", "49", "+4930123456"},
	{"030 123456 #12", "49", "+4930123456"},
	{"#030 123456", "49", "+4930123456"},

	// what is known of countries beyond the rule
	{"06 1234 5678", "39", "+390612345678"},
	{"+39 06 1234 5678", "39", "+390612345678"},
	{"+39 (0)6 1234 5678", "", "+390612345678"},
	{"312 345 6789", "39", "+393123456789"},
	{"(212) 555-0123", "1", "+12125550123"},
	{"1-212-555-0123", "1", "+12125550123"},
	{"8 (912) 345-67-89", "7", "+79123456789"},
	{"7 912 345-67-89", "7", "+79123456789"},
	{"912 345-67-89", "7", "+79123456789"},

	// as long as they may be, and as short
	{"1234567890123", "49", "+491234567890123"},
	{"00 49 (0) 1234567890123", "49", "+491234567890123"},
	{"12345", "49", "+4912345"},

	{"", "49", ""},
	{"no number", "49", ""},
	{"+", "49", ""},
	{"000000", "49", ""},
	{"00", "", ""},
	{"1234", "49", ""},
	{"12345678901234", "49", ""},
	{strings.Repeat("1", 200), "49", ""},
	{"+49 30 123456 +49 30 123457", "49", ""},
	{"030+123456", "49", ""},
	{"030 123456", "", ""}, // of which country?
	{"+030 123456", "49", ""},
	{"000 49 30 123456", "49", ""},
	{"011 49 30 123456", "1", ""},
	{"1-012-555-0123", "1", ""},
	{"555-0123", "1", ""},
	{"+1 212 555", "1", ""},
	{"1-800-FLOWERS", "1", ""},
	{"030 12345٦", "49", ""},
	{"030 123456", "049", ""},
	{"030 123456", "4949", ""},
	{"030 123456", "DE", ""},
	{"030 123456", "+49", ""},
}

// ID-21: "Phone (SHA256)" and "E.164".
func TestNormalizePhone(t *testing.T) {
	form := regexp.MustCompile(`^[+][1-9][0-9]{6,14}$`)
	for _, p := range phones {
		got, ok := NormalizePhone(p.text, p.country)
		require.Equal(t, p.want != "", ok, "%q in %q", p.text, p.country)
		require.Equal(t, p.want, got, "%q in %q", p.text, p.country)
		require.True(t, !ok || form.MatchString(got), got)
	}
}

// The hashes are those of other programs: printf '%s' TEXT | sha256sum.
func TestHash(t *testing.T) {
	require.Equal(t, "86e0b9e56c17cc4d12387e1949b85053fbe73bc3ce5a1188713a9d300cc6133d", Hash(SHA256, "jane.doe@example.com"))
	require.Equal(t, "a3caddb38202511eab803116294dc020f7c4f8a2", Hash(SHA1, "jane.doe@example.com"))
	require.Equal(t, "0cba00ca3da1b283a57287bcceb17e35", Hash(MD5, "jane.doe@example.com"))
	require.Panics(t, func() { Hash("sha512", "") })
}

func TestHashed(t *testing.T) {
	for _, a := range Algorithms {
		require.True(t, a.Valid())
		hash := Hash(a, "PTNR100")
		got, ok := AppendHashed([]byte("kept "), a, []byte(strings.ToUpper(hash)))
		require.True(t, ok)
		require.Equal(t, "kept "+hash, string(got))
		for _, text := range []string{"", hash[1:], hash + "0", "g" + hash[1:], " " + hash[1:], "0x" + hash} {
			got, ok = AppendHashed([]byte("kept "), a, []byte(text))
			require.False(t, ok, "%s: %q", a, text)
			require.Equal(t, "kept ", string(got))
		}
	}
	require.False(t, Algorithm("sha512").Valid())
	_, ok := AppendHashed(nil, "sha512", nil)
	require.False(t, ok)
}

// What refuses leaves the buffer as it was, and what was written once stays as it is.
func FuzzNormalizePhone(f *testing.F) {
	for _, p := range phones {
		f.Add(p.text, p.country)
	}
	form := regexp.MustCompile(`^[+][1-9][0-9]{6,14}$`)
	f.Fuzz(func(t *testing.T, text, country string) {
		out, ok := AppendPhone([]byte("kept "), []byte(text), country)
		got := strings.TrimPrefix(string(out), "kept ")
		if !ok {
			require.Equal(t, "kept ", string(out))
			return
		}
		require.Regexp(t, form, got)
		for _, of := range []string{country, ""} {
			again, ok := NormalizePhone(got, of)
			require.True(t, ok)
			require.Equal(t, got, again)
		}
	})
}

func FuzzNormalizeEmail(f *testing.F) {
	for _, text := range []string{"jane@example.com", " MÜLLER@BÜCHER.example ", "jane@", "İ@ẞ.K", "a@b\xff.c"} {
		f.Add(text)
	}
	form := regexp.MustCompile("^(?:" + xdm.FormatForms[xdm.Email] + ")$")
	f.Fuzz(func(t *testing.T, text string) {
		out, ok := AppendEmail([]byte("kept "), []byte(text))
		got := strings.TrimPrefix(string(out), "kept ")
		if !ok {
			require.Equal(t, "kept ", string(out))
			return
		}
		require.Regexp(t, form, got)
		again, ok := NormalizeEmail(got)
		require.True(t, ok)
		require.Equal(t, got, again)
	})
}

func BenchmarkNormalize(b *testing.B) {
	var buffer [80]byte
	b.Run("email", func(b *testing.B) {
		b.ReportAllocs()
		text := []byte(" Jane.Doe@Example.COM")
		for b.Loop() {
			AppendEmail(buffer[:0], text)
		}
	})
	b.Run("phone", func(b *testing.B) {
		b.ReportAllocs()
		text := []byte("+49 (0) 30 123456")
		for b.Loop() {
			AppendPhone(buffer[:0], text, "49")
		}
	})
	for _, a := range Algorithms {
		b.Run(string(a), func(b *testing.B) {
			b.ReportAllocs()
			text := []byte("jane.doe@example.com")
			for b.Loop() {
				AppendHash(buffer[:0], a, text)
			}
		})
	}
}

package filecodec

import (
	"archive/tar"
	"bytes"
	stdflate "compress/flate"
	stdgzip "compress/gzip"
	stdzlib "compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zip"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
)

// text is n lines of a delimited file, the same for the same n.
func text(n int) []byte {
	random := rand.New(rand.NewPCG(1, uint64(n)))
	out := []byte("id,hash\n")
	for i := range n {
		out = fmt.Appendf(out, "%d,%016x\n", i, random.Uint64())
	}
	return out
}

func undo(file []byte, compression string, limits Limits) ([]byte, error) {
	r, err := Decompress(bytes.NewReader(file), int64(len(file)), compression, limits)
	if err != nil {
		return nil, err
	}
	out, err := io.ReadAll(r)
	return out, errors.Join(err, r.Close())
}

// packer is a way in which partners make a compressed file.
type packer struct {
	name, compression string
	checksum          bool // over the content
	pack              func(t *testing.T, content []byte) []byte
}

var packers = []packer{
	{"gzip", "gzip", true, packGzip},
	{"gzip command with a name", "gzip", true, command("gzip -k data.csv && cat data.csv.gz")},
	{"zstd", "zstd", true, packZstd},
	{"zstd command", "zstd", true, command("zstd -q --check data.csv -o data.zst && cat data.zst")},
	{"zstd command, --ultra", "zstd", true, command("zstd -q --check --ultra -22 -c data.csv")},
	{"zstd command, no checksum", "zstd", false, command("zstd -q --no-check -c <data.csv")},
	{"bzip2 command", "bzip2", true, command("bzip2 -1 -c data.csv")},
	{"raw deflate", "deflate", false, packDeflate},
	{"zlib deflate", "deflate", true, packZlib},
	{"zip", "zip", true, func(t *testing.T, content []byte) []byte { return packZip(t, file{"data.csv", content}) }},
	{"zip stored", "zip", true, command("zip -q -0 a.zip data.csv && cat a.zip")},
	{"zip command with a folder", "zip", true, command("mkdir -p a/b && cp data.csv a/b && zip -qr a.zip a && cat a.zip")},
	{"zip command to a pipe", "zip", true, command("zip -q - data.csv | cat")},
	{"zip command, zip64", "zip", true, command("zip -q -fz a.zip data.csv && cat a.zip")},
	{"tar command", "tar", false, command("mkdir -p in && cp data.csv in && tar -b 4 -cf - ./in")},
	{"tar command, pax", "tar", false, command("tar -b 1 -cf - --format=pax data.csv")},
	{"tar", "tar", false, func(t *testing.T, content []byte) []byte { return packTar(t, file{"data.csv", content}) }},
	{"tar command, gzip", "tar.gz", true, command("touch ._data.csv && tar -b 4 -czf - ._data.csv data.csv")},
}

func packGzip(t *testing.T, content []byte) []byte {
	var out bytes.Buffer
	w := stdgzip.NewWriter(&out)
	return closed(t, &out, w, content)
}

func packZlib(t *testing.T, content []byte) []byte {
	var out bytes.Buffer
	return closed(t, &out, stdzlib.NewWriter(&out), content)
}

func packDeflate(t *testing.T, content []byte) []byte {
	var out bytes.Buffer
	w, err := stdflate.NewWriter(&out, stdflate.BestCompression)
	require.NoError(t, err)
	return closed(t, &out, w, content)
}

func packZstd(t *testing.T, content []byte) []byte {
	var out bytes.Buffer
	w, err := zstd.NewWriter(&out)
	require.NoError(t, err)
	return closed(t, &out, w, content)
}

func closed(t *testing.T, out *bytes.Buffer, w io.WriteCloser, content []byte) []byte {
	_, err := w.Write(content)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return bytes.Clone(out.Bytes())
}

// file is an entry of an archive; a name that ends with a slash makes a folder.
type file struct {
	name    string
	content []byte
}

func packZip(t *testing.T, files ...file) []byte {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range files {
		entry, err := w.Create(f.name)
		require.NoError(t, err)
		_, err = entry.Write(f.content)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

func packTar(t *testing.T, files ...file) []byte {
	var headers []tar.Header
	for _, f := range files {
		kind := byte(tar.TypeReg)
		if strings.HasSuffix(f.name, "/") {
			kind = tar.TypeDir
		}
		headers = append(headers, tar.Header{Name: f.name, Typeflag: kind, Mode: 0o644, Size: int64(len(f.content))})
	}
	return packHeaders(t, headers, files)
}

func packHeaders(t *testing.T, headers []tar.Header, files []file) []byte {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for i, h := range headers {
		require.NoError(t, w.WriteHeader(&h))
		if len(files) > i {
			_, err := w.Write(files[i].content)
			require.NoError(t, err)
		}
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

// command packs data.csv with a shell command in a folder of its own, which prints the packed file.
func command(line string) func(t *testing.T, content []byte) []byte {
	return func(t *testing.T, content []byte) []byte {
		tool := strings.Fields(line)[0]
		for _, known := range []string{"gzip", "zstd", "bzip2", "zip", "tar"} {
			if strings.Contains(line, known+" -") {
				tool = known
			}
		}
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("PROSPECTOR_REQUIRE_TOOLS") != "" {
				t.Fatalf("%s is not installed: apt-get install %s", tool, tool)
			}
			t.Skipf("%s is not installed", tool)
		}
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "data.csv"), content, 0o600))
		shell := exec.Command("sh", "-ec", line)
		shell.Dir = dir
		shell.Stderr = os.Stderr
		out, err := shell.Output()
		require.NoError(t, err)
		return out
	}
}

// SR-12: gzip, bzip2, deflate, zip, tar and tar.gz, and zstd besides.
func TestUndoesWhatPartnersMake(t *testing.T) {
	covered := map[string]bool{"none": true}
	for _, p := range packers {
		covered[p.compression] = true
		t.Run(p.name, func(t *testing.T) {
			for _, n := range []int{0, 1, 30_000} {
				content := text(n)
				if n == 0 {
					content = nil
				}
				got, err := undo(p.pack(t, content), p.compression, Limits{})
				require.NoError(t, err)
				require.True(t, bytes.Equal(content, got))
			}
		})
	}
	for _, c := range Compressions {
		require.True(t, covered[c], "nothing packs %s", c)
	}
	got, err := undo(text(9), "none", Limits{})
	require.NoError(t, err)
	require.Equal(t, text(9), got)
	got, err = undo(nil, "none", Limits{})
	require.NoError(t, err)
	require.Empty(t, got)
	_, err = undo(text(9), "rar", Limits{})
	require.EqualError(t, err, `unknown compression "rar"`)
}

func TestSeveralMembersAreOneFile(t *testing.T) {
	a, b := text(10), text(2000)
	for _, p := range packers {
		if slices.Contains([]string{"gzip", "zstd", "bzip2"}, p.compression) {
			t.Run(p.name, func(t *testing.T) {
				joined := append(p.pack(t, a), p.pack(t, b)...)
				got, err := undo(joined, p.compression, Limits{})
				require.NoError(t, err)
				require.True(t, bytes.Equal(slices.Concat(a, b), got))
				_, err = undo(joined[:len(joined)-5], p.compression, Limits{})
				require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			})
		}
	}
}

// A file that is cut short never passes for a shorter file, wherever it is cut.
func TestCutAnywhere(t *testing.T) {
	content := text(40)
	for _, p := range packers {
		t.Run(p.name, func(t *testing.T) {
			packed := p.pack(t, content)
			for n := range packed {
				got, err := undo(packed[:n], p.compression, Limits{})
				if err == nil {
					require.Equal(t, content, got, "cut at %d of %d", n, len(packed))
					continue
				}
				require.NotEqual(t, "EOF", err.Error())
			}
			_, err := undo(packed[:min(len(packed)/2, 700)], p.compression, Limits{})
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			t.Log(err)
		})
	}
}

// Formats with a checksum never give out other bytes than went in without saying so.
func TestFlippedBits(t *testing.T) {
	content := text(12)
	for _, p := range packers {
		if !p.checksum {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			packed := p.pack(t, content)
			caught := 0
			for i := range len(packed) * 8 {
				flipped := bytes.Clone(packed)
				flipped[i/8] ^= 1 << (i % 8)
				got, err := undo(flipped, p.compression, Limits{})
				if err == nil {
					require.Equal(t, content, got, "bit %d of byte %d of %d", i%8, i/8, len(packed))
					continue
				}
				caught++
			}
			require.Greater(t, caught, len(content)) // names and times may change unseen
		})
	}
}

func TestSomethingFollows(t *testing.T) {
	for _, p := range packers {
		t.Run(p.name, func(t *testing.T) {
			for _, garbage := range []string{"x", "some text that was appended\n", strings.Repeat("\x00\x01", 3000)} {
				_, err := undo(append(p.pack(t, text(20)), garbage...), p.compression, Limits{})
				require.Error(t, err)
				t.Log(err)
			}
		})
	}
}

func TestSomethingElse(t *testing.T) {
	for _, compression := range Compressions[1:] {
		for _, content := range [][]byte{{}, []byte("x"), text(3), text(1000), make([]byte, 200), bytes.Repeat([]byte{0xff}, 5000)} {
			_, err := undo(content, compression, Limits{})
			require.Error(t, err, "%s of %d bytes", compression, len(content))
			require.NotErrorIs(t, err, io.EOF)
			require.NotContains(t, err.Error(), "id,hash")
		}
	}
}

func TestArchivesHoldOneDataFile(t *testing.T) {
	a, b := file{"a.csv", text(50)}, file{"in/b.csv", text(60)}
	besides := []file{{"in/", nil}, {".DS_Store", []byte("x")}, {"__MACOSX/._a.csv", []byte("y")}, {"in/.hidden/c.csv", []byte("z")}}
	archives := map[string]func(...file) []byte{
		"zip":    func(files ...file) []byte { return packZip(t, files...) },
		"tar":    func(files ...file) []byte { return packTar(t, files...) },
		"tar.gz": func(files ...file) []byte { return packGzip(t, packTar(t, files...)) },
	}
	for compression, pack := range archives {
		t.Run(compression, func(t *testing.T) {
			for _, files := range [][]file{append(besides[:len(besides):len(besides)], a), append([]file{a}, besides...)} {
				got, err := undo(pack(files...), compression, Limits{})
				require.NoError(t, err)
				require.Equal(t, a.content, got)
			}
			for _, files := range [][]file{nil, besides} {
				_, err := undo(pack(files...), compression, Limits{})
				require.ErrorContains(t, err, "archive holds no data file, one is expected")
			}
			_, err := undo(pack(a, besides[1], b), compression, Limits{})
			require.ErrorContains(t, err, `archive holds 2 data files ("a.csv", "in/b.csv"), one is expected`)
			_, err = undo(pack(a, b, file{"c", nil}), compression, Limits{})
			require.ErrorContains(t, err, `archive holds 3 data files ("a.csv", "in/b.csv"), one is expected`)

			odd := file{"evil\n\x1b[2Jname" + strings.Repeat("ü", 200), nil}
			_, err = undo(pack(odd, a), compression, Limits{})
			require.ErrorContains(t, err, `"evil\n\x1b[2Jname`)
			require.NotContains(t, err.Error(), "\n")
			require.Less(t, len(err.Error()), 300)

			outside := file{"../../etc/passwd", text(7)} // nothing is extracted by name
			got, err := undo(pack(outside), compression, Limits{})
			require.NoError(t, err)
			require.Equal(t, text(7), got)
		})
	}
}

// What is behind gzip data is called that, however short it is; only what begins like another part is one cut short.
func TestBehindGzip(t *testing.T) {
	whole := packGzip(t, text(5000))
	for behind, want := range map[string]string{"x": "something else follows", "\n": "something else follows", "\x1fx": "something else follows",
		"0123456789abcdef": "something else follows", "\x1f": "cut short", "\x1f\x8b\x08": "cut short", string(whole[:len(whole)/2]): "cut short"} {
		_, err := undo(slices.Concat(whole, []byte(behind)), "gzip", Limits{})
		require.ErrorContains(t, err, want, "%q", behind)
	}
	got, err := undo(slices.Concat(whole, whole, packGzip(t, nil), whole), "gzip", Limits{})
	require.NoError(t, err)
	require.Equal(t, bytes.Repeat(text(5000), 3), got)
}

// A second archive behind the first is not passed over in silence.
func TestJoinedArchives(t *testing.T) {
	one, two := file{"a.csv", text(50)}, file{"b.csv", text(60)}
	_, err := undo(slices.Concat(packZip(t, one), packZip(t, two)), "zip", Limits{})
	require.ErrorContains(t, err, "precede it, or another archive")
	joined := slices.Concat(packTar(t, one), packTar(t, two))
	_, err = undo(joined, "tar", Limits{})
	require.ErrorContains(t, err, "something else follows the")
	_, err = undo(packGzip(t, joined), "tar.gz", Limits{})
	require.ErrorContains(t, err, "something else follows the")
}

// A tar archive that is cut between two files, or lost its end, is not a whole one.
func TestTarCutBetweenFiles(t *testing.T) {
	packed := packTar(t, file{"a.csv", text(50)}, file{"b.csv", text(60)})
	first := 512 + (len(text(50))+511)/512*512
	for _, n := range []int{first, first + 512} {
		_, err := undo(packed[:n], "tar", Limits{})
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		_, err = undo(packGzip(t, packed[:n]), "tar.gz", Limits{})
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	}
}

func TestWhatIsNoFile(t *testing.T) {
	for _, kind := range []byte{tar.TypeSymlink, tar.TypeLink, tar.TypeChar, tar.TypeBlock, tar.TypeFifo} {
		packed := packHeaders(t, []tar.Header{{Name: "data.csv", Typeflag: kind, Linkname: "/etc/passwd"}}, nil)
		_, err := undo(packed, "tar", Limits{})
		require.EqualError(t, err, `"data.csv" in the tar archive is a link or a device, not a file`)
	}
	link := command("ln -s /etc/passwd link.csv && zip -qy a.zip link.csv && cat a.zip")(t, nil)
	_, err := undo(link, "zip", Limits{})
	require.EqualError(t, err, `"link.csv" in the zip archive is a link or a device, not a file`)
	encrypted := command("zip -q -P secret a.zip data.csv && cat a.zip")(t, text(9))
	_, err = undo(encrypted, "zip", Limits{})
	require.ErrorContains(t, err, `"data.csv" in the zip archive is encrypted with a password`)
	other := command("zip -q -Z bzip2 a.zip data.csv && cat a.zip")(t, text(900))
	_, err = undo(other, "zip", Limits{})
	require.ErrorContains(t, err, "is compressed with method 12; only deflate (8) and stored (0) are supported")
}

// Some writers leave the checksum out; nothing would then tell a damaged file from a good one.
func TestZipWithoutChecksum(t *testing.T) {
	packed := command("zip -q -0 a.zip data.csv && cat a.zip")(t, text(9))
	directory := bytes.Index(packed, []byte("PK\x01\x02"))
	clear(packed[directory+16 : directory+20])
	_, err := undo(packed, "zip", Limits{})
	require.EqualError(t, err, `"data.csv" in the zip archive has no checksum`)
}

func TestZipOfManyEntries(t *testing.T) {
	var files []file
	for range 5000 {
		files = append(files, file{"." + strings.Repeat("x", 1000), nil})
	}
	_, err := undo(packZip(t, append(files, file{"a.csv", text(3)})...), "zip", Limits{})
	require.ErrorContains(t, err, "the list of files in the zip archive takes")
	got, err := undo(packZip(t, append(files[:3000], file{"a.csv", text(3)})...), "zip", Limits{})
	require.NoError(t, err)
	require.Equal(t, text(3), got)
}

// The directory of an archive may lie about the sizes of its files.
func TestZipThatLiesAboutItsSize(t *testing.T) {
	for _, stated := range []uint32{0, 10, 1 << 30} {
		packed := command("zip -q a.zip data.csv && cat a.zip")(t, text(900))
		directory := bytes.Index(packed, []byte("PK\x01\x02"))
		binary.LittleEndian.PutUint32(packed[directory+24:], stated)
		_, err := undo(packed, "zip", Limits{})
		require.Error(t, err)
		t.Log(err)
	}
}

func TestBombs(t *testing.T) {
	bombs := map[string][]byte{
		"gzip":   command("truncate -s 100M zeros && gzip -c zeros")(t, nil),
		"zstd":   command("truncate -s 100M zeros && zstd -q -c zeros")(t, nil),
		"zip":    command("truncate -s 100M zeros && zip -q a.zip zeros && cat a.zip")(t, nil),
		"tar.gz": command("truncate -s 50M .uncounted zeros && tar -czf - .uncounted zeros")(t, nil),
	}
	for compression, file := range bombs {
		t.Run(compression, func(t *testing.T) {
			require.Less(t, len(file), 3<<20)
			drain := func(limits Limits) (int64, error) {
				r, err := Decompress(bytes.NewReader(file), int64(len(file)), compression, limits)
				if err != nil {
					return 0, err
				}
				defer r.Close()
				return io.Copy(io.Discard, r)
			}
			var bomb *BombError
			n, err := drain(Limits{})
			require.ErrorAs(t, err, &bomb)
			require.Equal(t, "format.maxRatio", bomb.Key)
			require.LessOrEqual(t, n, max(int64(ratioFrom), DefaultMaxRatio*int64(len(file))))
			require.ErrorContains(t, err, "more than 300 bytes come out of every byte of the file")
			require.ErrorContains(t, err, "raise its format.maxRatio")

			n, err = drain(Limits{MaxBytes: 10_000_000})
			require.ErrorAs(t, err, &bomb)
			require.LessOrEqual(t, n, int64(10_000_000))
			require.EqualError(t, err, "more than 10000000 bytes come out of the file; if that is right for this source, raise its format.maxBytes")
			t.Log(err)
		})
	}
	cut, err := undo(bombs["gzip"][:len(bombs["gzip"])/8*7], "gzip", Limits{MaxRatio: 2000})
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Greater(t, len(cut), ratioFrom)
}

func TestLimitsAreInclusive(t *testing.T) {
	content := text(100)
	for _, p := range packers {
		packed := p.pack(t, content)
		if p.compression == "tar.gz" {
			continue // its blocks count too
		}
		got, err := undo(packed, p.compression, Limits{MaxBytes: int64(len(content))})
		require.NoError(t, err, p.name)
		require.Equal(t, content, got)
		var bomb *BombError
		_, err = undo(packed, p.compression, Limits{MaxBytes: int64(len(content)) - 1})
		require.ErrorAs(t, err, &bomb, p.name)
	}
}

// A hole costs a tar archive nothing.
func TestSparseTar(t *testing.T) {
	packed := command("truncate -s 300M data.csv && tar -cSf - data.csv")(t, nil)
	require.Less(t, len(packed), 100_000)
	var bomb *BombError
	_, err := undo(packed, "tar", Limits{})
	require.ErrorAs(t, err, &bomb)
	small := command("truncate -s 3M data.csv && tar -cSf - data.csv")(t, nil)
	got, err := undo(small, "tar", Limits{})
	require.NoError(t, err)
	require.Len(t, got, 3<<20)
}

func TestZstdOfTooLargeWindow(t *testing.T) {
	for _, line := range []string{
		"head -c 9 /dev/zero | zstd -q --long=30 -c",
		"truncate -s 140M big && zstd -q --long=30 -c big", // states its size instead
	} {
		_, err := undo(command(line)(t, nil), "zstd", Limits{MaxRatio: 1e6})
		require.ErrorContains(t, err, "needs more than 128 MiB of memory")
	}
}

func TestCloseEndsReading(t *testing.T) {
	before := runtime.NumGoroutine()
	for _, p := range packers {
		if strings.Contains(p.name, "command") {
			continue
		}
		packed := p.pack(t, text(50_000))
		for range 20 {
			r, err := Decompress(bytes.NewReader(packed), int64(len(packed)), p.compression, Limits{})
			require.NoError(t, err)
			_, err = r.Read(make([]byte, 10))
			require.NoError(t, err)
			require.NoError(t, r.Close())
			require.NoError(t, r.Close())
			_, err = r.Read(make([]byte, 10))
			require.ErrorIs(t, err, fs.ErrClosed)
		}
	}
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+2 }, 10*time.Second, 10*time.Millisecond)
}

// failing is a disk that fails somewhere.
type failing struct {
	content []byte
	at      int64
}

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > f.at {
		return 0, &fs.PathError{Op: "read", Path: "staged", Err: errors.New("input/output error")}
	}
	return bytes.NewReader(f.content).ReadAt(p, off)
}

// What our own disk does is not the partner's fault.
func TestDiskErrorsStayDiskErrors(t *testing.T) {
	for _, p := range packers {
		packed := p.pack(t, text(30_000))
		r, err := Decompress(failing{packed, int64(len(packed) / 2)}, int64(len(packed)), p.compression, Limits{})
		if err == nil {
			_, err = io.Copy(io.Discard, r)
			require.NoError(t, r.Close())
		}
		var disk *fs.PathError
		require.ErrorAs(t, err, &disk, p.name)
		require.NotContains(t, err.Error(), "damaged", p.name)
	}
}

func TestStagedFileThatShrank(t *testing.T) {
	for _, compression := range []string{"none", "gzip"} {
		content := text(100)
		if compression == "gzip" {
			content = packGzip(t, content)
		}
		r, err := Decompress(bytes.NewReader(content), int64(len(content))+10, compression, Limits{})
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, r)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	}
}

// FuzzDecompress holds every decoder to bounded memory and to the limits, whatever the bytes.
func FuzzDecompress(f *testing.F) {
	t := &testing.T{} // packers without a command do not fail
	for _, p := range packers {
		if !strings.Contains(p.name, "command") {
			f.Add(p.pack(t, text(5)), uint8(slices.Index(Compressions, p.compression)))
		}
	}
	f.Fuzz(func(t *testing.T, file []byte, which uint8) {
		const limit, memory = 1 << 20, 600 << 20
		compression := Compressions[1+int(which)%(len(Compressions)-1)]
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r, err := Decompress(bytes.NewReader(file), int64(len(file)), compression, Limits{MaxBytes: limit})
		if err == nil {
			var n int64
			n, err = io.Copy(io.Discard, r)
			if n > limit {
				t.Fatalf("%d bytes came out", n)
			}
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if errors.Is(err, io.EOF) {
			t.Fatal("io.EOF is no error")
		}
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > memory {
			t.Fatalf("%s of %d bytes took %d MiB", compression, len(file), used>>20)
		}
	})
}

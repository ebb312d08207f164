package parquetfile

import (
	"fmt"

	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
)

// bounded is a codec of the library that never unfolds to more than the page's header says. The
// library's own Snappy and Zstandard take what the compressed bytes ask for.
type bounded struct {
	compress.Codec
	decode func(dst, src []byte) ([]byte, error)
}

// DecodeWithError fills dst, or says why it cannot.
func (b bounded) DecodeWithError(dst, src []byte) ([]byte, error) { return b.decode(dst, src) }

func init() {
	zstandard, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderMaxMemory(maxPage))
	if err != nil {
		panic(err) // options that do not go together
	}
	for kind, decode := range map[compress.Compression]func(dst, src []byte) ([]byte, error){
		compress.Codecs.Snappy: decodeSnappy,
		compress.Codecs.Zstd:   func(dst, src []byte) ([]byte, error) { return zstandard.DecodeAll(src, dst[:0:len(dst)]) },
	} {
		codec, err := compress.GetCodec(kind)
		if err != nil {
			panic(err)
		}
		compress.RegisterCodec(kind, bounded{codec, decode})
	}
}

func decodeSnappy(dst, src []byte) ([]byte, error) {
	n, err := snappy.DecodedLen(src)
	if err != nil {
		return nil, err
	}
	if n != len(dst) {
		return nil, fmt.Errorf("the page has %d bytes uncompressed, its header says %d", n, len(dst))
	}
	return snappy.Decode(dst, src)
}

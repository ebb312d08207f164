package filecodec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
)

// partnerLines is a file such as partners send: 12 columns, some of them quoted.
func partnerLines(rows int) []byte {
	var file bytes.Buffer
	file.WriteString("id,email,first,last,street,city,state,zip,age,income,score,updated\n")
	for i := range rows {
		fmt.Fprintf(&file, "%032x,person%d@example.com,Ada,Lovelace,%d Main Street,Springfield,IL,%05d,%d,%d.50,0.%06d,2024-01-05\n", i*7919, i, i, i%100000, i%90, i%200000, i%1000000)
		if i%10 == 0 {
			fmt.Fprintf(&file, "%032x,person%d@example.com,\"Ada \"\"A\"\"\",\"Lovelace, Dr\",%d Main Street,Springfield,IL,%05d,%d,%d.50,0.%06d,2024-01-05\n", i*7919, i, i, i%100000, i%90, i%200000, i%1000000)
		}
	}
	return file.Bytes()
}

func BenchmarkFramer(b *testing.B) {
	data := partnerLines(100_000)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		framer := NewFramer(bytes.NewReader(data), Dialect{Delimiter: ',', Quote: '"'})
		if _, err := framer.Header(); err != nil {
			b.Fatal(err)
		}
		for {
			if _, err := framer.Next(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
}

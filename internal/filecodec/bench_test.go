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

func partnerObjects(rows int, begin, between, end string) []byte {
	var file bytes.Buffer
	file.WriteString(begin)
	for i := range rows {
		if i > 0 {
			file.WriteString(between)
		}
		fmt.Fprintf(&file, `{"id":"%032x","email":"person%d@example.com","name":{"first":"Ada","last":"Love\u006cace"},"address":{"street":"%d Main Street","city":"Springfield","state":"IL","zip":"%05d"},"age":%d,"income":%d.50,"tags":["a","b"],"updated":"2024-01-05"}`, i*7919, i, i, i%100000, i%90, i%200000)
	}
	file.WriteString(end)
	return file.Bytes()
}

func BenchmarkJSON(b *testing.B) {
	wanted := []string{"id", "email", "name.first", "name.last", "address.zip", "age", "income", "updated"}
	for name, data := range map[string][]byte{JSONLines: partnerObjects(50_000, "", "\n", "\n"), JSONList: partnerObjects(50_000, "[", ",\n", "]")} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				r, err := NewReader(bytes.NewReader(data), Format{Records: name, Encoding: UTF8, Wanted: wanted})
				for err == nil {
					var record Record
					if record, err = r.Next(); record.Fault != "" {
						b.Fatal(record.Fault)
					}
				}
				if !errors.Is(err, io.EOF) || r.Records() != 50_000 {
					b.Fatal(err)
				}
			}
		})
	}
}

package filecodec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"prospector/internal/mapping"
)

// partnerColumns are those of partnerLines.
var partnerColumns = strings.Split("partner_id,email,first,last,street,city,state,zip,country,phone,born,gender,age,income,net_worth,score_1,score_2,score_3,homeowner,children,"+
	"vehicle,hiking,travel,cooking,music,sports,reading,gardening,photography,gaming,segment,channel,consent_email,consent_sms,consent_mail,created,updated,source,campaign,note", ",")

// partnerLines is a file such as partners send: 40 columns, about 350 bytes a row. One row of quotedEvery has
// two quoted fields; with 0 nothing is quoted, and with 1 every field of every row.
func partnerLines(rows, quotedEvery int) []byte {
	var file bytes.Buffer
	file.WriteString(strings.Join(partnerColumns, ",") + "\n")
	for i := range rows {
		street, note := fmt.Sprintf("%d Main Street", i%9000), "none"
		if quotedEvery > 0 && i%quotedEvery == 0 {
			street, note = fmt.Sprintf(`"%d Main Street, Floor %d"`, i%9000, i%7), `"asked for the ""long"" form"`
		}
		line := fmt.Sprintf("%032x,person%d@example.com,Ada,Lovelace,%s,Springfield,IL,%05d,US,+1217555%04d,1975-%02d-%02d,F,%d,%d.50,%d,0.%06d,0.%06d,,true,%d,"+
			"sedan,Y,N,Y,,Y,N,,Y,N,affluent-%d,mail,true,false,true,2024-01-05,2024-06-%02dT10:00:00Z,acme,spring-2024-welcome-and-thanks-for-visiting-us-at-home,%s",
			i*7919, i, street, i%100000, i%10000, i%12+1, i%28+1, i%90, i%200000, i%5000000, i%1000000, i*7%1000000, i%5, i%100, i%30+1, note)
		if quotedEvery == 1 {
			line = `"` + strings.ReplaceAll(strings.NewReplacer(`"`, "", ", ", " ").Replace(line), ",", `","`) + `"`
		}
		file.WriteString(line + "\n")
	}
	return file.Bytes()
}

// partnerFiles are unquoted, as most partners send, and quoted throughout.
var partnerFiles = []struct {
	name        string
	quotedEvery int
}{{"unquoted", 0}, {"mostly unquoted", 5}, {"all quoted", 1}}

// The stages of ingestion, each with those in front of it: records are found, their values go to fields, and
// clean records are written for the store.
func BenchmarkStages(b *testing.B) {
	targets := make([]mapping.Target, len(partnerColumns))
	for i, name := range partnerColumns {
		targets[i] = mapping.Target{Field: "_acme." + name, Column: name}
	}
	m, err := mapping.Compile(targets, partnerColumns)
	if err != nil {
		b.Fatal(err)
	}
	values := make([][]byte, len(targets))
	noStep := func(int, mapping.Failure) { b.Fatal("there are no steps") }
	marked := mapping.NullMarkers([]string{"NULL", "n/a", "-"})
	const rows = 50_000
	for _, file := range partnerFiles {
		data := partnerLines(rows, file.quotedEvery)
		measure := func(stage string, take func(Record)) {
			b.Run(file.name+"/"+stage, func(b *testing.B) {
				b.SetBytes(int64(len(data)))
				b.ReportAllocs()
				for b.Loop() {
					r, err := NewReader(bytes.NewReader(data), Format{Records: Delimited, Encoding: UTF8, Dialect: comma})
					for err == nil {
						var record Record
						if record, err = r.Next(); err == nil {
							if record.Fault != "" {
								b.Fatal(record.Fault)
							}
							take(record)
						}
					}
					if !errors.Is(err, io.EOF) || r.Records() != rows {
						b.Fatal(err)
					}
				}
			})
		}
		var clean []byte
		measure("frame", func(Record) {})
		measure("frame and map with null markers", func(r Record) { m.Apply(r.Fields, marked, values, noStep) })
		measure("frame and map", func(r Record) { m.Apply(r.Fields, nil, values, noStep) })
		measure("frame, map and write", func(r Record) {
			m.Apply(r.Fields, nil, values, noStep)
			clean = AppendClean(clean[:0], r.Line, "", values)
		})
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

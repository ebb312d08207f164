package ingest

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"

	"prospector/internal/prospect"
	"prospector/internal/store"
)

// RejectionCounts says why the rows in a file of rejections were refused, the most frequent reason first.
func RejectionCounts(path string) (out []store.RejectionCount, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	rows := map[prospect.Reason]int64{}
	for decoder := json.NewDecoder(bufio.NewReader(file)); ; {
		var r rejection
		if err := decoder.Decode(&r); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		for _, reason := range r.Reasons {
			rows[reason]++
		}
	}
	for reason, n := range rows {
		out = append(out, store.RejectionCount{Reason: reason, Rows: n})
	}
	slices.SortFunc(out, func(a, b store.RejectionCount) int {
		return cmp.Or(cmp.Compare(b.Rows, a.Rows), cmp.Compare(a.Reason.String(), b.Reason.String()))
	})
	return out, nil
}

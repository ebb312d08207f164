package ingest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"iter"
	"slices"

	"prospector/internal/errkind"
	"prospector/internal/prospect"
	"prospector/internal/store"
)

// Lists is what suppression needs of the store.
type Lists interface {
	Profiles(ctx context.Context, dataset store.Dataset) (int64, error)
	ListValues(ctx context.Context, dataset store.Dataset) iter.Seq2[string, error]
}

// mostListed bounds the values that are held in memory for one file, of all its lists: 16 bytes each.
const mostListed = 10_000_000

// listed holds what rows of one file are held against.
type listed []listedColumn

type listedColumn struct {
	column   int    // of the file's
	path     string // of its field
	standsIn string // stands in where there is no value
	digests  []digest
}

// digest stands for a value. That two values share one is not to be expected before there are 2^64.
type digest [16]byte

func digestOf(value []byte) digest {
	sum := sha256.Sum256(value)
	return digest(sum[:16])
}

func compareDigests(a, b digest) int { return bytes.Compare(a[:], b[:]) }

// readLists reads the lists whose field the file fills. The others cannot name anybody in it.
func readLists(ctx context.Context, lists Lists, f File, columns []prospect.Column) (listed, error) {
	var out listed
	left := int64(mostListed)
	for _, list := range f.Lists {
		path := list.Field
		if path == "" {
			path = f.Identity
		}
		i := slices.IndexFunc(columns, func(c prospect.Column) bool { return c.Field.Path == path })
		if i < 0 {
			continue
		}
		n, err := lists.Profiles(ctx, list.Dataset)
		if err != nil {
			return nil, err
		}
		if left -= n; left < 0 {
			return nil, errkind.New(errkind.Invalid, "dataset "+f.Dataset.Name, fmt.Errorf("its rows are held against suppression lists of more than %d values", mostListed),
				"write at: [export] in the SuppressionList with the longest one, such as that of dataset "+list.Dataset.Name)
		}
		c := listedColumn{column: i, path: path, digests: make([]digest, 0, n)}
		if filled := columns[i]; filled.Field.Default != nil && path != f.Identity && (!filled.Absent || f.Dataset.Merge != store.Upsert) {
			c.standsIn = *filled.Field.Default
		}
		for value, err := range lists.ListValues(ctx, list.Dataset) {
			if err != nil {
				return nil, err
			}
			c.digests = append(c.digests, digestOf([]byte(value)))
		}
		slices.SortFunc(c.digests, compareDigests)
		out = append(out, c)
	}
	return out, nil
}

// judge is the reason to refuse the row of somebody who is on a list; no code for a row of anybody else.
func (l listed) judge(values [][]byte) prospect.Reason {
	for _, c := range l {
		value := values[c.column]
		if len(value) == 0 {
			value = []byte(c.standsIn)
		}
		if len(value) == 0 {
			continue
		}
		if _, found := slices.BinarySearchFunc(c.digests, digestOf(value), compareDigests); found {
			return prospect.Reason{Code: prospect.Suppressed, Field: c.path}
		}
	}
	return prospect.Reason{}
}

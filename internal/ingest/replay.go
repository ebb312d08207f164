package ingest

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"os"

	"prospector/internal/filecodec"
	"prospector/internal/store"
)

// Replay says whose the kept records of a file are.
type Replay struct {
	Batch  string   // that had rejected them
	Header []string // columns of its file, if that is delimited
}

// StageReplay writes rejected rows as a file of kept records and returns how many there are, and the SHA-256 of the file.
func StageReplay(path string, rows iter.Seq2[store.RejectedRow, error], progress func(int64)) (n int64, sum string, err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, "", err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	hash := sha256.New()
	buffered := bufio.NewWriter(io.MultiWriter(file, hash))
	encoder := json.NewEncoder(buffered)
	for row, err := range rows {
		if err == nil {
			err = encoder.Encode(filecodec.Kept{Line: row.Line, Raw: row.Raw})
		}
		if err != nil {
			return 0, "", err
		}
		if n++; n%progressEvery == 0 {
			progress(n)
		}
	}
	err = buffered.Flush()
	return n, hex.EncodeToString(hash.Sum(nil)), err
}

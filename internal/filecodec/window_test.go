package filecodec

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// endsBadly delivers a text and then an error.
type endsBadly struct {
	text io.Reader
	err  error
}

func (f endsBadly) Read(p []byte) (int, error) {
	n, err := f.text.Read(p)
	if err == io.EOF { //nolint:errorlint // of a text
		err = f.err
	}
	return n, err
}

// A stream that fails with an error around io.EOF has not ended: no reader takes it for a shorter file.
func TestWrappedEndIsAFailure(t *testing.T) {
	wrapped := fmt.Errorf("read on: %w", io.EOF)
	for records, text := range map[string]string{Delimited: "a,b\n1,2\n3,4\n", JSONLines: "{\"a\":1}\n{\"a\":2}\n", JSONList: "[{\"a\":1},{\"a\":2}"} {
		r, err := NewReader(endsBadly{strings.NewReader(text), wrapped}, Format{Records: records, Encoding: UTF8, Dialect: Dialect{Delimiter: ',', Quote: '"'}, Wanted: []string{"a"}})
		for err == nil {
			_, err = r.Next()
		}
		require.NotEqual(t, io.EOF, err, records)
		require.ErrorIs(t, err, wrapped, records)
	}
}

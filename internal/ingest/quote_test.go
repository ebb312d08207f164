package ingest_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// EC-15: a quote inside a field refuses its row, unless the source says that it is a character as others.
func TestQuotesInsideFields(t *testing.T) {
	for format, rejected := range map[string]int64{"": 1, "format: {quoteInField: refuse}\n": 1, "format: {quoteInField: keep}\n": 0} {
		l := newLoading(t, format+flat)
		counts, err := l.validate([]byte("pid,secret,hiking\na\"1,s,Y\n\"a2\",\"s\",\"Y\"\n"))
		require.NoError(t, err)
		require.Equal(t, int64(2), counts.Read)
		require.Equal(t, rejected, counts.Rejected, format)
	}
}

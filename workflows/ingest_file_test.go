package workflows

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Files of any name can be named to be ingested; two names have two ids.
func TestIngestFileWorkflowID(t *testing.T) {
	for path, want := range map[string]string{
		"in/a b.csv": "ingest-file/acme/in/a b.csv", "in/grüße.csv": "ingest-file/acme/in/gr%C3%BC%C3%9Fe.csv",
		"in/100%.csv": "ingest-file/acme/in/100%25.csv", "in/\u202e\n.csv": "ingest-file/acme/in/%E2%80%AE%0A.csv",
	} {
		require.Equal(t, want, IngestFileInput{Source: "acme", Path: path}.WorkflowID())
	}
}

package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"prospector/internal/access"
	"prospector/internal/catalog"
)

// accessFile is the file of roles and principals. It is read again when it has changed, so that what is taken away is gone at once; that
// it has changed is in the audit.
type accessFile struct {
	path  string
	audit accessAudit

	mu   sync.Mutex
	read string // what was read
	held access.Rules
}

// rules are those of the file as it is now. While it cannot be read or is wrong there are none.
func (f *accessFile) rules() (access.Rules, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	text, err := os.ReadFile(f.path) // each time: it is small, and its time of change proves nothing
	if err != nil {
		return access.Rules{}, fmt.Errorf("access file: %w", err)
	}
	if f.read != "" && string(text) == f.read {
		return f.held, nil
	}
	held, err := access.Parse(filepath.Base(f.path), text)
	if err != nil {
		return access.Rules{}, err
	}
	if err := f.record(text); err != nil {
		return access.Rules{}, err
	}
	f.held, f.read = held, string(text)
	return held, nil
}

// accessAudit is where changes of the file are recorded.
type accessAudit interface {
	Audit(ctx context.Context, q catalog.AuditQuery) ([]catalog.AuditRecord, error)
	RecordAudit(ctx context.Context, records ...catalog.AuditRecord) error
}

// record records that the file is another one than it was, also before a restart. Who has changed it the operating system knows.
func (f *accessFile) record(text []byte) error {
	ctx, sum := context.Background(), sha256.Sum256(text)
	r := catalog.AuditRecord{Run: "access file " + rand.Text(), Action: "change", Kind: "AccessFile", Object: filepath.Base(f.path), Outcome: catalog.AuditAllowed,
		After: hex.EncodeToString(sum[:]), At: time.Now().UTC()}
	last, err := f.audit.Audit(ctx, catalog.AuditQuery{Kind: r.Kind, Limit: 1})
	if err != nil {
		return err
	}
	if len(last) > 0 {
		if r.Before = last[0].After; r.Before == r.After {
			return nil
		}
	}
	return f.audit.RecordAudit(ctx, r)
}

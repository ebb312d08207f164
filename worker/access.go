package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"prospector/internal/access"
)

// accessFile is the file of roles and principals. It is read again when it has changed, so that what is taken away is gone at once.
type accessFile struct {
	path string

	mu   sync.Mutex
	read time.Time // modification time of what was read
	size int64
	held access.Rules
}

// rules are those of the file as it is now. While it cannot be read or is wrong there are none.
func (f *accessFile) rules() (access.Rules, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	info, err := os.Stat(f.path)
	if err != nil {
		return access.Rules{}, fmt.Errorf("access file: %w", err)
	}
	if info.ModTime().Equal(f.read) && info.Size() == f.size {
		return f.held, nil
	}
	text, err := os.ReadFile(f.path)
	if err != nil {
		return access.Rules{}, fmt.Errorf("access file: %w", err)
	}
	held, err := access.Parse(filepath.Base(f.path), text)
	if err != nil {
		return access.Rules{}, err
	}
	f.held, f.read, f.size = held, info.ModTime(), info.Size()
	return held, nil
}

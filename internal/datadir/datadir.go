// Package datadir keeps two processes out of one data folder. The stores in it (an analytic
// database, a workflow history) allow one process each, and corrupt or block when a second one
// opens them. The lock belongs to the process: it is gone when the process is, however it ended.
package datadir

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"prospector/internal/errkind"
)

// lockFile is never deleted: a process that waits for a deleted file's lock would get one that
// nobody else can see.
const lockFile = "LOCK"

// Lock creates dir and takes the exclusive lock on it, until release is called or the process
// ends. When another process holds it, the error is of kind Conflict and names that process.
func Lock(dir string) (release func(), err error) {
	switch {
	case dir == "":
		return nil, errkind.New(errkind.Invalid, "", errors.New("the data folder has no name"), "give one with --data-dir")
	case strings.Contains(dir, "?"): // DuckDB takes what follows for options
		return nil, errkind.New(errkind.Invalid, "", fmt.Errorf("the data folder %s has a question mark in its name", dir), "give one without with --data-dir")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, errkind.New(errkind.Denied, "", fmt.Errorf("create the data folder: %w", err),
			"give a folder that you may write to with --data-dir")
	}
	path := filepath.Join(dir, lockFile)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, errkind.New(errkind.Denied, "", fmt.Errorf("open the lock of the data folder: %w", err),
			"give a folder that you may write to with --data-dir")
	}
	if err := flock(file); err != nil {
		defer file.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		return nil, errkind.New(errkind.Conflict, "",
			fmt.Errorf("%s is in use by another prospector process (%s)", dir, holder(file)),
			"stop that process or give another --data-dir")
	}
	if err := writePID(file); err != nil {
		file.Close()
		return nil, fmt.Errorf("write %s: %w", path, err)
	}
	// Closing the descriptor releases the lock. It is close-on-exec, so no child keeps it.
	return sync.OnceFunc(func() { file.Close() }), nil
}

func flock(file *os.File) error {
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// writePID writes before it truncates, so that a reader never meets an empty file.
func writePID(file *os.File) error {
	text := strconv.Itoa(os.Getpid()) + "\n"
	if _, err := file.WriteAt([]byte(text), 0); err != nil {
		return err
	}
	return file.Truncate(int64(len(text)))
}

// holder describes the process that has the lock, as far as the file tells.
func holder(file *os.File) string {
	data, err := io.ReadAll(io.LimitReader(file, 32))
	pid, _, _ := strings.Cut(string(data), "\n")
	if _, notANumber := strconv.Atoi(pid); err != nil || notANumber != nil {
		return "pid unknown"
	}
	return "pid " + pid
}

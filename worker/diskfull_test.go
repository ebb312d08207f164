//go:build !release

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/testdata/partnerdata"
)

// A disk that fills up at any point of the work is a failure that says so, loses nothing and publishes nothing by halves: once there
// is room, the same work comes to what it comes to undisturbed.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=96m"); err != nil {
		t.Skipf("this machine lets the test mount no small disk: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(disk, syscall.MNT_DETACH)) })
	dropPoint := t.TempDir()
	for i, path := range loadedFiles {
		var content bytes.Buffer
		_, err := partnerdata.Acme(&content, 20000, uint64(1+i%2))
		require.NoError(t, err)
		fmt.Fprintf(&content, "lonely-%d,A,B,25-34,02139,MA,Y,N,,Y,,3,2,,h\nrejected-%d,A,B,25-34,02139,MA,n/a,N,,Y,,3,2,,h\n", i, i)
		drop(t, dropPoint, path, content.String(), time.Now().Add(-time.Hour+time.Duration(i)*time.Minute))
	}
	undisturbed, _ := runLoader(t, t.TempDir(), dropPoint, 0)
	failed := 0
	rooms := []int{1, 5, 10} // MB
	for _, room := range rooms {
		dir := filepath.Join(disk, fmt.Sprint(room))
		require.NoError(t, os.Mkdir(dir, 0o700))
		filler := filepath.Join(disk, "filler")
		fill(t, disk, filler, uint64(room)<<20)
		problem := loaderProblem(t, dir, dropPoint)
		if problem != "" {
			failed++
			require.True(t, strings.Contains(problem, "space left") || strings.Contains(problem, "disk is full") || strings.Contains(problem, "disk I/O"), "%d MB: %s", room, problem)
		}
		require.NoError(t, os.Remove(filler))
		result, _ := runLoader(t, dir, dropPoint, 0)
		require.Equal(t, undisturbed, result, "after %d MB of room", room)
		require.NoError(t, os.RemoveAll(dir))
	}
	require.Greater(t, failed, 1, "the disk was hardly ever full")
	t.Logf("%d runs of %d found the disk full", failed, len(rooms))
}

// fill leaves so many bytes of room on a disk.
func fill(t *testing.T, disk, filler string, room uint64) {
	t.Helper()
	var stat syscall.Statfs_t
	require.NoError(t, syscall.Statfs(disk, &stat))
	free := stat.Bavail * uint64(stat.Bsize)
	require.Greater(t, free, room)
	file, err := os.Create(filler)
	require.NoError(t, err)
	require.NoError(t, syscall.Fallocate(int(file.Fd()), 0, 0, int64(free-room)))
	require.NoError(t, file.Close())
}

// loaderProblem is what the process said that could not do its work; nothing when it could.
func loaderProblem(t *testing.T, dir, dropPoint string) string {
	t.Helper()
	executable, err := os.Executable()
	require.NoError(t, err)
	c := exec.Command(executable)
	c.Env = append(os.Environ(), asLoader+"="+dir+string(filepath.ListSeparator)+dropPoint)
	var problems bytes.Buffer
	c.Stderr = &problems
	if c.Run() == nil {
		return ""
	}
	return problems.String()
}

package datadir

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"prospector/internal/errkind"
)

// TestMain lets the test binary be the second process.
func TestMain(m *testing.M) {
	if dir := os.Getenv("DATADIR_TEST_HOLD"); dir != "" {
		if _, err := Lock(dir); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("locked")
		_, _ = io.Copy(io.Discard, os.Stdin) // until killed, or until the test is gone
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestLockIsExclusiveUntilReleased(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "folder")
	release, err := Lock(dir)
	require.NoError(t, err)

	_, err = Lock(dir)
	require.Equal(t, errkind.Conflict, errkind.Of(err))
	require.EqualError(t, err, fmt.Sprintf("%s is in use by another prospector process (pid %d); stop that process or give another --data-dir", dir, os.Getpid()))

	release()
	release() // harmless
	release, err = Lock(dir)
	require.NoError(t, err)
	release()
}

func TestLockDiesWithItsProcess(t *testing.T) {
	dir := t.TempDir()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), "DATADIR_TEST_HOLD="+dir)
	stdin, err := child.StdinPipe()
	require.NoError(t, err)
	defer stdin.Close()
	stdout, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	answer := make([]byte, len("locked\n"))
	_, err = io.ReadFull(stdout, answer)
	require.NoError(t, err)
	require.Equal(t, "locked\n", string(answer))

	_, err = Lock(dir)
	require.ErrorContains(t, err, fmt.Sprintf("(pid %d)", child.Process.Pid))

	require.NoError(t, child.Process.Kill())
	_ = child.Wait()
	release, err := Lock(dir)
	require.NoError(t, err)
	release()
}

func TestLockNeedsAWritableFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := Lock(filepath.Join(file, "below"))
	require.Equal(t, errkind.Denied, errkind.Of(err))
}

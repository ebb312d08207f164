package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"prospector/internal/errkind"
)

// Endpoint is where a worker answers, and the token that it wants. It is a file in the data directory that only its owner may
// read: whoever may read the data directory may read profiles, and nobody else.
type Endpoint struct {
	Address string `json:"address"` // such as http://127.0.0.1:7080
	Token   string `json:"token"`
}

func endpointFile(dataDir string) string { return filepath.Join(dataDir, "api.json") }

// Publish writes the endpoint into a data directory, whole or not at all.
func (e Endpoint) Publish(dataDir string) (err error) {
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	unfinished, err := os.CreateTemp(dataDir, ".api-*") // mode 0600
	if err != nil {
		return fmt.Errorf("publish the API's address: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("publish the API's address: %w", err), os.Remove(unfinished.Name()))
		}
	}()
	_, err = unfinished.Write(append(text, '\n'))
	if err = errors.Join(err, unfinished.Close()); err != nil {
		return err
	}
	return os.Rename(unfinished.Name(), endpointFile(dataDir))
}

// Withdraw removes what Publish has written.
func Withdraw(dataDir string) error {
	err := os.Remove(endpointFile(dataDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Find reads the endpoint of the worker that runs on a data directory. Missing when none does, Denied when it is somebody else's.
func Find(dataDir string) (e Endpoint, err error) {
	text, err := os.ReadFile(endpointFile(dataDir))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return e, noWorker(dataDir)
	case errors.Is(err, fs.ErrPermission):
		return e, errkind.New(errkind.Denied, "", fmt.Errorf("the data directory %s is not yours to read", dataDir), "run as the user that the worker runs as")
	case err != nil:
		return e, err
	}
	if err := json.Unmarshal(text, &e); err != nil || e.Address == "" {
		return e, errkind.New(errkind.Conflict, "", fmt.Errorf("%s is not of this version of Prospector", endpointFile(dataDir)), "restart the worker")
	}
	return e, nil
}

func noWorker(dataDir string) error {
	return errkind.New(errkind.Missing, "", fmt.Errorf("no worker runs on the data directory %s", dataDir),
		"start one: worker dev, or worker run; if it has another data directory, say which with --data-dir or PROSPECTOR_DATA_DIR")
}

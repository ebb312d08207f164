// Command generate writes both partners' files, as the partners deliver them, and prints what is
// in them as JSON.
package main

import (
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"prospector/testdata/partnerdata"
)

func main() {
	out := flag.String("out", ".", "folder to write acme.csv.gz and merk.psv to")
	acme := flag.Int("acme", 20_000, "rows of Acme's file")
	merk := flag.Int("merk", 5_000, "rows of Merk's file")
	seed := flag.Uint64("seed", 1, "seed")
	flag.Parse()
	if err := run(*out, *acme, *merk, *seed); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(folder string, acmeRows, merkRows int, seed uint64) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	acme, err := create(filepath.Join(folder, "acme.csv.gz"), func(w io.Writer) (partnerdata.Truth, error) {
		zipped := gzip.NewWriter(w)
		truth, err := partnerdata.Acme(zipped, acmeRows, seed)
		if err != nil {
			return truth, err
		}
		return truth, zipped.Close()
	})
	if err != nil {
		return fmt.Errorf("acme: %w", err)
	}
	merk, err := create(filepath.Join(folder, "merk.psv"), func(w io.Writer) (partnerdata.Truth, error) {
		return partnerdata.Merk(w, merkRows, seed)
	})
	if err != nil {
		return fmt.Errorf("merk: %w", err)
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]partnerdata.Truth{"acme": acme, "merk": merk})
}

func create(path string, write func(io.Writer) (partnerdata.Truth, error)) (partnerdata.Truth, error) {
	file, err := os.Create(path)
	if err != nil {
		return partnerdata.Truth{}, err
	}
	defer file.Close()
	truth, err := write(file)
	if err != nil {
		return truth, err
	}
	return truth, file.Close()
}

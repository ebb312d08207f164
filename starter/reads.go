package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"prospector/internal/api"
)

// reads are the commands that look into a worker's stores. They ask the worker on this machine, never Temporal.
type reads struct {
	*shared
	dataDir *string
}

// dataDirVariable names the data directory for whoever does not write --data-dir each time.
const dataDirVariable = "PROSPECTOR_DATA_DIR"

func dataDirFlag(flags *pflag.FlagSet) *string {
	return flags.String("data-dir", cmp.Or(os.Getenv(dataDirVariable), ".prospector"), "the worker's data directory; unless said, $"+dataDirVariable+", else .prospector")
}

// newReads makes a command that has reads below it.
func newReads(s *shared, use, short, long string, commands ...func(r *reads) *cobra.Command) *cobra.Command {
	r := &reads{shared: s}
	c := &cobra.Command{Use: use, Short: short, Long: long + "\n\nThe worker that runs on the data directory answers; nothing of it passes through Temporal.", Args: arguments(cobra.NoArgs), RunE: help}
	r.dataDir = dataDirFlag(c.PersistentFlags())
	for _, each := range commands {
		c.AddCommand(each(r))
	}
	return c
}

func (r *reads) connect() (*api.Client, error) { return api.Connect(*r.dataDir) }

// show prints an answer, as JSON or for people.
func (r *reads) show(answer any, err error, people func() error) error {
	switch {
	case err != nil:
		return err
	case r.asJSON:
		return printJSON(os.Stdout, answer)
	}
	return people()
}

// query is what of the flags was given.
type query url.Values

func (q query) set(name, value string) {
	if value != "" {
		q[name] = []string{value}
	}
}

// limited adds the size of a page and where it begins.
func (q query) limited(limit int, after string) url.Values {
	q.set("limit", strconv.Itoa(limit))
	q.set("after", after)
	return url.Values(q)
}

// printNext says how to go on.
func printNext(next string) {
	if next != "" {
		fmt.Printf("\nThere are more; go on with: --after %s\n", next)
	}
}

// shown is a value on one line, and without what a terminal would take for a command: values are partners' bytes.
func shown(value any) string {
	if text, ok := value.(string); ok {
		return printable(text)
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		return "?"
	}
	return visible(string(encoded))
}

// brief is a value for a column of a list.
func brief(value any) string {
	const most = 60
	text := []rune(shown(value))
	if len(text) > most {
		return string(text[:most-1]) + "…"
	}
	return string(text)
}

func localTime(at time.Time) string { return at.Local().Format(time.DateTime) }

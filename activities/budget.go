package activities

import "encoding/json"

// A step's result may have 2 MB in all; lists of which nobody knows how long they become keep within less.
const (
	namedAtMost = 100     // entries of a list that a total goes with
	namedBytes  = 1 << 16 // of such a list
	dueBytes    = 1 << 20 // of the list of due files
)

// budget is what a list may still take up.
type budget struct{ entries, bytes int }

func newBudget() budget { return budget{namedAtMost, namedBytes} }

// takes reports whether an entry fits, and counts it.
func (b *budget) takes(entry any) bool {
	text, err := json.Marshal(entry)
	if err != nil || b.entries == 0 || len(text) > b.bytes {
		b.entries = 0 // what comes later would leave a hole
		return false
	}
	b.entries--
	b.bytes -= len(text)
	return true
}

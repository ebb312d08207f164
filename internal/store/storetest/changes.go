package storetest

import (
	"fmt"
	"io"
	"strings"

	"github.com/stretchr/testify/require"

	"prospector/internal/store"
)

// DE-28, DE-35: an incremental export holds, audience by audience, who has come or left since what has arrived; what may have arrived does not
// keep anybody from being told, and whoever may have been sent as active is told as expired.
func changes(f *fixture) {
	d := dataset("d", store.Replace)
	n := store.Namespace{Symbol: "n", Datasets: []store.Dataset{d}}
	day, evaluations := 0, 0
	parts, previous := []string{"", ""}, ""
	load := func(id string, lines ...line) {
		f.Helper()
		day++
		evaluations++
		at, evaluation := began.AddDate(0, 0, day), fmt.Sprintf("e%d", evaluations)
		f.load(d, batch{id: id, lines: lines, at: at})
		out, err := f.Evaluate(f.Context(), at, []store.AudienceScope{f.scope("x", "a = 'Y'", evaluation, previous, d), f.scope("y", "b = 'Y'", evaluation, previous, d)}, nil)
		require.NoError(f, err)
		parts, previous = []string{out[0].Part, out[1].Part}, evaluation
	}
	audiences := []string{"x", "y"}
	rows := map[string]int64{}
	export := func(part, arrived string, told ...string) []string {
		f.Helper()
		q := store.ExportQuery{Namespace: n, AsOf: began.AddDate(0, 0, day), Paths: []string{"id", "a"}, Memberships: parts[:len(audiences)], Delimiter: ",", Terms: store.Terms{Counted: []string{"d"}},
			Standings: &store.Standings{Audiences: audiences, Told: told, Part: part, Changes: true, Arrived: arrived}}
		var files []string
		var err error
		rows, err = f.Export(f.Context(), q, func(r io.Reader) error {
			text, err := io.ReadAll(r)
			files = append(files, strings.Join(strings.Fields(string(text)), " "))
			return err
		})
		require.NoError(f, err)
		return files
	}
	load("b1", line{"leaves", "Y", "Y"}, line{"stays", "Y"})
	require.Equal(f, []string{"leaves,Y,active stays,Y,active", "leaves,Y,active"}, export("t/1.parquet", ""), "everybody is new")
	load("b2", line{"leaves", "N", "Y"}, line{"comes", "Y"})
	second := []string{"comes,Y,active leaves,,expired", ""}
	require.Equal(f, second, export("t/2.parquet", "t/1.parquet", "t/1.parquet"))
	require.Equal(f, second, export("t/again.parquet", "t/1.parquet", "t/1.parquet", "t/2.parquet"), "it may not have arrived")
	require.Equal(f, []string{"", ""}, export("t/3.parquet", "t/2.parquet", "t/2.parquet"), "it has")
	load("b3", line{"comes", "N"}, line{"leaves", "Y"})
	require.Equal(f, []string{"comes,,expired leaves,Y,active", "leaves,,expired"}, export("t/4.parquet", "t/1.parquet", "t/1.parquet", "t/2.parquet"), "what may have been told since counts, too")
	require.Equal(f, []string{"comes,,expired leaves,Y,active", "leaves,,expired"}, export("t/5.parquet", "t/2.parquet", "t/2.parquet"), "who comes back is active again")
	require.Equal(f, map[string]int64{"d": 2}, rows, "members are counted, not who has left before")

	// An audience that is taken out of the activation and put back has not been forgotten.
	audiences = audiences[:1]
	require.Equal(f, []string{""}, export("t/6.parquet", "t/1.parquet", "t/1.parquet"))
	load("b4", line{"leaves"})
	audiences = []string{"x", "y"}
	require.Equal(f, []string{"leaves,,expired", "leaves,,expired"}, export("t/7.parquet", "t/6.parquet", "t/6.parquet"))
}

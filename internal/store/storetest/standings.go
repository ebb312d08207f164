package storetest

import (
	"fmt"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/audience"
	"prospector/internal/store"
)

// DE-23: who was sent as active and may not be so any more is told as expired, whatever the reason, for 30 days and with the identity
// alone; of nobody else a row leaves.
func standings(f *fixture) {
	d := dataset("d", store.Replace)
	n := store.Namespace{Symbol: "n", Datasets: []store.Dataset{d}}
	day, evaluations := 0, 0
	at := func() time.Time { return began.AddDate(0, 0, day) }
	file := func(id string, lines ...line) { f.load(d, batch{id: id, lines: lines, at: at()}) }
	parts, previous := []string{"", ""}, ""
	evaluate := func() {
		f.Helper()
		evaluations++
		evaluation := fmt.Sprintf("e%d", evaluations)
		out, err := f.Evaluate(f.Context(), at(), []store.AudienceScope{f.scope("x", "a = 'Y'", evaluation, previous, d), f.scope("y", "b = 'Y'", evaluation, previous, d)}, nil)
		require.NoError(f, err)
		parts, previous = []string{out[0].Part, out[1].Part}, evaluation
	}
	consent := f.scope("consent", "c IS NULL", "e", "", d).Rule
	names := []string{"x", "y"}
	export := func(told []string, unknown bool, part string) string {
		f.Helper()
		q := store.ExportQuery{Namespace: n, AsOf: at(), Paths: []string{"id", "a"}, Memberships: parts[:len(names)], Delimiter: ",", Terms: store.Terms{Consent: []*audience.Rule{consent}},
			Standings: &store.Standings{Audiences: names, Told: told, Unknown: unknown, Part: part}}
		return strings.Join(strings.Fields(f.exported(q)), " ")
	}

	file("b1", line{"never", "Y"}, line{"leaves", "Y", "Y"}, line{"objects", "Y"}, line{"stays", "Y"}, line{"half", "Y", "Y"})
	file("b2", line{"undone", "Y"})
	evaluate()
	file("b3", line{"never"})
	evaluate()
	require.Equal(f, "half,Y,active,active leaves,Y,active,active objects,Y,active, stays,Y,active, undone,Y,active,", export(nil, false, "t/1.parquet"), "never was sent to nobody")
	require.Contains(f, export(nil, true, "t/unknown.parquet"), "never,,expired,", "or it is not known that it was not")

	day++
	file("b4", line{"leaves", "N", "N"}, line{"objects", "Y", "", "stop"}, line{"half", "N", "Y"}, line{"comes", "Y"})
	f.delete(d, "b2", false)
	require.Equal(f, "half,N,active,active leaves,N,active,active objects,,expired, stays,Y,active, undone,,expired,",
		export([]string{"t/1.parquet"}, false, "t/again.parquet"), "before the next evaluation: who objects, or is gone, is told at once")
	evaluate()
	require.Equal(f, "comes,Y,active, half,N,expired,active leaves,,expired,expired objects,,expired, stays,Y,active, undone,,expired,", export([]string{"t/1.parquet", "t/again.parquet"}, false, "t/2.parquet"))

	day = 20
	file("b5", line{"objects", "Y"}, line{"stays", "Y"}, line{"comes", "Y"}, line{"half", "N", "Y"})
	evaluate()
	third := export([]string{"t/2.parquet"}, false, "t/3.parquet")
	require.Equal(f, "comes,Y,active, half,N,expired,active leaves,,expired,expired objects,Y,active, stays,Y,active, undone,,expired,", third, "who agrees again is active again")
	require.Equal(f, third, export([]string{"t/2.parquet"}, false, "t/3.parquet"), "again, the same")

	day = 32
	evaluate()
	require.Equal(f, "comes,Y,active, half,N,,active objects,Y,active, stays,Y,active,", export([]string{"t/3.parquet"}, false, "t/4.parquet"), "told for 30 days")
	day = 60 // nobody has refreshed them
	evaluate()
	day = 95
	evaluate()
	require.Equal(f, "comes,,expired, half,,,expired objects,,expired, stays,,expired,", export([]string{"t/4.parquet"}, false, "t/5.parquet"), "there was no delivery for long: told once at least")
	day = 126
	require.Empty(f, export([]string{"t/5.parquet"}, false, "t/6.parquet"))

	// An audience that is taken out of the activation and put back has not been forgotten.
	file("b6", line{"both", "Y", "Y"})
	evaluate()
	require.Equal(f, "both,Y,active,active", export([]string{"t/6.parquet"}, false, "t/7.parquet"))
	names = names[:1]
	require.Equal(f, "both,Y,active", export([]string{"t/7.parquet"}, false, "t/8.parquet"))
	day++
	file("b7", line{"both", "Y", "N"})
	evaluate()
	names = []string{"x", "y"}
	require.Equal(f, "both,Y,active,expired", export([]string{"t/8.parquet"}, false, "t/9.parquet"))
}

package nomenclature_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/nomenclature"
)

func TestCorrelation(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"HS 2022,HS 2028,Remarks\n6109.10,6109.11,\n610990,ex 6109.91,split\n6109.90,6109.92,\n847130,,gone\n640399,640399,same\n",
		"HS 2028;HS 2022;Remarks\n6109.11;ex 6109.10;\n6109.91;6109.90;\n6109.92;6109.90;\n-;8471.30;\n640399;640399;\n",
	} {
		if strings.HasPrefix(text, "HS 2028") {
			text = strings.Replace(text, "-;", ";", 1)
		}
		c, err := nomenclature.ReadCorrelation("t.csv", strings.NewReader(text))
		require.NoError(t, err)
		assert.Equal(t, 2022, c.From)
		assert.Equal(t, 2028, c.To)
		assert.Equal(t, []string{"610911"}, c.Becomes("610910"))
		assert.Equal(t, []string{"610991", "610992"}, c.Becomes("610990"))
		assert.Empty(t, c.Becomes("847130"))
		assert.Equal(t, []string{"640399"}, c.Becomes("640399"))
		assert.Equal(t, []string{"010121"}, c.Becomes("010121"), "what is not named stays")
	}
}

func TestCorrelationSaysWhere(t *testing.T) {
	t.Parallel()
	const head = "HS 2022,HS 2028,Remarks\n6109.10,6109.11,\n"
	for text, wrong := range map[string]string{
		"":                                 "t.csv:1:1: the file is empty",
		"HS 2022,HS 2028\n":                "t.csv:1:1: there is no line in it",
		"old,new\n610910,610911\n":         "t.csv:1:1: want two columns of codes whose names hold the years of the editions, such as HS 2022,HS 2028,remarks; there are old, new",
		"HS 2022,Remarks\n610910,x\n":      "t.csv:1:1: want two columns of codes whose names hold the years of the editions, such as HS 2022,HS 2028,remarks; there are HS 2022, Remarks",
		"HS 2022,HS 2022\n610910,610911\n": "t.csv:1:9: both columns are of 2022",
		head + "6109.1A,6109.12,\n":        `t.csv:3:1: "6109.1A" is no code: a code is six digits, which a dot may part`,
		head + "6109.90,6109.1,\n":         "t.csv:3:9: 6109.1 has 5 digits: the codes of the table have six",
		head + "6109.99,6109.12,\n":        "t.csv:3:1: 6109.99 is no subheading of HS 2022",
		head + "6109.90,6109.12\n":         "t.csv:3:1: the row has 2 cells, the first has 3",
		head + ",,x\n":                     "t.csv:3:1: the line has no code",
	} {
		_, err := nomenclature.ReadCorrelation("t.csv", strings.NewReader(text))
		assert.EqualError(t, err, wrong)
	}
}

// Whatever is in a table, it is read or it is pointed at.
func FuzzReadCorrelation(f *testing.F) {
	for _, seed := range []string{"HS 2022,HS 2028,Remarks\nex 6109.10,6109.11,\n", "HS 2028;HS 2022\n;847130\n", "2022,2028\n\"", "2022\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := nomenclature.ReadCorrelation("x.csv", strings.NewReader(text))
		if err != nil {
			assert.Regexp(t, `^x\.csv:\d+:\d+: `, err.Error())
			return
		}
		assert.Less(t, c.From, c.To)
		c.Becomes("610910")
	})
}

func TestInForce(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	for request, want := range map[string]string{
		`{"countryOfDestination":"US"}`:                     "HS 2022, HTS 2026",
		`{"items":[{"country":"de"},{"country" : "FR"}]}`:   "HS 2022, CN 2026",
		`{"items":[{"country":"US"},{"country":"FR"}]}`:     "HS 2022",
		`{"items":[{"country":"US"},{"destination":"GB"}]}`: "HS 2022",
		`{"description":"US"}`:                              "HS 2022",
		``:                                                  "HS 2022",
	} {
		assert.Equal(t, want, nomenclature.InForce(day, []byte(request)), request)
	}
	assert.Equal(t, "HS 2028, HTS 2028", nomenclature.InForce(time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC), []byte(`{"country":"US"}`)))
}

package check_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/check"
	"github.com/hsharness/hsharness/cmd/internal/selection"
	"github.com/hsharness/hsharness/internal/recording"
)

func bought(request, response string, states ...recording.State) *recording.Recording {
	r := &recording.Recording{Key: "0123456789abcdef", File: "recordings/x/0123456789ab.json"}
	for _, s := range append(states, recording.Answer) {
		r.Takes = append(r.Takes, recording.Take{
			State: s, RecordedAt: time.Now(),
			Request: recording.Message{Body: []byte(request)}, Response: recording.Message{Status: 200, Body: []byte(response)},
		})
	}
	return r
}

// A code is judged for the destination that stands nearest to it.
func TestLegal(t *testing.T) {
	t.Parallel()
	const us, de, gb = `{"countryOfDestination":"US"}`, `{"item":{"destination":"de"}}`, `{"country":"GB"}`
	for _, tt := range []struct{ request, response, found string }{
		{us, `{"hsCode":"6109100012","confidence":0.9}`, ""},
		{us, `{"hsCode":"6109.10.00.00"}`, "/hsCode (US): 6109.10.00.00 is no line of HTS 2026: under 610910 there are 14, from 6109100004 to 6109100070"},
		{us, `{"a":[{"b":{"htsCode":6109100000}}]}`, "/a/0/b/htsCode (US): 6109100000 is no line"},
		{us, `{"hsCode":"61091000","countryOfDestination":"DE"}`, ""},
		{de, `{"predictions":[{"code":"61091010"}]}`, "/predictions/0/code (DE): 61091010 is no line of CN 2026"},
		{gb, `{"hsCode":"6109100010"}`, "/hsCode (GB): 6109100010 can't be judged: there is no schedule for GB"},
		{gb, `{"hsCode":"6199990010"}`, "/hsCode (GB): 6199990010 is no code of HS 2022"},
		{`{}`, `{"hsCode":"610910"}`, ""},
		{`{}`, `{"hsCode":"999999"}`, "/hsCode: 999999 is no code of HS 2022"},
		{us, `{"hsCode":"6109100012","heading":"6109","subheading":"610910","hs6":"610910"}`, ""},
		{us, `{"hsCode":"6109100012","heading":"6199"}`, "/heading (US): 6199 does not exist in HS 2022"},
		{`{"activity":"HS6","countryOfDestination":"US"}`, `{"hsCode":"610910"}`, ""},
		{us, `{"hsCode":"610910"}`, "/hsCode (US): 610910 can't be declared in US"},
		{`{"items":[{"country":"US"},{"country":"DE"}]}`, `{"items":[{"hsCode":"6109100012"},{"hsCode":"61091000"}]}`, ""},
		{`{"items":[{"country":"US"},{"country":"DE"}]}`, `{"items":[{"hsCode":"61091000"},{"hsCode":"61091000"}]}`, "/items/0/hsCode (US): 61091000 is no line"},
		{us, `{"hsCode":"6109100012"}` + "\n" + `{"hsCode":"6109100000"}`, "/1/hsCode (US): 6109100000 is no line"},
		{us, `{"hsCode":"6109100012"} and a code: 6109100000`, "(US): 6109100000 is no line"},
		{us, `{"id":"6109100000","sku":"6109100000"}`, ""},
	} {
		r := check.Legal(slices.Values([]*recording.Recording{bought(tt.request, tt.response)}), nil)
		var out strings.Builder
		r.Print(&out)
		if tt.found == "" {
			assert.Empty(t, r.Illegal, tt.response)
			assert.Empty(t, r.Unjudged, tt.response)
		} else {
			assert.Len(t, append(r.Illegal, r.Unjudged...), 1, tt.response)
			assert.Contains(t, out.String(), "recordings/x/0123456789ab.json "+tt.found)
		}
	}
}

// What waits to be accepted is looked at; what never answers is not.
func TestTakesThatAreLookedAt(t *testing.T) {
	t.Parallel()
	r := check.Legal(slices.Values([]*recording.Recording{bought(`{"country":"US"}`, `{"hsCode":"6109100000"}`, recording.Evidence, recording.Pending)}), nil)
	assert.Equal(t, 2, r.Codes)
	require.Len(t, r.Illegal, 2)
	assert.Equal(t, 2, r.Illegal[0].Take)
	assert.Equal(t, "HTS 2026", r.Illegal[0].Edition)
}

// Codes that move, split or vanish are found in recordings and scenarios.
func TestChanges(t *testing.T) {
	t.Parallel()
	table, err := check.ReadCorrelation("t.csv", strings.NewReader("HS 2022,HS 2028,Remarks\n610910,610911,\n610990,610991,\n610990,610992,\n847130,,\n"))
	require.NoError(t, err)
	scenario := selection.Source{Name: "scenarios/a.yaml", Data: []byte("steps:\n  - body: { hs6: \"8471.30\", sku: 847130 }\n    expect: { json: { hsCode: \"/^610910/\", code: 6109900000 } }\n    note: { hsCode: \"/^6109/\" }\n")}
	r := table.Changes(slices.Values([]*recording.Recording{bought(`{}`, `{"hsCode":"6109100012","other":{"hsCode":"6403990000"}}`)}), []selection.Source{scenario})
	var out strings.Builder
	r.Print(&out)
	assert.Equal(t, `recordings/x/0123456789ab.json /hsCode: 6109100012 moves to 610911
scenarios/a.yaml:2:19: 8471.30 vanishes
scenarios/a.yaml:3:34: 610910 moves to 610911
scenarios/a.yaml:3:50: 6109900000 splits into 610991, 610992
4 of 5 codes change from HS 2022 to HS 2028
`, out.String())

	// What says that it is of the newer edition is left as it is.
	newer := bought(`{}`, `{"hsCode":"6109100012"}`)
	newer.Takes[0].Edition = "HS 2028, HTS 2028"
	of := func(edition string) selection.Source {
		return selection.Source{Name: "b.yaml", Data: []byte("version: 1\nname: b\nedition: " + edition + "\nsteps:\n  - request: POST /hscode/classify_from_hs6\n    body: { items: [ { hs6: \"610910\" } ] }\n")}
	}
	assert.Empty(t, table.Changes(slices.Values([]*recording.Recording{newer}), []selection.Source{of("HS 2028")}).Changed)
	assert.Len(t, table.Changes(slices.Values([]*recording.Recording(nil)), []selection.Source{of("HS 2022, HTS 2026")}).Changed, 1)
}

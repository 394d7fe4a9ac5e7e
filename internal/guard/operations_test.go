package guard_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/guard"
)

func TestBuiltinPrices(t *testing.T) {
	tests := []struct {
		method, path, body string
		units              int
	}{
		{"POST", "/hscode/classify", `{}`, 1},
		{"POST", "/hscode/hints", ``, 1},
		{"POST", "/hscode-enhanced/classify", ``, 1},
		{"POST", "/hscode/classify_from_hs6", `{"items":[{},{},{}]}`, 3},
		{"POST", "/hscode/classify_from_hs6", `{"items":[]}`, 1},
		{"POST", "/api/v2/companies/17/classifications/hs", `{}`, 1},
		{"POST", "/api/v2/companies/17/classifications/hs/", `{}`, 1},
		{"GET", "/api/v2/companies/17/classifications/hs/17-SKU-US", ``, 0},
	}
	for _, tt := range tests {
		price, err := guard.BuiltinOperations().Price(tt.method, tt.path, []byte(tt.body))
		require.NoError(t, err, "%s %s", tt.method, tt.path)
		assert.Equal(t, tt.units, price.Units, "%s %s %s", tt.method, tt.path, tt.body)
	}
}

func TestPriceOfWhatNoRuleKnows(t *testing.T) {
	for _, request := range []string{
		"GET /hscode/classify", "POST /", "POST /api/v2/companies/17/classifications", "POST /api/v2/companies/1/2/classifications/hs",
		"post /hscode/classify", "POST /HSCODE/classify",
	} {
		method, path, _ := strings.Cut(request, " ")
		_, err := guard.BuiltinOperations().Price(method, path, nil)
		var unknown *guard.UnknownOperationError
		require.ErrorAs(t, err, &unknown, request)
		assert.ErrorContains(t, err, "operations: [ { match: \""+request+"\"", "it must name the rule to add")
	}
}

// TestOtherSpellingsOfAKnownPathAreUnknown: a batch must not be priced as one
// request because of how its path is written.
func TestOtherSpellingsOfAKnownPathAreUnknown(t *testing.T) {
	batch := "/hscode/classify_from_hs6"
	for _, path := range []string{
		batch + ";x=1", batch + ";", batch + "%20", batch + "%00", batch + "%09", batch + "%0a", batch + ".json", batch + ".JSON", batch + ".", batch + "~", batch + "-", batch + "_",
		batch + ",x", batch + "+", batch + "=1", batch + "&x", batch + "$", batch + "%2f", batch + "%3Fx=1", batch + "%23", batch + "/x", batch + "/x/y", batch + "//", batch + "/.", batch + "/%2e",
		"/hscode/classify%5Ffrom_hs6", "/hscode/classify%5ffrom_hs6", "/hscode/classify%255ffrom_hs6", "/hscode/%63lassify_from_hs6", "/hscode%2Fclassify_from_hs6",
		"/hscode/Classify_from_hs6", "/hscode/CLASSIFY_FROM_HS6", "/hscode;v=1/classify_from_hs6", "/hscode//classify_from_hs6", "/hscode/./classify_from_hs6", "/hscode/x/../classify_from_hs6",
		"/hscode/%2e/classify_from_hs6", "/hscode/x/%2e%2e/classify_from_hs6", `/hscode/x\..\classify_from_hs6`, "/hscode/x%5C..%5Cclassify_from_hs6",
		"/hscode-enhanced/classify_from_hs6", "/hscode/v2/classify_from_hs6", "/hscode/%EF%BD%83lassify_from_hs6", "/hscode/classify_from_hs6%EF%BC%8Ejson",
		"/hscode/classify-from-hs6", "/hscode/classifyfromhs6", "/hscode/(classify_from_hs6)", "/hscode/_classify_from_hs6", "/hscode/$classify_from_hs6", "/hscode/v2/classify-from_hs6",
		"/hscode/classify;x=1", "/hscode/classify.json", "/hscode/Classify", "/hscode/classify%20", "/hscode/%63lassify", "/hscode/hints.xml", "/hscode-enhanced/classify;", "/hscode-enhanced/Classify",
		"/hscode/other%20thing", "/hscode/x/../other", "/hscode//other", "/hscode/./other", "/hscode/other;x=1", "/api/v2/companies/1/classifications/hs;x=1", "/api/v2/companies/1%2F2/classifications/hs", "/api/v2/companies/1/classifications/HS",
	} {
		_, err := guard.BuiltinOperations().Price("POST", path, []byte(`{"items":[1,2,3]}`))
		var unknown *guard.UnknownOperationError
		if assert.ErrorAs(t, err, &unknown, path) {
			assert.ErrorContains(t, err, "operations: [ { match: ", path)
		}
	}
	for path, units := range map[string]int{
		batch: 3, batch + "/": 3, "/hscode/classify": 1, "/hscode/classify/": 1, "/hscode/classify_v2": 1, "/hscode/other.json": 1, "/hscode-enhanced/other": 1,
		"/api/v2/companies/a-B_c.d:e/classifications/hs": 1,
	} {
		price, err := guard.BuiltinOperations().Price("POST", path, []byte(`{"items":[1,2,3]}`))
		require.NoError(t, err, path)
		assert.Equal(t, units, price.Units, path)
	}
}

// TestRuleToAddMakesASpellingKnown: the rule that the error names is enough.
func TestRuleToAddMakesASpellingKnown(t *testing.T) {
	for _, path := range []string{"/hscode/classify_from_hs6;x=1", "/hscode/classify_from_hs6%20", "/hscode/classify_from_hs6.json", "/hscode/Classify_from_hs6", "/hscode/v2/classify_from_hs6"} {
		ops := append(guard.Operations{{Match: "POST " + path, Cost: 1, Items: "/items"}}, guard.BuiltinOperations()...)
		price, err := ops.Price("POST", path, []byte(`{"items":[1,2,3]}`))
		require.NoError(t, err, path)
		assert.Equal(t, 3, price.Units, path)
	}
	ops := append(guard.Operations{{Match: "POST /hscode/jobs", Cost: 5, Items: "/items"}, {Match: "POST /hscode/jobs/*", Cost: 2}}, guard.BuiltinOperations()...)
	price, err := ops.Price("POST", "/hscode/jobs/7", nil)
	require.NoError(t, err, "a rule that spells the name out knows better")
	assert.Equal(t, 2, price.Units)
	_, err = ops.Price("POST", "/hscode/jobs.json", []byte(`{"items":[1]}`))
	assert.Error(t, err)
	ops = append(ops[:2:2], guard.Operation{Match: "POST /hscode/jobs.json", Cost: 1})
	price, err = ops.Price("POST", "/hscode/jobs.json", nil)
	require.NoError(t, err)
	assert.Equal(t, 1, price.Units)
	ops = append(guard.Operations{{Match: "POST /hscode/a%2Fb/**", Cost: 1}}, guard.BuiltinOperations()...)
	ops = append(guard.Operations{{Match: "POST /hscode/classify_from_hs6", Cost: 1, Items: "/items"}}, ops...)
	_, err = ops.Price("POST", "/hscode/a%2Fb/classify_from_hs6", []byte(`{"items":[1]}`))
	assert.Error(t, err, "an escaped slash makes two segments of one")
}

func TestPriceOfItemsThatCannotBeCounted(t *testing.T) {
	for name, body := range map[string]string{
		"no JSON":              `items`,
		"nothing there":        `{"item":[]}`,
		"no array":             `{"items":{"a":1}}`,
		"null":                 `{"items":null}`,
		"not an object":        `[1,2]`,
		"twice":                `{"items":[1],"items":[1,2,3]}`,
		"twice, another case":  `{"items":[1],"Items":[1,2,3]}`,
		"only in another case": `{"ITEMS":[1,2,3]}`,
	} {
		_, err := guard.BuiltinOperations().Price("POST", "/hscode/classify_from_hs6", []byte(body))
		var uncountable *guard.UncountableError
		assert.ErrorAs(t, err, &uncountable, name)
	}
}

func TestFirstMatchingOperationWins(t *testing.T) {
	ops := append(guard.Operations{{Match: "POST /hscode/hints", Cost: 0}}, guard.BuiltinOperations()...)
	require.NoError(t, ops.Validate())
	price, err := ops.Price("POST", "/hscode/hints", nil)
	require.NoError(t, err)
	assert.Equal(t, guard.Price{Units: 0, Operation: "POST /hscode/hints"}, price)
}

func TestItemsMayLieDeep(t *testing.T) {
	ops := guard.Operations{{Match: "POST /x", Cost: 2, Items: "/a~1b/0/c"}}
	price, err := ops.Price("POST", "/x", []byte(`{"a/b":[{"c":[1,2]}]}`))
	require.NoError(t, err)
	assert.Equal(t, 4, price.Units)
}

func TestValidateOperations(t *testing.T) {
	for want, ops := range map[string]guard.Operations{
		"is not a method and a path": {{Match: "/hscode/hints"}},
		"is no pattern":              {{Match: "POST /a[/b"}},
		"is negative":                {{Match: "POST /a", Cost: -1}},
		"is no JSON pointer":         {{Match: "POST /a", Cost: 1, Items: "items"}},
		"is never reached":           {{Match: "POST /hscode*/**", Cost: 1}, {Match: "POST /hscode/hints"}},
	} {
		assert.ErrorContains(t, ops.Validate(), want)
	}
	assert.NoError(t, guard.BuiltinOperations().Validate())
	many := make(guard.Operations, 1001)
	for i := range many {
		many[i] = guard.Operation{Match: fmt.Sprintf("POST /a/%d", i)}
	}
	assert.NoError(t, many[1:].Validate())
	assert.EqualError(t, many.Validate(), "1001 operations are more than 1000: let a wildcard stand for those that cost the same")
	assert.EqualError(t, many.ValidateLast(), "1001 operations are more than 1000: let a wildcard stand for those that cost the same")
	long := "POST /" + strings.Repeat("x", 994)
	assert.NoError(t, guard.Operations{{Match: long, Items: long[5:]}}.Validate())
	assert.ErrorContains(t, guard.Operations{{Match: long + "x"}}.Validate(), "may have 1000 bytes each")
	assert.ErrorContains(t, guard.Operations{{Match: "POST /a", Items: long[5:] + "xxxxxx"}}.Validate(), "may have 1000 bytes each")
}

// Several ** are each any number of segments, and take no longer than one.
func TestSeveralWildcardsOfSegments(t *testing.T) {
	t.Parallel()
	for match, paths := range map[string]map[string]bool{
		"POST /**/a/**/b": {
			"/a/b": true, "/a/x/b": true, "/x/a/a/y/b": true, "/a/b/b": true, "/b/a/b": true,
			"/a": false, "/b/a": false, "/x/a/b/c": false, "/": false, "/x%20/a/b": false, "/a/x;y/b": false,
		},
		"POST /**/**":         {"/": true, "/a": true, "/a/b/c": true, "/a/%41/c": false},
		"POST /a%2Fb/**/c/**": {"/a%2Fb/c": true, "/a%2Fb/x/c/y": true, "/a%2Fb/x%2F/c": false, "/c": false},
		"POST /**/v*/**/x?":   {"/v1/x1": true, "/a/v/b/xx/": true, "/v1/x": false, "/v1%20/x1": false},
	} {
		for path, is := range paths {
			_, err := guard.Operations{{Match: match, Cost: 1}}.Price("POST", path, nil)
			assert.Equal(t, is, err == nil, "%s %s", match, path)
		}
	}
	none := make(chan error)
	go func() {
		_, err := guard.Operations{{Match: "POST /" + strings.Repeat("**/a/", 30) + "b", Cost: 1}}.Price("POST", strings.Repeat("/a", 1000), nil)
		none <- err
	}()
	select {
	case err := <-none:
		assert.Error(t, err)
	case <-time.After(20 * time.Second):
		t.Error("each is tried against each other")
	}
}

func FuzzPrice(f *testing.F) {
	f.Add("POST", "/hscode/classify_from_hs6", []byte(`{"items":[1]}`))
	f.Add("POST", "//hscode//classify/", []byte(`{"items":[1],"items":[]}`))
	f.Fuzz(func(t *testing.T, method, path string, body []byte) {
		price, err := guard.BuiltinOperations().Price(method, path, body)
		if err == nil && price.Units < 0 {
			t.Errorf("%s %s costs %d", method, path, price.Units)
		}
		if err == nil && method == "POST" && price.Units == 0 {
			t.Errorf("%s %s is free", method, path)
		}
	})
}

func TestModes(t *testing.T) {
	for i, name := range guard.ModeNames() {
		m, err := guard.ParseMode(name)
		require.NoError(t, err)
		assert.Equal(t, guard.Mode(i), m)
		assert.Equal(t, name, m.String())
	}
	_, err := guard.ParseMode("Live")
	assert.Error(t, err)
	assert.Equal(t, guard.Limit{Mode: guard.Replay, By: "policy.ci"},
		guard.Lowest(guard.Limit{Mode: guard.Live, By: "--mode"}, guard.Limit{Mode: guard.Replay, By: "policy.ci"}, guard.Limit{Mode: guard.Replay, By: "file"}))
	assert.Equal(t, guard.Offline, guard.Lowest().Mode)
}

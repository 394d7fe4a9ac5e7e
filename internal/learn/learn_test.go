package learn_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/learn"
	"github.com/hsharness/hsharness/internal/mockapi"
	"github.com/hsharness/hsharness/internal/mockapi/shape"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/services"
)

// recorded is a recording of a request to an operation, as a store reads it.
func recorded(i int, path, request string, status int, answer string) *recording.Recording {
	at := time.Date(2026, 5, 1, 10, 0, i, 0, time.UTC)
	return &recording.Recording{
		Key: fmt.Sprintf("%064x", 7919*(i+1)%101), Inputs: recording.Inputs{Method: http.MethodPost, Path: path},
		Takes: []recording.Take{{
			RecordedAt: at, Request: recording.Message{Body: []byte(request)},
			Response: recording.Message{Status: status, Body: []byte(answer), Header: http.Header{"Content-Type": {"application/json"}}},
		}},
	}
}

// template learns from answers to as many goods and gives the template of the first case.
func template(t *testing.T, answers ...string) string {
	t.Helper()
	var recs []*recording.Recording
	for i, a := range answers {
		recs = append(recs, recorded(i, "/hscode/classify", fmt.Sprintf(`{"description":%q,"country":"US","size":%d}`, goodsNo(i), i%2), 200, a))
	}
	result := learn.From(slices.Values(recs))
	require.Len(t, result.Operations, 1, "%v", result.Left)
	return string(result.Operations[0].Answers[0].Body)
}

// TestWhatOneAnswerTells: one recording is enough for a shape; what one can't tell is
// taken for constant and said.
func TestWhatOneAnswerTells(t *testing.T) {
	t.Parallel()
	assert.Equal(t, `{"id":"$uuid","hsCode":"$code ####.##","sure":0.5,"v":"2","to":"$echo /country","at":"$time 2006-01-02T15:04:05Z07:00"}`,
		template(t, `{"id":"0d1f9a80-1111-4222-8333-abcdefabcdef","hsCode":"6109.10","sure":0.5,"v":"2","to":"US","at":"2026-05-01T10:00:01Z"}`))
	result := learn.From(slices.Values([]*recording.Recording{recorded(0, "/hscode/classify", `{"description":"laptop"}`, 200, `{"hsCode":"8471.30","v":"2"}`)}))
	assert.Contains(t, result.Operations[0].Assumed, `found, /v: it is always "2", as in the one answer that has it`)
}

func TestWhatSeveralTell(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ want, one, two, three string }{
		{`{"hs":"$code ######","c":"$confidence 0.##"}`, `{"hs":"610910","c":0.9}`, `{"hs":"847130","c":0.87}`, `{"hs":"940520","c":1}`},
		{`{"hs":"$code ######","confidence":"$confidence text percent 0 then %"}`, `{"hs":"610910","confidence":"90%"}`, `{"hs":"847130","confidence":"7%"}`, `{"hs":"940520","confidence":"50%"}`},
		{`{"hs":"$code number ##########"}`, `{"hs":6109100000}`, `{"hs":901210000}`, `{"hs":9405200000}`},
		{`{"hs":"$code ######","n":"$echo /size"}`, `{"hs":"610910","n":0}`, `{"hs":"847130","n":1}`, `{"hs":"940520","n":0}`},
		{`{"hs":"$code ######","x":{"$by":"/size","is":{"0":"small","1":"large"},"else":"small"}}`, `{"hs":"610910","x":"small"}`, `{"hs":"847130","x":"large"}`, `{"hs":"940520","x":"small"}`},
		{`{"hs":"$code ######","$$x":"$$y"}`, `{"hs":"610910","$x":"$y"}`, `{"hs":"847130","$x":"$y"}`, `{"hs":"940520","$x":"$y"}`},
		{`{"hs":"$code ######","duty":{"$seen":[3.9,16.5,0.0]}}`, `{"hs":"610910","duty":16.5}`, `{"hs":"847130","duty":0.0}`, `{"hs":"940520","duty":3.9}`},
		{`{"hs":"$code ######","on":"$time 2006-01-02T15:04:05.9999Z07:00"}`, `{"hs":"610910","on":"2026-05-01T10:00:01.25Z"}`, `{"hs":"847130","on":"2026-05-01T10:00:02.1234Z"}`, `{"hs":"940520","on":"2026-05-01T10:00:03.5Z"}`},
		{`{"hs":"$code ######","since":"2022-01-01"}`, `{"hs":"610910","since":"2022-01-01"}`, `{"hs":"847130","since":"2022-01-01"}`, `{"hs":"940520","since":"2022-01-01"}`},
		{`{"a":1,"hs":"$code ######","z":null}`, `{"a":1,"hs":"610910","z":null}`, `{"a":1,"hs":"847130","b":2,"z":null}`, `{"a":1,"hs":"940520","z":null}`},
		{`{"lines":{"$each":"found","least":1,"most":2,"item":{"hs":"$code ######"}},"count":"$count found 2"}`,
			`{"lines":[{"hs":"610910"},{"hs":"610990"}],"count":2}`, `{"lines":[{"hs":"847130"}],"count":1}`, `{"lines":[{"hs":"940520"},{"hs":"940510"}],"count":2}`},
		{`{"codes":{"$each":"found","least":2,"most":3,"item":"$code ####.##"}}`, `{"codes":["6109.10","6109.90"]}`, `{"codes":["8471.30","8471.41","8471.49"]}`, `{"codes":["9405.20","9405.10"]}`},
	} {
		assert.Equal(t, c.want, template(t, c.one, c.two, c.three))
	}
}

// TestWhatTeachesNothing: evidence, what waits, what is no JSON, quarantine and the managed
// API, each named with why; and no secret gets into what is written.
func TestWhatTeachesNothing(t *testing.T) {
	t.Parallel()
	const path = "/hscode/classify"
	good := recorded(0, path, `{"description":"laptop"}`, 200, `{"hsCode":"8471.30","note":"open sesame 4711"}`)
	busy := recorded(1, path, `{"description":"mug"}`, 503, `{}`)
	limited := recorded(2, path, `{"description":"mug"}`, 429, `{}`)
	pending := recorded(3, path, `{"description":"mug"}`, 200, `{"hsCode":"6912.00"}`)
	pending.Takes[0].State = recording.Pending
	managed := recorded(4, "/api/v2/companies/1/classifications/hs", `{}`, 201, `{}`)
	page := recorded(5, "/hscode/hints", `{"description":"mug"}`, 200, `<html>`)
	result := learn.From(slices.Values([]*recording.Recording{good, busy, limited, pending, managed, page}))
	require.Len(t, result.Operations, 1)
	assert.Equal(t, []string{good.Key[:12]}, result.Operations[0].Learned.Recordings)
	why := map[string]int{}
	for _, l := range result.Left {
		why[l.Why]++
	}
	assert.Equal(t, map[string]int{
		"its answer is 503, which says nothing about what was asked": 1, "its answer is 429, which says nothing about what was asked": 1,
		"what it holds waits to be accepted": 1, "the shape of the managed API is verified, and is not learned": 1,
		"no recording of it has a request and an answer in JSON that succeeded": 1,
	}, why)

	dir := t.TempDir()
	store, err := recording.Open(recording.Config{Dir: filepath.Join(dir, "recordings")})
	require.NoError(t, err)
	mock := filepath.Join(dir, "mock")
	_, err = learn.Into(mock, store, slices.Values([]*recording.Recording{good}), []recording.Secret{{Name: "client_secret", Value: "open sesame 4711"}})
	require.ErrorContains(t, err, "what was learned of POST /hscode/classify holds client_secret: nothing is written")
	assert.NoDirExists(t, mock)

	kept := recorded(6, path, `{"description":"mug"}`, 200, `{"hsCode":"6912.00","note":"open sesame 4711"}`)
	kept.File = filepath.Join(dir, ".hsharness", "quarantine", "post-hscode-classify", "a.json")
	report, err := learn.Into(mock, store, slices.Values([]*recording.Recording{good, kept}), nil)
	require.NoError(t, err)
	require.Len(t, report.Learned, 1)
	assert.Equal(t, 1, report.Learned[0].Recordings)
	assert.Equal(t, []learn.Left{{What: kept.File, Why: "it is in quarantine, because it holds a secret"}}, report.Left)
}

// TestOrderOfRecordings: the same recordings give the same files, in whatever order.
func TestOrderOfRecordings(t *testing.T) {
	t.Parallel()
	var recs []*recording.Recording
	for i, s := range standIns()[:3] {
		for j := range 5 {
			body, _ := s.ask(j)
			var fields map[string]any
			require.NoError(t, json.Unmarshal([]byte(body), &fields))
			status, answer := s.answer(s, fields, "en")
			recs = append(recs, recorded(10*i+j, fmt.Sprintf("/hscode/%d", i), body, status, answer))
		}
	}
	for i, duty := range []string{"16.5", "3.9", "0.0", "12", "7.25"} {
		recs = append(recs, recorded(50+i, "/hscode/duty", fmt.Sprintf(`{"description":%q}`, goodsNo(i)), 200, `{"hs":"610910","duty":`+duty+`}`))
	}
	texts := func(recs []*recording.Recording) (all []string) {
		for _, op := range learn.From(slices.Values(recs)).Operations {
			text, err := op.Encode("f.json")
			require.NoError(t, err)
			all = append(all, string(text))
		}
		return all
	}
	want := texts(recs)
	require.Len(t, want, 4)
	for range 3 {
		rand.Shuffle(len(recs), func(i, j int) { recs[i], recs[j] = recs[j], recs[i] })
		assert.Equal(t, want, texts(recs))
	}
}

// TestAnyAnswers: whatever was bought, learning does not panic, what it writes can be read,
// and what is rendered of it has the members of what was bought.
func TestAnyAnswers(t *testing.T) {
	t.Parallel()
	leaf := rapid.OneOf(
		rapid.SampledFrom([]string{`"6109.10"`, `"610910"`, `6109100000`, `"0901 21"`, `0.9`, `"0.87"`, `"87 %"`, `null`, `true`, `"US"`, `"$x"`, `""`, `"2026-05-01"`, `"2026-05-01T10:00:00Z"`, `1777629600`, `"0d1f9a80-1111-4222-8333-abcdefabcdef"`, `"R-0017"`, `-1e5`, `"{{secret:token#0011}}"`, `"a {b} 'c' \u2028"`}),
		rapid.Map(rapid.IntRange(0, 3), func(n int) string { return fmt.Sprint(n) }),
		rapid.Map(rapid.String(), quoted),
	)
	var value func(depth int) *rapid.Generator[string]
	value = func(depth int) *rapid.Generator[string] {
		if depth == 0 {
			return leaf
		}
		return rapid.Custom(func(t *rapid.T) string {
			inner := value(depth - 1)
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
				return leaf.Draw(t, "leaf")
			case 1:
				return "[" + strings.Join(rapid.SliceOfN(inner, 0, 3).Draw(t, "items"), ",") + "]"
			}
			var members []string
			for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"hsCode", "confidence", "id", "rank", "count", "text", "lines", "$by", "a/b~", "", "at"}), 0, 4, rapid.ID).Draw(t, "names") {
				members = append(members, quoted(name)+":"+inner.Draw(t, name))
			}
			return "{" + strings.Join(members, ",") + "}"
		})
	}
	rapid.Check(t, func(rt *rapid.T) {
		var recs []*recording.Recording
		for i := range rapid.IntRange(1, 5).Draw(rt, "recordings") {
			status := rapid.SampledFrom([]int{200, 200, 200, 201, 400, 404, 422}).Draw(rt, "status")
			recs = append(recs, recorded(i, "/hscode/classify", value(2).Draw(rt, "request"), status, value(3).Draw(rt, "answer")))
		}
		for _, op := range learn.From(slices.Values(recs)).Operations {
			text, err := op.Encode("f.json")
			if err != nil {
				rt.Fatalf("%v", err)
			}
			read, err := shape.Decode("f.json", text)
			if err != nil {
				rt.Fatalf("%v", err)
			}
			for _, a := range read.Answers {
				rep, ok := read.Render(a.When, shape.Ask{Found: []shape.Match{{Code: "6109100000", Title: "T", Confidence: 0.5}}, ItemsAt: read.Request.Items})
				if !ok || rep.Status != a.Status {
					rt.Fatalf("%s: %d", a.When, rep.Status)
				}
				if _, err := shape.Parse(rep.Body); len(rep.Body) > 0 && err != nil {
					rt.Fatalf("%v: %s", err, rep.Body)
				}
			}
		}
	})
}

// TestRefusalWhereTheCodeStands: an answer that is a code and nothing else does not make a
// code of the text that a refusal has in its place.
func TestRefusalWhereTheCodeStands(t *testing.T) {
	t.Parallel()
	learned := learn.From(slices.Values([]*recording.Recording{
		recorded(0, "/hscode/classify", `[]`, 200, `"6109.10"`), recorded(1, "/hscode/classify", `[]`, 400, `"87 %"`),
	}))
	require.Len(t, learned.Operations, 1)
	text, err := learned.Operations[0].Encode("f.json")
	require.NoError(t, err)
	_, err = shape.Decode("f.json", text)
	require.NoError(t, err, "%s", text)
	assert.Contains(t, string(text), `"$code ####.##"`)
	assert.Contains(t, string(text), `"87 %"`)
}

// TestLearnedAnswersCost: an answer in a learned shape costs what it cost before, and what
// is refused costs nothing.
func TestLearnedAnswersCost(t *testing.T) {
	t.Parallel()
	s := standIns()[3] // a batch
	set := learnt(t, s, s.start(t))
	mock, err := services.New(services.Config{API: mockapi.Config{Learned: set}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, mock.Close()) })
	base, err := mock.APIURL(avalara.Sandbox, avalara.Current)
	require.NoError(t, err)
	token, err := mock.Token(context.Background(), avalara.Sandbox, avalara.ScopeHSCode)
	require.NoError(t, err)
	body, _ := s.ask(8) // three lines
	assert.Equal(t, http.StatusOK, ask(t, base+s.path, token, body, nil).status)
	assert.EqualValues(t, 3, mock.API(avalara.Sandbox).Usage().Served)
	assert.Equal(t, http.StatusBadRequest, ask(t, base+s.path, token, s.bad[1].unseen, nil).status)
	assert.Equal(t, http.StatusBadRequest, ask(t, base+s.path, token, "{", nil).status)
	none := ask(t, base+s.path, token, `{"lines":[{"sku":"SKU-1-1","subheading":"9999.99","to":"US"}]}`, nil)
	assert.Equal(t, http.StatusBadRequest, none.status, "there are no such six digits: %s", none.body)
	assert.Empty(t, none.header.Get("Hsharness-Edition"))
	assert.NotEmpty(t, ask(t, base+s.path, token, body, nil).header.Get("Hsharness-Edition"))
	assert.EqualValues(t, 6, mock.API(avalara.Sandbox).Usage().Served)
	assert.Equal(t, http.StatusUnauthorized, ask(t, base+s.path, "", body, nil).status)
}

// TestAnOperationOfTheirOwn: an operation that no public source names, with its question in
// the query, is served once it was learned.
func TestAnOperationOfTheirOwn(t *testing.T) {
	t.Parallel()
	var recs []*recording.Recording
	for i, code := range []string{"6109.10", "8471.30", "9405.20", "6912.00", "6117.10"} {
		r := recorded(i, "/hscode/v3/find", "", 200, fmt.Sprintf(`{"to":%q,"code":%q}`, place(i), code))
		r.Inputs.Method, r.Inputs.Query = http.MethodGet, url.Values{"goods": {goodsNo(i)}, "to": {place(i)}}.Encode()
		recs = append(recs, r)
	}
	dir := t.TempDir()
	_, err := learn.From(slices.Values(recs)).Write(dir, nil)
	require.NoError(t, err)
	set, err := shape.Read("mock", os.DirFS(dir))
	require.NoError(t, err)
	mock, err := services.New(services.Config{API: mockapi.Config{Learned: set}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, mock.Close()) })
	token, err := mock.Token(t.Context(), avalara.Sandbox, avalara.ScopeHSCode)
	require.NoError(t, err)
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/hscode/v3/find?goods=acoustic+guitar&to=US", nil)
	req.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	mock.API(avalara.Sandbox).Handler(avalara.Current).ServeHTTP(w, req)
	assert.Equal(t, http.StatusOK, w.Code, w.Body)
	assert.Regexp(t, `^\{"to":"US","code":"92\d\d\.\d\d"\}$`, w.Body)
}

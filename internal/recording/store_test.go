package recording_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hsharness/hsharness/internal/recording"
)

func TestMissIsNotDamage(t *testing.T) {
	t.Parallel()
	s, root := open(t, recording.Config{})
	k := s.Key(classify(`{"a":1}`))
	_, err := s.Get(k)
	require.ErrorIs(t, err, recording.ErrMiss)
	assert.EqualError(t, err, "no recording for POST /hscode/classify, key "+k.Sum[:12])

	put(t, s, classify(`{"a":1}`), answer("1"))
	rec, err := s.Get(k)
	require.NoError(t, err)
	good, err := os.ReadFile(rec.File)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		text string
		line int
		want string
	}{
		"empty":          {"", 1, "unexpected end"},
		"cut":            {string(good[:len(good)/2]), 18, "unexpected end"},
		"wrong type":     {strings.Replace(string(good), `"cost": 1`, `"cost": "one"`, 1), 19, "cannot unmarshal"},
		"unknown member": {strings.Replace(string(good), `"cost": 1`, `"costs": 1`, 1), 19, `unknown field "costs"`},
		"newer":          {strings.Replace(string(good), `"format": 1`, `"format": 2`, 1), 2, "recording of format 2, this version reads 1"},
		"no format":      {`{}`, 1, "no format number"},
		"no takes":       {string(good[:bytes.Index(good, []byte(`"takes"`))]) + `"takes": []}`, 0, "no takes"},
		"other inputs":   {strings.Replace(string(good), `"sandbox"`, `"production"`, 1), 3, "but its key_inputs give"},
		"another's take": {strings.Replace(string(good), `      "key": "`+k.Sum[:2], `      "key": "zz`, 1), 17, "take 1 answers another request: its key is zz"},
		"no such state":  {strings.Replace(string(good), `"cost": 1`, `"state": "good", "cost": 1`, 1), 19, `the state "good"`},
		"merge conflict": {"<<<<<<< ours\n" + string(good), 1, "invalid character"},
	} {
		require.NoError(t, os.WriteFile(rec.File, []byte(c.text), 0o644))
		_, err := s.Get(k)
		var damaged *recording.FileError
		require.ErrorAs(t, err, &damaged, name)
		require.NotErrorIs(t, err, recording.ErrMiss, name)
		assert.Equal(t, rec.File, damaged.File, name)
		assert.Equal(t, c.line, damaged.Line, name)
		assert.ErrorContains(t, err, c.want, name)

		err = s.Put(t.Context(), k, answer("2"))
		require.ErrorAs(t, err, &damaged, "%s: a damaged file is not overwritten", name)
		text, err := os.ReadFile(rec.File)
		require.NoError(t, err)
		assert.Equal(t, c.text, string(text), name)
		rec, err := s.Get(k)
		require.NoError(t, err, "%s: what was paid for all the same answers", name)
		assert.Equal(t, "2", string(rec.Latest().Response.Body))
		require.NoError(t, os.RemoveAll(filepath.Join(root, ".hsharness", "emergency")))
		all, err := s.List()
		assert.Empty(t, all, name)
		require.ErrorAs(t, err, &damaged, name)
	}
	require.NoError(t, os.WriteFile(rec.File, good, 0o644))
	_, err = s.Get(k)
	require.NoError(t, err, "a repaired file is read anew")
}

func TestBodiesComeBack(t *testing.T) {
	t.Parallel()
	s, _ := open(t, recording.Config{})
	for i, body := range []string{"", "null", `{"b":1.50,"a":"\u00e9<&>","a":2}`, "plain text", "\x00\xff", `"\ud800"`, "\ufeff{}"} {
		k := put(t, s, classify(fmt.Sprint(i)), answer(body))
		rec, err := s.Get(k)
		require.NoError(t, err)
		assert.Equal(t, body, string(rec.Latest().Response.Body), "order, spelling and bytes are kept")
	}
	k := put(t, s, classify("x"), answer("plain text"))
	rec, err := s.Get(k)
	require.NoError(t, err)
	text, err := os.ReadFile(rec.File)
	require.NoError(t, err)
	changed := bytes.Replace(text, []byte("cGxhaW4gdGV4dA"), []byte("cGxhaW4gdGV4dQ"), 1)
	require.NotEqual(t, text, changed)
	require.NoError(t, os.WriteFile(rec.File, changed, 0o644))
	_, err = s.Get(k)
	assert.ErrorContains(t, err, "body has sha256")
}

// TestSamePrefix has two requests whose keys begin alike, found by trying 30 million:
// the second one's file is named by its whole key, and neither answers for the other.
func TestSamePrefix(t *testing.T) {
	t.Parallel()
	s, root := open(t, recording.Config{})
	one, two := classify("22406252"), classify("30049772")
	require.Equal(t, s.Key(one).Sum[:12], s.Key(two).Sum[:12])
	put(t, s, one, answer(`"one"`))
	_, err := s.Get(s.Key(two))
	require.ErrorIs(t, err, recording.ErrMiss, "the other's answer is not mine")
	put(t, s, two, answer(`"two"`), answer(`"two again"`))
	put(t, s, one, answer(`"one again"`))
	require.NoError(t, s.Ready(t.Context(), s.Key(two)))
	for r, want := range map[*recording.Request]string{&one: `"one again"`, &two: `"two again"`} {
		rec, err := s.Get(s.Key(*r))
		require.NoError(t, err)
		assert.Len(t, rec.Takes, 2)
		assert.Equal(t, want, string(rec.Latest().Response.Body))
	}
	folder := "recordings/post-hscode-classify/"
	assert.Equal(t, []string{folder + s.Key(one).Sum[:12] + ".json", folder + s.Key(two).Sum + ".json"}, files(t, root))
	require.NoError(t, os.Remove(filepath.Join(root, folder, s.Key(one).Sum[:12]+".json")))
	_, err = s.Get(s.Key(two))
	require.NoError(t, err, "the second may outlive the first")
}

func TestRenamedOperationKeepsItsRecordings(t *testing.T) {
	t.Parallel()
	s, root := open(t, recording.Config{})
	r := classify(`{}`)
	put(t, s, r, answer("1"))
	for operation, folder := range map[string]string{
		"../../etc": "etc", "": "operation", "CON": "con-operation", "com7": "com7-operation", "!!!": "operation",
		strings.Repeat("aB-", 40): strings.Repeat("ab-", 19) + "ab",
	} {
		r.Operation = operation
		k := put(t, s, r, answer("2"))
		rec, err := s.Get(k)
		require.NoError(t, err)
		assert.Equal(t, "post-hscode-classify", filepath.Base(filepath.Dir(rec.File)), "appended where it was")

		fresh := r
		fresh.Body = []byte(operation)
		rec, err = s.Get(put(t, s, fresh, answer("3")))
		require.NoError(t, err)
		assert.Equal(t, filepath.Join(root, "recordings", folder), filepath.Dir(rec.File))
	}
	assert.Len(t, files(t, root), 7)
}

// poll is a take of cost 0.
func poll(state string) recording.Take {
	take := answer(`{"at":"` + state + `'s time","status":"` + state + `"}`)
	take.Cost, take.Entry = 0, ""
	return take
}

func TestServe(t *testing.T) {
	t.Parallel()
	s, _ := open(t, recording.Config{Ignore: []string{"/at"}})
	free, metered := classify(`"free"`), classify(`"metered"`)
	again := poll("PENDING")
	again.Response.Body = bytes.Replace(again.Response.Body, []byte("PENDING's"), []byte("later"), 1)
	put(t, s, free, poll("PENDING"), again, poll("CLASSIFIED"), poll("CLASSIFIED"))
	put(t, s, metered, answer("1"), answer("1"), answer("2"))

	serve := func(c *recording.Cursor, r recording.Request) string {
		_, take, err := s.Serve(c, s.Key(r))
		require.NoError(t, err)
		return string(take.Response.Body)
	}
	for range 2 { // each run starts anew
		var run recording.Cursor
		assert.Contains(t, serve(&run, free), "PENDING")
		assert.Equal(t, "2", serve(&run, metered))
		assert.Contains(t, serve(&run, free), "CLASSIFIED")
		assert.Contains(t, serve(&run, free), "CLASSIFIED")
		assert.Equal(t, "2", serve(&run, metered))
	}
	rec, err := s.Get(s.Key(free))
	require.NoError(t, err)
	assert.Len(t, rec.Takes, 2, "an equal answer that cost nothing is kept once")
	rec, err = s.Get(s.Key(metered))
	require.NoError(t, err)
	assert.Len(t, rec.Takes, 3, "what was bought is kept")
	_, _, err = s.Serve(new(recording.Cursor), s.Key(classify(`"none"`)))
	require.ErrorIs(t, err, recording.ErrMiss)
}

func TestAge(t *testing.T) {
	t.Parallel()
	s, _ := open(t, recording.Config{})
	old := answer("1")
	old.RecordedAt = now.Add(-48 * time.Hour)
	rec, err := s.Get(put(t, s, classify(`1`), old, answer("2")))
	require.NoError(t, err)
	assert.Equal(t, 48*time.Hour, rec.Takes[0].Age(now))
	assert.Equal(t, time.Duration(0), rec.Takes[1].Age(now.Add(-time.Hour)))
	assert.Equal(t, now, rec.Latest().RecordedAt)
}

func TestNearest(t *testing.T) {
	t.Parallel()
	s, root := open(t, recording.Config{
		Ignore: []string{"/requestId"}, Headers: []string{"X-Tenant"},
		Secrets: []recording.Secret{{Name: "account", Value: "acct-0815"}},
	})
	asked := classify(`{"description":"shirt","requestId":2,"items":[{"hs6":"610910"},{"hs6":"acct-0815"}],"n":1.0,"new":true,"a/b~":1}`)
	asked.Query = "x=2"
	asked.Header.Set("X-Tenant", "b")
	_, _, err := s.Nearest(asked)
	require.ErrorIs(t, err, recording.ErrMiss)

	put(t, s, classify(`{"entirely":"else","of":"many","other":"fields","and":1,"one":2,"more":3,"still":4}`), answer("1"))
	near := classify(`{"description":"shirts","requestId":1,"items":[{"hs6":"610990"}],"n":1,"old":"x","a/b~":2}`)
	near.Query = "x=1"
	k := put(t, s, near, answer("2"))
	legacy := asked
	legacy.API, legacy.Path = "legacy", "/x"
	put(t, s, legacy, answer("3"))
	require.NoError(t, os.WriteFile(filepath.Join(root, "recordings", "post-hscode-classify", "0.json"), []byte("{"), 0o644))

	rec, diff, err := s.Nearest(asked)
	require.NoError(t, err)
	assert.Equal(t, k.Sum, rec.Key)
	assert.Equal(t, []recording.Difference{
		{"query", "x=1", "x=2"},
		{"headers.X-Tenant", recording.Absent, "b"},
		{"/description", `"shirts"`, `"shirt"`},
		{"/items/0/hs6", `"610990"`, `"610910"`},
		{"/items/1", recording.Absent, `{"hs6":"{{secret:account#8d3e}}"}`},
		{"/old", `"x"`, recording.Absent},
		{"/a~1b~0", "2", "1"},
		{"/new", recording.Absent, "true"},
	}, diff)

	other := classify("a=1&b=" + strings.Repeat("é", 200))
	other.Operation, other.Method, other.Environment = "unheard of", "PUT", "production"
	_, diff, err = s.Nearest(other)
	require.NoError(t, err, "without its folder all are compared")
	assert.Equal(t, "method", diff[0].Path)
	assert.Equal(t, "environment", diff[1].Path)
	assert.Equal(t, "body", diff[len(diff)-1].Path)
	assert.Less(t, len(diff[len(diff)-1].Asked), 210)

	_, diff, err = s.Nearest(near)
	require.NoError(t, err)
	assert.Empty(t, diff)
}

// TestOpenIsLazy puts what can't be read where Open would look.
func TestOpenIsLazy(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "recordings")
	require.NoError(t, os.WriteFile(file, []byte("not a folder"), 0o644))
	s, err := recording.Open(recording.Config{Dir: file})
	require.NoError(t, err)
	_, err = s.List()
	require.Error(t, err)
	_, err = s.Get(s.Key(classify("1")))
	assert.Error(t, err)
}

// TestModelProperty compares the store with a map under random puts.
func TestModelProperty(t *testing.T) {
	t.Parallel()
	n := 0
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		n++
		s, err := recording.Open(recording.Config{Dir: filepath.Join(dir, fmt.Sprint(n))})
		require.NoError(t, err)
		model := make(map[string][]string)
		for _, step := range rapid.SliceOfN(rapid.IntRange(0, 39), 1, 8).Draw(t, "steps") {
			request, cost := fmt.Sprint(step%4), step/4%2
			body := fmt.Sprint(step / 8)
			take := answer(body)
			take.Cost = cost
			require.NoError(t, s.Put(t.Context(), s.Key(classify(request)), take))
			if was := model[request]; cost > 0 || len(was) == 0 || was[len(was)-1] != body {
				model[request] = append(was, body)
			}
		}
		for i := range 4 {
			rec, err := s.Get(s.Key(classify(fmt.Sprint(i))))
			want := model[fmt.Sprint(i)]
			if want == nil {
				require.True(t, errors.Is(err, recording.ErrMiss))
				continue
			}
			require.NoError(t, err)
			var got []string
			for _, take := range rec.Takes {
				got = append(got, string(take.Response.Body))
			}
			require.Equal(t, want, got)
		}
	})
}

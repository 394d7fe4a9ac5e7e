package recording_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/recording"
)

// FuzzCanonical: the canonical form is JSON of the same meaning and its own
// canonical form.
func FuzzCanonical(f *testing.F) {
	for _, seed := range []string{
		`{"b":[1,2.50,-0,1e21,1e-7],"a":{"\u00e9":"\ud83d\ude00"}}`, `"\u000b\/"`, `{"a":1,"a":2}`, `"\ud800"`, `[[[[]]]]`, ` null `, `{"\ud83d\ude00":1,"\ufb33":2}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, ignore := range [][]string{nil, {"/a", "/*/*", "/b/1"}, {"/0/b", "/*/a/*"}} {
			read, tree := recording.Both(raw, ignore...)
			require.Equal(t, tree, read, "%s", ignore)
		}
		once, err := recording.Canonical(raw)
		if err != nil {
			return
		}
		twice, err := recording.Canonical(once)
		require.NoError(t, err)
		require.Equal(t, string(once), string(twice))
		var before, after any
		require.NoError(t, json.Unmarshal(raw, &before))
		require.NoError(t, json.Unmarshal(once, &after))
		require.Equal(t, before, after)
	})
}

// FuzzDecode: what is read is written and read again alike, and an error is a
// FileError.
func FuzzDecode(f *testing.F) {
	s, _ := open(f, recording.Config{})
	var good [][]byte
	for _, body := range []string{`{"a":1}`, "plain", ""} {
		r := classify(body)
		rec, err := s.Get(put(f, s, r, answer(body)))
		require.NoError(f, err)
		text, err := recording.Encode(rec)
		require.NoError(f, err)
		f.Add(text)
		good = append(good, text)
	}
	f.Add([]byte(`{"format":2}`))
	f.Add([]byte(`{"format":1,"key":"x","takes":[{}]}`))
	// a status that no answer has was bought again; an answer under another's key answered
	for _, wrong := range [][2]string{{`"status": 200`, `"status": 103`}, {`"status": 200`, `"status": 999`}, {`"cost": 1`, `"cost": -1`}, {`"key": "`, `"key": "0`}, {`"base64": "`, `"base64": "A`}} {
		for _, text := range good {
			if other := bytes.Replace(text, []byte(wrong[0]), []byte(wrong[1]), 1); !bytes.Equal(other, text) {
				f.Add(other)
			}
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		rec, err := recording.Decode("f.json", raw)
		if err != nil {
			var damaged *recording.FileError
			require.True(t, errors.As(err, &damaged))
			return
		}
		text, err := recording.Encode(rec)
		require.NoError(t, err)
		again, err := recording.Decode("f.json", text)
		require.NoError(t, err)
		text2, err := recording.Encode(again)
		require.NoError(t, err)
		require.Equal(t, string(text), string(text2))
	})
}

// FuzzRedact: no text makes redaction panic, break JSON or change its mind.
func FuzzRedact(f *testing.F) {
	for _, seed := range []string{
		`{"a":"sesame"}`, `%73esame`, `"\u0073esame"`, `c2VzYW1l`, `xc2VzYW1lx`, `{{secret:a#1}}`, `%7B%7Bsecret:a%231}}`,
		`Bearer ` + opaque, jwt, `\`, `%`, `\u`, `%7`, `{"sesame":31415926}`,
		"c2Vz\\\nYW1l", "'ses'\"ame\"", "\x1f\x8b\x08sesame", "%2573esame", "&amp;#115;esame", // broken up, packed, coded twice
	} {
		f.Add([]byte(seed), seed)
	}
	s, _ := open(f, recording.Config{Secrets: []recording.Secret{{Name: "a", Value: "sesame"}, {Name: "n", Value: "31415926"}, {Name: "odd", Value: `%\"+/ 7`}}})
	f.Fuzz(func(t *testing.T, body []byte, query string) {
		r := classify(string(body))
		r.Query, r.Path = query, query
		k := s.Key(r)
		require.Equal(t, string(body), string(r.Body))
		require.Equal(t, k.Sum, s.Key(r).Sum)
		if utf8.ValidString(query) {
			r.Query, r.Path = k.Inputs.Query, k.Inputs.Path
			require.Equal(t, k.Inputs.Query, s.Key(r).Inputs.Query, "marks stay marks")
		}
	})
}

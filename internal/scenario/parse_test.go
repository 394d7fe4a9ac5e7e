package scenario_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/scenario"
)

var update = flag.Bool("update", false, "rewrite the golden errors of testdata/wrong")

// files returns the scenario files of a folder of testdata.
func files(t testing.TB, glob string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", glob, "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, names, "no file matches %s", glob)
	return names
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	src, err := os.ReadFile(name)
	require.NoError(t, err)
	return src
}

// parse parses a text that must be right.
func parse(t testing.TB, src string) *scenario.Scenario {
	t.Helper()
	s, err := scenario.Parse("x.yaml", []byte(src))
	require.NoError(t, err)
	return s
}

func TestWrongFilesGiveTheirGoldenErrors(t *testing.T) {
	for _, name := range files(t, "wrong/*") {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".yaml"), func(t *testing.T) {
			s, err := scenario.Parse(filepath.Base(name), read(t, name))
			require.Error(t, err)
			assert.Nil(t, s)
			golden := strings.TrimSuffix(name, ".yaml") + ".golden"
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(err.Error()+"\n"), 0o644))
			}
			assert.Equal(t, string(read(t, golden)), err.Error()+"\n")
		})
	}
}

// TestPlainScalars: what YAML 1.2 says, where libraries differ.
func TestPlainScalars(t *testing.T) {
	s := parse(t, "version: 1\nname: x\nsteps:\n  - request: GET /x\n    body: [0, -5, 1000, 0.5, 2026-01-02, 1:30, yes, on, off, ~, Null, TRUE, 0x, 12e, 1.2.3, '0901']\n")
	body, err := s.Steps[0].Request.Body.Render(scenario.Env{})
	require.NoError(t, err)
	assert.Equal(t, []any{0, -5, 1000, 0.5, "2026-01-02", "1:30", "yes", "on", "off", nil, nil, true, "0x", "12e", "1.2.3", "0901"}, body)
}

func TestLineEndsAndByteOrderMark(t *testing.T) {
	src := "\ufeffversion: 1\r\nname: x\r\nsteps:\r\n  - request: GET /x\r\n    expect: { assert: [ res.jsn ] }\r\n"
	_, err := scenario.Parse("x.yaml", []byte(src))
	assert.EqualError(t, err, "x.yaml:5:29: res has no field \"jsn\" (did you mean \"json\"?)\n  5 |     expect: { assert: [ res.jsn ] }\n    |                             ^")
}

// TestManyGoroutines parses and evaluates side by side, for the race detector.
func TestManyGoroutines(t *testing.T) {
	src := read(t, "testdata/right/design.yaml")
	shared := parse(t, string(src))
	env := scenario.Env{Vars: map[string]any{"title": "a"}, Matrix: map[string]any{"country": "US"}, Res: answer(map[string]any{"hsCode": "6109", "confidence": 1.0})}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			_, err := scenario.Parse("x.yaml", src)
			assert.NoError(t, err)
			st := shared.Steps[1]
			assert.Empty(t, st.Expect.Check(env, scenario.Usage{Spend: 1, Calls: 2}))
			_, err = st.Request.Body.Render(env)
			assert.NoError(t, err)
			shared.Price(env.Vars, cost)
		})
	}
	wg.Wait()
}

func TestFileTooLarge(t *testing.T) {
	_, err := scenario.Parse("x.yaml", []byte("why: "+strings.Repeat("x", 256<<10)))
	assert.ErrorContains(t, err, "a scenario may have 262144")
}

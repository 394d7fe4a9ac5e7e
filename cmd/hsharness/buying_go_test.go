package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// missing is a test file whose tests ask for what was never bought.
const missing = `package shop_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hsharness/hsharness/harness"
)

func ask(t *testing.T, goods ...string) {
	h := harness.Start(t, harness.Options{})
	for _, g := range goods {
		resp, err := h.Client().Post(h.APIURL()+"/hscode/classify", "application/json", strings.NewReader(` + "`{\"description\":\"`+g+`\",\"countryOfDestination\":\"US\"}`" + `))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Log(resp.Status) // and no failure: the harness has to say it
		}
	}
}

func TestShop(t *testing.T) {
	t.Run("it's a cotton shirt", func(t *testing.T) { ask(t, "shirt", "blouse") })
	t.Run("a mug", func(t *testing.T) { ask(t, "mug") })
}

func TestScenarios(t *testing.T) { harness.Scenario(t, harness.Options{}, "testdata/*.yaml") }
`

// TestBuyingCommandOfAGoTest: what a Go test prints about missing recordings buys them,
// typed as it is printed, and nothing else. It is slow: a module of its own is linked.
func TestBuyingCommandOfAGoTest(t *testing.T) {
	t.Parallel()
	r := newReader(t)
	r.module()
	for name, text := range map[string]string{
		"shop/shop_test.go": missing,
		"shop/testdata/laptop.yaml": "version: 1\nname: laptops\nmatrix: { country: [US, CA] }\nsteps:\n  - request: POST /hscode/classify\n" +
			"    body: { description: laptop, countryOfDestination: \"{{ matrix.country }}\" }\n    expect: { status: 200 }\n",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(r.dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600))
	}
	r.types("export GOFLAGS='-mod=mod -ldflags=-w -vet=off'") // linked sooner
	code, out := r.types("hsharness quota init --granted 10")
	require.Zero(t, code, out)
	said := regexp.MustCompile(`(?m)^ +buy what is missing: (.*)$`)

	code, out = r.types("HSHARNESS_MODE=replay go test ./...")
	assert.Equal(t, 1, code, out)
	lines := said.FindAllStringSubmatch(out, -1)
	require.Len(t, lines, 3, out)
	assert.Zero(t, r.served())
	for i, want := range []struct {
		command string
		sum     int64
	}{
		{`hsharness exec --mode record --max-spend 2 -- go test -run '^TestShop$/^it'\''s_a_cotton_shirt$' example.com/shop/shop`, 2},
		{`hsharness exec --mode record --max-spend 1 -- go test -run '^TestShop$/^a_mug$' example.com/shop/shop`, 2}, // left out
		{`hsharness exec --mode record --max-spend 2 -- go test -run '^TestScenarios$/^laptop$' example.com/shop/shop`, 4},
	} {
		assert.Equal(t, want.command, lines[i][1])
		if i != 1 {
			code, out := r.types(lines[i][1])
			assert.Zero(t, code, "%s\n%s", lines[i][1], out)
		}
		assert.Equal(t, want.sum, r.served(), "%s buys what this test missed", lines[i][1])
	}
	code, out = r.types("HSHARNESS_MODE=replay go test ./...")
	assert.Equal(t, 1, code, out)
	assert.Equal(t, [][]string{lines[1]}, said.FindAllStringSubmatch(out, -1), "what was not bought is missing, and nothing else")
	assert.EqualValues(t, 4, r.status().Spent)
}

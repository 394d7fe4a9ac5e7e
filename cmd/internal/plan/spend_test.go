package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/plan"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/scenario"
)

// spent is what to buy of some files with so many units, by axes.
func spent(t *testing.T, units int, by string, texts ...string) *plan.Purchase {
	t.Helper()
	var chosen []*scenario.Scenario
	for i, text := range texts {
		s, err := scenario.Parse(fmt.Sprintf("%d.yaml", i), []byte("version: 1\nname: one\n"+text))
		require.NoError(t, err)
		chosen = append(chosen, s)
	}
	cfg := plan.Config{Project: projectOf(t, ""), Mode: guard.Record, LookupEnv: func(string) (string, bool) { return "", false }}
	made, err := plan.Price(cfg, chosen)
	require.NoError(t, err)
	axes, err := plan.ParseAxes(by)
	require.NoError(t, err)
	p, err := plan.Spend(cfg, made, chosen, units, axes)
	require.NoError(t, err)
	return p
}

// asking is a file that asks a case for each of these goods, as "code country".
func asking(goods ...string) string {
	var values []string
	for _, g := range goods {
		code, country, _ := strings.Cut(g, " ")
		values = append(values, fmt.Sprintf("{ name: \"%s\", code: \"%s\", country: %s }", g, code, country))
	}
	return "matrix: { of: [ " + strings.Join(values, ", ") + " ] }\nsteps:\n" +
		"  - request: POST /hscode/classify\n    body: { description: \"{{ matrix.of.name }}\", hs6: \"{{ matrix.of.code }}\", countryOfDestination: \"{{ matrix.of.country }}\" }\n"
}

func covered(p *plan.Purchase, axis plan.Axis) plan.Covered {
	i := slices.IndexFunc(p.Covers, func(c plan.Covered) bool { return c.Axis == axis })
	return p.Covers[i]
}

// With 100 units one a heading reaches 100 of 151, where the order of the file reaches
// fewer than 40.
func TestOneAHeading(t *testing.T) {
	t.Parallel()
	var goods []string
	for heading := range 151 {
		for n := range 3 {
			goods = append(goods, fmt.Sprintf("%04d%02d US", 1000+heading, n*10))
		}
	}
	p := spent(t, 100, "", asking(goods...))
	got := covered(p, plan.Heading)
	t.Logf("100 units reach %d of %d headings, in the order of the file %d", got.New, got.All, (100+2)/3)
	assert.Equal(t, plan.Covered{Axis: plan.Heading, New: 100, All: 151}, got)
	assert.Equal(t, 100, p.Price)
	assert.GreaterOrEqual(t, p.OfBest, 95)
	assert.Len(t, p.Left, 3*151-100)
	assert.Contains(t, p.Buy[0].New, "country US")
	assert.NotContains(t, p.Buy[1].New, "country US", "it is not anew any more")
}

// The axes count in the order that is typed, the weight of a file multiplies, and what
// its description says is guessed.
func TestAxes(t *testing.T) {
	t.Parallel()
	file := asking("610910 US", "620520 US", "640399 US", "610990 CA", "610910 MX")
	assert.Equal(t, 3, covered(spent(t, 3, "", file), plan.Heading).New)
	byCountry := spent(t, 3, "country", file)
	assert.Equal(t, 3, covered(byCountry, plan.Country).New)
	assert.Equal(t, plan.Axis("country"), byCountry.By[0])

	other := asking("850440 DE", "901380 DE")
	assert.Equal(t, "0.yaml", spent(t, 1, "", file, other).Buy[0].File)
	assert.Equal(t, "1.yaml", spent(t, 1, "", file, "weight: 2\n"+other).Buy[0].File)
	assert.Equal(t, "1.yaml", spent(t, 2, "", file, "required: true\n"+other, file).Buy[0].File)

	guess := spent(t, 1, "", "steps: [ { request: POST /hscode/classify, body: { description: cotton t-shirt, countryOfDestination: US } } ]")
	assert.Contains(t, guess.Buy[0].New, "heading 6109")
	for _, wrong := range []string{"size", "heading,heading", "heading,"} {
		_, err := plan.ParseAxes(wrong)
		assert.Error(t, err, wrong)
	}
}

// The same question in two files is paid once, and a batch costs what its items do.
func TestPrices(t *testing.T) {
	t.Parallel()
	one := asking("610910 US")
	p := spent(t, 1, "", one, one)
	assert.Equal(t, 1, p.Price)
	assert.Len(t, p.Buy, 2)
	assert.Equal(t, []int{1, 0}, []int{p.Buy[0].Units, p.Buy[1].Units})

	batch := "steps: [ { request: POST /hscode/classify_from_hs6, body: { items: [ { hs6: \"010121\", countryOfDestination: US }, { hs6: \"020110\", countryOfDestination: US } ] } } ]"
	p = spent(t, 2, "", batch, one)
	assert.Equal(t, "0.yaml", p.Buy[0].File, "two headings for two units, and their chapters")
	assert.Equal(t, 2, p.Price)
	assert.Empty(t, spent(t, 1, "", batch).Buy)
}

// What a case sends as a country and is none is no axis of a plan: it may be a secret.
func TestNoCountryIsNamed(t *testing.T) {
	t.Parallel()
	p := spent(t, 3, "country", asking("090210 US", "090111 US"), "steps: [ { request: POST /hscode/classify, body: { description: cotton t-shirt, countryOfDestination: \"secret-of-a-variable\" } } ]")
	require.Len(t, p.Buy, 3)
	assert.Equal(t, plan.Covered{Axis: plan.Country, New: 1, All: 1}, covered(p, plan.Country))
	for _, one := range p.Buy {
		assert.NotContains(t, strings.ToLower(strings.Join(one.New, " ")), "secret-of-a-variable")
	}
}

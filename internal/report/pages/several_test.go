package pages_test

import (
	"bytes"
	"html"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/report/pages"
)

// TestSeveralAllowancesOnAPage: all of them in a sentence and a table, and each with a
// sentence, figures, charts and commands of its own. One alone has the page that it always had.
func TestSeveralAllowancesOnAPage(t *testing.T) {
	t.Parallel()
	spent, fresh := budget(30), budget(3)
	spent.Exhausted = true
	all := report.Several{spent.In("sqlite:a b.db"), fresh.In("postgres://ledger.example/x")}
	var out bytes.Buffer
	require.NoError(t, pages.Several(&out, all))
	page := out.String()
	onlyOurs(t, page)
	assert.Equal(t, 1, readAloud(t, page))
	assert.Equal(t, all.Summary(), answer(t, page, "left"))
	sections := regexp.MustCompile(`(?s)<section id="allowance-\d">.*?</section>`).FindAllString(page, -1)
	require.Len(t, sections, 2)
	for i, b := range all {
		text := html.UnescapeString(regexp.MustCompile("</?(?:span|bdi)>").ReplaceAllString(sections[i], ""))
		assert.Contains(t, text, b.Next().Command)
		assert.Contains(t, text, b.Ledger)
		assert.Contains(t, page, `<a href="#allowance-`+string(rune('0'+i))+`">`)
		for _, f := range b.Figures() {
			assert.Contains(t, sections[i], `<div data-figure="`+f.Name+`"><dt>`+f.Name+`</dt><dd>`)
		}
		assert.Equal(t, 3, strings.Count(sections[i], "<svg"))
	}
	ids := map[string]bool{}
	for _, m := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		assert.False(t, ids[m[1]], "%s stands twice", m[1])
		ids[m[1]] = true
	}
	out.Reset()
	require.NoError(t, pages.Several(&out, all[:1]))
	assert.Equal(t, render(t, all[0]), out.String())
	assert.ErrorContains(t, pages.Several(full{}, all), "disk full")
}

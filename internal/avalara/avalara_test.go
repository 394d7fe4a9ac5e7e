package avalara_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/hsharness/hsharness/internal/avalara"
)

func TestScopeIsBoundToTheHost(t *testing.T) {
	for _, env := range avalara.Environments() {
		assert.Equal(t, []string{avalara.ScopeHSCode}, avalara.HostOf(env, avalara.Current).Scopes)
		assert.Equal(t, []string{avalara.ScopeAvaTax}, avalara.HostOf(env, avalara.Legacy).Scopes)
	}
	assert.Empty(t, avalara.HostOf(avalara.Sandbox, avalara.Legacy).Name, "the legacy sandbox host is unknown and must not be invented")
}

func TestEnvironmentOfHost(t *testing.T) {
	for name, want := range map[string]avalara.Environment{
		"identity.avalara.com":                   avalara.Production,
		"ai-sbx.avlr.sh":                         avalara.Sandbox,
		"hscode.api.avalara.com":                 avalara.Production,
		"hscode.avatax.avalara.com":              avalara.Production,
		"api.classification.avalara.net":         avalara.Production,
		"hscode.api.sbx.avalara.com":             avalara.Sandbox,
		"api-sandbox.classification.avalara.net": avalara.Sandbox,
	} {
		got, ok := avalara.EnvironmentOfHost(name)
		assert.True(t, ok, name)
		assert.Equal(t, want, got, name)
	}
	_, ok := avalara.EnvironmentOfHost("")
	assert.False(t, ok, "the unknown host's empty name must not match")
}

func TestFillReplacesEachPlaceholder(t *testing.T) {
	e := avalara.MaxStringLengthError.Fill("itemCode", "255")
	assert.Equal(t, "Field 'itemCode' has an invalid length.", e.Message)
	assert.Equal(t, "Field 'itemCode' must be no more than 255 characters in length.", e.Description)
	e = avalara.MaxStringLengthError.Fill("-1-", "255")
	assert.Equal(t, "Field '-1-' must be no more than 255 characters in length.", e.Description, "what a request has is no placeholder")
	assert.Equal(t, "Field '-0-' has an invalid length.", avalara.MaxStringLengthError.Message, "the catalogue itself must not change")
}

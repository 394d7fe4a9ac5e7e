package main

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/services"
)

// What a program reads of a bill, and what it sends to make a client, stand on a page: each
// member by its name.
func TestDocsNameEachField(t *testing.T) {
	t.Parallel()
	for page, of := range map[string]any{"docs/guard.md": report.Bill{}, "docs/control.md": services.Rules{}} {
		text, err := os.ReadFile("../../" + page)
		require.NoError(t, err)
		seen := 0
		for _, field := range reflect.VisibleFields(reflect.TypeOf(of)) {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if name == "" || name == "-" {
				continue
			}
			seen++
			assert.Contains(t, string(text), "`"+name+"`", "%s does not say what %s is", page, name)
		}
		assert.Greater(t, seen, 5, page)
	}
}

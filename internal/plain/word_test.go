package plain

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// On Windows a command that is to be typed is one for cmd, PowerShell and Git's bash.
func TestWordOnWindows(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"sqlite:new/ledger.db":    "sqlite:new/ledger.db",
		`sqlite:C:\our shop\a.db`: `"sqlite:C:\our shop\a.db"`,
		`C:\ledgers\`:             `"C:\ledgers\\"`,
		"it's":                    `"it's"`,
		"a&b":                     `"a&b"`,
		"@file":                   `"@file"`,
		"":                        `""`,
		`$HOME isn't "it"`:        `'$HOME isn''t "it"'`,
	} {
		assert.Equal(t, want, onWindows(text), text)
	}
}

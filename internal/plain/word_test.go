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
		"--html=run.html":         "--html=run.html",
		"--":                      "--",
		"-race":                   "-race",
		"-Dtests.dir=x":           `"-Dtests.dir=x"`,
		"-run:x":                  `"-run:x"`,
		"it\u2019s":               "\"it\u2019s\"",
		"a\u201d;calc;\u201cb":    "'a\u201d;calc;\u201cb'",
		"$x\u2019;calc;it's":      "'$x\u2019\u2019;calc;it''s'",
		"":                        `""`,
		`$HOME isn't "it"`:        `'$HOME isn''t "it"'`,
	} {
		assert.Equal(t, want, onWindows(text), text)
	}
}

package secret

import (
	"bytes"
	"strings"

	"github.com/hsharness/hsharness/internal/pattern"
)

// names are how people call what nobody should read.
const names = `secret|passw(?:or)?d|licen[cs]e_?key|api_?key|private_?key`

var (
	// written finds tokens and keys written out: a JWT, or a credential after its
	// scheme.
	written = pattern.New(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.|(?i)^(bearer|basic)\s+[A-Za-z0-9+/=._-]{8,}`)
	// name finds what people call a secret.
	name = pattern.New(`(?i)` + names)
	// inText finds both within a text, where there is less to go by, as in a query or a
	// form: whatever stands behind the name of a secret and a sign of equality, or is the
	// default of a variable there, but no template and no comparison. What is to be hidden
	// is in its groups.
	inText = pattern.New(`(?i)(\beyJ[A-Za-z0-9_-]{8,}[A-Za-z0-9_.-]*|\b(?:bearer|basic)\s+[A-Za-z0-9+/=._-]{16,})|` +
		`(?:(?:` + names + `)\s*=\s*|(?:` + names + `|access_?key|token|assertion)(?:=|%3d))` +
		`\\*["']?(?:\$\{\w*:-)?((?:[^"'\s&={$]|[{$][^"'\s&{])[^"'\s&]*)`)
	// inLine finds settings in a line of a file too, also in JSON within a text.
	inLine = pattern.New(`(?i)(?:` + names + `)\\*["']?\s*:\s*\\*["']?(?:\$\{\w*:-)?([^"'\s,}{$]{8,})`)
	// address finds where something is: whoever has the path of a hook can write to it.
	address = pattern.New(`(?i)(https?://)([^\s"'/?#]*)([^\s"']*)`)
	// hook finds the setting that says where a hook is, and in the last group what is shown
	// to nobody of it, in whichever quotes it is: all but a scheme, a host and variables.
	hook = pattern.New(`(?i)(?:^|[^a-z_])url["']?\s*:\s*["']?(?:https?://[a-z0-9.:\[\]-]*|(?:\$\{[^}]*\})*)(?:([^\s"',}$][^"']*)["']|([^\s"',}$][^\s"']*))`)
	// value finds the settings of a file that holds nothing but secrets.
	value = pattern.New(`(?i)^(.*?(?:secrets?|passwords?|value)["']?\s*:\s*)(\S.*)$`)
	// variable finds one without a default, which is no secret itself.
	variable = pattern.New(`\$\{[A-Za-z_]\w*\}`)
)

// LooksLike tells whether a text looks like a token, or a credential after its
// scheme, whoever it is of.
func LooksLike(text string) bool { return written.MatchString(text) }

// IsName tells whether something is called as people call a secret.
func IsName(text string) bool { return name.MatchString(text) }

// MaskLine hides what looks like a secret in a line of a file, character by
// character, so that a caret below it stays in its place.
func MaskLine(line string) string {
	return maskText(maskText(line, inLine), inText)
}

// MaskText is the same for the text of a message, where words before a colon are what it
// is about.
func MaskText(text string) string { return maskText(text, inText) }

func maskText(text string, find *pattern.Pattern) string {
	found := find.FindAllStringSubmatchIndex(text, -1)
	if found == nil {
		return text
	}
	out := []byte(text)
	for _, m := range found {
		for group := 2; group < len(m); group += 2 {
			if from := m[group]; from >= 0 {
				hide(out[from:m[group+1]])
			}
		}
	}
	return string(out)
}

func hide(text []byte) { copy(text, bytes.Repeat([]byte("*"), len(text))) }

// MaskSettings is [MaskLine] for a line of settings, where what is called a
// secret, or a value, is one to its end, however short: unless it names a
// variable. Of an address no more than the host is shown.
func MaskSettings(line string) string {
	if m := value.FindStringSubmatch(line); m != nil && (!variable.MatchString(m[2]) || strings.Contains(m[2], ":-")) {
		line = m[1] + "…"
	}
	out := []byte(line)
	for _, m := range hook.FindAllStringSubmatchIndex(line, -1) {
		for group := 2; group < len(m); group += 2 {
			if m[group] >= 0 {
				hide(out[m[group]:m[group+1]])
			}
		}
	}
	for _, m := range address.FindAllStringSubmatchIndex(line, -1) {
		hide(out[m[4] : m[4]+strings.LastIndex(line[m[4]:m[5]], "@")+1])
		hide(out[m[6]:m[7]])
	}
	return MaskLine(string(out))
}

package secret_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/hsharness/hsharness/internal/secret"
)

// TestMaskLineByName: what is called a secret is hidden within a longer text too, however
// short, and what only looks like one is seen.
func TestMaskLineByName(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		`body: "grant_type=x&client_secret=s3c&scope=y"`: `body: "grant_type=x&client_secret=***&scope=y"`,
		`request: POST /x?token=s3cret&b=1`:              `request: POST /x?token=******&b=1`,
		`request: "POST /x?access_token%3Ds3cret" x`:     `request: "POST /x?access_token%3D******" x`,
		`why: "log in with password = s3cret, then"`:     `why: "log in with password = ******* then"`,
		`x: client_assertion='s3cret' AWS_ACCESS_KEY=k1`: `x: client_assertion='******' AWS_ACCESS_KEY=**`,
		`x: "client_secret=${KEY:-s3cret}"`:              `x: "client_secret=${KEY:-*******"`,
		`x: "client_secret=$ecret&a={b" password={b}`:    `x: "client_secret=******&a={b" password=***`,
		`body: "{\"client_secret\": \"s3cret-s3cret\"}"`: `body: "{\"client_secret\": \"**************"}"`,
		`vars: { password: "${P:-s3cret-s3cret}" }`:      `vars: { password: "${P:-*************}" }`,
		`body: "client_secret={{ vars.s }}&token=${T}"`:  `body: "client_secret={{ vars.s }}&token=${T}"`,
		`expr: token == "none" && let token = body.t`:    `expr: token == "none" && let token = body.t`,
		`expr: body.secret == nil && max_tokens=5`:       `expr: body.secret == nil && max_tokens=5`,
	} {
		assert.Equal(t, want, secret.MaskLine(line))
		assert.Len(t, secret.MaskLine(line), len(line), "a caret stays in its place")
	}
	for text, want := range map[string]string{
		`id "client_secret=s3cret": use a letter`:     `id "client_secret=******": use a letter`,
		`client secret: unknown_key "a" of its`:       `client secret: unknown_key "a" of its`,
		`unknown name "eyJhbGciOiJSUzI1NiJ9.eyJzdWI"`: `unknown name "****************************"`,
	} {
		assert.Equal(t, want, secret.MaskText(text))
	}
}

// TestMaskSettingsOfDefaults: a variable is no secret, and what stands for one that is not
// set is.
func TestMaskSettingsOfDefaults(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		`    client_secret: "${KEY}"`:           `    client_secret: "${KEY}"`,
		`    client_secret: "${KEY:-s3cret}"`:   `    client_secret: …`,
		`    client_secret: "${:s3cret}"`:       `    client_secret: …`,
		`    client_secret: "${A}${B:-s3cret}"`: `    client_secret: …`,
		`    client_secret: "${ s3cret }"`:      `    client_secret: …`,
		`    client_secret: s3c`:                `    client_secret: …`,
		`    client_secret: ${KEY} # see docs`:  `    client_secret: ${KEY} # see docs`,
	} {
		assert.Equal(t, want, secret.MaskSettings(line))
	}
}

// TestMaskSettingsOfHooks: of where a hook is nothing but the host is shown, however it
// is written, and a caret stays in its place.
func TestMaskSettingsOfHooks(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		`  - { at: [70%], url: "https://u:s3cret@h.example/x" }`:         `  - { at: [70%], url: "https://********************" }`,
		`  - { at: [70%], url: "https://h.example?s3cret" }`:             `  - { at: [70%], url: "https://h.example*******" }`,
		`  - { at: [70%], url: "https://h.exa mple/s3cret" }`:            `  - { at: [70%], url: "https://h.ex*************" }`,
		`  - { at: [70%], url: "https://h.example/x,s3cret", at: [1%] }`: `  - { at: [70%], url: "https://h.example*********", at: [1%] }`,
		`  - { at: [70%], url: "${BASE}/s3cret", template: slack }`:      `  - { at: [70%], url: "${BASE}*******", template: slack }`,
		`  - { at: [70%], url: 'https://${HOST}/s3cret' }`:               `  - { at: [70%], url: '**********************' }`,
		`  - { at: [70%], url: ${HOOK}, template: slack }`:               `  - { at: [70%], url: ${HOOK}, template: slack }`,
		`  - { at: [70%], ur: https://h.example/s3cret }`:                `  - { at: [70%], ur: https://h.example******* }`,
		`      https://h.example/s3cret`:                                 `      https://h.example*******`,
		`  - { at: [70%], url: s3cret }`:                                 `  - { at: [70%], url: ****** }`,
		`    identity: "https://identity.sandbox.example"`:               `    identity: "https://identity.sandbox.example"`,
	} {
		got := secret.MaskSettings(line)
		assert.Equal(t, want, got)
		assert.Len(t, got, len(line))
	}
}

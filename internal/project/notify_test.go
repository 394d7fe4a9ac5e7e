package project

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/notice"
)

func TestNotify(t *testing.T) {
	t.Parallel()
	p, err := read(t, "version: 1\nnotify: [ { at: [70%, 85%, 95%, exhausted, blocked], url: \"${HOOK}\", template: slack } ]\n", nil)
	require.NoError(t, err)
	assert.Equal(t, []notice.Mark{"70%", "85%", "95%", notice.Exhausted, notice.Blocked}, p.Notify[0].At)
	assert.Equal(t, "slack", p.Notify[0].Kind())
	assert.Equal(t, "${HOOK}", p.HookURL(0).Written)
	for content, want := range map[string]string{
		"notify: [ { at: [70], url: \"${H}\" } ]":                                ":2:18: ",
		"notify: [ { at: [0%], url: \"${H}\" } ]":                                ":2:18: ",
		"notify: [ { at: [gone], url: \"${H}\" } ]":                              ":2:18: ",
		"notify: [ { at: [], url: \"${H}\" } ]":                                  ":2:17: ",
		"notify: [ { at: 70%, url: \"${H}\" } ]":                                 ":2:17: ",
		"notify: [ { url: \"${H}\" } ]":                                          "notify[0].at is missing",
		"notify: [ { at: [70%] } ]":                                              "notify[0].url is missing",
		"notify: [ { at: [70%], url: http://hooks.example/s3cret } ]":            ":2:29: ",
		"notify: [ { at: [70%], url: https://identity.avalara.com/s3cret } ]":    ":2:29: ",
		"notify: [ { at: [70%], url: \"${H}\", template: mail } ]":               ":2:47: ",
		"notify: [ { at: [70%, 70%], url: \"${H}\" } ]":                          "notify 1 has 70% twice",
		"notify: [ { at: [70%], url: \"${H}\" }, { at: [90%], url: \"${H}\" } ]": "notify 2 tells the same hook as notify 1",
	} {
		_, err := read(t, "version: 1\n"+content+"\n", nil)
		require.ErrorContains(t, err, want, content)
		assert.Regexp(t, `:2:[0-9]+: `, err.Error())
		if !assert.NotContains(t, err.Error(), "s3cret") {
			t.Log(content)
		}
	}
}

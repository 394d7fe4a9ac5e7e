package strict

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestAnExcerptShowsNoSecret: what a message quotes of a file of settings ends in the logs
// of a build. A secret may stand below its name, under a mistyped one, or in a default; the
// message is about something else.
func TestAnExcerptShowsNoSecret(t *testing.T) {
	t.Parallel()
	table := Table{Version: 1, Settings: []Setting{
		{Path: "id", Kind: Text},
		{Path: "secret", Kind: Text, Secret: true, Form: "^never$", Want: "never"},
		{Path: "hooks", Kind: List},
		{Path: "hooks[]", Kind: Object},
		{Path: "hooks[].at", Kind: Integer, Max: 9},
		{Path: "hooks[].url", Kind: Text, Required: true},
		{Path: "rate", Kind: List},
		{Path: "rate[]", Kind: Text, Form: "^[0-9]+$", Want: "a number"},
	}}
	for name, text := range map[string]string{
		"below its name":        "id: x\nsecret:\n  s3cret-4711\noops: 1\n",
		"wrong, below its name": "id: x\nsecret:\n  s3cret-4711\n",
		"a short one":           "id: x\nsecret: 4711\n",
		"a literal":             "id: x\nsecret: |\n  s3cret-4711\noops: 1\n",
		"folded":                "id: x\nsecret: >-\n  s3cret-4711\noops: 1\n",
		"a default":             "id: x\nsecret: \"${X:-s3cret-4711}\"\noops: 1\n",
		"a mistyped name":       "id: x\nsecrt: s3cret-4711\n",
		"a mistyped name, near": "id: x\nsecrt: s3cret-4711\noops: 1\n",
		"without a colon":       "id: x\nsecret s3cret-4711\noops: 1\n",
		"with another sign":     "id: x\nsecret = s3cret-4711\noops: 1\n",
		"a tab for the colon":   "id: x\nsecret\ts3cret-4711\noops: 1\n",
		"a tab, mistyped":       "id: x\nmore:\n\tsecrt: s3cret-4711\n",
		"two lines, mistyped":   "id: x\nsecrt: \"a\n  s3cret-4711\"\noops: 1\n",
		"an item, mistyped":     "id: x\nhooks:\n  - { at: 1, ulr: \"https://host.example/s3cret-4711\", more: s3cret-4711, 'it': 's3cret-4711' }\noops: 1\n",
		"an anchor":             "id: x\nmore: &a s3cret-4711\nsecret: *a\n",
		"in the wrong place":    "id: s3cret-4711\nsecret: never\noops: 1\n",
		"an address":            "id: postgres://user:s3cret-4711@host/db\noops: 1\n",
		"a remark":              "# it was s3cret-4711\noops: 1\n",
		"a question":            "? secret\n: s3cret-4711\noops: 1\n",
		"UTF-16":                "\xff\xfes\x00e\x00c\x00r\x00e\x00t\x00:\x00 \x00s\x003\x00c\x00r\x00e\x00t\x00",
		"within a text":         "id: x\nrate: [ \"a?client_secret=s3cret-4711\" ]\n",
		"within a name":         "id: x\n\"a?token=s3cret-4711\": 1\n",
		"zero bytes":            "secret: s\x003\x00c\x00r\x00e\x00t\n",
	} {
		err := readError(table, text)
		require.Error(t, err, name)
		assert.NotContains(t, err.Error(), "4711", name)
		assert.NotContains(t, err.Error(), "s\\x003", name)
		assert.NotContains(t, err.Error(), "s\x003", name)
	}
	err := readError(table, "version: 1\nid: x\nrate:\n  - 12x\n")
	require.ErrorContains(t, err, ">  4 |   - 12x\n", "what is wrong is shown")
	assert.ErrorContains(t, err, "   2 | id: …\n")
	err = readError(table, "version: 1\nid x\n")
	assert.ErrorContains(t, err, ">  2 | id …\n", "and where a colon is missing")
	err = readError(table, "version: 1\nid: x\nhooks:\n  - { match: \"POST /x\", at: 1 }\n  - { at: 1, ulr: x }\n")
	assert.ErrorContains(t, err, "   4 |   - { match: \"POST /x\", at: 1 }\n", "rules near it, whose order counts")
	assert.ErrorContains(t, err, ">  5 |   - { at: …, ulr: … }\n")
	err = readError(table, "version: 1\nid: x\nhooks:\n  - { name: xy, at: 12, id: y }\n")
	assert.ErrorContains(t, err, ">  4 |   - { name: **, at: 12, id: … }\n"+"                           ^\n", "the value that is wrong, and no other")
}

func readError(table Table, text string) error {
	f, err := table.Read("file.yaml", []byte(text))
	if err != nil {
		return err
	}
	return f.Err()
}

package main

import (
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/mockapi"
	"github.com/hsharness/hsharness/internal/services"
	"github.com/hsharness/hsharness/mockidp"
)

// TestLearnPageAsWritten types docs/learn.md from nothing to the end, at a sandbox whose
// answers have a shape of their own.
func TestLearnPageAsWritten(t *testing.T) {
	t.Parallel()
	p := readPage(t, "docs/learn.md")
	r := newReader(t)
	server, err := services.Serve(services.Config{
		Clients: []mockidp.Client{{ID: "real-id", Secrets: []mockidp.Secret{{Value: realSecret}}, Scopes: avalara.Scopes()}},
		API: mockapi.Config{Templates: fstest.MapFS{"classify.json": {Data: []byte(
			`{"best":{{if .Found}}{{with index .Found 0}}{"tariff":"{{slice .Code 0 4}}.{{slice .Code 4 6}}.{{slice .Code 6}}","sure":"{{printf "%.2f" .Confidence}}"}{{end}}{{else}}null{{end}},"for":{{json .Country}}}`)}}},
	}, services.Addresses{Identity: "127.0.0.1:0", API: "127.0.0.1:0", Control: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, server.Close()) })
	r.server = server
	require.NoError(t, os.WriteFile(filepath.Join(r.dir, "bin", "npm"), []byte("#!/bin/sh\nexec classify 5\n"), 0o755))
	require.Len(t, p.yaml, 2)
	r.writes(p.yaml[0])
	require.NoError(t, os.WriteFile(filepath.Join(r.dir, "unseen.yaml"), []byte(p.yaml[1]), 0o600))
	said := ""
	for _, line := range p.typed {
		code, out := r.types(line)
		require.Zero(t, code, "%s\n%s", line, out)
		said += out
	}
	assert.EqualValues(t, 5, r.served(), "five were bought, and nothing more")
	assert.Contains(t, said, "learned    POST /hscode/classify, from 5: mock/hscode-classify.learned.json\n")
	assert.Contains(t, said, "the mock API's shapes are learned from 5 recordings\n")
	assert.Regexp(t, `POST /hscode/classify\n +verified .*\n +learned   from 5 recordings of .*: found \(200\)`, said)
	r.verify()
}

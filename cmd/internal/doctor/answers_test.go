package doctor_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const learnedFile = `{
  "format": 1,
  "operation": "POST /hscode/classify",
  "learned": { "recordings": ["0123456789ab", "123456789abc"], "from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z" },
  "elapsed_ms": { "median": 40, "p95": 90 },
  "request": { "text": ["/description"] },
  "answers": [
    { "when": "found", "from": 1, "status": 200, "body": { "hsCode": "$code ####.##" } },
    { "when": "no text", "from": 1, "status": 422 }
  ],
  "assumed": [ "what a batch is answered" ]
}
`

// TestWhatAnswersRestOn: of each operation what is verified, with its source, what was
// learned, from how many recordings and when, and what is taken on trust.
func TestWhatAnswersRestOn(t *testing.T) {
	t.Parallel()
	p := newPatient(t, sandbox).granted(1000)
	assert.Regexp(t, `ok answers: POST /hscode/classify, .*, POST /hscode/hints\n +verified  path, host and scope: the vendor's endpoint index .*\n +learned   nothing; buy five answers of each, then: hsharness recordings learn\n +assumed   .*the bodies of requests`, p.examined())
	mock := filepath.Join(p.source.Project.Dir(), "mock")
	require.NoError(t, os.Mkdir(mock, 0o755))
	file := filepath.Join(mock, "x.learned.json")
	require.NoError(t, os.WriteFile(file, []byte(learnedFile), 0o600))
	out := p.examined()
	assert.Regexp(t, `ok answers: POST /hscode/classify\n +verified  path, host and scope: .*\n +learned   from 2 recordings of 2026-01-01 to 2026-01-02: found \(200\), no text \(422\); answers took 40 ms, 95 % of them at most 90\n +assumed   which code goods get that were not bought; what a batch is answered\n`, out)
	assert.Regexp(t, `ok answers: POST /hscode/classify_from_hs6, .*\n.*\n +learned   nothing; buy`, out)
	assert.Regexp(t, `ok answers: POST /api/v2/companies/{companyId}/classifications/hs, GET .*\n.*\n +learned   nothing: the published shape is kept`, out)

	require.NoError(t, os.WriteFile(file, []byte("{"), 0o600))
	assert.Regexp(t, `(?s)error answers: .*x\.learned\.json:1:2: .*=> mend it, or write it anew: hsharness recordings learn`, p.examined())
}

package comment

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Below a long name each place is as long: a megabyte of this took hours, and all memory.
func TestCodesBelowALongName(t *testing.T) {
	t.Parallel()
	answer := func(name string, codes int) []byte {
		return []byte(`{"` + name + `":[` + strings.Repeat(`"610910",`, codes) + `"620520"]}`)
	}
	assert.Equal(t, map[string]string{"/hsCodes/0": "610910", "/hsCodes/1": "620520"}, codes(answer("hsCodes", 1)))
	assert.Len(t, codes(answer(strings.Repeat("n", 100_000)+"codes", 500)), 501)
	assert.Empty(t, codes(answer(strings.Repeat("n", 100_000)+"codes", 700)))
	assert.Equal(t, map[string]string{"/0/code": "610910", "/1/code": "620520"}, codes([]byte(`{"code":"610910"}`+"\n"+`{"code":"620520"}`)))
	assert.Empty(t, codes([]byte(`{"a":"610910","b":["610910"]}`)))
}

package project

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestPathIsUnderTheFileThatGivesIt(t *testing.T) {
	abs, err := filepath.Abs("ledger.db")
	assert.NoError(t, err)
	assert.Equal(t, abs, Under("shop", abs))
	assert.Equal(t, filepath.Join("shop", "data", "ledger.db"), Under("shop", "data/ledger.db"))
	assert.Equal(t, "ledger.db", Under(".", "ledger.db"))
	// make wine looks at what Windows alone has: paths from the top of a drive.
	top := string(filepath.Separator) + "ledger.db"
	assert.Equal(t, filepath.VolumeName(filepath.Dir(abs))+top, Under(filepath.Dir(abs), top))
}

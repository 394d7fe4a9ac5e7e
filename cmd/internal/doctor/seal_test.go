package doctor_test

import (
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/doctor"
	"github.com/hsharness/hsharness/cmd/internal/seal"
)

func TestMain(m *testing.M) {
	if seal.IsShim() {
		os.Exit(seal.Shim())
	}
	os.Exit(m.Run())
}

// TestSealingIsOneLine: doctor makes a seal where that can be done, and says so where it
// can't; on other systems there is nothing to mend.
func TestSealingIsOneLine(t *testing.T) {
	t.Parallel()
	p := newPatient(t, sandbox).granted(1000)
	var about []string
	for _, d := range doctor.Examine(t.Context(), p.source, nil) {
		if d.Check == "seal" && strings.Contains(d.Message, "can be sealed here") {
			about = append(about, d.Level+" "+d.Message)
		}
	}
	require.Len(t, about, 1)
	if runtime.GOOS != "linux" {
		assert.Equal(t, "ok no run can be sealed here: that needs Linux's namespaces, and this is "+runtime.GOOS, about[0])
		return
	}
	assert.Equal(t, "ok a run can be sealed here", about[0])
}

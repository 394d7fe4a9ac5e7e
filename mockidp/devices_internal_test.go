package mockidp

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// What is kept of a device is not the form that it sent, which may have 30 MB.
func TestDevicesKeepNoForms(t *testing.T) {
	var d devices
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range 100 {
		form := strings.Repeat("openid client ", 1<<16)
		d.add(form[7:13], []string{form[:6]}, time.Now())
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	assert.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(20<<20), "bytes")
	assert.Len(t, d.list, 100)
	assert.Equal(t, "client", d.list[99].client)
	assert.Equal(t, []string{"openid"}, d.list[99].scopes)
}

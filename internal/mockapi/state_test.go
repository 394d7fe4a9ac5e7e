package mockapi_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/mockapi"
)

func TestClassificationsSurviveRestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.json")
	cfg := mockapi.Config{StateFile: file, ManagedReads: 2}
	s := serve(t, cfg)
	first := s.create(nil)
	s.create(map[string]any{"item.itemCode": "SKU002"})
	assert.Equal(t, "PENDING", s.read("3402-SKU001-CA").at(t, "status"))

	s = serve(t, cfg)
	got := s.read("3402-SKU001-CA")
	assert.Equal(t, first.body, got.body, "PENDING for the second time")
	s = serve(t, cfg)
	got = s.read("3402-SKU001-CA")
	assert.Equal(t, "CLASSIFIED", got.at(t, "status"), "reads are not forgotten")
	assert.Regexp(t, "^6109", got.at(t, "hsCode"))
	again := s.create(map[string]any{"item.description": "cotton shirt"})
	assert.Equal(t, first.at(t, "item", "id"), again.at(t, "item", "id"), "still an update")
	assert.EqualValues(t, 3, s.create(map[string]any{"item.itemCode": "SKU003"}).at(t, "item", "id"))
	assert.EqualValues(t, 4, s.served())

	require.NoError(t, s.Reset())
	s = serve(t, cfg)
	assert.Equal(t, http.StatusNotFound, s.read("3402-SKU001-CA").status)
	assert.EqualValues(t, 4, s.served())
	assert.EqualValues(t, 4, s.create(nil).at(t, "item", "id"), "an item id is given once")
}

func TestDelaySurvivesRestart(t *testing.T) {
	cfg := mockapi.Config{StateFile: filepath.Join(t.TempDir(), "state.json"), ManagedDelay: time.Hour}
	s := serve(t, cfg)
	s.create(nil)
	s = serve(t, cfg)
	require.NoError(t, s.Clock().Advance(59*time.Minute))
	assert.Equal(t, "PENDING", s.read("3402-SKU001-CA").at(t, "status"))
	require.NoError(t, s.Clock().Advance(time.Minute))
	assert.Equal(t, "CLASSIFIED", s.read("3402-SKU001-CA").at(t, "status"))
}

// A process may be killed at any byte of the line that it writes: what was
// answered before is there, and what was not is not.
func TestStateIsReadUpToWhereItWasKilled(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.json")
	s := serve(t, mockapi.Config{StateFile: file})
	s.create(nil)
	before, err := os.ReadFile(file)
	require.NoError(t, err)
	s.create(map[string]any{"item.itemCode": "SKU002"})
	after, err := os.ReadFile(file)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(after), string(before)), "a change is a line more")
	for at := len(before); at <= len(after); at += 37 {
		require.NoError(t, os.WriteFile(file, after[:at], 0o600))
		s = serve(t, mockapi.Config{StateFile: file})
		assert.EqualValues(t, 1, s.served(), at)
		assert.Equal(t, http.StatusOK, s.read("3402-SKU001-CA").status)
		assert.Equal(t, http.StatusNotFound, s.read("3402-SKU002-CA").status)
	}
	require.NoError(t, os.WriteFile(file, after, 0o600))
	assert.EqualValues(t, 2, serve(t, mockapi.Config{StateFile: file}).served())
}

func TestStateOfTheFirstFormatIsRead(t *testing.T) {
	file, n := filepath.Join(t.TempDir(), "state.json"), int64(3)
	require.NoError(t, os.WriteFile(file, []byte(`{"format":1,"environment":"sandbox","served":{"2000000001":2}}`+"\n"), 0o600))
	s := serve(t, mockapi.Config{StateFile: file, Allowance: &n})
	assert.Equal(t, http.StatusOK, s.classify().status)
	assert.Equal(t, http.StatusTooManyRequests, s.classify().status)
}

func TestStateFileThatAnotherWritesIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.json")
	s := serve(t, mockapi.Config{StateFile: file})
	serve(t, mockapi.Config{StateFile: file}).classify()
	got := s.create(nil)
	assert.Equal(t, http.StatusInternalServerError, got.status)
	assert.Contains(t, got.body, "is it another program's too?")
	assert.Zero(t, s.served(), "nothing is served that is not on disk")
	assert.Equal(t, http.StatusNotFound, s.read("3402-SKU001-CA").status)
}

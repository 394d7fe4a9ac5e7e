package wine_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A ledger is where its path says, in every spelling that Windows has.
func TestPaths(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	at := strings.TrimPrefix(d.name, `C:`)
	for path, want := range map[string]string{
		d.name + `\full\ledger.db`:                                  "full/ledger.db",
		strings.ReplaceAll(d.name, `\`, `/`) + `/slashes/ledger.db`: "slashes/ledger.db",
		`relative\ledger.db`:                                        "relative/ledger.db",
		`.\a folder\100%41 #1 a&b=c;d+e\税番.db`:                      "a folder/100%41 #1 a&b=c;d+e/税番.db",
		at + `\from the top\ledger.db`:                              "from the top/ledger.db",
		`\\?\` + d.name + `\verbatim\ledger.db`:                     "verbatim/ledger.db",
		`\\.\` + d.name + `\device\ledger.db`:                       "device/ledger.db",
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			d.run("quota", "init", "--granted", "5", "--ledger", "sqlite:"+path).exits(t, 0)
			assert.FileExists(t, filepath.Join(d.dir, want))
			d.run("quota", "grant", "2", "--ledger", "sqlite:"+path).exits(t, 0)
			assert.Equal(t, 7, d.status(t, "sqlite:"+path).Granted)
			assert.Equal(t, 7, d.status(t, "sqlite:"+d.name+`\`+want).Granted)
		})
	}
}

// One file by another of its names is the same ledger with the same gate.
func TestNamesOfOneFile(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	const file = "the ledger of our team.database"
	d.run("quota", "init", "--granted", "5", "--ledger", "sqlite:"+file).exits(t, 0)
	short := d.short(t, file)
	for _, name := range []string{file, strings.ToUpper(file), file + ". ", short, strings.ToLower(short)} {
		d.run("quota", "grant", "1", "--ledger", "sqlite:"+name).exits(t, 0)
	}
	assert.Equal(t, 10, d.status(t, "sqlite:"+file).Granted)
	files, err := filepath.Glob(filepath.Join(d.dir, "*.lock"))
	require.NoError(t, err)
	assert.Len(t, files, 1)
}

// No ledger is made where it can't be kept, or where its name means something else.
func TestPlacesThatAreRefused(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	share := filepath.Join(where.system, "home/wine/windows/dosdevices/unc/hsharness", filepath.Base(d.dir))
	require.NoError(t, os.MkdirAll(filepath.Dir(share), 0o755))
	require.NoError(t, os.Symlink(filepath.Join("../../../drive_c", filepath.Base(d.dir)), share))
	t.Cleanup(func() { _ = os.Remove(share) })
	for path, want := range map[string]string{
		`\\hsharness\` + filepath.Base(d.dir) + `\ledger.db`:       "a share of a server",
		`//hsharness/` + filepath.Base(d.dir) + `/ledger.db`:       "a share of a server",
		`\\?\UNC\hsharness\` + filepath.Base(d.dir) + `\ledger.db`: "a share of a server",
		`ledger.db::$DATA`:     "behind the drive",
		`ledger.db:stream`:     "behind the drive",
		`C:ledger.db`:          "behind the drive",
		`file:ledger.db`:       "behind the drive",
		d.name + `\led?ger.db`: "can't be kept there",
	} {
		assert.Contains(t, d.run("quota", "init", "--granted", "5", "--ledger", "sqlite:"+path).exits(t, 7).stderr, want, path)
	}
	files, err := filepath.Glob(filepath.Join(d.dir, "*.db*"))
	require.NoError(t, err)
	assert.Empty(t, files)
}

// short is the name of eight and three letters that Windows gives a file.
func (d *desk) short(t *testing.T, file string) string {
	t.Helper()
	out, err := d.command("cmd", "/c", "dir", "/x").Output()
	require.NoError(t, err)
	for line := range strings.Lines(string(out)) {
		if strings.TrimSpace(line[strings.LastIndex(line, " the ")+1:]) == file {
			fields := strings.Fields(strings.TrimSuffix(strings.TrimSpace(line), file))
			return fields[len(fields)-1]
		}
	}
	require.Fail(t, "no short name", "%s", out)
	return ""
}

// status is what the ledger of an address says; empty is the project's.
func (d *desk) status(t *testing.T, ledger string) (s status) {
	t.Helper()
	args := []string{"quota", "status", "--format", "json"}
	if ledger != "" {
		args = append(args, "--ledger", ledger)
	}
	out := d.run(args...).exits(t, 0).stdout
	require.NoError(t, json.Unmarshal([]byte(out), &s))
	return s
}

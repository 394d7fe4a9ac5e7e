package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/recording"
)

// BenchmarkRunRows is a run of a table of 10,000 rows, each answered by a recording of its
// own, as a process: the target is under 5 s and 200 MB. It reports the time on the wall,
// that on the processors, and the most memory that the process had.
func BenchmarkRunRows(b *testing.B) {
	const rows = 10_000
	dir := b.TempDir()
	table := recordedRows(b, filepath.Join(dir, "recordings"), rows)
	write := func(name, text string) {
		name = filepath.Join(dir, name)
		require.NoError(b, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(b, os.WriteFile(name, []byte(text), 0o600))
	}
	write("hsharness.yaml", "version: 1\n")
	write("scenarios/titles.csv", table)
	write("scenarios/a.yaml", `version: 1
name: a catalogue
matrix: { from: titles.csv }
steps:
  - request: POST /hscode/classify
    body: { description: "{{ row.title }}", countryOfDestination: "{{ row.country }}" }
    expect: { json: { hsCode: "{{ row.code }}" }, spend: 1 }
`)
	var cpu time.Duration
	var most int
	for b.Loop() {
		cmd := exec.Command("hsharness", "run", "--mode", "replay", "--json", "out.json", "--junit", "out.xml", "--html", "out.html")
		cmd.Dir = dir
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		require.NoError(b, cmd.Start())
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		for running := true; running; {
			select {
			case err := <-ended:
				require.NoError(b, err, "%.2000s", out.String())
				running = false
			case <-time.After(5 * time.Millisecond):
				mb, _ := peakMemory(cmd.Process.Pid)
				most = max(most, mb)
			}
		}
		require.Contains(b, out.String(), fmt.Sprintf("replayed %d ", rows))
		cpu += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/run")
	b.ReportMetric(cpu.Seconds()/float64(b.N), "cpu-s/run")
	b.ReportMetric(float64(most), "MB")
}

// recordedRows makes recordings of so many requests, by the store itself for the first and
// after its pattern for the others, since each is on disk before the next, in the folder
// where the guard has them. It returns the table of them.
func recordedRows(b *testing.B, dir string, rows int) string {
	b.Helper()
	store, err := recording.Open(recording.Config{Dir: dir})
	require.NoError(b, err)
	var first, firstTitle, firstCode, folder string
	var firstKey recording.Key
	table := []string{"title,code,country"}
	for i := range rows {
		title, code := fmt.Sprintf("cotton t-shirt, knitted, model %d", i), fmt.Sprintf("61091%05d", i)
		table = append(table, fmt.Sprintf("%q,%s,US", title, code))
		body, err := json.Marshal(map[string]any{"description": title, "countryOfDestination": "US"})
		require.NoError(b, err)
		key := store.Key(recording.Request{Environment: "sandbox", API: "current", Operation: "POST /hscode/**", Method: http.MethodPost, Path: "/hscode/classify", Body: body})
		if i == 0 {
			require.NoError(b, store.Put(b.Context(), key, recording.Take{
				RecordedAt: time.Now(), Cost: 1, Entry: "bought", Response: recording.Message{
					Status: 200, Header: http.Header{"Content-Type": {"application/json"}},
					Body: []byte(`{"hsCode":"` + code + `","description":"T-shirt of cotton, knitted","countryOfDestination":"US","confidence":0.88}`),
				},
			}))
			rec, err := store.Get(key)
			require.NoError(b, err)
			text, err := os.ReadFile(rec.File)
			require.NoError(b, err)
			first, firstKey, firstTitle, firstCode, folder = string(text), key, title, code, filepath.Dir(rec.File)
			continue
		}
		text := strings.NewReplacer(firstKey.Sum, key.Sum, firstKey.Inputs.BodySHA256, key.Inputs.BodySHA256, firstTitle, title, firstCode, code).Replace(first)
		require.NoError(b, os.WriteFile(filepath.Join(folder, key.Sum[:12]+".json"), []byte(text), 0o600))
	}
	return strings.Join(table, "\n") + "\n"
}

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/quotatest"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// BenchmarkExecTrue is what exec costs a command that does nothing: two
// processes, four listeners, and the bill.
func BenchmarkExecTrue(b *testing.B) {
	for b.Loop() {
		cmd := exec.Command("hsharness", "exec", "--quiet", "--", "true")
		cmd.Dir = b.TempDir()
		out, err := cmd.CombinedOutput()
		require.NoError(b, err, "%s", out)
	}
}

// BenchmarkLint is lint of a folder of 1,000 files, process and all: the target
// is under one second.
func BenchmarkLint(b *testing.B) {
	dir := b.TempDir()
	src, err := os.ReadFile("../../internal/scenario/testdata/right/design.yaml")
	require.NoError(b, err)
	for i := range 1000 {
		require.NoError(b, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.yaml", i)), src, 0o600))
	}
	for b.Loop() {
		out, err := exec.Command("hsharness", "lint", dir).CombinedOutput()
		require.NoError(b, err, "%s", out)
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/1000files")
}

// BenchmarkReport is the whole report of a ledger of a million entries, with the
// HTML page, as a process of its own that has not seen it before: the target is under 0.7 s.
// It reports the time on the wall, the shortest and the median, that on the processors, and
// the size of the page.
func BenchmarkReport(b *testing.B) {
	dir := b.TempDir()
	store, err := sqlite.Import(b.Context(), sqlite.Config{Path: filepath.Join(dir, "ledger.db")},
		quota.Info{LedgerID: "LARGE", Account: "account", Allowance: quota.DefaultAllowance, Created: time.Now().Truncate(time.Microsecond)}, quotatest.History(1000))
	require.NoError(b, err)
	require.NoError(b, store.Close())
	var all []time.Duration
	var cpu time.Duration
	for b.Loop() {
		cmd := exec.Command("hsharness", "report", "--ledger", "sqlite:ledger.db", "--html", "report.html")
		cmd.Dir = dir
		begun := time.Now()
		out, err := cmd.CombinedOutput()
		all = append(all, time.Since(begun))
		require.NoError(b, err, "%s", out)
		cpu += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	slices.Sort(all)
	page, err := os.Stat(filepath.Join(dir, "report.html"))
	require.NoError(b, err)
	b.ReportMetric(float64(all[0].Milliseconds()), "least-ms")
	b.ReportMetric(float64(all[len(all)/2].Milliseconds()), "median-ms")
	b.ReportMetric(float64(cpu.Milliseconds())/float64(len(all)), "cpu-ms/op")
	b.ReportMetric(float64(page.Size())/1000, "kB-page")
}

// BenchmarkServeFirstToken is the time from the start of serve to the first
// token that it gives, key and all. It reports the median. With the public table
// too, where HSHARNESS_HS_DATA names it.
func BenchmarkServeFirstToken(b *testing.B) {
	b.Run("own goods", func(b *testing.B) { serveFirstToken(b) })
	if table := os.Getenv("HSHARNESS_HS_DATA"); table != "" {
		b.Run("table", func(b *testing.B) { serveFirstToken(b, "--hs-data", table) })
	}
}

func serveFirstToken(b *testing.B, args ...string) {
	var all []time.Duration
	args = append([]string{"serve", "--quiet", "--identity-addr", "127.0.0.1:0", "--api-addr", "127.0.0.1:0", "--control-addr", "127.0.0.1:0"}, args...)
	for b.Loop() {
		start := time.Now()
		cmd := exec.Command("hsharness", args...)
		out, err := cmd.StdoutPipe()
		require.NoError(b, err)
		require.NoError(b, cmd.Start())
		var ready struct {
			Sandbox struct {
				TokenURL string `json:"token_url"`
			}
			ClientID string `json:"client_id"`
			Secret   string `json:"client_secret"`
		}
		require.NoError(b, json.NewDecoder(out).Decode(&ready))
		resp, err := http.PostForm(ready.Sandbox.TokenURL, url.Values{
			"grant_type": {"client_credentials"}, "client_id": {ready.ClientID}, "client_secret": {ready.Secret},
		})
		require.NoError(b, err)
		require.Equal(b, http.StatusOK, resp.StatusCode)
		all = append(all, time.Since(start))
		require.NoError(b, resp.Body.Close())
		require.NoError(b, cmd.Process.Kill())
		_ = cmd.Wait()
	}
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "median-ms")
}

package idp

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// requests is how many tokens each server gives in one measurement.
const requests = 3000

// peers are the servers that ours is compared with.
var peers = []string{"mockoidc", "go-oauth2", "fosite", "zitadel"}

// figures are what one server did under one load.
type figures struct {
	perSecond float64
	p99       time.Duration
	cpu       time.Duration // of the server, a token
	resident  float64       // of the server at the end, in MB
}

// BenchmarkTokens asks each server in turn for the same number of tokens over 16,
// 32 and 64 connections of this process, which shares the machine with it. The
// best peer of each figure is what the ratios are to.
func BenchmarkTokens(b *testing.B) {
	for _, connections := range []int{16, 32, 64} {
		b.Run(strconv.Itoa(connections), func(b *testing.B) {
			for b.Loop() {
				ours, standard := measure(b, "ours", connections, requests), measure(b, "ours-standard", connections, requests)
				best := measure(b, peers[0], connections, requests)
				for _, name := range peers[1:] {
					f := measure(b, name, connections, requests)
					best = figures{perSecond: max(best.perSecond, f.perSecond), p99: min(best.p99, f.p99)}
				}
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(ours.perSecond, "tokens/s")
				b.ReportMetric(best.perSecond, "peer-tokens/s")
				b.ReportMetric(ours.perSecond/best.perSecond, "throughput-ratio")
				b.ReportMetric(ms(ours.p99), "p99-ms")
				b.ReportMetric(ms(best.p99), "peer-p99-ms")
				b.ReportMetric(ms(ours.p99)/ms(best.p99), "p99-ratio")
				b.ReportMetric(ms(standard.p99)/ms(best.p99), "standard-p99-ratio")
				b.ReportMetric(ms(ours.cpu)/ms(standard.cpu), "cpu-ratio-to-standard")
			}
		})
	}
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// measure starts a server, loads it and stops it.
func measure(b *testing.B, name string, connections, requests int) figures {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), serverVariable+"="+name)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	must(b, err)
	stdout, err := cmd.StdoutPipe()
	must(b, err)
	must(b, cmd.Start())
	defer func() { _ = stdin.Close(); _ = cmd.Wait() }()
	var e endpoint
	must(b, json.NewDecoder(stdout).Decode(&e))

	transport := &http.Transport{MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections}
	defer transport.CloseIdleConnections()
	form := e.Form.Encode()
	ask := func() time.Duration {
		start := time.Now()
		r, err := http.NewRequest(http.MethodPost, e.URL, strings.NewReader(form))
		must(b, err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := transport.RoundTrip(r)
		must(b, err)
		text, err := io.ReadAll(resp.Body)
		must(b, err)
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK || strings.Count(string(text), ".") < 2 {
			b.Fatalf("%s answered %d %s", name, resp.StatusCode, text)
		}
		return time.Since(start)
	}
	for range 20 {
		ask() // makes the key, warms up
	}

	before := cpu(b, cmd.Process.Pid)
	var left atomic.Int64
	left.Store(int64(requests))
	took := make([][]time.Duration, connections)
	start := time.Now()
	var all sync.WaitGroup
	for i := range connections {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				took[i] = append(took[i], ask())
			}
		})
	}
	all.Wait()
	elapsed := time.Since(start)
	used := cpu(b, cmd.Process.Pid) - before
	each := slices.Concat(took...)
	slices.Sort(each)
	return figures{
		perSecond: float64(len(each)) / elapsed.Seconds(), p99: each[len(each)*99/100], cpu: used / time.Duration(len(each)),
		resident: resident(b, cmd.Process.Pid),
	}
}

// BenchmarkMemory is what our server holds after as many tokens as -benchtime
// says: 1000000x for a million.
func BenchmarkMemory(b *testing.B) {
	f := measure(b, "ours", 32, b.N)
	b.ReportMetric(f.resident, "resident-MB")
}

// resident is how much memory a process holds, in MB.
func resident(b *testing.B, pid int) float64 {
	b.Helper()
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	must(b, err)
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	must(b, err)
	return float64(pages*os.Getpagesize()) / 1e6
}

// cpu is what a process has used so far, in ticks of 10 ms.
func cpu(b *testing.B, pid int) time.Duration {
	b.Helper()
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	must(b, err)
	fields := strings.Fields(string(text)[strings.LastIndexByte(string(text), ')')+2:])
	user, err := strconv.Atoi(fields[11])
	must(b, err)
	system, err := strconv.Atoi(fields[12])
	must(b, err)
	return time.Duration(user+system) * 10 * time.Millisecond
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

package scenario

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ovh/venom"
	venomhttp "github.com/ovh/venom/executors/http"

	"github.com/hsharness/hsharness/bench"
	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/scenario"
	"github.com/hsharness/hsharness/internal/services"
)

// files is how many scenarios one operation runs.
const files = 1000

// concurrencies are how many requests are under way at the same time.
var concurrencies = []int{1, 4}

const body = `{"description":"cotton t-shirt, knitted","countryOfDestination":"US"}`

// ourFile and theirFile send the same request and expect the same of its answer.
// Theirs has the address and the token written out, which spares it the work
// of filling them in; ours fetches a token.
const ourFile = `version: 1
name: number %d
why: To be measured.
quota: { expected: 1, max: 1 }
steps:
  - id: classify
    request: POST /hscode/classify
    body: { description: "cotton t-shirt, knitted", countryOfDestination: US }
    expect: { status: 200, json: { hsCode: "/^6109/" } }
`

const theirFile = `name: number %d
testcases:
- name: classify
  steps:
  - type: http
    method: POST
    url: %s
    headers: { Content-Type: application/json, Authorization: Bearer %s }
    body: '` + body + `'
    assertions:
    - result.statuscode ShouldEqual 200
    - result.bodyjson.hsCode ShouldStartWith 6109
`

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// server is what the peers talk to: the services that our runner starts for itself.
type server struct{ url, token string }

func newServer(b *testing.B) server {
	b.Helper()
	s, err := services.New(services.Config{})
	must(b, err)
	b.Cleanup(func() { must(b, s.Close()) })
	api, err := s.APIURL(avalara.Sandbox, avalara.Current)
	must(b, err)
	token, err := s.Token(b.Context(), avalara.Sandbox, avalara.HostOf(avalara.Sandbox, avalara.Current).Scopes[0])
	must(b, err)
	return server{api + avalara.PathClassify, token}
}

// write puts the files into jobs folders, and returns those.
func write(b *testing.B, jobs int, text func(i int) string) []string {
	b.Helper()
	dir := b.TempDir()
	folders := make([]string, jobs)
	for i := range files {
		folder := filepath.Join(dir, strconv.Itoa(i%jobs))
		folders[i%jobs] = folder
		must(b, os.MkdirAll(folder, 0o700))
		must(b, os.WriteFile(filepath.Join(folder, fmt.Sprintf("%d.yaml", i)), []byte(text(i)), 0o600))
	}
	return folders
}

// parse reads all files and parses them on all cores, as `hsharness run` does.
func parse(b *testing.B, folders []string) []*scenario.Scenario {
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	var names []string
	for _, folder := range folders {
		found, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
		must(b, err)
		names = append(names, found...)
	}
	all := make([]*scenario.Scenario, len(names))
	var next atomic.Int64
	together(runtime.GOMAXPROCS(0), func(int) {
		for i := int(next.Add(1)) - 1; i < len(names); i = int(next.Add(1)) - 1 {
			data, err := os.ReadFile(names[i])
			if err == nil {
				all[i], err = scenario.Parse(names[i], data)
			}
			if err != nil {
				b.Error(err)
				return
			}
		}
	})
	if b.Failed() {
		b.FailNow()
	}
	return all
}

// ours runs what was parsed, as `hsharness run --jobs` does, and prints it.
func ours(b *testing.B, jobs int, all []*scenario.Scenario) {
	keys := services.NewKeys(guard.Offline)
	runner := scenario.Runner{Jobs: jobs, NewServices: func(needs scenario.Needs) (services.Service, error) {
		return services.New(services.Config{Keys: keys, Cap: needs.Cap})
	}}
	result := runner.Run(b.Context(), all)
	must(b, report.Text(io.Discard, result, report.Style{}))
	if result.Bill.Exit != 0 || result.Bill.Mocked != files {
		b.Fatal(result.Bill)
	}
}

// newVenom can do no more than HTTP, and prints nothing.
func newVenom() *venom.Venom {
	v := venom.New()
	v.LogOutput, v.PrintFunc = io.Discard, func(string, ...any) (int, error) { return 0, nil }
	v.RegisterExecutorBuiltin(venomhttp.Name, venomhttp.New())
	return v
}

// quiet sets venom's log up as its command does without -v: warnings alone, to a
// file. It is one for the whole process.
func quiet(b *testing.B) {
	v := newVenom()
	v.OutputDir = b.TempDir()
	must(b, v.InitLogger())
}

// theirs runs them with venom. It runs one file after the other, so each of jobs
// instances gets its share.
func theirs(b *testing.B, folders []string) {
	together(len(folders), func(i int) {
		v := newVenom()
		ctx := context.Background()
		if err := v.Parse(ctx, folders[i:i+1]); err != nil {
			b.Error(err)
			return
		}
		if err := v.Process(ctx, folders[i:i+1]); err != nil || v.Tests.Status != venom.StatusPass {
			b.Error(err, v.Tests.Status)
		}
	})
}

// bare sends the requests in a loop, and looks at the status alone.
func bare(b *testing.B, jobs int, s server) {
	transport := &http.Transport{MaxIdleConnsPerHost: jobs}
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: transport}
	together(jobs, func(job int) {
		for i := job; i < files; i += jobs {
			r, err := http.NewRequest(http.MethodPost, s.url, strings.NewReader(body))
			if err != nil {
				b.Error(err)
				return
			}
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "Bearer "+s.token)
			resp, err := client.Do(r)
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				b.Error(resp.Status)
			}
		}
	})
}

// together calls f jobs times at the same time and waits.
func together(jobs int, f func(job int)) {
	var all sync.WaitGroup
	for job := range jobs {
		all.Go(func() { f(job) })
	}
	all.Wait()
}

// BenchmarkVenom compares all of a run: files in, report out.
func BenchmarkVenom(b *testing.B) {
	for _, jobs := range concurrencies {
		b.Run(fmt.Sprintf("jobs=%d", jobs), func(b *testing.B) {
			quiet(b)
			s := newServer(b)
			mine := write(b, jobs, func(i int) string { return fmt.Sprintf(ourFile, i) })
			other := write(b, jobs, func(i int) string { return fmt.Sprintf(theirFile, i, s.url, s.token) })
			bench.Pair(b,
				func() func() { return func() { ours(b, jobs, parse(b, mine)) } },
				func() func() { return func() { theirs(b, other) } })
		})
	}
}

// BenchmarkLoop compares the scenarios with the requests alone: once they are parsed, and
// with the parsing.
func BenchmarkLoop(b *testing.B) {
	for _, jobs := range concurrencies {
		s := newServer(b)
		folders := write(b, jobs, func(i int) string { return fmt.Sprintf(ourFile, i) })
		theirs := func() func() { return func() { bare(b, jobs, s) } }
		b.Run(fmt.Sprintf("jobs=%d/parsed", jobs), func(b *testing.B) {
			all := parse(b, folders)
			bench.Pair(b, func() func() { return func() { ours(b, jobs, all) } }, theirs)
		})
		b.Run(fmt.Sprintf("jobs=%d/files", jobs), func(b *testing.B) {
			bench.Pair(b, func() func() { return func() { ours(b, jobs, parse(b, folders)) } }, theirs)
		})
	}
}

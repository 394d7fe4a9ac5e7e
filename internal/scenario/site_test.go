package scenario_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/scenario"
	"github.com/hsharness/hsharness/internal/services"
)

// A case gets a used stand only where neither can tell.
func TestRunnerSharesServicesThatShowNoTrace(t *testing.T) {
	const plain = "steps:" + classify + "    expect: { spend: 1, calls: 1 }\n"
	allowance := int64(10)
	tests := map[string]struct {
		first   string
		config  services.Config
		started int
	}{
		"plain":                  {plain, services.Config{}, 1},
		"a refused token":        {"steps:" + classify + "    auth: none\n    expect: { status: 401 }\n", services.Config{}, 1},
		"a cap that is reached":  {"quota: { max: 1 }\n" + plain, services.Config{}, 1},
		"a clock":                {plain + "    clock: +66m\n", services.Config{}, 2},
		"a fault":                {plain + "    faults: [{ on: api, latency: 1ms, always: true }]\n", services.Config{}, 2},
		"a fault of the end":     {plain + "finally:" + classify + "    faults: [{ on: api, latency: 1ms }]\n", services.Config{}, 2},
		"the managed API":        {"steps:\n  - api: managed\n    request: GET /api/v2/companies/1/classifications/hs/none\n    expect: { status: 404 }\n", services.Config{}, 2},
		"a cap that is used up":  {"quota: { max: 0 }\n" + plain, services.Config{}, 2},
		"a limited mock sandbox": {plain, services.Config{SandboxAllowance: &allowance}, 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			started := 0
			runner := scenario.Runner{NewServices: func(needs scenario.Needs) (services.Service, error) {
				started++
				cfg := tt.config
				cfg.Keys, cfg.Cap = keys(), needs.Cap
				return services.New(cfg)
			}}
			files := make([]*scenario.Scenario, 2)
			for i, body := range []string{tt.first, "quota: { expected: 1, max: 1 }\n" + plain} {
				s, err := scenario.Parse(fmt.Sprintf("%d.yaml", i), []byte("version: 1\nname: x\nmode: offline\n"+body))
				require.NoError(t, err)
				files[i] = s
			}
			result := runner.Run(t.Context(), files)
			assert.Equal(t, tt.started, started, "sets of services")
			second := result.Scenarios[1]
			assert.Equal(t, report.Mocked, second.Verdict, "%v", second.Failures())
			assert.Equal(t, 1, second.Spend)
			assert.Equal(t, 1, second.Calls)
			if !strings.Contains(tt.first, "max: 0") {
				assert.Empty(t, result.Scenarios[0].Failures())
			}
		})
	}
}

// What is offline although it might be live serves those that must be offline,
// and not the other way round.
func TestRunnerSharesServicesDownwards(t *testing.T) {
	live, offline := "steps:"+classify, "steps:"+classify+"    auth: none\n    expect: { status: 401 }\n"
	tests := map[string]struct {
		bodies  []string
		started int
	}{
		"down":       {[]string{live, offline, live}, 1},
		"up":         {[]string{offline, live}, 2},
		"production": {[]string{live, "environment: production\n" + live}, 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			started := 0
			runner := scenario.Runner{NewServices: func(needs scenario.Needs) (services.Service, error) {
				started++
				return newServices(needs)
			}}
			var files []*scenario.Scenario
			for _, body := range tt.bodies {
				s, err := scenario.Parse("x.yaml", []byte("version: 1\nname: x\n"+body))
				require.NoError(t, err)
				files = append(files, s)
			}
			assert.Zero(t, runner.Run(t.Context(), files).Failed())
			assert.Equal(t, tt.started, started, "sets of services")
		})
	}
}

// What replays serves those that may go as far, whatever they ask for; who must be offline
// gets the mock's answers, and who comes after a miss is not told of it.
func TestRunnerSharesServicesOfAReplay(t *testing.T) {
	t.Parallel()
	store, err := recording.Open(recording.Config{Dir: filepath.Join(t.TempDir(), "recordings")})
	require.NoError(t, err)
	body := []byte(`{"description":"cotton t-shirt","countryOfDestination":"US"}`)
	key := store.Key(recording.Request{Environment: "sandbox", API: "current", Operation: "POST /hscode/classify", Method: "POST", Path: "/hscode/classify", Body: body})
	require.NoError(t, store.Put(t.Context(), key, recording.Take{RecordedAt: time.Now(), Cost: 1, Entry: "e",
		Response: recording.Message{Status: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(`{"hsCode":"0000000001"}`)}}))

	recorded := "steps:" + classify + "    expect: { json: { hsCode: \"0000000001\" }, spend: 1, calls: 1 }\n"
	missed := strings.ReplaceAll("steps:"+classify, "cotton", "woollen")
	offline := "mode: offline\nsteps:" + classify + "    expect: { json: { hsCode: \"/^6109/\" } }\n"
	for name, tt := range map[string]struct {
		bodies  []string
		want    []report.Verdict
		started int
	}{
		"three":              {[]string{recorded, recorded, recorded}, []report.Verdict{report.Replayed, report.Replayed, report.Replayed}, 1},
		"a cap of each file": {[]string{"quota: { max: 1 }\n" + recorded, "quota: { max: 1 }\n" + recorded, recorded}, []report.Verdict{report.Replayed, report.Replayed, report.Replayed}, 1},
		"after a miss":       {[]string{recorded, missed, recorded}, []report.Verdict{report.Replayed, report.Missed, report.Replayed}, 2},
		"one offline":        {[]string{recorded, offline, recorded}, []report.Verdict{report.Replayed, report.Mocked, report.Replayed}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			started := 0
			runner := scenario.Runner{NewServices: func(needs scenario.Needs) (services.Service, error) {
				started++
				mode := min(needs.Ceiling, guard.Replay)
				cfg := services.Config{Keys: keys(), Cap: needs.Cap, Mode: mode}
				if mode == guard.Replay {
					cfg.Cassette = guard.NewCassette(store, 0)
				}
				return services.New(cfg)
			}}
			var files []*scenario.Scenario
			for _, body := range tt.bodies {
				files = append(files, parse(t, "version: 1\nname: x\n"+body))
			}
			var got []report.Verdict
			for _, s := range runner.Run(t.Context(), files).Scenarios {
				got = append(got, s.Verdict)
			}
			assert.Equal(t, tt.want, got)
			assert.Equal(t, tt.started, started, "sets of services")
		})
	}
}

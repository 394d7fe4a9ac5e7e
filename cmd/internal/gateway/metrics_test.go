package gateway

import (
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/guard"
)

// collected is what Prometheus's own parser reads.
func collected(t *testing.T, m *metrics) map[string]*dto.MetricFamily {
	t.Helper()
	w := httptest.NewRecorder()
	m.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	assert.Equal(t, string(expfmt.NewFormat(expfmt.TypeTextPlain)), w.Header().Get("Content-Type"))
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(w.Body)
	require.NoError(t, err)
	return families
}

func TestMetricsAreReadByPrometheus(t *testing.T) {
	t.Parallel()
	m := newMetrics()
	families := collected(t, m)
	assert.NotContains(t, families, "hsharness_ledger_up", "there is no ledger")
	assert.NotContains(t, families, "hsharness_requests_total")
	require.Contains(t, families, "hsharness_runs_left_to_expire_total")

	const odd = "a \"key\" \\ of\nthe shop\xff, café"
	for range 3 {
		m.observe(guard.Event{Client: odd, Verdict: guard.Bought})
	}
	m.observe(guard.Event{Client: odd, Verdict: guard.Blocked})
	m.units.add(5_000_000_000, odd)
	m.unended.add(2)
	m.ledger.observe("spend", .001) // a bound has what is as long
	m.ledger.observe("spend", .0011)
	m.ledger.observe("spend", 60)
	families = collected(t, m)

	counted := func(name string) map[string]float64 {
		require.Contains(t, families, name)
		assert.Equal(t, dto.MetricType_COUNTER, families[name].GetType(), name)
		values := map[string]float64{}
		for _, is := range families[name].GetMetric() {
			var labels []string
			for _, l := range is.GetLabel() {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			values[strings.Join(labels, ",")] = is.GetCounter().GetValue()
		}
		return values
	}
	name := strings.ToValidUTF8(odd, "\uFFFD")
	assert.Equal(t, map[string]float64{"key=" + name + ",verdict=bought": 3, "key=" + name + ",verdict=blocked": 1}, counted("hsharness_requests_total"))
	assert.Equal(t, map[string]float64{"key=" + name: 5e9}, counted("hsharness_units_spent_total"))
	assert.Equal(t, map[string]float64{"": 2}, counted("hsharness_runs_left_to_expire_total"))

	took := families["hsharness_ledger_seconds"].GetMetric()
	require.Len(t, took, 1)
	h := took[0].GetHistogram()
	assert.EqualValues(t, 3, h.GetSampleCount())
	assert.InDelta(t, 60.0021, h.GetSampleSum(), 1e-9)
	require.Len(t, h.GetBucket(), 14)
	assert.EqualValues(t, 1, h.GetBucket()[0].GetCumulativeCount())
	assert.EqualValues(t, 2, h.GetBucket()[1].GetCumulativeCount())
	assert.EqualValues(t, 2, h.GetBucket()[12].GetCumulativeCount())
	assert.EqualValues(t, 3, h.GetBucket()[13].GetCumulativeCount())
}

// TestMetricsOfTheProcess: they are plausible, by the kernel's own words.
func TestMetricsOfTheProcess(t *testing.T) {
	t.Parallel()
	families := collected(t, newMetrics())
	gauge := func(name string) float64 {
		require.Contains(t, families, name)
		return families[name].GetMetric()[0].GetGauge().GetValue()
	}
	assert.Greater(t, gauge("go_goroutines"), 1.0)
	assert.Greater(t, gauge("go_memstats_sys_bytes"), gauge("go_memstats_heap_alloc_bytes"))
	assert.Greater(t, gauge("go_memstats_heap_alloc_bytes"), 1e5)
	assert.InDelta(t, float64(time.Now().Unix()), gauge("process_start_time_seconds"), 3600)
	if runtime.GOOS == "linux" {
		assert.Greater(t, gauge("process_resident_memory_bytes"), 1e6)
		assert.Greater(t, gauge("process_open_fds"), 2.0)
		assert.Equal(t, dto.MetricType_COUNTER, families["process_cpu_seconds_total"].GetType())
	}
}

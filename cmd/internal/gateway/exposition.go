package gateway

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// expositionType is the format in which Prometheus and its kin collect figures:
// https://prometheus.io/docs/instrumenting/exposition_formats/.
const expositionType = "text/plain; version=0.0.4; charset=utf-8"

// exposition is a text of that format.
type exposition struct{ bytes.Buffer }

// family begins the figures of one name. The help is one line of ours.
func (e *exposition) family(name, kind, help string) {
	fmt.Fprintf(e, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

// figure is a line. Labels are names and values by turns.
func (e *exposition) figure(name string, value float64, labels ...string) {
	e.WriteString(name)
	for i := 0; i+1 < len(labels); i += 2 {
		e.WriteByte("{,"[min(i, 1)])
		e.WriteString(labels[i] + `="` + labelValue.Replace(strings.ToValidUTF8(labels[i+1], "\uFFFD")) + `"`)
	}
	if len(labels) > 0 {
		e.WriteByte('}')
	}
	e.WriteString(" " + number(value) + "\n")
}

// one is a family of a single figure.
func (e *exposition) one(name, kind, help string, value float64) {
	e.family(name, kind, help)
	e.figure(name, value)
}

var labelValue = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// number is a value as the format spells it.
func number(v float64) string {
	if math.IsInf(v, 1) {
		return "+Inf"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// counter counts by the values of up to two labels. It is safe for concurrent use; its
// zero value but for the names is ready.
type counter struct {
	name, help string
	labels     []string

	mu     sync.Mutex
	counts map[[2]string]int64
}

// add counts n more of what these values are of.
func (c *counter) add(n int64, values ...string) {
	var of [2]string
	copy(of[:], values)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = map[[2]string]int64{}
	}
	c.counts[of] += n
}

func (c *counter) write(e *exposition) {
	c.mu.Lock()
	counts := maps.Clone(c.counts)
	c.mu.Unlock()
	if len(c.labels) == 0 {
		e.one(c.name, "counter", c.help, float64(counts[[2]string{}]))
		return
	}
	if len(counts) == 0 {
		return
	}
	e.family(c.name, "counter", c.help)
	byValues := func(a, b [2]string) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) }
	for _, of := range slices.SortedFunc(maps.Keys(counts), byValues) {
		var labels []string
		for i, label := range c.labels {
			labels = append(labels, label, of[i])
		}
		e.figure(c.name, float64(counts[of]), labels...)
	}
}

// histogram is how long things took, by the value of one label. It is safe for concurrent
// use.
type histogram struct {
	name, help, label string
	bounds            []float64 // in seconds, in order

	mu   sync.Mutex
	took map[string]*spread
}

// spread has how many were at most each bound, and not at most the one before; the last
// is that of those above all.
type spread struct {
	counts []int64
	sum    float64
}

// observe counts one that took so many seconds.
func (h *histogram) observe(value string, seconds float64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.took[value]
	if s == nil {
		if h.took == nil {
			h.took = map[string]*spread{}
		}
		s = &spread{counts: make([]int64, len(h.bounds)+1)}
		h.took[value] = s
	}
	at, _ := slices.BinarySearch(h.bounds, seconds)
	s.counts[at]++
	s.sum += seconds
}

func (h *histogram) write(e *exposition) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.took) == 0 {
		return
	}
	e.family(h.name, "histogram", h.help)
	for _, value := range slices.Sorted(maps.Keys(h.took)) {
		s, all := h.took[value], int64(0)
		for i, bound := range append(slices.Clone(h.bounds), math.Inf(1)) {
			all += s.counts[i]
			e.figure(h.name+"_bucket", float64(all), h.label, value, "le", number(bound))
		}
		e.figure(h.name+"_sum", s.sum, h.label, value)
		e.figure(h.name+"_count", float64(all), h.label, value)
	}
}

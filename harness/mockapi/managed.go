package mockapi

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hsharness/hsharness/internal/avalara"
)

// The values of a classification's status. Source: the vendor's 2019 swagger;
// verified.
const (
	statusPending      = "PENDING"
	statusClassified   = "CLASSIFIED"
	statusUnclassified = "CANNOT_BE_CLASSIFIED"
)

// managedPath takes apart a path of "Managed and Premium Tariff Code
// Classification". id is empty in the path of the POST, which may end in a
// slash: one shipping client sends it with, others without.
func managedPath(path string) (company, id string, ok bool) {
	prefix, suffix, _ := strings.Cut(avalara.PathManaged, "{companyId}")
	rest, found := strings.CutPrefix(path, prefix)
	if !found {
		return "", "", false
	}
	company, rest, _ = strings.Cut(rest, "/")
	if n, err := strconv.ParseUint(company, 10, 63); err != nil || n == 0 {
		return "", "", false
	}
	rest, found = strings.CutPrefix("/"+rest, suffix)
	if !found || rest == "" || rest == "/" {
		return company, "", found
	}
	id, found = strings.CutPrefix(rest, "/")
	if !found || strings.Contains(id, "/") {
		return "", "", false
	}
	id, err := url.PathUnescape(id)
	return company, id, err == nil
}

// createManaged answers POST. A second POST of the same company, item code and
// country replaces the first, and costs like the first. Source: the WooCommerce
// plugin ("Creates or updates"); that the id is made of the three is assumed
// from two examples, and that the path's company counts where the body names
// another.
func (h *host) createManaged(c *call) reply {
	var req managedRequest
	if rep, ok := c.jsonBody(&req); !ok {
		return rep
	}
	if wrong := req.wrong(); len(wrong) > 0 {
		return failure(http.StatusUnprocessableEntity, targetData, wrong...)
	}
	if rep, ok := h.spend(c.account, 1); !ok {
		return rep
	}
	out := classification{
		ID:                   c.company + "-" + req.Item.ItemCode + "-" + req.CountryOfDestination,
		CountryOfDestination: req.CountryOfDestination,
		Activity:             req.Activity,
		Item:                 item{itemRequest: *req.Item},
	}
	if out.Activity == "" {
		out.Activity = activityFull
	}
	h.goods.judge(&out)
	return reply{status: http.StatusCreated, body: h.managed.put(c.account, out, len(c.body), h.clock.Now())}
}

// readManaged answers GET. Another account's classifications are not found.
func (h *host) readManaged(c *call) reply {
	if len(c.contentType) > 0 { // the 2019 swagger declares 415 here, too
		if rep, ok := c.jsonType(); !ok {
			return rep
		}
	}
	out, ok := h.managed.get(c.account, c.company, c.id, h.clock.Now())
	if !ok {
		return failure(http.StatusNotFound, targetRequest, problem(avalara.EntityNotFoundError, "", c.id))
	}
	return reply{status: http.StatusOK, body: out}
}

// How many classifications are kept, and how many bytes of the requests that
// made them. Beyond either the oldest are forgotten.
const (
	maxKept      = 10_000
	maxKeptBytes = 64 << 20
)

// managed keeps the classifications of all accounts.
type managed struct {
	reads int
	delay time.Duration

	mu    sync.Mutex
	kept  map[managedKey]*record
	order []managedKey // oldest first; a repeated POST keeps its place
	bytes int
	last  int64 // the last item id
}

type managedKey struct{ account, company, id string }

// record is a classification with its final result, and what says whether that
// result shows yet.
type record struct {
	classification
	size  int
	since time.Time
	reads int
}

func newManaged(reads int, delay time.Duration) *managed {
	switch {
	case reads < 0 || reads == 0 && delay > 0:
		reads = 0
	case reads == 0:
		reads = 1
	}
	return &managed{reads: reads, delay: delay, kept: make(map[managedKey]*record)}
}

// put keeps c, whose request was size bytes long, and returns what the POST
// shows of it.
func (m *managed) put(account string, c classification, size int, now time.Time) classification {
	key := managedKey{account, c.company(), c.ID}
	m.mu.Lock()
	defer m.mu.Unlock()
	if old, ok := m.kept[key]; ok {
		c.Item.ID, c.Item.CreatedDate = old.Item.ID, old.Item.CreatedDate
		m.bytes -= old.size
	} else {
		m.last++
		c.Item.ID, c.Item.CreatedDate = m.last, now.UTC().Format(time.RFC3339)
		m.order = append(m.order, key)
	}
	r := &record{classification: c, size: size, since: now}
	m.kept[key] = r
	m.bytes += size
	for len(m.order) > 1 && (len(m.order) > maxKept || m.bytes > maxKeptBytes) {
		m.bytes -= m.kept[m.order[0]].size
		delete(m.kept, m.order[0])
		m.order = m.order[1:]
	}
	return m.shown(r, now)
}

// get returns what the next GET shows, and counts it.
func (m *managed) get(account, company, id string, now time.Time) (classification, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.kept[managedKey{account, company, id}]
	if !ok {
		return classification{}, false
	}
	r.reads++
	return m.shown(r, now), true
}

// shown is r as a client sees it now. A POST is read zero, so it shows the
// result only where nothing has to be waited for.
func (m *managed) shown(r *record, now time.Time) classification {
	if m.reads > 0 && r.reads <= m.reads || now.Before(r.since.Add(m.delay)) {
		return r.pending()
	}
	return r.classification
}

func (m *managed) clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept, m.order, m.bytes = make(map[managedKey]*record), nil, 0
}

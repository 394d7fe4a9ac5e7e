package mockapi

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

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
	shown, ok, err := h.state.create(c.account, out, len(c.body), h.clock.Now())
	if rep, ok := h.counted(ok, err); !ok {
		return rep
	}
	return reply{status: http.StatusCreated, body: shown}
}

// readManaged answers GET. Another account's classifications are not found.
func (h *host) readManaged(c *call) reply {
	if len(c.contentType) > 0 { // the 2019 swagger declares 415 here, too
		if rep, ok := c.jsonType(); !ok {
			return rep
		}
	}
	out, ok, err := h.state.read(c.account, c.company, c.id, h.clock.Now())
	switch {
	case err != nil:
		return failed(err)
	case !ok:
		return failure(http.StatusNotFound, targetRequest, problem(avalara.EntityNotFoundError, "", c.id))
	}
	return reply{status: http.StatusOK, body: out}
}

package mockapi

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/currency"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/nomenclature"
)

// The values of activity. Source: the nopCommerce plugin; verified.
const (
	activityFull = "HS_FULL"
	activitySix  = "HS6"
)

// managedRequest is the body of the POST. Source of the model, of what is
// required and of the limits: the vendor's 2019 swagger; verified for then. Its
// read-only members are ignored when they are sent, as are unknown ones.
type managedRequest struct {
	CountryOfDestination string       `json:"countryOfDestination"`
	Activity             string       `json:"activity"`
	Item                 *itemRequest `json:"item"`
}

type itemRequest struct {
	CompanyID                *int64      `json:"companyId"`
	ItemCode                 string      `json:"itemCode"`
	ParentCode               string      `json:"parentCode,omitempty"`
	Description              string      `json:"description"`
	Summary                  string      `json:"summary,omitempty"`
	ItemGroup                string      `json:"itemGroup"`
	ClassificationParameters []parameter `json:"classificationParameters,omitempty"`
	Parameters               []parameter `json:"parameters,omitempty"`
}

// parameter is a name with a value. A price needs a unit, which is a currency.
type parameter struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Unit  string `json:"unit"`
}

// classification is the answer to POST and GET. Its status and the four members
// after it are null until there is a result.
type classification struct {
	ID                    string  `json:"id"`
	CountryOfDestination  string  `json:"countryOfDestination"`
	Activity              string  `json:"activity"`
	Status                string  `json:"status"`
	HSCode                *string `json:"hsCode"`
	Resolution            *string `json:"resolution"`
	Confidence            *string `json:"confidence"`
	ConfidenceDescription *string `json:"confidenceDescription"`
	Item                  item    `json:"item"`
}

// item is the request's, with what the service adds.
type item struct {
	ID int64 `json:"id"`
	itemRequest
	CreatedDate string `json:"createdDate"`
}

// company is the company of the id, which is that of the path.
func (c classification) company() string {
	company, _, _ := strings.Cut(c.ID, "-")
	return company
}

// pending is c without its result.
func (c classification) pending() classification {
	c.Status = statusPending
	c.HSCode, c.Resolution, c.Confidence, c.ConfidenceDescription = nil, nil, nil, nil
	return c
}

// The limits of the fields, in UTF-16 code units, as .NET counts a string's
// length.
const (
	maxCountry   = 2
	maxCode      = 255
	maxText      = 255
	maxGroup     = 2000
	maxParameter = 255
)

// parameterNames are the names that a parameter may have.
var parameterNames = []string{
	"coo", "description", "image_url", "url", "material", "price", "weight", "height", "length", "width",
}

// wrong says everything that is wrong with a request. What a wrong activity,
// parameter name or currency answers is assumed; so is that parentCode has
// itemCode's limit.
func (r managedRequest) wrong() []detail {
	var w wrongs
	w.required("countryOfDestination", r.CountryOfDestination)
	w.atMost("countryOfDestination", r.CountryOfDestination, maxCountry)
	if length(r.CountryOfDestination) <= maxCountry {
		w.country("countryOfDestination", strings.TrimSpace(r.CountryOfDestination))
	}
	w.oneOf("activity", r.Activity, []string{"", activityFull, activitySix})
	if r.Item == nil {
		w.required("item", "")
		return w.details
	}
	it := r.Item
	if it.CompanyID == nil {
		w.required("item.companyId", "")
	}
	w.required("item.itemCode", it.ItemCode)
	w.atMost("item.itemCode", it.ItemCode, maxCode)
	w.atMost("item.parentCode", it.ParentCode, maxCode)
	w.required("item.description", it.Description)
	w.atMost("item.description", it.Description, maxText)
	w.required("item.itemGroup", it.ItemGroup)
	w.atMost("item.itemGroup", it.ItemGroup, maxGroup)
	w.parameters("item.classificationParameters", it.ClassificationParameters)
	w.parameters("item.parameters", it.Parameters)
	return w.details
}

// maxDetails bounds an answer: a body of a megabyte can be wrong very often.
const maxDetails = 100

// wrongs collects what is wrong, in the order of the fields, up to maxDetails.
type wrongs struct{ details []detail }

// full tells that nothing more is kept.
func (w *wrongs) full() bool { return len(w.details) >= maxDetails }

// add names the field by its path in refersTo; the texts have its last word.
func (w *wrongs) add(code avalara.ErrorCode, path string, args ...string) {
	if !w.full() {
		w.details = append(w.details, problem(code, path, args...))
	}
}

func (w *wrongs) required(path, value string) {
	if strings.TrimSpace(value) == "" {
		w.add(avalara.ValueRequiredError, path, leaf(path))
	}
}

func (w *wrongs) atMost(path, value string, limit int) {
	if length(value) > limit {
		w.add(avalara.MaxStringLengthError, path, leaf(path), strconv.Itoa(limit))
	}
}

func (w *wrongs) oneOf(path, value string, values []string) {
	if !slices.Contains(values, value) {
		w.add(avalara.InvalidEnumValue, path, value, leaf(path))
	}
}

// country takes an empty value: where one is needed, required says so.
func (w *wrongs) country(path, value string) {
	if value != "" && !nomenclature.IsCountry(value) {
		w.add(avalara.InvalidCountry, path, value)
	}
}

func (w *wrongs) parameters(path string, params []parameter) {
	for i, p := range params {
		at := path + "[" + strconv.Itoa(i) + "]."
		w.required(at+"name", p.Name)
		w.atMost(at+"name", p.Name, maxParameter)
		if strings.TrimSpace(p.Name) != "" && length(p.Name) <= maxParameter {
			w.oneOf(at+"name", p.Name, parameterNames)
		}
		w.required(at+"value", p.Value)
		w.atMost(at+"value", p.Value, maxParameter)
		w.atMost(at+"unit", p.Unit, maxParameter)
		if p.Name == "price" {
			w.required(at+"unit", p.Unit)
			if unit := strings.TrimSpace(p.Unit); unit != "" && length(unit) <= maxParameter && !isCurrency(unit) {
				w.add(avalara.InvalidEnumValue, at+"unit", p.Unit, "unit")
			}
		}
	}
}

// isCurrency takes a code of ISO 4217 in upper case. The swagger of 2019 says
// that only USD is supported "currently"; the others are taken as well.
func isCurrency(code string) bool {
	_, err := currency.ParseISO(code)
	return err == nil && strings.ToUpper(code) == code
}

func leaf(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

// length counts UTF-16 code units.
func length(s string) int {
	n := utf8.RuneCountInString(s)
	for _, r := range s {
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

package services

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/bounded"
	"github.com/hsharness/hsharness/internal/mockapi"
	"github.com/hsharness/hsharness/internal/strictjson"
	"github.com/hsharness/hsharness/mockidp"
	"github.com/hsharness/hsharness/mockidp/control"
)

// route is one call of a control endpoint. Its path ends in {id} where the last
// segment is one.
type route struct {
	method, path, does string
	serve              http.HandlerFunc
}

// routes are what every control endpoint has: what tests in any language use to
// look into the mocks and to move them.
func (m *Mocks) routes() []route {
	done := func(do func()) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			do()
			w.WriteHeader(http.StatusNoContent)
		}
	}
	return []route{
		{"GET", "/health", "200 once every service answers", func(w http.ResponseWriter, _ *http.Request) {
			writeJSON(w, map[string]string{"status": "ok"})
		}},
		{"GET", "/openapi.json", "the OpenAPI 3.1 document of the classification APIs", openAPI},
		{"GET", "/usage", "what each classification API served and refused, for all clients", m.usage},
		{"GET", "/requests", "the journal, secrets masked; ?since=SEQ: what came later", m.requests},
		{"DELETE", "/requests", "forget the journal", done(m.Journal.Clear)},
		{"GET", "/faults", "the faults that are armed", m.faults},
		{"POST", "/faults", "add a fault, or a list of them", m.addFaults},
		{"DELETE", "/faults", "remove all faults", done(m.Faults.Clear)},
		{"GET", "/clock", "the time that tokens expire by", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, Time{m.Clock.Now()}) }},
		{"POST", "/clock", `move it: {"advance":"66m"}`, m.moveClock},
		{"POST", "/keys/rotate", "sign with new keys; the latest 100 stay listed", m.rotateKeys},
		{"POST", "/tokens", `mint any token: {"client_id","scopes","lifetime","defect"}`, m.mint},
		{"POST", "/device", `be the user of a device: {"user_code","approve":true,"subject"}`, m.answerDevice},
		{"POST", "/reset", "forget all but what was served", m.reset},
	}
}

func openAPI(w http.ResponseWriter, _ *http.Request) {
	text, err := mockapi.OpenAPI()
	if err != nil {
		fail(w, http.StatusInternalServerError, "", err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text) // the client has gone when this fails
}

func (m *Mocks) usage(w http.ResponseWriter, _ *http.Request) {
	usage := map[avalara.Environment]mockapi.Usage{}
	for env, api := range m.api {
		usage[env] = api.Usage()
	}
	writeJSON(w, usage)
}

func (m *Mocks) requests(w http.ResponseWriter, r *http.Request) {
	var since int64
	if text := r.URL.Query().Get("since"); text != "" {
		var err error
		if since, err = strconv.ParseInt(text, 10, 64); err != nil || since < 0 || text != strconv.FormatInt(since, 10) {
			fail(w, http.StatusBadRequest, "since", fmt.Sprintf("%q is no sequence number", text))
			return
		}
	}
	// A part at a time: who does not read the answer keeps no copy of the whole.
	var last int64
	if all := m.Journal.Entries(since); len(all) > 0 {
		last = all[len(all)-1].Seq
	}
	writeList(w, func(yield func(control.Entry) bool) {
		for since < last {
			some := m.Journal.Entries(since)
			for _, e := range some[:min(len(some), entriesAtATime)] {
				if since = e.Seq; since > last || !yield(e) {
					return
				}
			}
			if len(some) == 0 {
				return
			}
		}
	})
}

// entriesAtATime is how many entries are copied for one caller.
const entriesAtATime = 16

// faults lists those that are armed. What one caller is told has its share of the
// memory: a body of a fault may be long, and twice as long when it is written.
func (m *Mocks) faults(w http.ResponseWriter, r *http.Request) {
	if err := bounded.Answer(r.Context(), 4*maxControlBody); err != nil {
		status, text := bounded.Reason(err)
		fail(w, status, "", text)
		return
	}
	writeList(w, slices.Values(m.Faults.List()))
}

func (m *Mocks) addFaults(w http.ResponseWriter, r *http.Request) {
	var raw json.RawMessage
	if !readJSON(w, r, &raw) {
		return
	}
	var faults []control.Fault
	var err error
	list := bytes.HasPrefix(bytes.TrimSpace(raw), []byte("["))
	if list {
		err = strictjson.Decode(raw, &faults)
	} else {
		faults = make([]control.Fault, 1)
		err = strictjson.Decode(raw, &faults[0])
	}
	if err != nil {
		fail(w, http.StatusBadRequest, fieldOf(err), "neither a fault nor a list of faults: "+err.Error())
		return
	}
	if err := m.addAll(faults); err != nil {
		fail(w, http.StatusBadRequest, wrongFault(faults, list), err.Error())
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (m *Mocks) addAll(faults []control.Fault) error {
	if err := checkEndpoints(faults); err != nil {
		return err
	}
	return m.Faults.Add(faults...)
}

func (m *Mocks) moveClock(w http.ResponseWriter, r *http.Request) {
	var body ClockMove
	if !readJSON(w, r, &body) {
		return
	}
	if err := m.Clock.Advance(time.Duration(body.Advance)); err != nil {
		fail(w, http.StatusBadRequest, "advance", err.Error())
		return
	}
	writeJSON(w, Time{m.Clock.Now()})
}

// chosen reads which environments a request is about: the one it names, or
// both.
func chosen(w http.ResponseWriter, env avalara.Environment) ([]avalara.Environment, bool) {
	switch env {
	case "":
		return avalara.Environments(), true
	case avalara.Sandbox, avalara.Production:
		return []avalara.Environment{env}, true
	}
	fail(w, http.StatusBadRequest, "environment", fmt.Sprintf("%q is neither sandbox nor production", env))
	return nil, false
}

func (m *Mocks) rotateKeys(w http.ResponseWriter, r *http.Request) {
	var body Rotation
	if !readJSON(w, r, &body) {
		return
	}
	envs, ok := chosen(w, body.Environment)
	if !ok {
		return
	}
	for _, env := range envs {
		if err := m.identity[env].Keys().Rotate(); err != nil {
			fail(w, http.StatusInternalServerError, "", err.Error())
			return
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

func (m *Mocks) mint(w http.ResponseWriter, r *http.Request) {
	var body MintRequest
	if !readJSON(w, r, &body) {
		return
	}
	if body.Environment == "" {
		body.Environment = avalara.Sandbox
	}
	envs, ok := chosen(w, body.Environment)
	if !ok {
		return
	}
	token, err := m.identity[envs[0]].Mint(mockidp.Claims{
		ClientID: body.ClientID, Scopes: body.Scopes, Lifetime: time.Duration(body.Lifetime), Defect: body.Defect,
	})
	if err != nil {
		fail(w, http.StatusBadRequest, body.wrong(), err.Error())
		return
	}
	writeJSON(w, Minted{token})
}

// maxSubject is how long a subject may be (OpenID Connect Core §2).
const maxSubject = 255

func (m *Mocks) answerDevice(w http.ResponseWriter, r *http.Request) {
	var body DeviceAnswer
	if !readJSON(w, r, &body) {
		return
	}
	switch {
	case body.UserCode == "":
		fail(w, http.StatusBadRequest, "user_code", "say which: the user_code that the device was given")
		return
	case body.Subject == "":
	case !body.Approve:
		fail(w, http.StatusBadRequest, "subject", "who denies is nobody's user: leave subject out, or approve")
		return
	case strings.TrimSpace(body.Subject) == "" || len(body.Subject) > maxSubject:
		fail(w, http.StatusBadRequest, "subject", fmt.Sprintf("a subject has 1 to %d bytes, and not white space alone", maxSubject))
		return
	}
	envs, ok := chosen(w, body.Environment)
	if !ok {
		return
	}
	var err error
	for _, env := range envs {
		var scopes []string
		if scopes, err = m.identity[env].AnswerDevice(body.UserCode, body.Approve, body.Subject); err == nil {
			writeJSON(w, DeviceAnswered{scopes})
			return
		}
	}
	fail(w, http.StatusNotFound, "user_code", err.Error()+"; POST /connect/deviceauthorization of this client's identity_url gives one")
}

func (m *Mocks) reset(w http.ResponseWriter, _ *http.Request) {
	m.Faults.Clear()
	m.Journal.Clear()
	_ = m.Clock.Advance(-m.Clock.Offset()) // back is always near enough
	for _, idp := range m.identity {
		idp.Reset()
	}
	for _, api := range m.api {
		if err := api.Reset(); err != nil {
			fail(w, http.StatusInternalServerError, "", err.Error())
			return
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

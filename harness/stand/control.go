package stand

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/hsharness/hsharness/harness/mockapi"
	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/mockidp"
	"github.com/hsharness/hsharness/mockidp/control"
)

// maxControlBody bounds what the control endpoint reads.
const maxControlBody = 1 << 20

// Control is the control endpoint: what tests in any language use to look into
// the mocks and to move them. It answers errors as text.
//
//	GET /health             200 once every service answers
//	GET /openapi.json       the OpenAPI 3.1 document of the classification APIs
//	GET /usage              what each classification API served and refused
//	GET /requests?since=SEQ the journal, secrets masked
//	DELETE /requests        forget the journal
//	POST /faults            add a fault, or a list of them
//	DELETE /faults          remove all faults
//	POST /clock             {"advance":"66m"}
//	POST /keys/rotate       sign with new keys; the old ones stay listed
//	POST /tokens            mint any token: {"client_id","scopes","lifetime","defect"}
//	POST /reset             forget all but what was served
func (m *Mocks) Control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, map[string]string{"status": "ok"}) })
	mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(mockapi.OpenAPI()) // the client has gone when this fails
	})
	mux.HandleFunc("GET /usage", m.usage)
	mux.HandleFunc("GET /requests", m.requests)
	mux.HandleFunc("DELETE /requests", func(w http.ResponseWriter, _ *http.Request) {
		m.Journal.Clear()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /faults", m.addFaults)
	mux.HandleFunc("DELETE /faults", func(w http.ResponseWriter, _ *http.Request) {
		m.Faults.Clear()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /clock", m.moveClock)
	mux.HandleFunc("POST /keys/rotate", m.rotateKeys)
	mux.HandleFunc("POST /tokens", m.mint)
	mux.HandleFunc("POST /reset", m.reset)
	return mux
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
		if since, err = strconv.ParseInt(text, 10, 64); err != nil {
			http.Error(w, fmt.Sprintf("since=%q is no sequence number", text), http.StatusBadRequest)
			return
		}
	}
	writeJSON(w, m.Journal.Entries(since))
}

func (m *Mocks) addFaults(w http.ResponseWriter, r *http.Request) {
	var raw json.RawMessage
	if !readJSON(w, r, &raw) {
		return
	}
	var faults []control.Fault
	if err := strictly(raw, &faults); err != nil {
		var one control.Fault
		if oneErr := strictly(raw, &one); oneErr != nil {
			http.Error(w, "neither a fault nor a list of faults: "+oneErr.Error(), http.StatusBadRequest)
			return
		}
		faults = []control.Fault{one}
	}
	if err := m.Faults.Add(faults...); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (m *Mocks) moveClock(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Advance control.Duration `json:"advance"`
	}
	if !readJSON(w, r, &body) {
		return
	}
	m.Clock.Advance(body.Advance.Std())
	writeJSON(w, map[string]time.Time{"now": m.Clock.Now()})
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
	http.Error(w, fmt.Sprintf("environment %q is neither sandbox nor production", env), http.StatusBadRequest)
	return nil, false
}

func (m *Mocks) rotateKeys(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Environment avalara.Environment `json:"environment"`
	}
	if !readJSON(w, r, &body) {
		return
	}
	envs, ok := chosen(w, body.Environment)
	if !ok {
		return
	}
	for _, env := range envs {
		if err := m.identity[env].RotateKeys(); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

func (m *Mocks) mint(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Environment avalara.Environment `json:"environment"`
		ClientID    string              `json:"client_id"`
		Scopes      []string            `json:"scopes"`
		Lifetime    control.Duration    `json:"lifetime"`
		Defect      mockidp.Defect      `json:"defect"`
	}
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
		ClientID: body.ClientID, Scopes: body.Scopes, Lifetime: body.Lifetime.Std(), Defect: body.Defect,
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	writeJSON(w, map[string]string{"access_token": token})
}

func (m *Mocks) reset(w http.ResponseWriter, _ *http.Request) {
	m.Faults.Clear()
	m.Journal.Clear()
	m.Clock.Advance(-m.Clock.Offset())
	for _, api := range m.api {
		if err := api.Reset(); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// readJSON reads a body strictly; an empty one is an empty object. When it
// returns false the answer was written.
func readJSON(w http.ResponseWriter, r *http.Request, v any) bool {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxControlBody))
	if err == nil && len(data) > 0 {
		err = strictly(data, v)
	}
	if err != nil {
		http.Error(w, "the body can't be read: "+err.Error(), http.StatusBadRequest)
		return false
	}
	return true
}

// strictly decodes one JSON value without unknown members.
func strictly(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more follows after its end")
	}
	return nil
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the client has gone when this fails
}

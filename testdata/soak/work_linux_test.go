package soak_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// caller gives up what takes longer than a database takes to come back.
var caller = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: clients, IdleConnTimeout: 5 * time.Second}}

// clientsComeAndGo makes a client of the serve, asks as it, and ends it, again and again.
func (w *world) clientsComeAndGo(i int, stop <-chan struct{}) {
	pace := time.NewTicker(2*time.Second + time.Duration(i)*5*time.Millisecond)
	defer pace.Stop()
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		case <-pace.C:
		}
		var c struct {
			ID           string `json:"id"`
			ClientID     string `json:"client_id"`
			ClientSecret string `json:"client_secret"`
			ControlURL   string `json:"control_url"`
			Sandbox      struct {
				API   string `json:"api_url"`
				Token string `json:"token_url"`
			} `json:"sandbox"`
		}
		if _, err := w.post(w.serve.control()+"/clients", "application/json", fmt.Sprintf(`{"test":"soak %d"}`, n), "", &c); err != nil {
			w.note("make a client", err)
			continue
		}
		w.made.Add(1)
		if n%5 == 0 {
			_, err := w.post(c.ControlURL+"/faults", "application/json", `{"on":"api","status":503,"body":"`+strings.Repeat("x", 10_000)+`"}`, "", nil)
			w.note("a fault", err)
		}
		if token, err := w.token(c.Sandbox.Token, c.ClientID, c.ClientSecret); err != nil {
			w.note("a client's token", err)
		} else {
			for k := range 3 {
				w.asks("a client", c.Sandbox.API, token, fmt.Sprintf("men's cotton shirt %d %d", i, k))
			}
		}
		if w.endsClient(c.ID) {
			w.ended.Add(1)
		}
	}
}

// endsClient ends a client of the serve. Who does not hear that it ended asks again, as it
// would be there for ever; one that is gone has ended.
func (w *world) endsClient(id string) bool {
	for range 5 {
		r, err := http.NewRequest(http.MethodDelete, w.serve.control()+"/clients/"+id, nil)
		status := 0
		if err == nil {
			status, err = w.does(r, nil)
		}
		if err == nil || status == http.StatusNotFound {
			return true
		}
		w.note("end a client", err)
	}
	return false
}

// callsGateway asks the gateways in turn: the one that buys each time about a few goods,
// the other about new ones, as long as there is room for their recordings.
func (w *world) callsGateway(i int, stop <-chan struct{}) {
	pace := time.NewTicker(500*time.Millisecond + time.Duration(i)*10*time.Millisecond)
	defer pace.Stop()
	tokens := make([]string, len(w.gateways))
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		case <-pace.C:
		}
		at := n % len(w.gateways)
		urls := w.gateways[at].urls
		if tokens[at] == "" || n%100 < len(w.gateways) {
			var err error
			if tokens[at], err = w.token(urls["token_url"].(string), fmt.Sprintf("key-%d", i), w.keys[i]); err != nil {
				w.note("a key's token", err)
				continue
			}
		}
		// All answers that were bought for a question are in one file, so that one that
		// is bought for an hour has a file that grows: each is bought some sixty times.
		goods := fmt.Sprintf("cotton shirt number %d of collection %d", n%20, n/60)
		if at == 1 && n%10 == 1 {
			goods = fmt.Sprintf("cotton shirt of caller %d, number %d", i, n)
		}
		if w.asks("a gateway", urls["api_url"].(string), tokens[at], goods) {
			w.bought.Add(1)
		}
	}
}

// faults of the sandbox: none before a unit is counted, for then nobody could tell the
// two counts apart, but of tokens, which cost nothing.
var faults = []string{
	`{"on":"token","status":500}`, `{"on":"token","drop":true}`, `{"on":"token","latency":"300ms"}`,
	`{"on":"api","client":"real-id","after":true,"drop":true}`, `{"on":"api","client":"real-id","after":true,"status":500,"body":"{}"}`,
	`{"on":"api","client":"real-id","truncate":20}`, `{"on":"api","client":"real-id","malformed_json":true}`,
	`{"on":"api","client":"real-id","latency":"1s"}`, `{"on":"api","client":"real-id","content_type":"text/html"}`,
}

// injects makes the sandbox faulty, one fault after the other.
func (w *world) injects(stop <-chan struct{}) {
	pace := time.NewTicker(time.Second)
	defer pace.Stop()
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		case <-pace.C:
		}
		if n%100 == 99 {
			if r, err := http.NewRequest(http.MethodDelete, w.sandbox.control()+"/faults", nil); err == nil {
				_, err = w.does(r, nil)
				w.note("clear the faults", err)
			}
		}
		_, err := w.post(w.sandbox.control()+"/faults", "application/json", faults[n%len(faults)], "", nil)
		w.note("a fault", err)
	}
}

// asks asks for a code, and tells whether it was answered.
func (w *world) asks(who, base, token, goods string) bool {
	w.asked.Add(1)
	_, err := w.post(base+"/hscode/classify", "application/json", fmt.Sprintf(`{"description":%q,"countryOfDestination":"US"}`, goods), token, nil)
	if err != nil {
		w.note(who, err)
		return false
	}
	w.answered.Add(1)
	return true
}

func (w *world) token(at, id, secret string) (string, error) {
	var answer struct {
		Token string `json:"access_token"`
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}, "scope": {"hs-code-classification"}}
	_, err := w.post(at, "application/x-www-form-urlencoded", form.Encode(), "", &answer)
	return answer.Token, err
}

func (w *world) post(at, media, body, token string, v any) (int, error) {
	r, err := http.NewRequest(http.MethodPost, at, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", media)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return w.does(r, v)
}

// does sends a request, and reads its answer; an answer that is none is an error.
func (w *world) does(r *http.Request, v any) (int, error) {
	resp, err := caller.Do(r)
	if err != nil {
		return 0, errors.Unwrap(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return resp.StatusCode, err
	case resp.StatusCode > 299:
		return resp.StatusCode, fmt.Errorf("%d %s", resp.StatusCode, resp.Header.Get("Hsharness-Verdict"))
	case v == nil:
		return resp.StatusCode, nil
	}
	return resp.StatusCode, json.Unmarshal(text, v)
}

// note counts why something failed.
func (w *world) note(what string, err error) {
	if err == nil {
		return
	}
	w.failed.Add(1)
	n, _ := w.reasons.LoadOrStore(what+": "+err.Error(), new(atomic.Int64))
	n.(*atomic.Int64).Add(1)
}

// why says why requests failed, at most twenty reasons.
func (w *world) why() string {
	var all []string
	w.reasons.Range(func(reason, n any) bool {
		all = append(all, fmt.Sprintf("\n  %7d %s", n.(*atomic.Int64).Load(), reason))
		return true
	})
	slices.Sort(all)
	slices.Reverse(all)
	return strings.Join(all[:min(len(all), 20)], "")
}

package mockidp_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
	"pgregory.net/rapid"

	"github.com/hsharness/hsharness/mockidp"
	"github.com/hsharness/hsharness/mockidp/control"
)

// modelDevice is what the model of the device flow knows of one device. Times are seconds.
type modelDevice struct {
	code, userCode, client string
	asked, polled          int
	seen, used             bool
	answer                 string // empty, "yes" or "no"
}

// TestDeviceFlowAgainstAModel has several devices of two clients ask, poll and be answered
// at random, while the clock moves forth and back, and compares each answer with a model
// that was written from RFC 8628 §3.5 and the order of the mirrored server's checks.
func TestDeviceFlowAgainstAModel(t *testing.T) {
	shared := mockidp.NewMockKeys()
	rapid.Check(t, func(t *rapid.T) {
		clients := []mockidp.Client{
			{ID: "one", Public: true, Grants: []string{deviceGrant}},
			{ID: "two", Public: true, Grants: []string{deviceGrant}},
		}
		idp, err := mockidp.New(mockidp.Config{Clients: clients, Clock: stopped(), Keys: shared})
		require.NoError(t, err)
		send := func(path, body string) (status int, text string) {
			w := httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
			r.Header.Set("Content-Type", formType)
			idp.ServeHTTP(w, r)
			return w.Code, w.Body.String()
		}
		name := rapid.SampledFrom([]string{"one", "two"})
		now := 0
		var all []*modelDevice
		ask := func(t *rapid.T) {
			d := &modelDevice{client: name.Draw(t, "client"), asked: now}
			status, body := send(devicePath, "client_id="+d.client)
			var a asked
			require.NoError(t, json.Unmarshal([]byte(body), &a))
			require.Equal(t, 200, status)
			d.code, d.userCode = a.Code, a.UserCode
			all = append(all, d)
		}
		ask(t) // so that there is one to choose
		pick := func(t *rapid.T) *modelDevice {
			return rapid.SampledFrom(all).Draw(t, "device")
		}
		decide := func(t *rapid.T, approve bool, text string) {
			d := pick(t)
			if err := answer(idp, d.userCode, approve, ""); (err == nil) == d.used {
				t.Fatalf("answered %t: %v, though used up is %t", approve, err, d.used)
			}
			d.answer = text
		}
		t.Repeat(map[string]func(*rapid.T){
			"ask": ask,
			"poll": func(t *rapid.T) {
				d, by := pick(t), name.Draw(t, "client")
				fast := d.seen && d.polled <= now && now < d.polled+5
				want := ""
				switch {
				case d.used || d.client != by:
					want = "invalid_grant"
				case fast:
					want = "slow_down"
				case now > d.asked+300:
					want = "expired_token"
				case d.answer == "no":
					want = "access_denied"
				case d.answer == "":
					want = "authorization_pending"
				}
				if want != "invalid_grant" {
					d.seen, d.polled, d.used = true, now, want == ""
				}
				status, body := send(tokenPath, "client_id="+by+"&"+poll+d.code)
				if want == "" {
					require.Equal(t, 200, status, body)
					return
				}
				require.Equal(t, `{"error":"`+want+`"}`, body)
				require.Equal(t, 400, status)
			},
			"approve": func(t *rapid.T) { decide(t, true, "yes") },
			"deny":    func(t *rapid.T) { decide(t, false, "no") },
			"advance": func(t *rapid.T) {
				n := rapid.OneOf(rapid.IntRange(0, 10), rapid.IntRange(-20, 310)).Draw(t, "seconds")
				require.NoError(t, idp.Clock().Advance(time.Duration(n)*time.Second))
				now += n
			},
			"reset": func(*rapid.T) {
				idp.Reset()
				for _, d := range all {
					d.used = true
				}
			},
		})
	})
}

// TestOAuth2ClientOfADevice has the client that most Go programs use go through the device
// flow over HTTP: it waits while nobody has answered, then gets its token, or learns that
// it was denied. It takes 4 s: the client waits for whole seconds of the real clock.
func TestOAuth2ClientOfADevice(t *testing.T) {
	t.Parallel()
	idp, srv := start(t, mockidp.Config{Clients: deviceClients()})
	config := oauth2.Config{ClientID: "public", Scopes: []string{"hs-code-classification"}, Endpoint: oauth2.Endpoint{
		DeviceAuthURL: srv.URL + devicePath, TokenURL: srv.URL + tokenPath, AuthStyle: oauth2.AuthStyleInParams,
	}}
	polled := func(n int) {
		_, err := idp.Journal().WaitFor(t.Context(), n, func(e control.Entry) bool { return e.Endpoint == "token" })
		require.NoError(t, err)
	}
	for _, approve := range []bool{true, false} {
		idp.Journal().Clear()
		device, err := config.DeviceAuth(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 5, device.Interval)
		require.Equal(t, srv.URL+"/device", device.VerificationURI)
		device.Interval = 1 // it waits by the real clock, the mock goes by its own
		type result struct {
			token *oauth2.Token
			err   error
		}
		done := make(chan result, 1)
		go func() {
			token, err := config.DeviceAccessToken(t.Context(), device)
			done <- result{token, err}
		}()
		polled(1) // pending
		require.NoError(t, idp.Clock().Advance(5*time.Second))
		require.NoError(t, answer(idp, device.UserCode, approve, "alice"))
		got := <-done
		if !approve {
			var refused *oauth2.RetrieveError
			require.ErrorAs(t, got.err, &refused)
			require.Equal(t, "access_denied", refused.ErrorCode)
			continue
		}
		require.NoError(t, got.err)
		require.Equal(t, "alice", split(t, got.token.AccessToken).claims(t)["sub"])
		require.Equal(t, "hs-code-classification", got.token.Extra("scope"))
	}
}

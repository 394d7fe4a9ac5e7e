package guard

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// roundTrip is a function that answers.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Where the identity service hangs, those who need a token ask once and are told together:
// one after the other the last of them would wait for hours, with a connection each, and
// whoever asks later for what a recording answers would get none.
func TestManyWaitForOneToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		s := &tokenSource{
			identity: "http://identity.test", credential: Credential{ClientID: "id", ClientSecret: "the-real-license-key"}, now: time.Now,
			client: &http.Client{Timeout: 30 * time.Second, Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				asked++
				<-r.Context().Done()
				return nil, r.Context().Err()
			})},
			tokens: map[string]realToken{}, resent: map[string]bool{}, mayAsk: func(context.Context) error { return nil },
		}
		const many = 20
		begun := time.Now()
		errs := make(chan error, many)
		for range many {
			go func() {
				_, err := s.token(t.Context(), t.Context(), "scope")
				errs <- err
			}()
		}
		synctest.Wait()
		client, hangUp := context.WithCancel(t.Context())
		wire, cut := context.WithCancel(t.Context())
		left := make(chan error, 2)
		go func() {
			_, err := s.token(t.Context(), client, "scope")
			left <- err
		}()
		synctest.Wait()
		hangUp()
		require.ErrorIs(t, <-left, context.Canceled, "it waits for nothing")
		go func() {
			_, err := s.token(wire, t.Context(), "scope")
			left <- err
		}()
		synctest.Wait()
		cut()
		var none *CredentialError
		require.ErrorAs(t, <-left, &none, "what is cut off has no token")
		assert.Nil(t, s.finder(), "who reads an answer waits for no token")
		assert.Zero(t, time.Since(begun))
		for range many {
			require.ErrorAs(t, <-errs, &none)
		}
		assert.Equal(t, 30*time.Second, time.Since(begun))
		assert.Equal(t, 1, asked)
		_, err := s.token(t.Context(), client, "scope")
		require.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, 1, asked, "nobody waits for it")
		_, err = s.token(t.Context(), t.Context(), "scope")
		require.ErrorAs(t, err, &none)
		assert.Equal(t, 2, asked, "later it is asked again")
	})
}

// grant answers as the identity service does.
func grant(token string) *http.Response {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(`{"access_token":"` + token + `","token_type":"bearer","expires_in":3600}`)),
	}
}

// Where whoever asks for others panics they are told, and the next one asks again.
func TestNobodyWaitsForATokenThatNobodyAsksFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		goOn := make(chan struct{})
		breaks := true
		s := &tokenSource{
			identity: "http://identity.test", now: time.Now, tokens: map[string]realToken{}, resent: map[string]bool{},
			client: &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) { return grant("a"), nil })},
			mayAsk: func(context.Context) error {
				if breaks {
					<-goOn
					panic("broken")
				}
				return nil
			},
		}
		broken, waiting := make(chan any, 1), make(chan error, 1)
		go func() {
			defer func() { broken <- recover() }()
			_, _ = s.token(t.Context(), t.Context(), "scope")
		}()
		synctest.Wait()
		go func() {
			_, err := s.token(t.Context(), t.Context(), "scope")
			waiting <- err
		}()
		synctest.Wait()
		close(goOn)
		assert.Equal(t, "broken", <-broken)
		var none *CredentialError
		require.ErrorAs(t, <-waiting, &none)
		assert.EqualError(t, none, s.url()+" gave no token: it was not asked to the end")
		breaks = false
		got, err := s.token(t.Context(), t.Context(), "scope")
		require.NoError(t, err)
		assert.Equal(t, "a", got.value)
	})
}

// A token that an API refused to whoever had it first is sent by nobody who waited for it:
// that would cost as much, and be answered the same.
func TestWhoWaitsGetsNoRefusedToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		first := &tokenRequest{done: make(chan struct{}), token: realToken{value: "a", renew: time.Now().Add(time.Hour)}}
		s := &tokenSource{
			identity: "http://identity.test", now: time.Now, resent: map[string]bool{}, mayAsk: func(context.Context) error { return nil },
			tokens: map[string]realToken{"scope": first.token}, asked: map[string]*tokenRequest{},
			client: &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) { return grant("b"), nil })},
		}
		assert.True(t, s.refused("scope", first.token))
		s.asked["scope"] = first // whose asker has the answer, and has not yet told it
		waiting := make(chan realToken, 1)
		go func() {
			got, err := s.token(t.Context(), t.Context(), "scope")
			assert.NoError(t, err)
			waiting <- got
		}()
		synctest.Wait()
		s.told("scope", first)
		got := <-waiting
		assert.Equal(t, "b", got.value)
		assert.True(t, got.replaced)
	})
}

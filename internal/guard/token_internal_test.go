package guard

import (
	"context"
	"net/http"
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

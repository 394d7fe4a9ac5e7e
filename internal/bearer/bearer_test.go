package bearer_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/bearer"
)

const issuer = "https://ai-sbx.avlr.sh"

var start = time.Date(2027, 2, 20, 12, 0, 0, 0, time.UTC)

// signer makes the tokens of one test: its own, not the mock's, so that both
// can't be wrong in the same way.
type signer struct{ key *rsa.PrivateKey }

func newSigner(t testing.TB) signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	return signer{key}
}

func (s signer) public(kid string) *rsa.PublicKey {
	if kid != "K1" {
		return nil
	}
	return &s.key.PublicKey
}

func encode(part string) string { return base64.RawURLEncoding.EncodeToString([]byte(part)) }

// raw signs a token from the text of its parts.
func (s signer) raw(t testing.TB, header, payload string) string {
	t.Helper()
	signed := encode(header) + "." + encode(payload)
	sum := sha256.Sum256([]byte(signed))
	sig, err := rsa.SignPKCS1v15(nil, s.key, crypto.SHA256, sum[:])
	require.NoError(t, err)
	return signed + "." + base64.RawURLEncoding.EncodeToString(sig)
}

const goodHeader = `{"alg":"RS256","kid":"K1","typ":"at+jwt"}`

// token signs the usual claims of a token issued at start, with some replaced;
// nil removes one.
func (s signer) token(t testing.TB, change map[string]any) string {
	t.Helper()
	claims := map[string]any{
		"nbf": start.Unix(), "exp": start.Unix() + avalara.TokenLifetime, "iss": issuer,
		"client_id": "2000000001", "jti": "J", "iat": start.Unix(), "scope": []string{avalara.ScopeHSCode},
	}
	for name, value := range change {
		if value == nil {
			delete(claims, name)
		} else {
			claims[name] = value
		}
	}
	payload, err := json.Marshal(claims)
	require.NoError(t, err)
	return s.raw(t, goodHeader, string(payload))
}

func (s signer) checker(at time.Time) bearer.Checker {
	return bearer.Checker{
		Issuers: []string{issuer}, Key: s.public, Scopes: []string{avalara.ScopeHSCode},
		Now: func() time.Time { return at },
	}
}

func TestRefusalTexts(t *testing.T) {
	s, other := newSigner(t), newSigner(t)
	good := s.token(t, nil)
	parts := strings.Split(good, ".")
	unix := start.Unix()
	bad := func(text string) string { return `Bearer error="invalid_token", error_description="` + text + `"` }
	const unreadable = `Bearer error="invalid_token"`

	for name, row := range map[string]struct {
		header string
		status int
		want   string
	}{
		"no token":                 {"", 401, "Bearer"},
		"other scheme":             {"Basic aWQ6c2VjcmV0", 401, "Bearer"},
		"scheme without a token":   {"Bearer  ", 401, "Bearer"},
		"no space after scheme":    {"Bearer" + good, 401, "Bearer"},
		"expired":                  {"Bearer " + s.token(t, map[string]any{"nbf": 951004800 - 3600, "exp": 951004800}), 401, bad("The token expired at '02/20/2000 00:00:00'")},
		"not yet valid":            {"Bearer " + s.token(t, map[string]any{"nbf": 2368051200, "exp": 2368054800}), 401, bad("The token is not valid before '01/15/2045 00:00:00'")},
		"wrong issuer":             {"Bearer " + s.token(t, map[string]any{"iss": "https://identity.avalara.com"}), 401, bad("The issuer 'https://identity.avalara.com' is invalid")},
		"issuer by another case":   {"Bearer " + s.token(t, map[string]any{"iss": strings.ToUpper(issuer)}), 401, bad("The issuer 'HTTPS://AI-SBX.AVLR.SH' is invalid")},
		"no issuer":                {"Bearer " + s.token(t, map[string]any{"iss": nil}), 401, bad("The issuer '(null)' is invalid")},
		"issuer breaks the header": {"Bearer " + s.token(t, map[string]any{"iss": "a\"\r\nX: é"}), 401, bad("The issuer 'a???X: ?' is invalid")},
		"long issuer":              {"Bearer " + s.token(t, map[string]any{"iss": strings.Repeat("i", 5000)}), 401, bad("The issuer '" + strings.Repeat("i", 200) + "' is invalid")},
		"no exp":                   {"Bearer " + s.token(t, map[string]any{"exp": nil}), 401, bad("The token has no expiration")},
		"nbf after exp":            {"Bearer " + s.token(t, map[string]any{"nbf": unix + 10, "exp": unix}), 401, bad("The token lifetime is invalid; NotBefore: '02/20/2027 12:00:10', Expires: '02/20/2027 12:00:00'")},
		"unknown kid":              {"Bearer " + s.raw(t, `{"alg":"RS256","kid":"K2"}`, `{}`), 401, bad("The signature key was not found")},
		"no kid":                   {"Bearer " + s.raw(t, `{"alg":"RS256"}`, `{}`), 401, bad("The signature key was not found")},
		"bad signature":            {"Bearer " + other.token(t, nil), 401, bad("The signature is invalid")},
		"no signature":             {"Bearer " + parts[0] + "." + parts[1] + ".", 401, bad("The signature is invalid")},
		"changed payload":          {"Bearer " + parts[0] + "." + encode(`{"scope":"hs-code-classification"}`) + "." + parts[2], 401, bad("The signature is invalid")},
		"two at once":              {"Bearer " + s.token(t, map[string]any{"iss": "x", "nbf": nil, "exp": 951004800}), 401, bad("The token expired at '02/20/2000 00:00:00'; The issuer 'x' is invalid")},
		"bad claims, wrong key":    {"Bearer " + other.token(t, map[string]any{"iss": "x", "exp": 1}), 401, bad("The signature is invalid")},
		"wrong scope":              {"Bearer " + s.token(t, map[string]any{"scope": []string{avalara.ScopeAvaTax}}), 403, ""},
		"scope by another case":    {"Bearer " + s.token(t, map[string]any{"scope": "HS-Code-Classification"}), 403, ""},
		"no scope":                 {"Bearer " + s.token(t, map[string]any{"scope": nil}), 403, ""},
		"wrong scope and expired":  {"Bearer " + s.token(t, map[string]any{"scope": "x", "exp": 951004800, "nbf": 1}), 401, bad("The token expired at '02/20/2000 00:00:00'")},
		"not a JWT":                {"Bearer abc", 401, unreadable},
		"reference token":          {"Bearer " + strings.Repeat("A1", 32), 401, unreadable},
		"four parts":               {"Bearer " + good + ".x", 401, unreadable},
		"padded":                   {"Bearer " + parts[0] + "." + parts[1] + "." + parts[2] + "==", 401, unreadable},
		"header no JSON":           {"Bearer " + encode("x") + "." + parts[1] + "." + parts[2], 401, unreadable},
		"alg none":                 {"Bearer " + encode(`{"alg":"none"}`) + "." + parts[1] + ".", 401, unreadable},
		"alg HS256":                {"Bearer " + s.raw(t, `{"alg":"HS256","kid":"K1"}`, `{}`), 401, unreadable},
		"alg by another name":      {"Bearer " + s.raw(t, `{"ALG":"RS256","kid":"K1"}`, `{}`), 401, unreadable},
		"crit":                     {"Bearer " + s.raw(t, `{"alg":"RS256","kid":"K1","crit":["b64"]}`, `{}`), 401, unreadable},
		"payload no object":        {"Bearer " + s.raw(t, goodHeader, `null`), 401, unreadable},
		"exp as text":              {"Bearer " + s.token(t, map[string]any{"exp": "soon"}), 401, unreadable},
		"nbf null":                 {"Bearer " + s.raw(t, goodHeader, `{"nbf":null}`), 401, unreadable},
		"too long":                 {"Bearer " + strings.Repeat("a", 250<<10) + ".a.a", 401, unreadable},
	} {
		t.Run(name, func(t *testing.T) {
			_, refusal := s.checker(start).Check(row.header)
			require.NotNil(t, refusal)
			assert.Equal(t, row.status, refusal.Status)
			assert.Equal(t, row.want, refusal.WWWAuthenticate)
		})
	}
}

func TestLifetimeAndSkewAreInclusive(t *testing.T) {
	s := newSigner(t)
	header := "Bearer " + s.token(t, nil)
	for name, row := range map[string]struct {
		at   time.Duration
		skew time.Duration
		ok   bool
	}{
		"64 minutes":              {64 * time.Minute, 0, true},
		"65:00":                   {65 * time.Minute, 0, true},
		"just after 65:00":        {65*time.Minute + time.Nanosecond, 0, false},
		"66 minutes":              {66 * time.Minute, 0, false},
		"5 minutes before":        {-5 * time.Minute, 0, true},
		"just over 5 before":      {-5*time.Minute - time.Nanosecond, 0, false},
		"no skew, at exp":         {time.Hour, -1, true},
		"no skew, after exp":      {time.Hour + time.Nanosecond, -1, false},
		"no skew, before nbf":     {-time.Nanosecond, -1, false},
		"a minute's skew, 61:00":  {61 * time.Minute, time.Minute, true},
		"a minute's skew, beyond": {61*time.Minute + 1, time.Minute, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := s.checker(start.Add(row.at))
			c.Skew = row.skew
			_, refusal := c.Check(header)
			assert.Equal(t, row.ok, refusal == nil, "%v", refusal)
		})
	}
}

func TestAcceptedToken(t *testing.T) {
	s := newSigner(t)
	for name, scope := range map[string]any{
		"array":            []string{"x", avalara.ScopeHSCode},
		"separated string": "x " + avalara.ScopeHSCode,
	} {
		t.Run(name, func(t *testing.T) {
			got, refusal := s.checker(start).Check("bEARER " + s.token(t, map[string]any{"scope": scope}) + " ")
			require.Nil(t, refusal)
			assert.Equal(t, bearer.Token{
				ClientID: "2000000001", Scopes: []string{"x", avalara.ScopeHSCode}, Expires: start.Add(time.Hour),
			}, got)
		})
	}
}

func TestNoScopeNeeded(t *testing.T) {
	s := newSigner(t)
	c := s.checker(start)
	c.Scopes = nil
	_, refusal := c.Check("Bearer " + s.token(t, map[string]any{"scope": nil}))
	assert.Nil(t, refusal)
}

func TestTheLastOfTwoMembersCounts(t *testing.T) {
	s := newSigner(t)
	exp := start.Unix() + avalara.TokenLifetime
	payload := fmt.Sprintf(`{"iss":"x","iss":%q,"exp":1,"exp":%d.9,"scope":["hs-code-classification"]}`, issuer, exp)
	got, refusal := s.checker(start).Check("Bearer " + s.raw(t, goodHeader, payload))
	require.Nil(t, refusal)
	assert.Equal(t, time.Unix(exp, 0).UTC(), got.Expires, "the fraction is cut off")
}

func TestFarDatesStayInDotNetsYears(t *testing.T) {
	s := newSigner(t)
	_, refusal := s.checker(start).Check("Bearer " + s.token(t, map[string]any{"nbf": 1e300, "exp": -1e300}))
	require.NotNil(t, refusal)
	assert.Contains(t, refusal.WWWAuthenticate, "NotBefore: '12/31/9999 23:59:59', Expires: '01/01/0001 00:00:01'")
}

func TestRememberedTokenIsJudgedAnew(t *testing.T) {
	s := newSigner(t)
	good := "Bearer " + s.token(t, nil)
	known := true
	now := start
	memory := new(bearer.Memory)
	c := s.checker(start)
	c.Memory, c.Now = memory, func() time.Time { return now }
	c.Key = func(kid string) *rsa.PublicKey {
		if !known {
			return nil
		}
		return s.public(kid)
	}
	for range 3 {
		token, refusal := c.Check(good)
		require.Nil(t, refusal)
		assert.Equal(t, "2000000001", token.ClientID)
	}
	_, refusal := c.Check(good + "A")
	require.NotNil(t, refusal, "another token is another token")
	forged := good[:len(good)-8] + "AAAAAAAA"
	for range 2 {
		_, refusal = c.Check(forged)
		require.NotNil(t, refusal, "a bad one is not remembered")
	}

	other := c
	other.Scopes = []string{avalara.ScopeAvaTax}
	_, refusal = other.Check(good)
	require.NotNil(t, refusal)
	assert.Equal(t, http.StatusForbidden, refusal.Status)
	other = c
	other.Issuers = []string{"https://elsewhere"}
	_, refusal = other.Check(good)
	require.NotNil(t, refusal)

	now = start.Add(66 * time.Minute)
	_, refusal = c.Check(good)
	require.NotNil(t, refusal, "it expires all the same")
	now, known = start, false
	_, refusal = c.Check(good)
	require.NotNil(t, refusal, "its key is gone")
	known = true
	rotated := newSigner(t)
	c.Key = rotated.public
	_, refusal = c.Check(good)
	require.NotNil(t, refusal, "another key goes by that id now")
}

func TestMemoryIsBounded(t *testing.T) {
	s := newSigner(t)
	c := s.checker(start)
	c.Memory = new(bearer.Memory)
	for i := range 200 {
		_, refusal := c.Check("Bearer " + s.token(t, map[string]any{"jti": fmt.Sprint(i)}))
		require.Nil(t, refusal)
	}
	assert.LessOrEqual(t, c.Memory.Len(), 64)
	assert.NotZero(t, c.Memory.Len())
}

func TestZeroCheckerRefuses(t *testing.T) {
	s := newSigner(t)
	_, refusal := bearer.Checker{}.Check("Bearer " + s.token(t, nil))
	require.NotNil(t, refusal)
	assert.EqualError(t, refusal, `401: WWW-Authenticate: Bearer error="invalid_token", error_description="The signature key was not found"`)
}

func TestRefusalOnTheWire(t *testing.T) {
	for _, r := range []*bearer.Refusal{
		{Status: http.StatusUnauthorized, WWWAuthenticate: "Bearer"},
		{Status: http.StatusForbidden},
	} {
		t.Run(r.Error(), func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { r.Write(w) }))
			defer srv.Close()
			res, err := http.Get(srv.URL)
			require.NoError(t, err)
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			assert.Empty(t, body)
			assert.Equal(t, r.Status, res.StatusCode)
			res.Header.Del("Date")
			want := http.Header{"Content-Length": {"0"}}
			if r.WWWAuthenticate != "" {
				want.Set("WWW-Authenticate", r.WWWAuthenticate)
			}
			assert.Equal(t, want, res.Header)
		})
	}
}

// FuzzCheck: no header makes Check panic, pass unsigned, or answer something
// that is no header value.
func FuzzCheck(f *testing.F) {
	s := newSigner(f)
	good := s.token(f, nil)
	f.Add("Bearer " + good)
	f.Add("Bearer " + encode(goodHeader) + "." + encode(`{"exp":1e999,"scope":{"a":[]}}`) + ".AA")
	f.Add("Bearer ..")
	f.Add("bearer a.b.c")
	f.Add("Bearer " + good[:len(good)-4] + "\r\n" + good[len(good)-4:])
	f.Fuzz(func(t *testing.T, header string) {
		_, refusal := s.checker(start).Check(header)
		if refusal == nil {
			assert.Equal(t, good, strings.TrimSpace(header[len("Bearer "):]), "the one token that this key has signed")
			return
		}
		assert.Contains(t, []int{401, 403}, refusal.Status)
		assert.NotContains(t, refusal.WWWAuthenticate, "\n")
	})
}

// FuzzClaims: no signed payload makes Check panic or break the header.
func FuzzClaims(f *testing.F) {
	s := newSigner(f)
	f.Add(`{"iss":"https://ai-sbx.avlr.sh","exp":1803124800,"scope":"hs-code-classification"}`)
	f.Add(`{"iss":"\u0000\"","exp":-1e308,"nbf":1e308}`)
	f.Add(`{"exp":[],"scope":[1]}`)
	f.Add(`[`)
	f.Fuzz(func(t *testing.T, payload string) {
		_, refusal := s.checker(start).Check("Bearer " + s.raw(t, goodHeader, payload))
		if refusal == nil {
			return
		}
		for _, r := range refusal.WWWAuthenticate {
			require.True(t, r >= ' ' && r <= '~', "%q", refusal.WWWAuthenticate)
		}
	})
}

func ExampleChecker_Check() {
	c := bearer.Checker{Issuers: []string{issuer}, Scopes: []string{avalara.ScopeHSCode}}
	_, refusal := c.Check("")
	fmt.Println(refusal)
	_, refusal = c.Check("Bearer not-a-token")
	fmt.Println(refusal)
	// Output:
	// 401: WWW-Authenticate: Bearer
	// 401: WWW-Authenticate: Bearer error="invalid_token"
}

func BenchmarkCheck(b *testing.B) {
	s := newSigner(b)
	header, c := "Bearer "+s.token(b, nil), s.checker(start)
	for b.Loop() {
		if _, refusal := c.Check(header); refusal != nil {
			b.Fatal(refusal)
		}
	}
}

// BenchmarkVerifyAlone is the floor under BenchmarkCheck.
func BenchmarkVerifyAlone(b *testing.B) {
	s := newSigner(b)
	token := s.token(b, nil)
	last := strings.LastIndexByte(token, '.')
	sig, err := base64.RawURLEncoding.DecodeString(token[last+1:])
	require.NoError(b, err)
	for b.Loop() {
		sum := sha256.Sum256([]byte(token[:last]))
		if err := rsa.VerifyPKCS1v15(&s.key.PublicKey, crypto.SHA256, sum[:], sig); err != nil {
			b.Fatal(err)
		}
	}
}

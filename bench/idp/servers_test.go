package idp

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"testing"
	"time"

	"context"

	"github.com/go-oauth2/oauth2/v4/generates"
	"github.com/go-oauth2/oauth2/v4/manage"
	"github.com/go-oauth2/oauth2/v4/models"
	oauth2server "github.com/go-oauth2/oauth2/v4/server"
	"github.com/go-oauth2/oauth2/v4/store"
	"github.com/golang-jwt/jwt/v5"
	"github.com/oauth2-proxy/mockoidc"
	"github.com/ory/fosite"
	"github.com/ory/fosite/compose"
	fositeoauth2 "github.com/ory/fosite/handler/oauth2"
	fositestorage "github.com/ory/fosite/storage"
	fositejwt "github.com/ory/fosite/token/jwt"
	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/hsharness/hsharness/mockidp"
)

// endpoint is what a server says of itself: where to post which form.
type endpoint struct {
	URL  string
	Form url.Values
}

// credentials is the client_credentials form of a client.
func credentials(id, secret, scope string) url.Values {
	return url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}, "scope": {scope}}
}

// servers are ours, with the mock's key and with a standard one, and the peers.
var servers = map[string]func(l net.Listener) (endpoint, error){
	"ours":          func(l net.Listener) (endpoint, error) { return serveOurs(l, mockidp.NewMockKeys()) },
	"ours-standard": func(l net.Listener) (endpoint, error) { return serveOurs(l, mockidp.NewKeys(nil)) },
	"mockoidc":      serveMockOIDC,
	"go-oauth2":     serveGoOAuth2,
	"fosite":        serveFosite,
	"zitadel":       serveZitadel,
}

const serverVariable = "BENCH_IDP_SERVER"

// TestMain lets this program be one of the servers instead of the benchmark: it
// prints its endpoint and ends when its standard input does.
func TestMain(m *testing.M) {
	name := os.Getenv(serverVariable)
	if name == "" {
		os.Exit(m.Run())
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil {
		var e endpoint
		if e, err = servers[name](l); err == nil {
			err = json.NewEncoder(os.Stdout).Encode(e)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func serve(l net.Listener, h http.Handler) { go func() { _ = http.Serve(l, h) }() }

func base(l net.Listener) string { return "http://" + l.Addr().String() }

func serveOurs(l net.Listener, keys *mockidp.Keys) (endpoint, error) {
	idp, err := mockidp.New(mockidp.Config{Issuer: base(l), Keys: keys})
	if err != nil {
		return endpoint{}, err
	}
	serve(l, idp)
	return endpoint{idp.TokenURL(), credentials(mockidp.DefaultClientID, mockidp.DefaultClientSecret, "hs-code-classification")}, nil
}

// serveMockOIDC has no client_credentials grant: its nearest is refresh_token,
// which verifies one signature besides.
func serveMockOIDC(l net.Listener) (endpoint, error) {
	m, err := mockoidc.NewServer(nil)
	if err != nil {
		return endpoint{}, err
	}
	if err := m.Start(l, nil); err != nil {
		return endpoint{}, err
	}
	cfg := m.Config()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Get(m.AuthorizationEndpoint() + "?" + url.Values{
		"response_type": {"code"}, "client_id": {cfg.ClientID}, "scope": {"openid email profile groups"}, "state": {"s"}, "redirect_uri": {"http://localhost/"},
	}.Encode())
	if err != nil {
		return endpoint{}, err
	}
	_ = resp.Body.Close()
	at, err := resp.Location()
	if err != nil {
		return endpoint{}, err
	}
	resp, err = client.PostForm(m.TokenEndpoint(), url.Values{
		"grant_type": {"authorization_code"}, "code": {at.Query().Get("code")}, "client_id": {cfg.ClientID}, "client_secret": {cfg.ClientSecret},
	})
	if err != nil {
		return endpoint{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	var tokens struct {
		RefreshToken string `json:"refresh_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&tokens); err != nil || tokens.RefreshToken == "" {
		return endpoint{}, errors.Join(errors.New("mockoidc gave no refresh token"), err)
	}
	return endpoint{m.TokenEndpoint(), url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {tokens.RefreshToken}, "client_id": {cfg.ClientID}, "client_secret": {cfg.ClientSecret},
	}}, nil
}

func serveGoOAuth2(l net.Listener) (endpoint, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return endpoint{}, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	manager := manage.NewDefaultManager()
	manager.MapAccessGenerate(generates.NewJWTAccessGenerate("k", text, jwt.SigningMethodRS256))
	manager.MustTokenStorage(store.NewMemoryTokenStore())
	clients := store.NewClientStore()
	if err := clients.Set("id", &models.Client{ID: "id", Secret: "secret"}); err != nil {
		return endpoint{}, err
	}
	manager.MapClientStorage(clients)
	srv := oauth2server.NewDefaultServer(manager)
	srv.SetClientInfoHandler(oauth2server.ClientFormHandler)
	serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _ = srv.HandleTokenRequest(w, r) }))
	return endpoint{base(l) + "/token", credentials("id", "secret", "s")}, nil
}

// plainHasher compares secrets as they are. The default is bcrypt, which makes
// five tokens a second: no comparison at all.
type plainHasher struct{}

func (plainHasher) Compare(_ context.Context, hash, data []byte) error {
	if string(hash) != string(data) {
		return errors.New("another secret")
	}
	return nil
}

func (plainHasher) Hash(_ context.Context, data []byte) ([]byte, error) { return data, nil }

func serveFosite(l net.Listener) (endpoint, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return endpoint{}, err
	}
	memory := fositestorage.NewMemoryStore()
	memory.Clients["id"] = &fosite.DefaultClient{ID: "id", Secret: []byte("secret"), GrantTypes: []string{"client_credentials"}, Scopes: []string{"s"}}
	cfg := &fosite.Config{
		GlobalSecret: []byte("some-cool-secret-that-is-32bytes"), ClientSecretsHasher: plainHasher{}, AccessTokenLifespan: time.Hour,
		AccessTokenIssuer: base(l),
	}
	strategy := compose.NewOAuth2JWTStrategy(func(context.Context) (any, error) { return key, nil }, compose.NewOAuth2HMACStrategy(cfg), cfg)
	provider := compose.Compose(cfg, memory, strategy, compose.OAuth2ClientCredentialsGrantFactory)
	serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		session := &fositeoauth2.JWTSession{JWTClaims: &fositejwt.JWTClaims{Issuer: base(l), Subject: "id"}, JWTHeader: &fositejwt.Headers{}}
		access, err := provider.NewAccessRequest(ctx, r, session)
		if err != nil {
			provider.WriteAccessError(ctx, w, access, err)
			return
		}
		answer, err := provider.NewAccessResponse(ctx, access)
		if err != nil {
			provider.WriteAccessError(ctx, w, access, err)
			return
		}
		provider.WriteAccessResponse(ctx, w, access, answer)
	}))
	return endpoint{base(l) + "/token", credentials("id", "secret", "s")}, nil
}

// jwtStorage is the storage of zitadel's example, whose service user gets JWTs
// instead of opaque tokens.
type jwtStorage struct{ *storage.Storage }

type jwtClient struct{ op.Client }

func (jwtClient) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeJWT }

func (s jwtStorage) ClientCredentials(ctx context.Context, id, secret string) (op.Client, error) {
	c, err := s.Storage.ClientCredentials(ctx, id, secret)
	if err != nil {
		return nil, err
	}
	return jwtClient{c}, nil
}

func serveZitadel(l net.Listener) (endpoint, error) {
	issuer := base(l) + "/"
	router := exampleop.SetupServer(issuer, jwtStorage{storage.NewStorage(storage.NewUserStore(issuer))}, slog.New(slog.DiscardHandler), false)
	serve(l, router)
	return endpoint{base(l) + "/oauth/token", credentials("sid1", "verysecret", "openid")}, nil
}

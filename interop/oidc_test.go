package interop

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/hsharness/hsharness/mockidp"
	"github.com/hsharness/hsharness/mockidp/control"
)

// serve starts the sandbox's identity service at its own loopback URL.
func serve(t *testing.T) *mockidp.Server {
	t.Helper()
	srv := httptest.NewUnstartedServer(nil)
	idp, err := mockidp.New(mockidp.Config{Issuer: "http://" + srv.Listener.Addr().String(), Clients: []mockidp.Client{mockidp.DefaultClient(), {
		ID: "device", Public: true, Grants: []string{"urn:ietf:params:oauth:grant-type:device_code"}, Scopes: []string{"openid", "hs-code-classification"},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	srv.Config.Handler = idp
	srv.Start()
	t.Cleanup(srv.Close)
	return idp
}

// TestGoOIDC has go-oidc discover the service and verify its tokens: the good
// ones pass, those with a defect do not.
func TestGoOIDC(t *testing.T) {
	idp := serve(t)
	ctx := context.Background()
	provider, err := oidc.NewProvider(ctx, idp.Issuer())
	if err != nil {
		t.Fatal(err)
	}
	if got := provider.Endpoint().TokenURL; got != idp.TokenURL() {
		t.Errorf("token endpoint %s, want %s", got, idp.TokenURL())
	}
	verifier := provider.Verifier(&oidc.Config{ClientID: "hs-code-classification", Now: idp.Clock().Now})
	verify := func(defect mockidp.Defect) error {
		raw, err := idp.Mint(mockidp.Claims{Scopes: []string{"hs-code-classification"}, Defect: defect})
		if err != nil {
			t.Fatal(err)
		}
		token, err := verifier.Verify(ctx, raw)
		if err != nil {
			return err
		}
		var claims struct {
			ClientID string   `json:"client_id"`
			Scope    []string `json:"scope"`
		}
		if err := token.Claims(&claims); err != nil {
			return err
		}
		if claims.ClientID != mockidp.DefaultClientID {
			t.Errorf("client_id %q", claims.ClientID)
		}
		if life := token.Expiry.Sub(token.IssuedAt); life != time.Hour {
			t.Errorf("lifetime %s", life)
		}
		return nil
	}
	if err := verify(""); err != nil {
		t.Errorf("a good token: %v", err)
	}
	if err := idp.Keys().Rotate(); err != nil {
		t.Fatal(err)
	}
	if err := verify(""); err != nil {
		t.Errorf("a good token of a new key: %v", err)
	}
	for _, defect := range []mockidp.Defect{
		mockidp.Expired, mockidp.NotYetValid, mockidp.WrongIssuer, mockidp.WrongAudience, mockidp.UnknownKID, mockidp.BadSignature, mockidp.AlgNone,
	} {
		if err := verify(defect); err == nil {
			t.Errorf("a token with the defect %s was accepted", defect)
		}
	}
}

// openIDClient is the release of the npm package that is tried.
const openIDClient = "openid-client@6.9.0"

// TestOpenIDClient has openid-client, for node, discover the service and ask for
// tokens in both of its ways, and once in vain; then as a device, which is approved and
// denied.
func TestOpenIDClient(t *testing.T) {
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("%s is not installed", tool)
			}
			t.Logf("NOT RUN: %s is not installed", tool)
			return
		}
	}
	dir := t.TempDir()
	install := exec.Command("npm", "install", "--no-audit", "--no-fund", "--loglevel=error", openIDClient)
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("npm install: %v\n%s", err, out)
		}
		t.Logf("NOT RUN: %s could not be installed: %v", openIDClient, err)
		return
	}
	script, err := os.ReadFile("openid_client.mjs")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "client.mjs"), script, 0o600); err != nil {
		t.Fatal(err)
	}
	idp := serve(t)
	user := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := idp.AnswerDevice(r.FormValue("user_code"), r.FormValue("approve") == "true", "alice"); err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
		}
	}))
	defer user.Close()
	cmd := exec.Command("node", "client.mjs")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "ISSUER="+idp.Issuer(), "CLIENT_ID="+mockidp.DefaultClientID, "CLIENT_SECRET="+mockidp.DefaultClientSecret, "USER_URL="+user.URL)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if n := idp.Journal().Count(func(e control.Entry) bool { return e.Endpoint == "token" && e.Status == 200 }); n != 3 {
		t.Errorf("%d tokens were given, want 3", n)
	}
	if n := idp.Journal().Count(func(e control.Entry) bool { return e.Endpoint == "token" && e.Status == 400 }); n != 2 {
		t.Errorf("%d requests were refused, want 2", n)
	}
}

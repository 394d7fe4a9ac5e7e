package harness

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/hsharness/hsharness/harness/guard"
	"github.com/hsharness/hsharness/harness/recording"
	"github.com/hsharness/hsharness/harness/stand"
	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/mockidp/realurl"
)

// services starts a stand, or joins that of the hsharness exec around this
// process, and makes the transport that answers the real hosts. Production has
// no place in an exec, so its tests always get a stand of their own; so do fuzz
// targets, which never leave offline mode.
func services(t TB, o Options) (stand.Service, http.RoundTripper, error) {
	fuzzing := isFuzz(t)
	if stand.Nested(os.Getenv) && !o.Production && !fuzzing {
		if o.SandboxAllowance != nil {
			return nil, nil, errors.New("SandboxAllowance is the mock's; inside hsharness exec it can't be chosen")
		}
		if !reflect.ValueOf(o.API).IsZero() {
			return nil, nil, errors.New("API is the mock's; inside hsharness exec it can't be chosen")
		}
		if o.TokenSkew != 0 {
			return nil, nil, errors.New("TokenSkew is the guard's; inside hsharness exec it can't be chosen")
		}
		guest, err := stand.Join(os.Getenv)
		if err != nil {
			return nil, nil, err
		}
		real, err := nestedHosts(guest)
		return guest, real, err
	}
	cfg := stand.Config{SandboxAllowance: o.SandboxAllowance, API: o.API, TokenSkew: o.TokenSkew}
	if !fuzzing {
		if err := o.replay(&cfg); err != nil {
			return nil, nil, err
		}
	}
	s, err := stand.New(cfg)
	if err != nil {
		return nil, nil, err
	}
	return s, realHosts(s), nil
}

// isFuzz tells whether t belongs to a fuzz target.
func isFuzz(t TB) bool {
	named, ok := t.(interface{ Name() string })
	return ok && strings.HasPrefix(named.Name(), "Fuzz")
}

// replay sets a stand up for HSHARNESS_MODE=replay. A mode that spends is not
// to be had by a variable.
func (o Options) replay(cfg *stand.Config) error {
	name := os.Getenv("HSHARNESS_MODE")
	if name == "" {
		return nil
	}
	mode, err := guard.ParseMode(name)
	if err != nil {
		return fmt.Errorf("HSHARNESS_MODE: %w", err)
	}
	if mode.Buys() {
		return fmt.Errorf("HSHARNESS_MODE=%s: tests spend only inside `hsharness exec --mode %s --max-spend N -- go test ./...`", name, name)
	}
	if mode == guard.Offline {
		return nil
	}
	dir := o.Recordings
	if dir == "" {
		if dir, err = findRecordings(); err != nil {
			return err
		}
	}
	store, err := recording.Open(recording.Config{Dir: dir, Ignore: o.Ignore})
	if err != nil {
		return err
	}
	cfg.Mode, cfg.Tape = mode, guard.NewTape(store, 0)
	return nil
}

// findRecordings looks from the working directory upwards for a project file,
// beside which the recordings are.
func findRecordings() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "hsharness.yaml")); err == nil {
			return filepath.Join(dir, "recordings"), nil
		}
		if filepath.Dir(dir) == dir {
			return filepath.Join(start, "recordings"), nil
		}
	}
}

// loopback carries out requests to this machine.
func loopback() http.RoundTripper { return &http.Transport{DisableKeepAlives: true} }

// realHosts answers for the real hosts in this process.
func realHosts(s *stand.Stand) http.RoundTripper {
	cfg := realurl.Config{
		Production: s.Identity(avalara.Production), Sandbox: s.Identity(avalara.Sandbox),
		Hosts: map[string]http.Handler{}, Next: loopback(),
	}
	for _, env := range avalara.Environments() {
		for _, api := range avalara.APIs() {
			if name := avalara.HostOf(env, api).Name; name != "" {
				cfg.Hosts[name] = s.Handler(env, api)
			}
		}
	}
	return realurl.New(cfg)
}

// nestedHosts passes requests for the sandbox's real hosts on to the guard of
// the exec.
func nestedHosts(g *stand.Guest) (http.RoundTripper, error) {
	urls := map[string]string{avalara.IdentityHost(avalara.Sandbox): g.IdentityURL(avalara.Sandbox)}
	for _, api := range avalara.APIs() {
		name := avalara.HostOf(avalara.Sandbox, api).Name
		if name == "" {
			continue
		}
		base, err := g.APIURL(avalara.Sandbox, api)
		if err != nil {
			return nil, err
		}
		urls[name] = base
	}
	hosts := map[string]http.Handler{}
	for name, base := range urls {
		target, err := url.Parse(base)
		if err != nil {
			return nil, err
		}
		hosts[name] = httputil.NewSingleHostReverseProxy(target)
	}
	return realurl.New(realurl.Config{Hosts: hosts, Next: loopback()}), nil
}

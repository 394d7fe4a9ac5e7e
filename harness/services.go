package harness

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/realurl"
	"github.com/hsharness/hsharness/internal/scenario"
	"github.com/hsharness/hsharness/internal/services"
	"github.com/hsharness/hsharness/internal/session"
)

// begin starts a set of services, or makes a client of the hsharness exec around this
// process, and the transport that answers the real hosts. Fuzz targets never
// leave offline mode, and keep to themselves.
func begin(t TB, o Options) (services.Service, http.RoundTripper, error) {
	if services.Nested(os.Getenv) && !isFuzz(t) {
		if err := o.nestable(); err != nil {
			return nil, nil, err
		}
		rules, err := nestedRules(t)
		if err != nil {
			return nil, nil, err
		}
		if o.Production { // which the exec has no recordings of, and never calls
			rules.Mode = new(guard.Mode)
		}
		client, err := services.Join(os.Getenv, rules)
		if err != nil {
			return nil, nil, err
		}
		real, err := nestedHosts(client)
		return client, real, err
	}
	s, err := o.start(t, scenario.Needs{Ceiling: guard.Live})
	if err != nil {
		return nil, nil, err
	}
	return s, realHosts(s), nil
}

// start starts a set of services of the test's own.
func (o Options) start(t TB, needs scenario.Needs) (*services.Local, error) {
	s, err := o.session(t, needs.Ceiling)
	if err != nil {
		return nil, err
	}
	return s.Services(needs.Ceiling, needs.Cap)
}

// session is the test's own run, which buys nothing: offline, or what
// HSHARNESS_MODE says.
func (o Options) session(t TB, ceiling guard.Mode) (*session.Session, error) {
	p, err := nearest()
	if err != nil {
		return nil, err
	}
	limit := guard.Limit{Mode: guard.Offline, By: "a test"}
	if ceiling != guard.Offline && !isFuzz(t) {
		if limit, err = typed(); err != nil {
			return nil, err
		}
	}
	of := *p
	of.Recordings.Ignore = append(slices.Clone(p.Recordings.Ignore), o.Ignore...)
	s, err := session.Open(context.Background(), session.Config{
		Project: &of, Getenv: os.Getenv, Limits: []guard.Limit{limit}, Recordings: o.Recordings, Schedules: o.Schedules,
		Mocks: o.mocks(),
	})
	if err == nil && s.Learned != nil && s.Limit.Mode == guard.Offline {
		sayLearned(t, s.Learned.String())
	}
	return s, err
}

// nestedRules are those of a test inside an exec.
func nestedRules(t TB) (services.Rules, error) {
	p, err := nearest()
	if err != nil {
		return services.Rules{}, err
	}
	return services.Rules{Test: nameOf(t), Sealed: p.Policy.MustSeal()}, nil
}

// learned is what this process has said of the mock's shapes.
var learned sync.Map

// sayLearned tells the first test that the mock answers in shapes of recordings.
func sayLearned(t TB, from string) {
	log, ok := t.(interface {
		Logf(format string, args ...any)
	})
	if _, said := learned.LoadOrStore(from, true); ok && !said {
		log.Logf("harness: the mock API's shapes are %s", from)
	}
}

// nestable says what a client of an exec can't have.
func (o Options) nestable() error {
	switch {
	case o.SandboxAllowance != nil:
		return errors.New("SandboxAllowance is the mock's; inside an exec it can't be chosen")
	case o.API != (API{}):
		return errors.New("API is the mock's; inside an exec it can't be chosen")
	case len(o.Schedules) > 0:
		return errors.New("the Schedules are the mock's; inside an exec they can't be chosen: name them in the project file")
	case o.TokenSkew != 0:
		return errors.New("TokenSkew is the guard's; inside an exec it can't be chosen")
	}
	return nil
}

// nameOf is the name of the test, empty where it has none.
func nameOf(t TB) string {
	if named, ok := t.(interface{ Name() string }); ok {
		return named.Name()
	}
	return ""
}

// isFuzz tells whether t belongs to a fuzz target.
func isFuzz(t TB) bool {
	return strings.HasPrefix(nameOf(t), "Fuzz")
}

// typed is how far HSHARNESS_MODE lets a test go. A mode that spends is not to be
// had by a variable.
func typed() (guard.Limit, error) {
	name := os.Getenv("HSHARNESS_MODE")
	limit := guard.Limit{Mode: guard.Offline, By: "HSHARNESS_MODE"}
	if name == "" {
		return limit, nil
	}
	mode, err := guard.ParseMode(name)
	if err != nil {
		return limit, fmt.Errorf("HSHARNESS_MODE: %w", err)
	}
	if mode.Buys() {
		return limit, fmt.Errorf("HSHARNESS_MODE=%s: tests spend only inside an exec: %s", name, hint.Exec(name))
	}
	limit.Mode = mode
	return limit, nil
}

// nearest reads the project file that is nearest above the working directory, as
// the commands do, and the zero project where there is none. A test buys nothing,
// so nothing of the environment that the file names is looked at: the real
// credential is not even read.
func nearest() (*project.Project, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	for {
		p, err := project.Read(filepath.Join(dir, project.Name), true, func(string) string { return "" })
		if err != nil || p.File != "" {
			return p, err
		}
		if filepath.Dir(dir) == dir {
			return p, nil
		}
		dir = filepath.Dir(dir)
	}
}

// loopback carries out requests to this machine.
func loopback() http.RoundTripper {
	t := guard.LocalTransport()
	t.DisableKeepAlives = true
	return t
}

// realHosts answers for the real hosts in this process.
func realHosts(s *services.Local) http.RoundTripper {
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

// nestedHosts passes requests for the real hosts on to the client's services.
func nestedHosts(g *services.Remote) (http.RoundTripper, error) {
	urls := map[string]string{}
	for _, env := range avalara.Environments() {
		urls[avalara.IdentityHost(env)] = g.IdentityURL(env)
		for _, api := range avalara.APIs() {
			if name := avalara.HostOf(env, api).Name; name != "" {
				base, err := g.APIURL(env, api)
				if err != nil {
					return nil, err
				}
				urls[name] = base
			}
		}
	}
	hosts := map[string]http.Handler{}
	for name, base := range urls {
		target, err := url.Parse(base)
		if err != nil {
			return nil, err
		}
		proxy := httputil.NewSingleHostReverseProxy(target)
		proxy.Transport = guard.LocalTransport()
		hosts[name] = proxy
	}
	return realurl.New(realurl.Config{Hosts: hosts, Next: loopback()}), nil
}

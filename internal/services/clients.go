package services

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/mockidp"
)

// ErrEnded says that a guard has ended, and makes no clients any more.
var ErrEnded = errors.New("this guard has ended")

// clients are the clients of one set of services or of one server.
type clients struct {
	parent parent

	mu    sync.Mutex
	ended bool
	list  map[string]*Local
}

// parent is what a client takes over from what it is a client of.
type parent struct {
	cfg   Config
	mocks *Mocks
	guard *guard.Guard // whose counts take in those of its clients, and whose prices are the least
	calls *calls
	max   *int // what a client may not ask more than; nil is any number
}

// calls counts the requests to the APIs of a set of services and of its clients.
type calls struct {
	n      atomic.Int64
	within *calls // of the parent, nil without one
	// living are the clients that have not ended, and ruled how many bytes their rules
	// have, where there is no parent.
	living, ruled atomic.Int64
}

// MaxClients is how many clients there may be that have not ended, those of clients
// counted: each has a journal and listeners of its own.
const MaxClients = 2000

// maxRules is how many bytes the rules of all these may have together.
const maxRules = 64 << 20

// ErrManyClients says that there are as many clients as there may be.
var ErrManyClients = fmt.Errorf("%d clients have not ended, and there may be no more: end each with DELETE /clients/ID when its test is over", MaxClients)

// errLongRules says that the rules of the clients that there are have no room for more.
var errLongRules = fmt.Errorf("the rules of all clients that have not ended may have %d bytes together: end clients, or give them shorter names and fewer operations", maxRules)

// enter counts a client with rules of that many bytes that begins, and returns what counts
// its end, once.
func (c *calls) enter(bytes int) (leave func(), err error) {
	for c.within != nil {
		c = c.within
	}
	leave = sync.OnceFunc(func() {
		c.living.Add(-1)
		c.ruled.Add(-int64(bytes))
	})
	living, ruled := c.living.Add(1), c.ruled.Add(int64(bytes))
	switch {
	case living > MaxClients:
		err = ErrManyClients
	case ruled > maxRules:
		err = errLongRules
	default:
		return leave, nil
	}
	leave()
	return nil, err
}

// size is about how many bytes a client holds for its rules.
func (r Rules) size() int {
	n := len(r.Test)
	for _, op := range r.Operations {
		n += 3*40 + len(op.Match) + len(op.Items) // it is in three lists
	}
	return n
}

func (c *calls) add() {
	for ; c != nil; c = c.within {
		c.n.Add(1)
	}
}

// new makes a client, or says which of its rules can't be honoured.
func (c *clients) new(r Rules) (*Local, error) {
	cfg, err := c.parent.config(r)
	if err != nil {
		return nil, err
	}
	leave, err := c.parent.calls.enter(r.size())
	if err != nil {
		return nil, err
	}
	id := hex.EncodeToString(randomBytes(8))
	cfg.public = c.parent.below(id)
	s, err := New(cfg)
	if err != nil {
		leave()
		return nil, err
	}
	s.leave = leave
	s.id, s.max = id, r.Max
	if r.Max == nil {
		s.max = c.parent.max
	}
	s.clients.parent.max = s.max
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return nil, errors.Join(ErrEnded, s.Close())
	}
	if c.list == nil {
		c.list = map[string]*Local{}
	}
	c.list[s.id] = s
	s.leave = func() {
		c.remove(s.id)
		leave()
	}
	return s, nil
}

// config is a client's. Its clock, faults and journal are new; its keys are the
// parent's until it makes others; the units of its mock API are counted with
// the parent's.
func (p parent) config(r Rules) (Config, error) {
	cfg := p.cfg
	if r.Mode != nil {
		if *r.Mode > cfg.Mode {
			return Config{}, &RuleError{"mode", fmt.Sprintf("%s goes further than %s, as far as the run around it may go", *r.Mode, cfg.Mode)}
		}
		cfg.Mode = *r.Mode
	}
	if r.Sealed && !cfg.Sealed && cfg.Mode.Buys() {
		return Config{}, &RuleError{"sealed", fmt.Sprintf("the run around it is in mode %s, and in no seal", cfg.Mode)}
	}
	if err := p.tighten(&cfg, r); err != nil {
		return Config{}, err
	}
	if err := r.checkGrants(); err != nil {
		return Config{}, err
	}
	switch {
	case cfg.Mode == guard.Offline:
		cfg.Cassette = nil
	case cfg.Cassette != nil:
		cfg.Cassette = cfg.Cassette.Own()
		cfg.Cassette.Mock = cfg.Cassette.Mock && r.OnMiss != guard.FailMiss
	}
	if !cfg.Mode.Buys() {
		cfg.Purchase = nil
	}
	if r.Test != "" {
		cfg.Test = r.Test
	}
	cfg.Keys = map[avalara.Environment]*mockidp.Keys{}
	for env, idp := range p.mocks.identity {
		cfg.Keys[env] = idp.Keys().Own()
	}
	dummy := mockidp.Client{
		ID: "hsharness-" + hex.EncodeToString(randomBytes(4)), Scopes: avalara.Scopes(),
		Secrets: []mockidp.Secret{{Value: hex.EncodeToString(randomBytes(16))}}, Grants: r.Grants, Public: r.Public,
	}
	account, _ := p.mocks.Client()
	cfg.Clients, cfg.Clock = append([]mockidp.Client{dummy}, p.known(cfg.Mode)...), nil
	cfg.SandboxAllowance, cfg.StateFile = nil, ""
	cfg.within, cfg.countsAs = &p, map[string]string{dummy.ID: account}
	return cfg, nil
}

// known are the clients that a file or a test of an offline client may name.
func (p parent) known(mode guard.Mode) []mockidp.Client {
	switch {
	case mode != guard.Offline:
		return nil
	case len(p.cfg.Clients) == 0:
		return []mockidp.Client{mockidp.DefaultClient()}
	}
	return p.cfg.Clients
}

// tighten sets the maximum and the prices.
func (p parent) tighten(cfg *Config, r Rules) error {
	if r.Max != nil {
		switch {
		case *r.Max < 0:
			return &RuleError{"max", fmt.Sprintf("%d is below zero", *r.Max)}
		case p.max != nil && *r.Max > *p.max:
			return &RuleError{"max", fmt.Sprintf("%d is more than %d, the most that the run around it may use", *r.Max, *p.max)}
		}
		cfg.Cap = guard.NewCap(*r.Max, p.cfg.Cap)
	}
	if r.OnMiss != "" {
		if err := guard.CheckMiss(r.OnMiss); err != nil {
			return &RuleError{"on_miss", err.Error()}
		}
		if r.OnMiss == guard.MockMiss && cfg.Cassette != nil && !cfg.Cassette.Mock {
			return &RuleError{"on_miss", "the run around it lets the mock answer nothing that was never bought"}
		}
	}
	cfg.Operations = r.Operations
	if err := r.Operations.Validate(); err != nil {
		return &RuleError{"operations", err.Error()}
	}
	for _, op := range r.Operations {
		if dearer, ok := p.guard.Dearer(op); ok {
			return &RuleError{"operations", fmt.Sprintf("%s costs %d in the run around it, and may not cost %d here", op.Match, dearer.Cost, op.Cost)}
		}
	}
	return nil
}

// checkGrants takes those that the identity service has.
func (r Rules) checkGrants() error {
	known := avalara.MetadataOf("").GrantTypesSupported
	if r.Grants != nil && len(r.Grants) == 0 {
		return &RuleError{"grants", "name one at least, or leave it out"}
	}
	for i, grant := range r.Grants {
		if !slices.Contains(known, grant) {
			return &RuleError{fmt.Sprintf("grants[%d]", i), fmt.Sprintf("%q is none of %s", grant, strings.Join(known, ", "))}
		}
	}
	return nil
}

// find is a client by its id, nil when there is none.
func (c *clients) find(id string) *Local {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.list[id]
}

func (c *clients) remove(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.list, id)
}

// close ends all clients, and makes no more.
func (c *clients) close() error {
	c.mu.Lock()
	c.ended = true
	list := c.list
	c.list = nil
	c.mu.Unlock()
	var errs []error
	for _, s := range list {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// randomBytes never fails: crypto/rand ends the program rather than that.
func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

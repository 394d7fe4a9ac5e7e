// Package session is the one road from a project file to a guard: how far a run
// may go, how much it may spend, of which ledger, and by whose rules. The commands
// run, exec, plan and gateway and the Go test library all take it, so that none of
// them has rules of its own. It may touch the guard and what stands below it; which
// ledger there is, and where the real credential is from, its caller says.
package session

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/hook"
	"github.com/hsharness/hsharness/internal/mockapi/shape"
	"github.com/hsharness/hsharness/internal/nomenclature"
	"github.com/hsharness/hsharness/internal/pace"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/services"
	"github.com/hsharness/hsharness/mockidp"
	"github.com/hsharness/hsharness/quota"
)

// Config is what a session is made of.
type Config struct {
	// Project has the prices, the recordings, the policy and the URLs. A project
	// without a file buys nothing.
	Project *project.Project
	// Getenv reads an environment variable; empty is one that is not set.
	Getenv func(name string) string
	// Limits say how far the run may go, besides the project's own and those of
	// the environment: see [Limit].
	Limits []guard.Limit
	// Max is the most that it may spend, in units. Zero is the project's per_run.
	Max int64
	// Suite names it in the ledger. Empty is the CI job, else the folder.
	Suite string
	// Sealed says that no program asks this run's guard but the one that has the run, and
	// those that it started in a seal. A project may demand it of a run that buys.
	Sealed bool
	// Before is asked, by a run that is to buy so many units at most, before it begins: it
	// returns how many it may buy, or why it must not begin. Nil asks nobody.
	Before func(ctx context.Context, mode guard.Mode, most int64, from Ledger) (int64, error)
	// Ledger opens the project's. Nil is a caller that has none, and never buys.
	Ledger func(context.Context) (Ledger, error)
	// Look says what is left of the ledger of a run that has not opened it, or why
	// that is not known; neither where there is no ledger. Nil is a caller without one.
	Look func(context.Context) (left *int, unknown string)
	// Credential is asked for where the run buys, and nowhere else. Secrets are what
	// recordings must not hold.
	Credential func() (guard.Credential, []recording.Secret, error)
	// Recordings is the folder; empty is the project's.
	Recordings string
	// Withhold makes what is bought wait to be accepted; see [recording.Store.Withhold].
	Withhold bool
	// OnMiss is what a replay does with what was never bought: [guard.FailMiss] or
	// [guard.MockMiss]. Empty is the project's.
	OnMiss string
	// Schedules are files besides the project's, by country; they win.
	Schedules map[string]string
	// Mocks are the settings of the mock services, for all that a session does not
	// set by itself.
	Mocks services.Config
	// Grace is how long [Session.End] may take once its context has ended: what is not
	// answered until then counts, and is not recorded. Zero is [DefaultGrace].
	Grace time.Duration
	// MaxWait is how long a request may wait for its turn at the project's rates; zero is
	// any time. Waits is told while requests wait; nil is nobody.
	MaxWait time.Duration
	Waits   func(pace.Progress)
	// Log takes a line for each request. Nil is nowhere.
	Log *slog.Logger
	// Warn is told what the run goes on without. Nil is nobody.
	Warn func(format string, args ...any)
}

// Ledger is an open ledger. It must be safe for concurrent use.
type Ledger interface {
	// Account is how runs are begun, with the store.
	Account() *quota.Client
	// Ready says why it may not be spent from, or nil.
	Ready(context.Context) error
	Close()
}

// Session is one run: how far it may go, and the ledger's run behind it if it may
// spend.
type Session struct {
	// ID is the run's, Limit how far it goes and why no further, and Max the most
	// that it may spend, in units: 0 where it does not buy.
	ID    string
	Limit guard.Limit
	Max   int64
	// Learned is what the mock API's answers were learned from, nil where they were not.
	Learned *shape.Set

	cfg        Config
	begun      time.Time
	who        quota.Attribution
	ledger     Ledger
	run        *quota.Run
	recordings *guard.Cassette
	store      *recording.Store // behind them
	purchase   *guard.Purchase
	teller     *hook.Teller // nil where nobody is told, or nothing is bought
	pacer      *pace.Pacer  // nil without a rate
	unready    error        // why a replay could not use the ledger
	asked      guard.Mode   // how far it was asked to go
	lowering   Lowering     // and why it does not
	keys       map[avalara.Environment]*mockidp.Keys
	client     mockidp.Client
}

// Open decides the mode and, where it may spend, begins a run: from here on the
// units are held. An error of the ledger is a [*LedgerError]; any other is one of
// what was asked for.
func Open(ctx context.Context, cfg Config) (*Session, error) {
	upstream, upstreamErr := cfg.Project.Upstream()
	if upstreamErr != nil && cfg.Project.UnsetURLs() == nil {
		return nil, upstreamErr
	}
	s := &Session{
		cfg: cfg, begun: time.Now(), who: quota.Attribute(quota.Attribution{Suite: cfg.Suite}, cfg.Getenv, cfg.Project.Dir()),
	}
	var err error
	if s.Limit, err = Limit(cfg.Project, upstream, cfg.Getenv, cfg.Limits...); err != nil {
		return nil, err
	}
	if err := CheckSealed(cfg.Project, s.Limit.Mode, cfg.Sealed, cfg.Max); err != nil {
		return nil, err
	}
	if s.cfg.Mocks.API.Schedules, err = cfg.Project.OpenSchedules(cfg.Schedules); err != nil {
		return nil, err
	}
	mock, err := s.mocksMisses()
	if err != nil {
		return nil, err
	}
	if err := s.learned(); err != nil {
		return nil, err
	}
	s.sayLimits(upstream)
	var credential guard.Credential
	var secrets []recording.Secret
	var credentialErr error
	if s.Limit.Mode.Buys() {
		if upstreamErr != nil { // a run that does not buy needs none of the URLs
			return nil, upstreamErr
		}
		credential, secrets, credentialErr = cfg.Credential()
	}
	s.keys = services.NewKeys(s.Limit.Mode)
	s.ID = NewID()
	if s.Limit.Mode != guard.Offline {
		if s.store, err = s.openStore(secrets); err != nil {
			return nil, err
		}
		if cfg.Withhold {
			s.store.Withhold()
		}
		s.recordings = guard.NewCassette(s.store, cfg.Project.MaxAge())
		s.recordings.Mend = s.lowering.Mend
		s.recordings.Where = Where(cfg.Project, cfg.Getenv, guard.Record)
		s.recordings.FailStale = cfg.Project.Recordings.Expired == project.Fail
		s.client = dummyClient()
	}
	switch {
	case s.Limit.Mode.Buys():
		err = s.begin(ctx, upstream, credential, credentialErr)
		if errors.Is(err, quota.ErrBlocked) && s.Limit.Mode == guard.Record && cfg.Project.Policy.OnBlocked == guard.Replay.String() {
			s.warn("%s", err)
			s.warn("policy.on_blocked is replay: going on without buying")
			s.Close()
			s.ledger, s.run, s.Max = nil, nil, 0
			s.Limit = guard.Limit{Mode: guard.Replay, By: "policy.on_blocked"}
			err = nil
		}
	case s.Limit.Mode == guard.Replay:
		s.beginReplay(ctx)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	if s.recordings != nil { // a client that replays may be one of a run that buys
		s.recordings.Mock = mock && s.Limit.Mode == guard.Replay
	}
	return s, nil
}

// learned gives the mocks the shapes that were learned of the project's recordings, where
// nobody chose others.
func (s *Session) learned() error {
	api := &s.cfg.Mocks.API
	if api.Learned != nil || api.Templates != nil {
		return nil
	}
	var err error
	s.Learned, err = s.cfg.Project.Learned()
	api.Learned = s.Learned
	return err
}

// sayLimits tells first what keeps the run from what it was asked for.
func (s *Session) sayLimits(upstream guard.Upstream) {
	asked := guard.Lowest(s.cfg.Limits...)
	s.asked = asked.Mode
	if l := Lowered(s.cfg.Project, upstream, s.cfg.Getenv, asked, s.Limit); l.Why != "" {
		s.lowering = l
		s.warn("%s", l)
	}
	if s.cfg.Max > 0 && !asked.Mode.Buys() {
		s.warn("nothing will be spent: the amount of %d counts in the modes record and live, and this run is %s", s.cfg.Max, asked.Mode)
	}
}

func (s *Session) warn(format string, args ...any) {
	if s.cfg.Warn != nil {
		s.cfg.Warn(format, args...)
	}
}

func (s *Session) openStore(secrets []recording.Secret) (*recording.Store, error) {
	if s.cfg.Recordings != "" {
		return s.cfg.Project.OpenRecordingsIn(s.cfg.Recordings, secrets...)
	}
	return s.cfg.Project.OpenRecordings(secrets...)
}

// Services starts what one test or one command talks to. It buys only where the
// ceiling lets it. Limit is a further one, or nil.
func (s *Session) Services(ceiling guard.Mode, limit *guard.Cap) (*services.Local, error) {
	mode := min(ceiling, s.Limit.Mode)
	cfg := s.cfg.Mocks
	// What can't be read of it, or is set nowhere, is no host that a program has built in.
	cfg.Upstream, _ = s.cfg.Project.Upstream()
	cfg.Sealed = s.cfg.Sealed
	cfg.Keys, cfg.Mode, cfg.Operations, cfg.Cap, cfg.Log = s.keys, mode, s.cfg.Project.Operations, limit, s.cfg.Log
	if s.Limit.Mode.Buys() { // what a client may ask for at most
		most := int(s.Max)
		cfg.Max = &most
	}
	if mode != guard.Offline {
		cfg.Cassette = s.recordings
	}
	if mode.Buys() {
		cfg.Purchase = s.purchase
	}
	if s.client.ID != "" {
		cfg.Clients = []mockidp.Client{s.client}
	}
	return services.New(cfg)
}

// Schedules judge the run's codes.
func (s *Session) Schedules() *nomenclature.Schedules { return s.cfg.Mocks.API.Schedules }

// Used tells whether a recording answered a request of this run.
func (s *Session) Used(key string) bool { return s.recordings != nil && s.recordings.Used(key) }

// Close lets go of the ledger. A run that was not ended is left to expire.
func (s *Session) Close() {
	s.teller.Close()
	if s.ledger != nil {
		s.ledger.Close()
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/gateway"
	"github.com/hsharness/hsharness/cmd/internal/limits"
	"github.com/hsharness/hsharness/cmd/internal/reach"
	"github.com/hsharness/hsharness/cmd/internal/typed"
	"github.com/hsharness/hsharness/internal/bounded"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/services"
	"github.com/hsharness/hsharness/internal/session"
	"github.com/hsharness/hsharness/mockidp"
	"github.com/hsharness/hsharness/quota"
)

// gatewayFlags are what gateway takes besides the global flags.
type gatewayFlags struct {
	at        reach.Gateway
	keys      string
	allotment int64
	maxWait   time.Duration
	readyFile string
	serving   limits.Serving
}

func (p *program) gatewayCommand() *cobra.Command {
	var f gatewayFlags
	cmd := &cobra.Command{
		Use:   "gateway",
		Short: "Serve the guard to a team: callers with keys, one shared allowance",
		Long: `Runs the guard as a server. Its callers authenticate at its token endpoint, with
the name of their key as the client id and the key as the client secret, and call
its API URLs with the token that they get. They never see the real credential.

Each key has a cap, which the ledger holds over all instances and restarts.
Instances that share a PostgreSQL ledger, the file of keys and the recordings are
one gateway: each holds --allotment units at a time for a key that asks, and gives
back what lies idle. Recordings are shared by a folder that all of them see, or with
recordings.share: ledger in the project file.

It prints one line of JSON with every URL and runs until SIGTERM or Ctrl-C: then
it answers what is under way for most of --grace, ends its runs and exits with 0. At --ops-addr are
/healthz, /readyz, /metrics for Prometheus, and a page of the state at /.`,
		Example: `  hsharness gateway keys add shop --suite checkout --cap 200
  hsharness gateway --mode record --ledger postgres://ledger.example/hsharness
  hsharness gateway --mode replay --addr 127.0.0.1:0 --ops-addr 127.0.0.1:0`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := limits.Within(cmd.Context(), f.serving.Grace, func() error { return p.gateway(cmd.Context(), f) })
			if _, late := errors.AsType[*limits.LateError](err); late {
				return ledgerError(err) // nothing else can be waited for at the end
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.at.Addr, "addr", "127.0.0.1:8730", "`address` for callers")
	flags.StringVar(&f.at.OpsAddr, "ops-addr", "127.0.0.1:8731", "`address` for those who run it")
	flags.BoolVar(&f.at.Anywhere, "listen-anywhere", false, "allow addresses that others can reach")
	f.at.TLS.Flags(flags)
	f.at.Public.Flags(flags, reach.GatewayServices())
	flags.StringVar(&f.keys, "keys", "", "`file` of the keys (default "+gateway.DefaultKeys+" beside the project file)")
	f.allotment = 10
	typed.Number(flags, &f.allotment, "allotment", 1, quota.MaxUnits, "hold `N` units at a time for a key that asks")
	typed.MaxWait(flags, &f.maxWait)
	flags.StringVar(&f.readyFile, "ready-file", "", "write the line of JSON to this `file` once it answers")
	f.serving.Flags(flags)
	cmd.AddCommand(p.gatewayKeysCommand())
	return cmd
}

func (p *program) gateway(ctx context.Context, f gatewayFlags) (err error) {
	if p.nested() {
		return usageError(hint.Outside.About(errors.New("a gateway is a run of its own")))
	}
	if err := f.serving.Check(); err != nil {
		return usageError(err)
	}
	proj, err := p.project()
	if err != nil {
		return err
	}
	upstream, err := proj.Upstream()
	if err != nil {
		return err
	}
	cfg := gateway.Config{Allotment: f.allotment, Budgets: proj.Budgets, MaxWait: f.maxWait}
	typed, err := p.typedLimit()
	if err != nil {
		return err
	}
	if cfg.Mode, err = session.Limit(proj, upstream, p.getenv, typed); err != nil {
		return err
	}
	if l := session.Lowered(proj, upstream, p.getenv, typed, cfg.Mode); l.Why != "" {
		fmt.Fprintf(p.stderr, "hsharness: %s\n", l)
	}
	if cfg.Mode.Mode == guard.Offline {
		return usageError(hint.Mock.About(errors.New("a gateway offline would be a mock")))
	}
	if err := reach.ClearReady(f.readyFile); err != nil {
		return usageError(err)
	}
	if f.keys, err = p.keysPath(f.keys); err != nil {
		return err
	}
	listeners := bounded.Servers{Gate: bounded.NewGate(f.serving.Limits)}
	at, err := f.at.Listen()
	if err != nil {
		return typedError(err)
	}
	served := false
	defer func() {
		if !served {
			err = errors.Join(err, at.Close())
		}
	}()
	cfg.Keys = gateway.NewKeyring(f.keys, at.URLs.Identity, mockidp.NewKeys(services.SigningKey))
	if err := cfg.Keys.Check(); errors.Is(err, fs.ErrNotExist) {
		return usageError(hint.FirstKey.About(fmt.Errorf("nobody could call: %w", err)))
	} else if err != nil {
		return usageError(err)
	}

	log, closeLog, err := p.openLog(true)
	if err != nil {
		return err
	}
	defer func() { _ = closeLog() }() // what is missing in it then is not known to anybody
	var secrets []recording.Secret
	if cfg.Mode.Mode.Buys() {
		if secrets, err = p.gatewayPurchase(ctx, &cfg, proj, upstream); err != nil {
			return err
		}
		defer cfg.Ledger.Close()
		defer p.notifying(proj).Start(cfg.Ledger).Finish(ctx)
	}
	store, err := proj.OpenRecordings(secrets...)
	if err == nil && cfg.Ledger != nil {
		err = session.SharesNow(ctx, proj, cfg.Ledger.Store, store, p.sharing().Warn)
	}
	if err != nil {
		return usageError(err)
	}
	cfg.Guard = guard.Config{Operations: proj.Operations, Cassette: guard.NewCassette(store, proj.MaxAge()).Retrying(), Log: log}
	g, err := gateway.New(cfg)
	if err != nil {
		return usageError(err)
	}
	p.seal(proj) // from here on this program's own environment has no secret

	served = true
	listeners.Serve(at.Callers, g.Handler())
	f.serving.Connections = min(f.serving.Connections, opsConnections)
	ops := bounded.Servers{Gate: bounded.NewGate(f.serving.Limits)} // they answer until the end, whatever callers do
	ops.Serve(at.Operations, g.Operations())
	defer func() { err = errors.Join(err, ops.Close()) }()
	line, err := reach.Ready(at.URLs, f.readyFile)
	if err != nil {
		return errors.Join(usageError(err), listeners.Close())
	}
	if _, err := p.stdout.Write(line); err != nil {
		return errors.Join(err, listeners.Close())
	}
	g.Run(ctx)
	if !p.quiet {
		fmt.Fprintln(p.stderr, "stopping: answering what is under way; a second signal ends it at once")
	}
	err = g.Stop(f.serving.Grace, listeners.Shutdown)
	if cut, ok := errors.AsType[*guard.UnderWayError](err); ok {
		fmt.Fprintf(p.stderr, "hsharness: %v\n", cut)
	}
	if failed, ok := errors.AsType[*session.LedgerError](err); ok {
		return failed
	}
	return &exitError{code: exitOK} // whatever signal came: that is how it ends
}

// opsConnections is how many there may be for those who run a gateway.
const opsConnections = 100

// gatewayPurchase fills in what the gateway draws on and how it buys, and returns
// what recordings must not hold. On an error the ledger is closed.
func (p *program) gatewayPurchase(ctx context.Context, cfg *gateway.Config, proj *project.Project, upstream guard.Upstream) (_ []recording.Secret, err error) {
	if err := errors.Join(session.CanBuy(proj, cfg.Mode.Mode), session.CheckSealed(proj, cfg.Mode.Mode, false, 0)); err != nil {
		return nil, err
	}
	if cfg.Ledger, err = p.source(proj).Open(ctx); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			cfg.Ledger.Close()
		}
	}()
	if err := cfg.Ledger.Ready(ctx); err != nil {
		return nil, err
	}
	credential, secrets, err := p.realCredential(proj)
	if err != nil {
		return nil, err
	}
	cfg.Purchase = session.Purchase(proj, upstream, credential)
	return secrets, nil
}

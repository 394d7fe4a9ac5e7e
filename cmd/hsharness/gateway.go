package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"time"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/secret"
	"github.com/hsharness/hsharness/internal/services"
	"github.com/hsharness/hsharness/mockidp"
	"github.com/hsharness/hsharness/quota"
)

// gatewayFlags are what gateway takes besides the global flags.
type gatewayFlags struct {
	addr, opsAddr string
	anywhere, tls bool
	caFile        string
	keys          string
	portion       int64
	readyFile     string
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
Instances that share a PostgreSQL ledger, the file of keys and the folder of
recordings are one gateway: each holds --portion units at a time for a key that
asks, and gives back what lies idle.

It prints one line of JSON with every URL and runs until SIGTERM or Ctrl-C: then
it answers what is under way, ends its runs and exits with 0. At --ops-addr are
/healthz, /readyz, /metrics for Prometheus, and a page of the state at /.`,
		Example: `  hsharness gateway keys add shop --suite checkout --cap 200
  hsharness gateway --mode record --ledger postgres://ledger.example/hsharness
  hsharness gateway --mode replay --addr 127.0.0.1:0 --ops-addr 127.0.0.1:0`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.gateway(cmd.Context(), f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.addr, "addr", "127.0.0.1:8730", "`address` for callers")
	flags.StringVar(&f.opsAddr, "ops-addr", "127.0.0.1:8731", "`address` for those who run it")
	flags.BoolVar(&f.anywhere, "listen-anywhere", false, "allow addresses that others can reach")
	flags.BoolVar(&f.tls, "tls", false, "serve HTTPS, with a certificate authority that is made anew")
	flags.StringVar(&f.caFile, "tls-ca", "hsharness-ca.pem", "write that authority's certificate to this `file`")
	flags.StringVar(&f.keys, "keys", "", "`file` of the keys (default "+defaultGatewayKeys+" beside the project file)")
	f.portion = 10
	numberFlag(flags, &f.portion, "portion", 1, quota.MaxUnits, "hold `N` units at a time for a key that asks")
	flags.StringVar(&f.readyFile, "ready-file", "", "write the line of JSON to this `file` once it answers")
	cmd.AddCommand(p.gatewayKeysCommand())
	return cmd
}

// gatewayURLs is the line of JSON that a gateway prints.
type gatewayURLs struct {
	services.URLs
	// Operations is where /healthz, /readyz, /metrics and the status page are.
	Operations string `json:"operations_url"`
	CAFile     string `json:"ca_file,omitempty"`
}

func (p *program) gateway(ctx context.Context, f gatewayFlags) (err error) {
	if p.nested() {
		return usageError(errors.New("a gateway can't run inside hsharness exec"))
	}
	proj, err := p.project()
	if err != nil {
		return err
	}
	g := &gateway{metrics: newGatewayMetrics(), begun: time.Now()}
	upstream, err := proj.Upstream()
	if err != nil {
		return err
	}
	if g.mode, err = p.limit(proj, upstream, nil); err != nil {
		return usageError(err)
	}
	if g.mode.Mode == guard.Offline {
		return usageError(errors.New("a gateway offline would be a mock: use hsharness serve, or --mode replay, record or live"))
	}
	if f.keys, err = p.keysPath(f.keys); err != nil {
		return err
	}

	var listeners services.Listeners
	at, err := f.listen()
	if err != nil {
		return usageError(err)
	}
	served := false
	defer func() {
		if !served {
			err = errors.Join(err, at.callers.Close(), at.operations.Close())
		}
	}()
	g.ring = &keyring{file: f.keys, issuer: at.urls.Identity, sign: mockidp.NewKeys(nil)}
	if err := g.ring.check(); errors.Is(err, fs.ErrNotExist) {
		return usageError(fmt.Errorf("nobody could call: %w; make a key: hsharness gateway keys add NAME --cap N", err))
	} else if err != nil {
		return usageError(err)
	}

	log, closeLog, err := p.openLog()
	if err != nil {
		return err
	}
	defer func() { _ = closeLog() }() // what is missing in it then is not known to anybody
	purchase, err := p.gatewayPurchase(ctx, g, proj, upstream, f.portion)
	if err != nil {
		return err
	}
	if g.ledger != nil {
		defer g.ledger.Close()
	}
	cfg := g.guardConfig(log)
	cfg.Operations, cfg.Purchase = proj.Operations, purchase
	store, err := proj.OpenRecordings(g.secrets...)
	if err != nil {
		return usageError(err)
	}
	cfg.Tape = guard.NewTape(store, proj.MaxAge())
	if g.guard, err = guard.New(cfg); err != nil {
		return usageError(err)
	}
	p.seal(proj) // from here on this program's own environment has no secret

	served = true
	listeners.Serve(at.callers, g.handler())
	var ops services.Listeners // they answer until the end
	ops.Serve(at.operations, g.operations())
	defer func() { err = errors.Join(err, ops.Close()) }()
	if err := p.announce(at.urls, f.readyFile); err != nil {
		return errors.Join(err, listeners.Close())
	}
	g.run(ctx)
	if err := p.stopGateway(g, &listeners, purchase); err != nil {
		return err
	}
	return &exitError{code: exitOK} // whatever signal came: that is how it ends
}

// gatewayListeners are where a gateway is reached.
type gatewayListeners struct {
	callers, operations net.Listener
	urls                gatewayURLs
}

// listen opens both addresses. On an error nothing is left open.
func (f gatewayFlags) listen() (gatewayListeners, error) {
	var at gatewayListeners
	open := services.Addresses{Anywhere: f.anywhere}
	if f.tls {
		var err error
		if open.TLS, err = certify(f.caFile, f.addr, f.opsAddr); err != nil {
			return at, err
		}
		at.urls.CAFile = f.caFile
	}
	explain := func(err error) error {
		var open *services.NotLoopbackError
		var op *net.OpError
		switch {
		case errors.As(err, &open):
			return fmt.Errorf("%s is not on loopback: use 127.0.0.1, or --listen-anywhere if others are to reach it, with --tls or behind a proxy that has it", open.Address)
		case errors.As(err, &op):
			return fmt.Errorf("%w; choose another with --addr and --ops-addr, or port 0 for a free one", err)
		}
		return err
	}
	var base string
	var err error
	if at.callers, base, err = open.Open(f.addr); err != nil {
		return at, explain(err)
	}
	if at.operations, at.urls.Operations, err = open.Open(f.opsAddr); err != nil {
		return at, errors.Join(explain(err), at.callers.Close())
	}
	at.urls.URLs = services.URLs{Identity: base, Token: base + avalara.PathToken, API: base, Legacy: base + legacyPath, Managed: base}
	return at, nil
}

// certify makes the certificate to serve these addresses with, and writes the
// authority's for the clients.
func certify(caFile string, addresses ...string) (*tls.Config, error) {
	var hosts []string
	for _, addr := range addresses {
		if host, _, err := net.SplitHostPort(addr); err == nil {
			hosts = append(hosts, host)
		}
	}
	cfg, ca, err := localCA(hosts...)
	if err != nil {
		return nil, err
	}
	return cfg, writeFile(caFile, ca)
}

// gatewayPurchase opens the ledger and is how the gateway buys; nil in replay.
func (p *program) gatewayPurchase(ctx context.Context, g *gateway, proj *project.Project, upstream guard.Upstream, size int64) (_ *guard.Purchase, err error) {
	if !g.mode.Mode.Buys() {
		return nil, nil
	}
	if proj.File == "" {
		return nil, usageError(fmt.Errorf("--mode %s needs a project file: write hsharness.yaml with version: 1 and environments.sandbox", g.mode.Mode))
	}
	l, err := p.source(proj).Open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			l.Close()
		}
	}()
	if err := l.Ready(ctx); err != nil {
		return nil, err
	}
	g.meter = &portions{
		client: l.Client, budgets: proj.Budgets, mode: g.mode.Mode, size: size, key: g.ring.key, now: time.Now, metrics: g.metrics,
	}
	credential, err := p.credential(proj)
	if err != nil {
		return nil, err
	}
	if p.unhidden != nil {
		return nil, usageError(p.unhidden)
	}
	g.secrets = secret.Searchable(secret.Secret{Name: clientSecretName, Value: string(credential.ClientSecret)})
	purchase, err := guard.NewPurchase(guard.PurchaseConfig{
		Meter: g.meter, Upstream: upstream,
		Credential: credential,
		Exhausted:  proj.Policy.Exhausted, Unbilled: proj.Policy.Unbilled, NewID: mustID,
	})
	if err != nil {
		return nil, usageError(err)
	}
	g.ledger = l
	g.metrics.registry.MustRegister(ledgerCollector{l.Store})
	return purchase, nil
}

// announce prints the URLs, and writes them to the ready file.
func (p *program) announce(urls gatewayURLs, readyFile string) error {
	line, err := json.Marshal(urls)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	if readyFile != "" {
		if err := writeFile(readyFile, line); err != nil {
			return usageError(err)
		}
	}
	_, err = p.stdout.Write(line)
	return err
}

// sweepTime is how often idle portions are looked for.
const sweepTime = 10 * time.Second

// run waits until the gateway is told to stop.
func (g *gateway) run(ctx context.Context) {
	if g.meter == nil {
		<-ctx.Done()
		return
	}
	tick := time.NewTicker(sweepTime)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			g.meter.sweep()
		}
	}
}

// stopGateway takes no new requests, answers those under way, keeps what is paid
// for and ends the runs.
func (p *program) stopGateway(g *gateway, listeners *services.Listeners, purchase *guard.Purchase) error {
	g.stopping.Store(true)
	if !p.quiet {
		fmt.Fprintln(p.stderr, "stopping: answering what is under way; a second signal ends it at once")
	}
	ctx, cancel := context.WithTimeout(context.Background(), guard.DefaultTimeout)
	defer cancel()
	err := listeners.Shutdown(ctx)
	if purchase != nil {
		err = errors.Join(err, purchase.Drain(context.Background()))
		g.meter.close()
	}
	return err
}

package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"sync/atomic"

	"nhip/gateway"
	"nhip/internal/certs"
	"nhip/internal/config"
	"nhip/internal/datadir"
	"nhip/internal/fleet"
	"nhip/internal/health"
	"nhip/internal/httpserver"
	"nhip/internal/mqtt"
)

// gatewayCmd is nhip gateway.
type gatewayCmd struct {
	Upstream string `help:"The broker that messages are passed on to, as in tcp://10.0.0.5:1883 (broker.url)." placeholder:"URL"`
	MQTT     string `help:"Address that devices publish to; port 0 picks a free one (mqtt.listen)." placeholder:"HOST:PORT"`
	Push     string `help:"Address that devices push to over HTTP; port 0 picks a free one (push.listen)." placeholder:"HOST:PORT"`
	Health   string `help:"Address of /livez, /readyz and /metrics (health.listen)." placeholder:"HOST:PORT"`
	DataDir  string `help:"Folder of everything that lasts." default:"${data_dir}" env:"NHIP_DATA_DIR" type:"path"`
	Config   string `help:"Configuration file (YAML)." type:"path" placeholder:"FILE"`
}

func (c *gatewayCmd) flags() []config.Flag {
	return []config.Flag{
		{Name: "--upstream", Key: "broker.url", Value: c.Upstream},
		{Name: "--mqtt", Key: "mqtt.listen", Value: c.MQTT},
		{Name: "--push", Key: "push.listen", Value: c.Push},
		{Name: "--health", Key: "health.listen", Value: c.Health},
	}
}

// edge is a running nhip gateway.
type edge struct {
	*process
	cmd       *gatewayCmd
	gateway   *gateway.Gateway
	push      *httpserver.Server
	forwarder *gateway.Forwarder
}

// Run takes in what devices say and passes it on whenever there is a line.
func (c *gatewayCmd) Run(e *env) error {
	g := &edge{process: newProcess(e), cmd: c}
	return g.live(g.prepare, g.start)
}

func (g *edge) prepare() error {
	if err := g.configure(g.cmd.Config, g.cmd.flags(), ""); err != nil {
		return err
	}
	if err := need("broker.url", g.conf.Broker.URL, "--upstream"); err != nil {
		return err
	}
	return g.openDataDir(g.cmd.DataDir, datadir.Gateway)
}

func (g *edge) start() error {
	token, err := g.dir.Token(fleet.NewSecret)
	if err != nil {
		return err
	}
	if g.gateway, err = g.newGateway(gateway.Accounts{Operator: token}, gateway.PublicOptions{}); err != nil {
		return err
	}
	g.forwarder, err = gateway.NewForwarder(gateway.ForwardOptions{
		Dir: g.dir.Path("gateway"), MaxBytes: g.conf.Forward.JournalBytes, MinFree: g.conf.Forward.MinFree, Upstream: g.outside(cmp.Or(g.conf.Broker.Username, "nhip-gateway") + "-" + token[:8]), Logger: g.log, Registry: g.registry,
	})
	if err != nil {
		return err
	}
	g.cleanup.Push("the forwarder", g.forwarder.Stop)
	g.cleanup.Push("the intake", g.gateway.CloseDoor)
	if err := g.gateway.Start(g.forwarder); err != nil {
		return err
	}
	g.forwarder.Start()
	if err := g.startPush(); err != nil {
		return err
	}
	if err := g.startOtherIntakes(g.forwarder); err != nil {
		return err
	}
	g.run("the fleet upstream", g.tellFleet)
	return g.announce()
}

// tellFleet tells the roles upstream of stations and vehicles, whenever there is a line, until ctx ends.
func (g *edge) tellFleet(ctx context.Context) {
	var line atomic.Pointer[mqtt.Client]
	told := fleet.NewPublisher(func(topic string, payload []byte) {
		if c := line.Load(); c != nil {
			c.Publish(topic, 0, true, payload) // who may not tell is not cut off for it
		}
	})
	o := g.outside(unique(cmp.Or(g.conf.Broker.Username, "nhip-gateway") + "-fleet"))
	o.OnUp = func() {
		if line.Load() != nil { // a line that came back; what the broker lost is told again
			told.Again(g.fleet.Fleet())
		}
	}
	client, err := mqtt.DialPatiently(ctx, o)
	if err != nil {
		if ctx.Err() == nil {
			g.log.Error("can't tell the roles upstream of the fleet", "error", err)
		}
		return
	}
	defer client.Close()
	line.Store(client)
	g.fleet.OnChange(told.Publish)
	<-ctx.Done()
}

func (g *edge) startPush() error {
	secured, err := g.httpTLS()
	if err != nil {
		return err
	}
	if g.push, err = g.gateway.ListenPush(g.conf.Push.Listen, secured, g.log); err != nil {
		return hint(err, "--push")
	}
	g.push.Start()
	g.cleanup.Push("the HTTP door", g.push.Stop)
	return nil
}

// httpTLS is what a door for HTTP shows; nil where it is plain.
func (p *process) httpTLS() (*tls.Config, error) {
	t := p.conf.HTTP.TLS
	return tlsOf("http.tls", certs.Files{Cert: t.Cert, Key: t.Key}, p.log)
}

// announce tells where the gateway is. It is ready without its line: that is what it is for.
func (g *edge) announce() error {
	numbers, err := g.answer(health.NewReadiness(
		health.Check{Name: "upstream", OK: g.forwarder.Connected, Spare: true},
		health.Check{Name: "intake", OK: g.forwarder.Taking},
		g.feedsCheck(),
	))
	if err != nil {
		return err
	}
	if err := g.dir.Announce(datadir.Addresses{MQTT: g.gateway.InsideURL()}); err != nil {
		return err
	}
	_, err = fmt.Fprintf(g.stdout, "ready mqtt=%s push=%s health=%s upstream=%s\n", g.gateway.URL(), g.push.URL(), numbers.URL(), g.conf.Broker.URL)
	return err
}

// newGateway binds the devices' door and hands it each version of the fleet.
func (p *process) newGateway(accounts gateway.Accounts, public gateway.PublicOptions) (*gateway.Gateway, error) {
	m := p.conf.MQTT
	secured, err := tlsOf("mqtt.tls", certs.Files{Cert: m.TLS.Cert, Key: m.TLS.Key, ClientCA: m.ClientCA, CRL: m.CRL}, p.log)
	if err != nil {
		return nil, err
	}
	l := m.Limits
	g, err := gateway.New(gateway.Options{
		Addr: m.Listen, TLS: secured, Public: public, Accounts: accounts, Clock: p.clock, Logger: p.log, Registry: p.registry,
		Limits: gateway.Limits{
			Connections: int(l.Connections), PerAddress: int(l.PerAddress), ConnectRate: int(l.ConnectRate),
			MessageRate: int(l.MessageRate), ByteRate: int(l.ByteRate),
		},
	})
	if err != nil {
		return nil, hint(err, "--mqtt")
	}
	p.cleanup.Push("the broker", g.Stop)
	return g, p.watchFleet(func(f *fleet.Fleet) { g.SetFleet(f, fleetFeeds(&p.conf)) })
}

// tlsOf reads what a door shows; nil where it is plain.
func tlsOf(key string, f certs.Files, log *slog.Logger) (*tls.Config, error) {
	if f.Cert == "" {
		return nil, nil
	}
	secured, err := f.Load(log)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	return secured, nil
}

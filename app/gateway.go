package app

import (
	"cmp"
	"context"
	"fmt"
	"sync/atomic"

	"nhip/gateway"
	"nhip/internal/datadir"
	"nhip/internal/fleet"
	"nhip/internal/health"
	"nhip/internal/httpserver"
	"nhip/internal/mqtt"
)

// gatewayApp is a gateway alone. It keeps messages on disk until the shared broker has them.
type gatewayApp struct {
	*runtime
	token     string // the operator's
	gateway   *gateway.Gateway
	fleet     *fleet.Watch
	push      *httpserver.Server
	forwarder *gateway.Forwarder
	polled    pollers
	queues    queueSources
	health    *httpserver.Server
}

// Gateway returns a gateway alone, which forwards messages to the broker Config.Broker. It is ready without that
// broker.
func Gateway(o Options) *Role {
	g := &gatewayApp{runtime: newRuntime(o)}
	return &Role{
		runtime:   g.runtime,
		steps:     []step{g.prepare, g.listen, g.accept, g.announce},
		addresses: g.addresses,
	}
}

func (g *gatewayApp) prepare(context.Context) error {
	if err := g.readBrokerCA(); err != nil {
		return err
	}
	if err := requireKey("broker.url", g.conf.Broker.URL); err != nil {
		return err
	}
	if err := g.openDataDir(datadir.Gateway); err != nil {
		return err
	}
	if err := g.claimParts(gatewayParts...); err != nil {
		return err
	}
	g.token = g.operatorToken()
	return nil
}

func (g *gatewayApp) listen(ctx context.Context) error {
	var err error
	g.gateway, g.fleet, err = g.newGateway(gateway.Accounts{Operator: gateway.NewSecret(g.token)}, gateway.PublicOptions{})
	if err != nil {
		return err
	}
	if err := g.onDisk(ctx, "the gateway's journal", g.openForwarder); err != nil {
		return err
	}
	g.cleanup.Push("the forwarder", g.forwarder.Stop)
	g.cleanup.Push("the intake", g.gateway.StopAccepting)
	return nil
}

func (g *gatewayApp) openForwarder() (err error) {
	g.damaged.Folder(g.dir.Path("gateway"))
	trial := &trialRegistry{Registerer: g.registry}
	g.forwarder, err = gateway.NewForwarder(gateway.ForwardOptions{
		Dir: g.dir.Path("gateway"), MaxBytes: g.conf.Forward.JournalBytes, MinFree: g.conf.Forward.MinFree,
		Upstream: g.sharedBroker(g.id()), Logger: g.log, Registry: trial,
	})
	if err != nil {
		trial.undo()
	}
	return err
}

// id returns the gateway's id at the shared broker, which no gateway with another data folder has.
func (g *gatewayApp) id() string { return g.clientID() + "-" + g.token[:min(8, len(g.token))] }

// clientID returns the beginning of the gateway's client ids at the shared broker.
func (g *gatewayApp) clientID() string { return cmp.Or(g.conf.Broker.Username, "nhip-gateway") }

// accept starts to accept messages in every way.
func (g *gatewayApp) accept(context.Context) error {
	g.startDeviceStates(g.gateway, g.fleet, g.id(), g.sharedBroker(unique(g.clientID()+"-devices")))
	if err := g.gateway.Start(g.forwarder); err != nil {
		return err
	}
	g.forwarder.Start()
	if err := g.gateway.PublishCensus(g.clientID()); err != nil { // for gateways that forward to this one
		return err
	}
	if err := g.startPush(); err != nil {
		return err
	}
	if err := g.startIntakes(g.forwarder, &g.polled); err != nil {
		return err
	}
	if err := g.startSources(g.forwarder, gateway.MaxMessage, &g.queues); err != nil {
		return err
	}
	g.run("the fleet upstream", g.publishFleet)
	g.followFleetChanges(g.fleet, g.sharedBroker(unique(g.clientID()+"-changes")))
	return nil
}

func (g *gatewayApp) startPush() error {
	o, err := g.httpOptions("push")
	if err != nil {
		return err
	}
	if g.push, err = g.gateway.ListenPush(g.conf.Push.Listen, o); err != nil {
		return &ListenError{"push.listen", err}
	}
	g.push.Start()
	g.cleanup.Push("the HTTP listener for devices", g.push.Stop)
	return nil
}

// publishFleet publishes stations and vehicles to the shared broker: each version of the fleet, and the whole fleet
// after a reconnect, because the broker may have lost its retained messages. It returns when ctx ends. A broker that
// rejects the account is logged; the gateway works without this.
func (g *gatewayApp) publishFleet(ctx context.Context) error {
	var connected atomic.Pointer[mqtt.Client]
	publisher := fleet.NewPublisher(func(topic string, payload []byte) {
		if c := connected.Load(); c != nil {
			c.Publish(topic, 0, true, payload) // QoS 0: a broker that forbids the topic must not end the connection
		}
	})
	o := g.sharedBroker(unique(g.clientID() + "-fleet"))
	o.OnUp = func() {
		if connected.Load() != nil {
			publisher.Republish(g.fleet.Fleet())
		}
	}
	client, err := mqtt.DialRetry(ctx, o)
	if err != nil {
		if ctx.Err() == nil {
			g.log.Error("fleet not published upstream", "error", err)
		}
		return nil
	}
	defer client.Close()
	connected.Store(client)
	g.fleet.OnChange(publisher.Publish)
	<-ctx.Done()
	return ctx.Err()
}

// announce serves the gateway's health and writes its address to the data folder, for local tools.
func (g *gatewayApp) announce(context.Context) error {
	var err error
	g.health, err = g.serveHealth(health.NewReadiness(
		health.Check{Name: "upstream", OK: g.forwarder.Connected, Optional: true},
		health.Check{Name: health.BrokerConnection, Fault: g.forwarder.ConnectionFault, Optional: true},
		health.Check{Name: "collector", Fault: g.collectorFault, Optional: true},
		health.Check{Name: "intake", OK: g.forwarder.Accepting},
		health.Check{Name: "journals", Optional: true, OK: func() bool { return g.forwarder.Intact() && g.dir.Intact() }},
		g.polled.check(), g.queues.check(), g.damaged.Check(), g.fleetCheck(g.fleet),
	))
	if err != nil {
		return err
	}
	g.announceAddresses(g.addresses().Local)
	return nil
}

// collectorFault returns why messages wait although upstream is connected, or "".
func (g *gatewayApp) collectorFault() string {
	switch waiting := g.forwarder.Waiting(); {
	case !g.forwarder.Connected():
		return "" // nothing is known
	case !g.forwarder.Covered():
		return "no collector upstream has subscribed to anything"
	case waiting > 0:
		return fmt.Sprintf("%d messages wait, because no collector upstream has subscribed to their topics", waiting)
	}
	return ""
}

func (g *gatewayApp) addresses() Addresses {
	return Addresses{
		MQTT: g.gateway.URL(), Push: g.push.URL(), Health: g.health.URL(), Broker: g.conf.Broker.URL,
		Local: datadir.Addresses{MQTT: g.gateway.InsideURL()},
	}
}

// Package gateway receives the messages of devices over MQTT, HTTP push, dropped files and polled feeds.
//
// It authenticates devices, enforces access rules and limits, and passes bytes on; it never parses a payload. Gateway
// is an MQTT broker (nhip/internal/mqtt/broker) with our rules. It hands each device message to an nhip.Acceptor and
// acknowledges the message when it is on disk there. The acceptor is the collector in the same process or, if the
// gateway runs alone, a Forwarder, which keeps messages on disk until an upstream broker has acknowledged them.
// Messages between roles go through the broker as usual.
package gateway

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"nhip"
	"nhip/internal/fleet"
	"nhip/internal/mqtt/broker"
	"nhip/internal/mqtt/packet"
	"nhip/internal/recovery"
	"nhip/internal/task"
	"nhip/internal/topics"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"
)

// connectTimeout is the time from accept to the end of CONNECT. It bounds the TLS handshake too.
const connectTimeout = 10 * time.Second

// takeOverTimeout bounds how long a new connection waits for the end of the previous one with the same client id. A
// connection that waits for a full disk may take longer to end.
const takeOverTimeout = 5 * time.Second

// roleAddr is the address of the listener for roles. It is never reachable from another machine, so it needs no TLS.
const roleAddr = "127.0.0.1:0"

// Options configures a Gateway.
type Options struct {
	Addr     string      // host:port; port 0 picks a free one
	TLS      *tls.Config // nil: plain
	Public   PublicOptions
	Accounts Accounts
	Limits   Limits
	Clock    nhip.Clock // for the time at which a message was received
	Logger   *slog.Logger
	Registry prometheus.Registerer

	connectTimeout, writeTimeout time.Duration // 0: the usual ones
}

// Gateway is an embedded MQTT broker with our access rules and limits.
type Gateway struct {
	devices *listener
	roles   *listener // on the loopback interface, without TLS
	public  *publicListeners
	server  *broker.Server
	hook    *hook

	guestServer *http.Server   // nil: not started, or no public WebSocket
	serving     sync.WaitGroup // connections that were accepted
	fleet       *fleet.Publisher
	tasks       *task.Group
}

// New binds the addresses. It serves nothing before Start.
func New(o Options) (*Gateway, error) {
	log := o.Logger.With("component", "gateway")
	m := newMetrics(o.Registry)
	o.connectTimeout = cmp.Or(o.connectTimeout, connectTimeout)
	from := newAddresses(o.Limits)
	g := &Gateway{
		hook: &hook{
			accounts: o.Accounts, limits: o.Limits, addresses: from, log: log, metrics: m, clock: o.Clock,
			guard:      recovery.NewGuard(o.Registry, log),
			logLimiter: rate.NewLimiter(1, logBurst), anonymous: o.Public.Anonymous,
		},
		tasks: task.NewGroup(),
	}
	g.fleet = fleet.NewPublisher(g.publishRetained)
	g.hook.private.Store(new(map[string]bool))
	g.hook.directory.Store(new(directory))
	g.hook.states.Store(newDeviceStates(new(fleet.Fleet), nil, nil))
	g.server = broker.New(broker.Options{
		Rules: g.hook, Observer: g.hook.observer(), ConnectTimeout: o.connectTimeout, TakeOver: takeOverTimeout,
		WriteTimeout: cmp.Or(o.writeTimeout, writeTimeout),
	})
	g.hook.identityOf = g.server.Identity
	registerStats(o.Registry, g.server.Stats)
	return g, g.listen(o, from, log, m)
}

func (g *Gateway) listen(o Options, from *addresses, log *slog.Logger, m *metrics) error {
	l, err := net.Listen("tcp", o.Addr)
	if err != nil {
		return &ListenError{ListenerDevices, o.Addr, err}
	}
	g.devices = newListener(l, o.connectTimeout, from, log, m)
	g.devices.tls = o.TLS
	if l, err = net.Listen("tcp", roleAddr); err != nil {
		return errors.Join(&ListenError{ListenerRoles, roleAddr, err}, g.devices.Close())
	}
	g.roles = newListener(l, connectTimeout, newAddresses(Limits{}), log, m)
	if g.public, err = listenPublic(o, log, m); err != nil {
		return errors.Join(err, g.devices.Close(), g.roles.Close())
	}
	return nil
}

// Addr returns the address for devices as host:port.
func (g *Gateway) Addr() string { return g.devices.Addr().String() }

// URL returns the address for devices as MQTT clients write it.
func (g *Gateway) URL() string { return urlOf(g.devices) }

// urlOf returns the address of a listener of MQTT as clients write it; empty if there is none.
func urlOf(l *listener) string {
	switch {
	case l == nil:
		return ""
	case l.tls != nil:
		return "ssl://" + l.Addr().String()
	}
	return "tcp://" + l.Addr().String()
}

// InsideURL returns the address for roles and tools on this machine, which is always without TLS.
func (g *Gateway) InsideURL() string { return "tcp://" + g.roles.Addr().String() }

// SetFleet replaces the fleet and publishes its stations and vehicles to the roles. Before it returns, it disconnects
// devices that were removed or disabled, or whose secret is no longer valid.
func (g *Gateway) SetFleet(f *fleet.Fleet, feeds fleet.Feeds) {
	private := make(map[string]bool)
	for i := range f.Stations {
		if f.Stations[i].Position == fleet.Private {
			private[f.Stations[i].ID] = true
		}
	}
	g.hook.private.Store(&private)
	g.hook.states.Store(newDeviceStates(f, feeds, g.hook.states.Load()))
	g.hook.setDirectory(newDirectory(f, feeds))
	g.fleet.Publish(f)
}

// ReplaceOperator replaces the operator's secret, and ends the connections that were made with the old one.
func (g *Gateway) ReplaceOperator(secret string) {
	g.hook.accounts.Operator.Set(secret)
	g.hook.disconnectOperators()
}

// PublishCensus publishes the census of a gateway whose acceptor stores every message: another gateway may then forward
// to it. It must be called after Start. Next to a collector it is not needed, because the collector has its own.
func (g *Gateway) PublishCensus(id string) error {
	payload, err := json.Marshal(topics.Census{Filters: []string{topics.EveryTopic}})
	if err != nil {
		return err
	}
	g.publishRetained(topics.CensusTopic(id), payload)
	return nil
}

// publishRetained publishes a retained message of the gateway itself.
func (g *Gateway) publishRetained(topic string, payload []byte) {
	err := topics.CheckMessage(topic, payload)
	if err == nil {
		err = g.server.Publish(broker.Message{Topic: topic, Payload: payload, Retain: true})
	}
	if err != nil {
		g.hook.log.Error("can't publish a retained message", "topic", topic, "error", err)
	}
}

// Start begins to serve. The messages of devices go to the acceptor.
func (g *Gateway) Start(acceptor nhip.Acceptor) error {
	g.hook.acceptor = acceptor
	g.tasks.Go("device listener", func(ctx context.Context) error { return g.accept(ctx, "mqtt", g.devices) })
	g.tasks.Go("role listener", func(ctx context.Context) error { return g.accept(ctx, "inside", g.roles) })
	if g.public.webSocket != nil {
		g.guestServer = newGuestServer(g)
		g.tasks.Go("public listener", func(context.Context) error { return g.serveGuests() })
	}
	for _, l := range []*listener{g.public.mqtt, g.public.mqtts} {
		if l != nil {
			g.tasks.Go("public listener", func(ctx context.Context) error { return g.accept(ctx, guestListenerID, l) })
		}
	}
	if t := g.devices.tls; t != nil && t.GetConfigForClient != nil {
		g.tasks.Go("revocation watch", (&revocationWatch{g.hook, t}).Run)
	}
	return nil
}

// accept serves the connections of a listener until it is closed. ctx ends handshakes of TLS.
func (g *Gateway) accept(ctx context.Context, name string, l *listener) error {
	for {
		conn, err := l.Accept()
		if err != nil {
			return nil // the listener is closed
		}
		g.serving.Go(func() { g.serve(ctx, name, conn) })
	}
}

// serve serves a connection. A handshake of TLS makes the stack of its goroutine grow, so the broker serves the
// connection in another one, which idle connections keep.
func (g *Gateway) serve(ctx context.Context, name string, conn net.Conn) {
	secured, ok := conn.(*tls.Conn)
	if !ok {
		g.server.Serve(conn, name)
		return
	}
	defer g.hook.guard.Recover(name, func() { _ = conn.Close() })
	if secured.HandshakeContext(ctx) != nil { // a client that speaks no TLS, or has no valid certificate
		_ = conn.Close()
		return
	}
	g.serving.Go(func() { g.server.Serve(conn, name) })
}

// StopAccepting takes no more messages of devices and refuses their log-ins. When every message that was handed to the
// acceptor has its outcome and is acknowledged, or when ctx ends, it disconnects all clients but roles. It returns an
// error if outcomes are missing.
func (g *Gateway) StopAccepting(ctx context.Context) error {
	g.hook.close()
	settled := make(chan struct{})
	go func() { g.hook.inFlight.Wait(); close(settled) }()
	var err error
	select {
	case <-settled:
	case <-ctx.Done():
		err = fmt.Errorf("messages without an outcome are left: %w", ctx.Err())
	}
	for _, c := range g.server.Clients() {
		if sessionOf(c).kind != Role {
			c.Disconnect(packet.ServerShuttingDown)
		}
	}
	return err
}

// Stop closes the listeners and all connections. It waits, until ctx ends, for the outcome of every message that was
// handed to the acceptor.
func (g *Gateway) Stop(ctx context.Context) error {
	_, _ = g.devices.Close(), g.roles.Close() // they fail only if they were closed before
	g.public.close()
	if g.guestServer != nil {
		_ = g.guestServer.Close() // connections that have not become WebSockets yet
	}
	stopped := errors.Join(g.tasks.Stop(ctx), g.server.Stop(ctx))
	settled := make(chan struct{})
	go func() { g.serving.Wait(); g.hook.inFlight.Wait(); close(settled) }()
	select {
	case <-settled:
	case <-ctx.Done():
		stopped = errors.Join(stopped, fmt.Errorf("connections or messages without an outcome are left: %w", ctx.Err()))
	}
	return stopped
}

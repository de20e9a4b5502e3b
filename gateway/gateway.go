// Package gateway is where the city's boxes arrive. It knows who speaks, and carries bytes on: what
// a device publishes goes through the collector's door, and is acknowledged when it is on disk
// there. Where no collector is in the same process, a Forwarder is the door: it keeps messages on disk
// until a broker upstream has them. What the roles say to each other goes through the broker as
// usual. It never reads a payload.
package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"time"

	"nhip"
	"nhip/internal/fleet"
	"nhip/internal/mqtt"

	broker "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"
)

// Limits of the embedded broker. They cure what the broker library leaves open: it would take
// packets of any size before a log-in, and wait for ever for the first one.
const (
	connectTimeout = 10 * time.Second // from accept to the end of CONNECT
	roleRoom       = 1 << 13          // messages that may wait for one slow role
	deviceRoom     = 1 << 7           // commands that may wait for a device
	readBuffer     = 1 << 9           // bytes; a fix fits
	maxSession     = 24 * 60 * 60     // s that a session outlives its connection
	sysTopicEvery  = 60               // s
	logBurst       = 10               // log lines that clients can cause at once; then one a second
)

// Options say what a gateway needs.
type Options struct {
	Addr     string      // host:port; port 0 picks a free one
	TLS      *tls.Config // nil: plain
	Public   PublicOptions
	Accounts Accounts
	Limits   Limits
	Clock    nhip.Clock // says when a message was received
	Logger   *slog.Logger
	Registry prometheus.Registerer
}

// Gateway is the embedded MQTT broker with our rules around it.
type Gateway struct {
	street *listener // where devices arrive
	inside *listener // for the roles, on this machine only and never behind TLS
	public *listener // for guests; nil: none
	server *broker.Server
	hook   *hook
	fleet  *fleet.Publisher

	unwatch context.CancelFunc // ends the watch of revocations; nil where there is none
	watched chan struct{}      // closed at its end
}

// New binds the address. Nothing is served before Start.
func New(o Options) (*Gateway, error) {
	log := o.Logger.With("component", "gateway")
	m := newMetrics(o.Registry)
	from := newAddresses(o.Limits)
	caps := broker.NewDefaultServerCapabilities()
	caps.MaximumPacketSize = mqtt.MaxPacket
	caps.MaximumClientWritesPending = roleRoom
	caps.MaximumClients = math.MaxInt64 // the listener counts
	caps.MaximumSessionExpiryInterval = maxSession
	caps.TopicAliasMaximum = 0 // the rules about topics see names, not aliases
	g := &Gateway{
		server: broker.New(&broker.Options{
			Capabilities:           caps,
			Logger:                 slog.New(errorsOnly{log.Handler()}).With("library", "mochi"),
			SysTopicResendInterval: sysTopicEvery,
			InlineClient:           true, // says what the gateway itself says

			ClientNetReadBufferSize: readBuffer,
		}),
		hook: &hook{
			accounts: o.Accounts, limits: o.Limits, addresses: from, log: log, metrics: m, clock: o.Clock,
			speak: rate.NewLimiter(1, logBurst),
		},
	}
	g.fleet = fleet.NewPublisher(g.tell)
	g.hook.anonymous = o.Public.Anonymous
	g.hook.private.Store(new(map[string]bool))
	g.hook.directory.Store(new(directory))
	g.hook.clientOf = func(id string) *broker.Client {
		cl, _ := g.server.Clients.Get(id)
		return cl
	}
	if err := g.server.AddHook(g.hook, nil); err != nil {
		return nil, fmt.Errorf("can't set up the broker: %w", err)
	}
	return g, g.listen(o, from, log, m)
}

// insideAddr is where the roles come in.
const insideAddr = "127.0.0.1:0"

func (g *Gateway) listen(o Options, from *addresses, log *slog.Logger, m *metrics) error {
	l, err := net.Listen("tcp", o.Addr)
	if err != nil {
		return fmt.Errorf("can't listen for MQTT on %s: %w", o.Addr, err)
	}
	g.street = newListener(l, connectTimeout, from, log, m)
	g.street.tls = o.TLS
	if l, err = net.Listen("tcp", insideAddr); err != nil {
		return errors.Join(fmt.Errorf("can't listen for MQTT on %s: %w", insideAddr, err), g.street.Close())
	}
	if o.Public.Addr != "" {
		if err := g.listenPublic(o, log, m); err != nil {
			return errors.Join(err, g.street.Close(), l.Close())
		}
	}
	g.inside = newListener(l, connectTimeout, newAddresses(Limits{}), log, m)
	return nil
}

func (g *Gateway) listenPublic(o Options, log *slog.Logger, m *metrics) error {
	l, err := net.Listen("tcp", o.Public.Addr)
	if err != nil {
		return fmt.Errorf("can't listen for guests on %s: %w", o.Public.Addr, err)
	}
	g.public = newListener(l, connectTimeout, newAddresses(o.Limits), log, m) // guests take no device's place
	g.public.tls = o.Public.TLS
	return nil
}

// PublicURL returns the address that guests come to; empty where they don't.
func (g *Gateway) PublicURL() string {
	switch {
	case g.public == nil:
		return ""
	case g.public.tls != nil:
		return "wss://" + g.public.Addr().String() + publicPath
	}
	return "ws://" + g.public.Addr().String() + publicPath
}

// Addr returns the address that devices come to.
func (g *Gateway) Addr() string { return g.street.Addr().String() }

// URL returns the address that devices come to, as MQTT clients write it.
func (g *Gateway) URL() string {
	if g.street.tls != nil {
		return "ssl://" + g.Addr()
	}
	return "tcp://" + g.Addr()
}

// InsideURL returns the address for who is on this machine: it is never behind TLS.
func (g *Gateway) InsideURL() string { return "tcp://" + g.inside.Addr().String() }

// SetFleet says which devices there are from now on, and tells the roles of stations and vehicles. Devices
// that are gone or disabled, or whose secret is not valid any more, are cut off before it returns.
func (g *Gateway) SetFleet(f *fleet.Fleet, feeds fleet.Feeds) {
	known := newDirectory(f, feeds)
	g.hook.directory.Store(&known)
	private := make(map[string]bool)
	for i := range f.Stations {
		if f.Stations[i].Position == fleet.Private {
			private[f.Stations[i].ID] = true
		}
	}
	g.hook.private.Store(&private)
	g.hook.allowances.keep(known)
	g.hook.sessions.Range(func(conn, s any) bool {
		if !s.(*session).stillKnown(known) {
			g.hook.metrics.refused.WithLabelValues("revoked").Inc()
			_ = conn.(net.Conn).Close() // it may be gone already
		}
		return true
	})
	g.fleet.Publish(f)
}

// tell publishes a retained message of the gateway's own.
func (g *Gateway) tell(topic string, payload []byte) {
	if err := g.server.Publish(topic, payload, true, 0); err != nil {
		g.hook.log.Error("can't tell the roles of the fleet", "topic", topic, "error", err)
	}
}

// Start begins to serve; what devices say goes through the door.
func (g *Gateway) Start(door nhip.Door) error {
	g.hook.door = door
	r := &rooms{caps: g.server.Options.Capabilities}
	for _, i := range []*intake{
		newIntake("mqtt", g.street, deviceRoom, r, g.hook.forget, g.takeLeave),
		newIntake("inside", g.inside, roleRoom, r, g.hook.forget, g.takeLeave),
	} {
		if err := g.server.AddListener(i); err != nil {
			return fmt.Errorf("can't set up the broker: %w", err)
		}
	}
	if g.public != nil {
		if err := g.server.AddListener(newPublic(g.public, r, g.hook.forget, g.takeLeave, g.hook.log)); err != nil {
			return fmt.Errorf("can't set up the broker: %w", err)
		}
	}
	if err := g.server.Serve(); err != nil {
		return fmt.Errorf("can't start the broker: %w", err)
	}
	if t := g.street.tls; t != nil && t.GetConfigForClient != nil {
		ctx, cancel := context.WithCancel(context.Background())
		g.unwatch, g.watched = cancel, make(chan struct{})
		go func() {
			defer close(g.watched)
			g.watchRevoked(ctx)
		}()
	}
	return nil
}

// CloseDoor ends the intake: devices are cut off and refused, and it returns when every message that
// is being taken in has its outcome, or ctx ends. The roles stay connected.
func (g *Gateway) CloseDoor(ctx context.Context) error {
	g.hook.close()
	for _, cl := range g.server.Clients.GetAll() {
		if g.hook.session(cl).rank != Role {
			cl.Stop(packets.ErrServerShuttingDown)
		}
	}
	settled := make(chan struct{})
	go func() { g.hook.taking.Wait(); close(settled) }()
	select {
	case <-settled:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("messages are still being taken in: %w", ctx.Err())
	}
}

// takeLeave tells the clients of a listener that the broker goes. The library does so while it asks again for a
// lock that it holds, and hangs for ever where a client that leaves is waiting for that lock in between.
func (g *Gateway) takeLeave(listener string) {
	for _, cl := range g.server.Clients.GetAll() {
		if cl.Net.Listener == listener && !cl.Closed() {
			_ = g.server.DisconnectClient(cl, packets.ErrServerShuttingDown) // it may be gone already
		}
	}
}

// Stop cuts all connections and waits, as long as ctx allows, until every message that is being
// taken in has its outcome.
func (g *Gateway) Stop(ctx context.Context) error {
	if g.unwatch != nil {
		g.unwatch()
		<-g.watched
	}
	done := make(chan error, 1)
	go func() { done <- g.server.Close() }()
	select {
	case err := <-done:
		_, _ = g.street.Close(), g.inside.Close() // where they were never served
		if g.public != nil {
			_ = g.public.Close() // as well
		}
		return err
	case <-ctx.Done():
		return fmt.Errorf("the broker still has messages in hand: %w", ctx.Err())
	}
}

// errorsOnly passes on errors: below them the broker library logs every client that hangs up.
type errorsOnly struct{ slog.Handler }

func (h errorsOnly) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelError
}

func (h errorsOnly) WithAttrs(attrs []slog.Attr) slog.Handler {
	return errorsOnly{h.Handler.WithAttrs(attrs)}
}

func (h errorsOnly) WithGroup(name string) slog.Handler { return errorsOnly{h.Handler.WithGroup(name)} }

// metrics are the gateway's numbers.
type metrics struct {
	connections prometheus.Gauge
	refused     *prometheus.CounterVec // connections, by reason
	messages    prometheus.Counter
	denied      *prometheus.CounterVec // publications and subscriptions, by action
	limited     *prometheus.CounterVec // what was slowed or cut, by class
	unsaved     prometheus.Counter
	pushes      *prometheus.CounterVec // by format and what became of them
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		connections: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "nhip_gateway_connections", Help: "Connections that are open now.",
		}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nhip_gateway_refused_total", Help: "Connections turned away, by reason.",
		}, []string{"reason"}),
		messages: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "nhip_gateway_messages_total", Help: "Device messages carried on.",
		}),
		denied: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nhip_gateway_denied_total", Help: "What a client asked for and may not do, by action.",
		}, []string{"action"}),
		limited: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nhip_gateway_limited_total", Help: "What went beyond a limit and was slowed or cut, by class.",
		}, []string{"class"}),
		pushes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nhip_gateway_pushes_total", Help: "What was pushed over HTTP, by format and outcome: taken, or the code of the error.",
		}, []string{"format", "outcome"}),
		unsaved: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "nhip_gateway_unsaved_total", Help: "Messages not acknowledged because they could not be put on disk.",
		}),
	}
	r.MustRegister(m.connections, m.refused, m.messages, m.denied, m.limited, m.unsaved, m.pushes)
	return m
}

// Package gateway is where the city's boxes arrive. It knows who speaks, and carries bytes on: what
// a device publishes goes through the collector's door, and is acknowledged when it is on disk
// there. Where no collector is in the same process, a Forwarder is the door: it keeps messages on disk
// until a broker upstream has them. What the roles say to each other goes through the broker as
// usual. It never reads a payload.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"nhip"
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
	maxPending     = 1 << 13          // messages that may wait for one slow subscriber
	maxClients     = 20_000           // connected at a time
	maxSession     = 24 * 60 * 60     // s that a session outlives its connection
	sysTopicEvery  = 60               // s
	logBurst       = 10               // log lines that clients can cause at once; then one a second
)

// Options say what a gateway needs.
type Options struct {
	Addr     string // host:port; port 0 picks a free one
	Accounts Accounts
	Clock    nhip.Clock // says when a message was received
	Logger   *slog.Logger
	Registry prometheus.Registerer
}

// Gateway is the embedded MQTT broker with our rules around it.
type Gateway struct {
	listener *listener
	server   *broker.Server
	hook     *hook
}

// New binds the address. Nothing is served before Start.
func New(o Options) (*Gateway, error) {
	l, err := net.Listen("tcp", o.Addr)
	if err != nil {
		return nil, fmt.Errorf("can't listen for MQTT on %s: %w", o.Addr, err)
	}
	log := o.Logger.With("component", "gateway")
	m := newMetrics(o.Registry)
	caps := broker.NewDefaultServerCapabilities()
	caps.MaximumPacketSize = mqtt.MaxPacket
	caps.MaximumClientWritesPending = maxPending
	caps.MaximumClients = maxClients
	caps.MaximumSessionExpiryInterval = maxSession
	caps.TopicAliasMaximum = 0 // the rules about topics see names, not aliases
	g := &Gateway{
		listener: newListener(l, connectTimeout, log, m),
		server: broker.New(&broker.Options{
			Capabilities:           caps,
			Logger:                 slog.New(errorsOnly{log.Handler()}).With("library", "mochi"),
			SysTopicResendInterval: sysTopicEvery,
		}),
		hook: &hook{accounts: o.Accounts, log: log, metrics: m, clock: o.Clock, speak: rate.NewLimiter(1, logBurst)},
	}
	if err := g.server.AddHook(g.hook, nil); err != nil {
		return nil, errors.Join(fmt.Errorf("can't set up the broker: %w", err), l.Close())
	}
	return g, nil
}

// Addr returns the address that is listened on.
func (g *Gateway) Addr() string { return g.listener.Addr().String() }

// URL returns the address as MQTT clients write it.
func (g *Gateway) URL() string { return "tcp://" + g.Addr() }

// Start begins to serve; what devices say goes through the door.
func (g *Gateway) Start(door nhip.Door) error {
	g.hook.door = door
	if err := g.server.AddListener(newIntake(g.listener)); err != nil {
		return fmt.Errorf("can't set up the broker: %w", err)
	}
	if err := g.server.Serve(); err != nil {
		return fmt.Errorf("can't start the broker: %w", err)
	}
	return nil
}

// CloseDoor ends the intake: devices are cut off and refused, and it returns when every message that
// is being taken in has its outcome, or ctx ends. The roles stay connected.
func (g *Gateway) CloseDoor(ctx context.Context) error {
	g.hook.close()
	for _, cl := range g.server.Clients.GetAll() {
		if g.hook.rank(cl) != Role {
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

// Stop cuts all connections and waits, as long as ctx allows, until every message that is being
// taken in has its outcome.
func (g *Gateway) Stop(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- g.server.Close() }()
	select {
	case err := <-done:
		_ = g.listener.Close() // where it was never served
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
	unsaved     prometheus.Counter
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
		unsaved: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "nhip_gateway_unsaved_total", Help: "Messages not acknowledged because they could not be put on disk.",
		}),
	}
	r.MustRegister(m.connections, m.refused, m.messages, m.denied, m.unsaved)
	return m
}

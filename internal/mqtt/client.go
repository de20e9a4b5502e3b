package mqtt

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"nhip/internal/recovery"
	"nhip/internal/task"
	"nhip/internal/topics"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"
)

// Timings of a connection. paho's own default would wait up to ten minutes between attempts to reconnect.
const (
	KeepAlive   = 30 * time.Second // between pings on a connection that is idle
	PingTimeout = 10 * time.Second // until an unanswered ping means that the connection is lost
	DialTimeout = 5 * time.Second
	Quiesce     = 250 // milliseconds that paho's Disconnect leaves for work in progress

	maxReconnectInterval = 15 * time.Second
)

// Options configure a connection.
type Options struct {
	URL      string         // tcp://host:port, or with TLS ssl://host:port
	Roots    *x509.CertPool // authorities that may sign the broker's certificate; nil: those of the system
	ClientID string
	Username string
	Password string
	Logger   *slog.Logger
	Registry prometheus.Registerer // nil registers no metrics
	// counts the panics of Handle, each of which costs one message; nil: they are only logged
	Guard *recovery.Guard

	// Subscribe lists the filters to subscribe to on every connection, with their QoS.
	Subscribe map[string]byte
	// Handle is called for every message of those filters, in order. It must not block: a blocked handler
	// also blocks the reconnection.
	Handle func(topic string, payload []byte, retained bool)
	// OnConnect is called on each connection before the subscriptions are sent, and so before Handle is called
	// for any of its messages.
	OnConnect func()
	// OnUp is called on each connection after the subscriptions are granted, in a goroutine of its own.
	OnUp func()
	// OnDown is called when the connection is lost.
	OnDown func(error)

	// Watch makes the client test with probes whether the broker still delivers; see Watchdog. The client subscribes
	// again, and then opens a new connection, when nothing arrives any more.
	Watch bool
	// OnRetained is called on each connection of a client with Watch, after OnUp, when the retained messages have
	// probably been delivered: the first probe has come back or, from a broker that allows none, some time has passed.
	OnRetained func()

	timings timings
}

// timings are those of the subscription. Tests use shorter ones.
type timings struct {
	watch   WatchTimings
	resend  time.Duration // until a SUBSCRIBE without an answer is sent again; doubles each time
	refused time.Duration // until a subscription that the broker refused is tried again
}

func (o Options) withTimings() Options {
	if o.timings == (timings{}) {
		o.timings = timings{watch: DefaultWatch(), resend: DialTimeout, refused: time.Minute}
	}
	return o
}

// Client is a connection to a broker. It reconnects and subscribes again when the connection is lost. A subscription is
// retried until the broker has granted it.
type Client struct {
	paho   paho.Client
	o      Options
	log    *slog.Logger
	guard  *recovery.Guard
	probes Probes

	metrics *metrics
	dropLog *rate.Limiter // of log lines about messages that are not published
	losses  Losses

	conn     atomic.Pointer[net.Conn] // the present connection
	watchdog atomic.Pointer[Watchdog] // of the present connection

	tasks   *task.Group
	serving sync.Mutex         // held by the task of one connection at a time
	mu      sync.Mutex         // of the fields below
	end     context.CancelFunc // of the task of the present connection
	closed  bool

	outcome chan error // takes the outcome of the first subscription
}

// Dial connects and subscribes. If that does not succeed within a few seconds or before ctx ends, it returns an error
// that names the broker. When the connection is lost later, the client reconnects, without a limit of attempts.
func Dial(ctx context.Context, o Options) (*Client, error) { return dial(ctx, o, false) }

// dial is Dial. If it is patient, it waits for the answer to the subscription until ctx ends.
func dial(ctx context.Context, o Options, patient bool) (*Client, error) {
	c := &Client{
		o: o.withTimings(), log: o.Logger, tasks: task.NewGroup(), outcome: make(chan error, 1),
		metrics: newMetrics(o.Registry), dropLog: rate.NewLimiter(rate.Every(dropLogEvery), 1),
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.guard = o.Guard; c.guard == nil {
		c.guard = recovery.NewGuard(nil, c.log)
	}
	c.paho = paho.NewClient(c.options())
	token := c.paho.Connect()
	select {
	case <-token.Done():
	case <-ctx.Done():
		c.close(0)
		return nil, o.Unresponsive(ctx.Err())
	}
	if err := token.Error(); err != nil {
		return nil, o.Explain(err)
	}
	for {
		select {
		case err := <-c.outcome:
			if errors.Is(err, ErrNoSuback) && patient {
				continue
			}
			if err != nil {
				c.close(0)
				return nil, err
			}
			return c, nil
		case <-ctx.Done():
			c.close(0)
			return nil, o.Unresponsive(ctx.Err())
		}
	}
}

func (c *Client) options() *paho.ClientOptions {
	o := c.o
	po := paho.NewClientOptions().AddBroker(o.URL).SetClientID(o.ClientID).
		SetUsername(o.Username).SetPassword(o.Password).
		SetProtocolVersion(4).SetCleanSession(true).SetOrderMatters(true).
		SetKeepAlive(KeepAlive).SetPingTimeout(PingTimeout).SetConnectTimeout(DialTimeout).
		SetAutoReconnect(true).SetMaxReconnectInterval(maxReconnectInterval)
	po.SetCustomOpenConnectionFn(func(uri *url.URL, _ paho.ClientOptions) (net.Conn, error) {
		conn, err := o.OpenConn(context.Background(), uri)
		if err == nil {
			c.conn.Store(&conn)
		}
		return conn, err
	})
	po.SetDefaultPublishHandler(c.receive)
	po.SetOnConnectHandler(func(paho.Client) { c.connected() })
	po.SetConnectionLostHandler(func(_ paho.Client, err error) {
		c.endConnection()
		c.metrics.lost.Inc()
		c.losses.Add(RootCause(err))
		c.log.Warn("lost the MQTT broker", "url", o.RedactedURL(), "error", err)
		if o.OnDown != nil {
			o.OnDown(err)
		}
	})
	return po
}

// partHandler is the part of nhip_panics_total for received messages.
const partHandler = "mqtt_handler"

// receive is paho's message handler. paho would not recover from a panic.
func (c *Client) receive(_ paho.Client, m paho.Message) {
	defer c.guard.Recover(partHandler, func() { c.log.Error("message dropped", "topic", m.Topic()) })
	w := c.watchdog.Load()
	if w != nil && m.Topic() == topics.ProbeTopic(c.o.ClientID) {
		if w.ProbeReceived() && c.o.OnRetained != nil {
			c.o.OnRetained()
		}
		return
	}
	if w != nil {
		w.MessageReceived()
	}
	if c.o.Handle != nil {
		c.o.Handle(m.Topic(), m.Payload(), m.Retained())
	}
}

// connected starts the task of a new connection.
func (c *Client) connected() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	if c.end != nil {
		c.end()
	}
	var ctx context.Context
	ctx, c.end = context.WithCancel(c.tasks.Context())
	c.tasks.Go("subscription", func(context.Context) error { return c.serve(ctx) })
}

func (c *Client) endConnection() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.end != nil {
		c.end()
	}
}

// drop ends the connection, and the client opens a new one. paho takes no notice of a connection that somebody else has
// closed, but of one that can't be read.
func (c *Client) drop() {
	if conn := c.conn.Load(); conn != nil {
		_ = (*conn).SetReadDeadline(time.Now()) // fails on a connection that has ended already
	}
}

// serve subscribes on a new connection and watches it until ctx ends.
func (c *Client) serve(ctx context.Context) error {
	c.serving.Lock()
	defer c.serving.Unlock()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if c.o.OnConnect != nil {
		c.o.OnConnect()
	}
	w := c.newWatchdog()
	if err := c.subscribe(ctx); err != nil {
		return err
	}
	if c.o.OnUp != nil {
		c.o.OnUp()
	}
	c.report(nil)
	if w == nil {
		return nil
	}
	return c.watch(ctx, w)
}

// report hands the outcome of the first subscription to dial.
func (c *Client) report(err error) {
	select {
	case c.outcome <- err:
	default:
	}
}

// Publish sends a message. The token completes when the message is acknowledged (QoS 1) or written (QoS 0). A message
// that a broker would not accept is dropped and counted, because most brokers would end the connection; its token has
// completed with the error.
func (c *Client) Publish(topic string, qos byte, retain bool, payload []byte) paho.Token {
	if err := topics.CheckMessage(topic, payload); err != nil {
		c.metrics.unpublished.Inc()
		if c.dropLog.Allow() {
			c.log.Error("message not published: no broker would accept it", "error", err)
		}
		return failedToken{err}
	}
	return c.paho.Publish(topic, qos, retain, payload)
}

// Fault returns why the connection is not reliable, or "": it was lost again and again; see Losses.
func (c *Client) Fault() string { return c.losses.Fault() }

// Connected reports whether the client is connected at present.
func (c *Client) Connected() bool { return c.paho.IsConnectionOpen() }

// Silent reports whether a client with Watch is connected and the broker does not deliver: probes do not come back any
// more, and nothing else arrives.
func (c *Client) Silent() bool {
	w := c.watchdog.Load()
	return w != nil && w.Silent()
}

// Close disconnects after Quiesce, which lets messages in progress be sent.
func (c *Client) Close() { c.close(Quiesce) }

func (c *Client) close(quiesce uint) {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.tasks.Cancel()
	c.paho.Disconnect(quiesce)
	_ = c.tasks.Wait(context.Background()) // a task returns soon, with the error of its context
}

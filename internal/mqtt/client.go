package mqtt

import (
	"context"
	"crypto/x509"
	"log/slog"
	"net"
	"net/url"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// Timings of a client. The keep-alive is the longest silence before a dead line is noticed;
// paho's own default would wait ten minutes between tries to reconnect.
const (
	keepAlive      = 30 * time.Second
	pingTimeout    = 10 * time.Second
	dialTimeout    = 5 * time.Second
	reconnectAfter = 15 * time.Second
	quiesce        = 250 // milliseconds that Disconnect leaves for work in progress
)

// Options say how a client connects.
type Options struct {
	URL      string         // tcp://host:port, or with TLS ssl://host:port
	Roots    *x509.CertPool // who vouches for a broker with TLS; nil: whom the system trusts
	ClientID string
	Username string
	Password string
	Logger   *slog.Logger

	// Subscribe lists filters to ask for, with their QoS, on every connection.
	Subscribe map[string]byte
	// Handle gets every message of those filters, in order. It must not block: a blocked handler
	// also blocks the reconnection.
	Handle func(topic string, payload []byte, retained bool)
	// OnConnect runs on each connection before anything is subscribed, and so before any message
	// of it is handled.
	OnConnect func()
	// OnUp runs in a goroutine of its own after each connection, once it is subscribed.
	OnUp func()
	// OnDown runs when the connection is lost.
	OnDown func(error)
}

// Client is a connection to a broker that comes back by itself.
type Client struct {
	paho paho.Client
	log  *slog.Logger
}

// Dial connects and subscribes. It returns an error that names the broker when it can't be reached
// before ctx ends or within a few seconds; a connection lost later is made again without end.
func Dial(ctx context.Context, o Options) (*Client, error) {
	c := &Client{log: o.Logger}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	up := make(chan error, 1)
	c.paho = paho.NewClient(c.options(o, up))
	token := c.paho.Connect()
	select {
	case <-token.Done():
	case <-ctx.Done():
		c.paho.Disconnect(0)
		return nil, o.silent(ctx.Err())
	}
	if err := token.Error(); err != nil {
		return nil, o.explain(err)
	}
	select {
	case err := <-up:
		if err != nil {
			c.paho.Disconnect(0)
			return nil, err
		}
		return c, nil
	case <-ctx.Done():
		c.paho.Disconnect(0)
		return nil, o.silent(ctx.Err())
	}
}

func (c *Client) options(o Options, up chan<- error) *paho.ClientOptions {
	po := paho.NewClientOptions().AddBroker(o.URL).SetClientID(o.ClientID).
		SetUsername(o.Username).SetPassword(o.Password).
		SetProtocolVersion(4).SetCleanSession(true).SetOrderMatters(true).
		SetKeepAlive(keepAlive).SetPingTimeout(pingTimeout).SetConnectTimeout(dialTimeout).
		SetAutoReconnect(true).SetMaxReconnectInterval(reconnectAfter)
	po.SetCustomOpenConnectionFn(func(uri *url.URL, _ paho.ClientOptions) (net.Conn, error) {
		conn, err := o.open(context.Background(), uri)
		if err != nil {
			return nil, err
		}
		return Buffer(conn), nil
	})
	po.SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
		if o.Handle != nil {
			o.Handle(m.Topic(), m.Payload(), m.Retained())
		}
	})
	po.SetOnConnectHandler(func(pc paho.Client) {
		go c.onConnect(pc, o, up)
	})
	po.SetConnectionLostHandler(func(_ paho.Client, err error) {
		c.log.Warn("lost the MQTT broker", "url", o.broker(), "error", err)
		if o.OnDown != nil {
			o.OnDown(err)
		}
	})
	return po
}

// onConnect subscribes and reports; up takes the first connection's outcome only.
func (c *Client) onConnect(pc paho.Client, o Options, up chan<- error) {
	if o.OnConnect != nil {
		o.OnConnect()
	}
	err := o.subscribe(pc)
	if err != nil {
		c.log.Error("can't subscribe", "error", err)
	} else if o.OnUp != nil {
		o.OnUp()
	}
	select {
	case up <- err:
	default:
	}
}

func (o Options) subscribe(pc paho.Client) error {
	if len(o.Subscribe) == 0 {
		return nil
	}
	token := pc.SubscribeMultiple(o.Subscribe, nil)
	if !token.WaitTimeout(dialTimeout) {
		return o.silent(errNoSuback)
	}
	if err := token.Error(); err != nil {
		return o.explain(err)
	}
	return o.granted(token, 0)
}

// Publish sends a message. The token tells when it is acknowledged (QoS 1) or written (QoS 0).
func (c *Client) Publish(topic string, qos byte, retain bool, payload []byte) paho.Token {
	return c.paho.Publish(topic, qos, retain, payload)
}

// Connected reports whether the connection stands.
func (c *Client) Connected() bool { return c.paho.IsConnectionOpen() }

// Close disconnects and leaves a moment for what is being sent.
func (c *Client) Close() { c.paho.Disconnect(quiesce) }

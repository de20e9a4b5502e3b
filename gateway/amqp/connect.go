package amqp

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"
)

// heartbeat is the interval of heartbeats. A connection that is silent for a few of them is lost.
const heartbeat = 10 * time.Second

// maxFrame is the largest frame that the broker may send, in bytes; RabbitMQ's default.
const maxFrame = 131072

// consumerTag names our only consumer of a channel.
const consumerTag = "nhip"

// connect opens a connection with one consumer.
func (s *Source) connect(ctx context.Context) (*session, error) {
	conn, err := s.dial(ctx)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() }) // ends what waits for the broker
	defer stop()
	n := &session{s: s, conn: conn, window: newWindow(), lost: make(chan error, 1)}
	if err := n.open(); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return n, nil
}

// dial opens a connection with TLS, if it has it, whose messages are bounded. Everything up to the log-in has a
// deadline, which the client lifts after it.
func (s *Source) dial(ctx context.Context) (*boundedConn, error) {
	ctx, cancel := context.WithTimeout(ctx, s.o.timing.dial)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.address)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(s.o.timing.dial)); err != nil {
		return nil, err
	}
	if s.uri.Scheme == "amqps" {
		secured := tls.Client(conn, &tls.Config{
			ServerName: s.uri.Host, RootCAs: s.o.Roots, MinVersion: tls.VersionTLS12,
		})
		if err := secured.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, err
		}
		conn = secured
	}
	return newBoundedConn(conn, s.o.MaxBytes), nil
}

// open logs in and begins to consume the queue.
func (n *session) open() (err error) {
	s := n.s
	n.client, err = amqp091.Open(n.conn, amqp091.Config{
		SASL: []amqp091.Authentication{s.uri.PlainAuth()}, Vhost: s.uri.Vhost, Heartbeat: heartbeat,
		FrameSize: maxFrame, ChannelMax: 1, Locale: "en_US",
		Properties: amqp091.Table{"product": "nhip", "connection_name": "nhip source " + s.o.Name},
	})
	if err != nil {
		return err
	}
	if n.channel, err = n.client.Channel(); err != nil {
		return err
	}
	if err := n.channel.Qos(prefetch, 0, false); err != nil {
		return err
	}
	n.closed = n.channel.NotifyClose(make(chan *amqp091.Error, 1))
	n.cancelled = n.channel.NotifyCancel(make(chan string, 1))
	n.deliveries, err = n.channel.Consume(s.o.Queue, consumerTag, false, false, false, false, nil)
	return err
}

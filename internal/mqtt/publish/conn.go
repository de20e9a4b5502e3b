package publish

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"time"

	"nhip/internal/mqtt"
	"nhip/internal/topics"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// maxSilence is how long a connection may receive nothing, not even the answer to a ping, before it counts as lost.
const maxSilence = mqtt.KeepAlive + mqtt.PingTimeout

// pubConn is a connection that only publishes, with QoS 1. It does not use paho: after a reconnect, paho itself resends
// the messages in flight, in no particular order and between new messages, which breaks the order of a device's
// messages.
type pubConn struct {
	conn net.Conn
	acks chan uint16 // acknowledged packet ids, in the order in which they arrive; closed when the connection is lost
	lost error       // why the connection was lost; valid once acks is closed

	censuses *censuses // nil: every message may be sent

	head [1]byte // first byte of the packet that is read
	body []byte  // its body
}

// Limits of the packets that a broker sends: acknowledgements have two bytes, and only a client with a subscription
// gets longer ones.
const (
	maxAckBody = 2
	maxLength  = 4 // bytes of the length of a packet
)

// parseAddress returns the URL of a broker, which must name a host.
func parseAddress(raw string) (*url.URL, error) {
	at, err := mqtt.ParseURL(raw)
	if err != nil {
		return nil, err
	}
	if at.Host == "" {
		return nil, fmt.Errorf("the address of the MQTT broker must be tcp://host:port or, with TLS, ssl://host:port, got %s",
			at.Redacted())
	}
	return at, nil
}

// openConn connects and logs in. At most window messages may be unacknowledged on the connection. If covered is set, it
// also subscribes to the censuses of the collectors, and does not wait for the answer.
func openConn(ctx context.Context, at *url.URL, o mqtt.Options, window int, covered bool) (*pubConn, error) {
	ctx, cancel := context.WithTimeout(ctx, mqtt.DialTimeout)
	defer cancel()
	conn, err := o.OpenConn(ctx, at)
	if err != nil {
		return nil, err
	}
	c := &pubConn{conn: conn, acks: make(chan uint16, window)}
	stop := context.AfterFunc(ctx, c.close)
	err = c.logIn(at, o)
	if err == nil && covered {
		c.censuses = newCensuses()
		err = c.subscribe()
	}
	if !stop() {
		err = fmt.Errorf("the broker does not answer: %w", ctx.Err())
	}
	if err != nil {
		c.close()
		return nil, err
	}
	go c.readAcks()
	return c, nil
}

func (c *pubConn) logIn(at *url.URL, o mqtt.Options) error {
	if err := connectPacket(at, o).Write(c.conn); err != nil {
		return err
	}
	kind, body, err := c.read()
	switch {
	case err != nil:
		return err
	case kind != packets.Connack || len(body) != 2:
		return errors.New("the broker did not answer the log-in with a CONNACK")
	case body[1] == packets.Accepted:
		return nil
	case packets.ConnErrors[body[1]] != nil:
		return fmt.Errorf("the broker refuses the log-in: %w", packets.ConnErrors[body[1]])
	}
	return fmt.Errorf("the broker refuses the log-in with code %d", body[1])
}

// connectPacket returns a CONNECT. A user in the URL takes precedence over the one in the options. A password is sent
// only with a user name, as MQTT 3.1.1 §3.1.2.9 demands.
func connectPacket(at *url.URL, o mqtt.Options) *packets.ConnectPacket {
	p := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
	p.ProtocolName, p.ProtocolVersion, p.CleanSession = "MQTT", 4, true
	p.Keepalive = uint16(mqtt.KeepAlive / time.Second)
	p.ClientIdentifier = o.ClientID
	user, password := o.Username, o.Password
	if at.User != nil {
		user = at.User.Username()
		if in, ok := at.User.Password(); ok {
			password = in
		}
	}
	p.UsernameFlag, p.Username = user != "", user
	p.PasswordFlag, p.Password = user != "" && password != "", []byte(password)
	return p
}

// readAcks reads until the connection is lost.
func (c *pubConn) readAcks() {
	defer close(c.acks)
	for {
		kind, body, err := c.read()
		if err == nil {
			err = c.handle(kind, body)
		}
		if err != nil {
			c.lost = err
			return
		}
	}
}

func (c *pubConn) handle(kind byte, body []byte) error {
	switch {
	case kind == packets.Puback:
		return c.handlePuback(body)
	case kind == packets.Suback && c.censuses != nil:
		return c.censuses.handleSuback(body)
	case kind == packets.Publish && c.censuses != nil:
		return c.censuses.handlePublish(body)
	}
	return nil
}

func (c *pubConn) handlePuback(body []byte) error {
	if len(body) != 2 {
		return errors.New("the broker sent a malformed PUBACK")
	}
	select {
	case c.acks <- binary.BigEndian.Uint16(body):
		return nil
	default:
		return errors.New("the broker acknowledged more messages than were sent")
	}
}

// read returns the next packet, whose body is valid until the next call.
func (c *pubConn) read() (kind byte, body []byte, err error) {
	if err := c.conn.SetReadDeadline(time.Now().Add(maxSilence)); err != nil {
		return 0, nil, err
	}
	if err := c.readFull(c.head[:]); err != nil {
		return 0, nil, err
	}
	kind = c.head[0] >> 4
	size, err := c.readLength()
	if err != nil {
		return 0, nil, err
	}
	limit := maxAckBody
	if c.censuses != nil {
		limit = topics.MaxPacket
	}
	if size > limit {
		return 0, nil, fmt.Errorf("the broker sent an unexpected packet of type %d with %d bytes", kind, size)
	}
	c.body = slices.Grow(c.body[:0], size)[:size]
	return kind, c.body, c.readFull(c.body)
}

// readLength reads the length of a packet (MQTT 3.1.1 §2.2.3).
func (c *pubConn) readLength() (size int, err error) {
	const more, bits = 0x80, 7
	var b [1]byte
	for i := range maxLength {
		if err := c.readFull(b[:]); err != nil {
			return 0, err
		}
		size |= int(b[0]&^more) << (bits * i)
		if b[0]&more == 0 {
			return size, nil
		}
	}
	return 0, errors.New("the broker sent a malformed packet")
}

func (c *pubConn) readFull(p []byte) error {
	_, err := io.ReadFull(c.conn, p)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the broker ended the connection")
	}
	return err
}

// subscribe subscribes to the censuses, or again: the broker then sends the retained ones again.
func (c *pubConn) subscribe() error {
	p := packets.NewControlPacket(packets.Subscribe).(*packets.SubscribePacket)
	p.MessageID, p.Topics, p.Qoss = subscribeID, []string{topics.LiveCensus}, []byte{0}
	return p.Write(c.conn)
}

// covers reports whether a message on a topic may be sent over the connection.
func (c *pubConn) covers(topic string) bool {
	return c.censuses == nil || c.censuses.coverage().Covers(topic)
}

// changed returns a channel that receives when covers may return another value; nil if it never does.
func (c *pubConn) changed() <-chan struct{} {
	if c.censuses == nil {
		return nil
	}
	return c.censuses.changed
}

// publish writes a message. It blocks only while the buffer of the connection is full.
func (c *pubConn) publish(id uint16, topic string, payload []byte) error {
	p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	p.Qos, p.MessageID, p.TopicName, p.Payload = 1, id, topic, payload
	return p.Write(c.conn)
}

// ping keeps the connection open. It also refreshes the censuses, because one that was lost on the way would never come
// again.
func (c *pubConn) ping() error {
	if c.censuses != nil {
		c.censuses.nextRound()
		if err := c.subscribe(); err != nil {
			return err
		}
	}
	return packets.NewControlPacket(packets.Pingreq).Write(c.conn)
}

// disconnect sends a DISCONNECT. Every message must be acknowledged.
func (c *pubConn) disconnect() {
	_ = packets.NewControlPacket(packets.Disconnect).Write(c.conn) // the connection ends in any case
}

// close ends the connection, whereupon acks is closed. Any goroutine may call it, more than once.
func (c *pubConn) close() { _ = c.conn.Close() }

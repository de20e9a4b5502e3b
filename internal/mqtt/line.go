package mqtt

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// silence is how long a line may hear nothing, not even an answer to a ping, before it is lost.
const silence = keepAlive + pingTimeout

// line is one connection that only publishes, with QoS 1. It is not the client library's: that one
// sends what was in flight on a lost connection again by itself, in no order and between new
// messages, and an order can't be kept over it.
type line struct {
	conn net.Conn
	acks chan uint16 // packet ids, in the order they come; closed when the line is lost
	lost error       // why, once acks is closed

	in [4]byte // what is read
}

// checkAddress refuses what is no broker's address.
func checkAddress(address string) (*url.URL, error) {
	at, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("the MQTT broker's address must be a URL like tcp://host:port")
	}
	if !plain(at) && !secured(at) || at.Host == "" {
		return nil, fmt.Errorf("the MQTT broker's address must be like tcp://host:port or, with TLS, ssl://host:port, got %s", at.Redacted())
	}
	return at, nil
}

// openLine connects and logs in. At most window messages may be unacknowledged on it.
func openLine(ctx context.Context, at *url.URL, o Options, window int) (*line, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := o.open(ctx, at)
	if err != nil {
		return nil, err
	}
	ln := &line{conn: newBufferedConn(conn), acks: make(chan uint16, window)}
	stop := context.AfterFunc(ctx, ln.close)
	err = ln.logIn(at, o)
	if !stop() {
		err = fmt.Errorf("the broker does not answer: %w", ctx.Err())
	}
	if err != nil {
		ln.close()
		return nil, err
	}
	go ln.listen()
	return ln, nil
}

func (ln *line) logIn(at *url.URL, o Options) error {
	if err := loginPacket(at, o).Write(ln.conn); err != nil {
		return err
	}
	kind, body, err := ln.read()
	switch {
	case err != nil:
		return err
	case kind != packets.Connack || len(body) != 2:
		return errors.New("the broker does not answer a log-in")
	case body[1] == packets.Accepted:
		return nil
	case packets.ConnErrors[body[1]] != nil:
		return fmt.Errorf("the broker refuses the log-in: %w", packets.ConnErrors[body[1]])
	}
	return fmt.Errorf("the broker refuses the log-in with code %d", body[1])
}

// loginPacket returns a CONNECT; an address with a user in it goes before the options, and a
// password without a user is not possible (MQTT 3.1.1 §3.1.2.9).
func loginPacket(at *url.URL, o Options) *packets.ConnectPacket {
	p := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
	p.ProtocolName, p.ProtocolVersion, p.CleanSession = "MQTT", 4, true
	p.Keepalive = uint16(keepAlive / time.Second)
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

// listen takes what the broker says until the line is lost.
func (ln *line) listen() {
	defer close(ln.acks)
	for {
		kind, body, err := ln.read()
		if err == nil && kind == packets.Puback {
			err = ln.acknowledged(body)
		}
		if err != nil {
			ln.lost = err
			return
		}
	}
}

func (ln *line) acknowledged(body []byte) error {
	if len(body) != 2 {
		return errors.New("the broker sent an acknowledgement that is none")
	}
	select {
	case ln.acks <- binary.BigEndian.Uint16(body):
		return nil
	default:
		return errors.New("the broker acknowledges more than it was sent")
	}
}

// read returns the next packet, whose body is valid until the next read. To who only publishes, a
// broker has nothing to say that is longer than two bytes.
func (ln *line) read() (kind byte, body []byte, err error) {
	if err := ln.conn.SetReadDeadline(time.Now().Add(silence)); err != nil {
		return 0, nil, err
	}
	if err := ln.fill(ln.in[:2]); err != nil {
		return 0, nil, err
	}
	if ln.in[1] > 2 {
		return 0, nil, fmt.Errorf("the broker sent a packet of type %d that nobody asked for", ln.in[0]>>4)
	}
	body = ln.in[2 : 2+ln.in[1]]
	return ln.in[0] >> 4, body, ln.fill(body)
}

func (ln *line) fill(p []byte) error {
	_, err := io.ReadFull(ln.conn, p)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the broker ended the connection")
	}
	return err
}

// publish writes a message; it waits only while a megabyte is waiting for the line already.
func (ln *line) publish(id uint16, topic string, payload []byte) error {
	p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	p.Qos, p.MessageID, p.TopicName, p.Payload = 1, id, topic, payload
	return p.Write(ln.conn)
}

func (ln *line) ping() error {
	return packets.NewControlPacket(packets.Pingreq).Write(ln.conn)
}

// leave says goodbye. It may be called when nothing waits to be written only.
func (ln *line) leave() {
	_ = packets.NewControlPacket(packets.Disconnect).Write(ln.conn) // it is only polite
}

// close ends the connection; acks is closed soon after. It may be called again, from any goroutine.
func (ln *line) close() { _ = ln.conn.Close() }

package mqtttest

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"
)

// First bytes of the MQTT 3.1.1 packets that a crowd uses (§2.2). The PUBLISH has QoS 1.
const (
	connect = 0x10
	connack = 0x20
	publish = 0x32
	puback  = 0x40
)

// answerTimeout bounds the wait for an answer of the broker.
const answerTimeout = 30 * time.Second

// CrowdBegin is the time of each device's first position. Each further position is one second later.
var CrowdBegin = time.Date(2026, 2, 16, 0, 30, 2, 0, time.UTC)

// device is a minimal MQTT client that publishes with QoS 1 and keeps a window of messages in flight. A client library
// would need more CPU time than the broker.
type device struct {
	conn    net.Conn
	in      *bufio.Reader
	out     *bufio.Writer
	message []byte          // the whole PUBLISH
	id      []byte          // its packet id, in message
	stamp   []byte          // the time of the position, in message
	at      time.Time       // of the next position
	sent    []time.Time     // when each was sent, by packet id minus 1
	waits   []time.Duration // from PUBLISH to PUBACK
}

func dialDevice(address, password string, i, window int) (*device, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	body := text(nil, fmt.Sprintf("nhip/in/position/29B%05d", i))
	at := len(body)
	body = append(body, 0, 0)
	body = append(body, `{"time":"`...)
	stamp := len(body)
	body = CrowdBegin.AppendFormat(body, time.RFC3339)
	body = fmt.Appendf(body, `","lat":21.0285,"lon":105.8542,"speed":4.57,"bearing":265,`+
		`"route":"01","trip":"01-0-0730","direction":0,"start_date":"20260216","occupancy":"FEW_SEATS_AVAILABLE"}`)
	d := &device{
		conn: conn, in: bufio.NewReader(conn), out: bufio.NewWriter(conn),
		message: pack(publish, body), sent: make([]time.Time, window), at: CrowdBegin,
	}
	head := len(d.message) - len(body)
	d.id, d.stamp = d.message[head+at:][:2], d.message[head+stamp:][:len(time.RFC3339)-len("07:00")]
	return d, d.logIn(fmt.Sprintf("device-%d", i), password)
}

// logIn sends a CONNECT (§3.1) with a clean session, user name, password and a keep-alive of 10 minutes.
func (d *device) logIn(name, password string) error {
	body := text(nil, "MQTT")
	body = append(body, 4, 0xC2)
	body = binary.BigEndian.AppendUint16(body, 600)
	body = text(text(text(body, name), name), password)
	if _, err := d.conn.Write(pack(connect, body)); err != nil {
		return err
	}
	_ = d.conn.SetReadDeadline(time.Now().Add(answerTimeout))
	kind, answer, err := readPacket(d.in)
	if err != nil || kind != connack || !bytes.Equal(answer, []byte{0, 0}) {
		return fmt.Errorf("the log-in was answered with %#x % x: %w", kind, answer, err)
	}
	return nil
}

// publishUntil keeps the window full until then, and waits for the PUBACKs of the messages in flight.
func (d *device) publishUntil(until time.Time) error {
	_ = d.conn.SetReadDeadline(until.Add(answerTimeout))
	d.waits = d.waits[:0]
	for i := range d.sent {
		d.publish(i + 1)
	}
	for inFlight := len(d.sent); inFlight > 0; {
		id, err := d.nextPuback()
		if err != nil {
			return err
		}
		now := time.Now()
		d.waits = append(d.waits, now.Sub(d.sent[id-1]))
		if now.Before(until) {
			d.publish(id)
		} else {
			inFlight--
		}
	}
	return nil
}

// publish appends a message to the write buffer, which keeps an error for the next Flush.
func (d *device) publish(id int) {
	binary.BigEndian.PutUint16(d.id, uint16(id))
	d.at.AppendFormat(d.stamp[:0], time.RFC3339)
	d.at = d.at.Add(time.Second)
	d.sent[id-1] = time.Now()
	_, _ = d.out.Write(d.message)
}

// nextPuback returns the packet id of the next PUBACK. It flushes the write buffer before it blocks.
func (d *device) nextPuback() (id int, err error) {
	if d.in.Buffered() == 0 {
		if err := d.out.Flush(); err != nil {
			return 0, err
		}
	}
	kind, body, err := readPacket(d.in)
	if err != nil {
		return 0, err
	}
	if kind == puback && len(body) == 2 {
		id = int(binary.BigEndian.Uint16(body))
	}
	if id < 1 || id > len(d.sent) {
		return 0, fmt.Errorf("unexpected packet %#x % x, want a PUBACK", kind, body)
	}
	return id, nil
}

// pack returns a packet with the fixed header (§2.2).
func pack(kind byte, body []byte) []byte {
	return append(binary.AppendUvarint([]byte{kind}, uint64(len(body))), body...)
}

// text appends a string with its length in front (§1.5.3).
func text(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

// readPacket returns a packet's first byte, and its body without the fixed header.
func readPacket(r *bufio.Reader) (kind byte, body []byte, err error) {
	if kind, err = r.ReadByte(); err != nil {
		return 0, nil, err
	}
	n, err := binary.ReadUvarint(r) // the encoding of §2.2.3 is the same
	if err != nil {
		return 0, nil, err
	}
	if n > 1<<10 {
		return 0, nil, fmt.Errorf("packet of %d bytes is too long", n)
	}
	body = make([]byte, n)
	_, err = io.ReadFull(r, body)
	return kind, body, err
}

// packetIDOffset returns where the body of a PUBLISH has its packet id: behind the topic (§3.3.2).
func packetIDOffset(body []byte) int { return 2 + int(binary.BigEndian.Uint16(body)) }

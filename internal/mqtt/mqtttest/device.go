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

// First bytes of the MQTT 3.1.1 packets that a crowd speaks (§2.2); a PUBLISH is one of QoS 1.
const (
	connect = 0x10
	connack = 0x20
	publish = 0x32
	puback  = 0x40
)

// patience bounds the wait for an answer.
const patience = 30 * time.Second

// CrowdBegin is the time of the first fix of each device of a crowd; each next one is a second later.
var CrowdBegin = time.Date(2026, 2, 16, 0, 30, 2, 0, time.UTC)

// device is the least MQTT client that publishes at QoS 1 with a window: a library's own work would
// be more than the broker's.
type device struct {
	conn    net.Conn
	in      *bufio.Reader
	out     *bufio.Writer
	message []byte // the whole PUBLISH
	id      []byte // its packet id, in message
	stamp   []byte // the fix's time, in message
	at      time.Time
	sent    []time.Time // when, by packet id less 1
	waits   []time.Duration
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
		message: packet(publish, body), sent: make([]time.Time, window), at: CrowdBegin,
	}
	head := len(d.message) - len(body)
	d.id, d.stamp = d.message[head+at:][:2], d.message[head+stamp:][:len(time.RFC3339)-len("07:00")]
	return d, d.logIn(fmt.Sprintf("box-%d", i), password)
}

// logIn sends a CONNECT (§3.1): a clean session, with user name and password, alive for 10 minutes.
func (d *device) logIn(name, password string) error {
	body := text(nil, "MQTT")
	body = append(body, 4, 0xC2)
	body = binary.BigEndian.AppendUint16(body, 600)
	body = text(text(text(body, name), name), password)
	if _, err := d.conn.Write(packet(connect, body)); err != nil {
		return err
	}
	_ = d.conn.SetReadDeadline(time.Now().Add(patience))
	kind, answer, err := readPacket(d.in)
	if err != nil || kind != connack || !bytes.Equal(answer, []byte{0, 0}) {
		return fmt.Errorf("log-in was answered with %#x % x: %w", kind, answer, err)
	}
	return nil
}

// speak keeps the window full until then, and waits for what is on the way.
func (d *device) speak(until time.Time) error {
	_ = d.conn.SetReadDeadline(until.Add(patience))
	d.waits = d.waits[:0]
	for i := range d.sent {
		d.publish(i + 1)
	}
	for onTheWay := len(d.sent); onTheWay > 0; {
		id, err := d.nextPuback()
		if err != nil {
			return err
		}
		now := time.Now()
		d.waits = append(d.waits, now.Sub(d.sent[id-1]))
		if now.Before(until) {
			d.publish(id)
		} else {
			onTheWay--
		}
	}
	return nil
}

// publish puts a message behind what is to be sent; an error stays with the writer.
func (d *device) publish(id int) {
	binary.BigEndian.PutUint16(d.id, uint16(id))
	d.at.AppendFormat(d.stamp[:0], time.RFC3339)
	d.at = d.at.Add(time.Second)
	d.sent[id-1] = time.Now()
	_, _ = d.out.Write(d.message)
}

// nextPuback sends what is to be sent before it would wait.
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
		return 0, fmt.Errorf("%#x % x is no PUBACK of ours", kind, body)
	}
	return id, nil
}

// packet puts a fixed header (§2.2) before a body.
func packet(kind byte, body []byte) []byte {
	return append(binary.AppendUvarint([]byte{kind}, uint64(len(body))), body...)
}

func text(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

// readPacket returns a packet's first byte and what follows the fixed header.
func readPacket(r *bufio.Reader) (kind byte, body []byte, err error) {
	if kind, err = r.ReadByte(); err != nil {
		return 0, nil, err
	}
	n, err := binary.ReadUvarint(r) // §2.2.3 is the same code
	if err != nil {
		return 0, nil, err
	}
	if n > 1<<10 {
		return 0, nil, fmt.Errorf("a packet of %d bytes", n)
	}
	body = make([]byte, n)
	_, err = io.ReadFull(r, body)
	return kind, body, err
}

// packetIDAt is where a PUBLISH keeps its packet id: behind the topic (§3.3.2).
func packetIDAt(body []byte) int { return 2 + int(binary.BigEndian.Uint16(body)) }

package gateway

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"nhip/internal/await"
	"nhip/internal/mqtt"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// packet makes an MQTT packet: its first byte, and what follows the remaining length.
func packet(first byte, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	return append(binary.AppendUvarint([]byte{first}, uint64(len(body))), body...)
}

// str is a text as MQTT writes it.
func str(s string) []byte { return append(binary.BigEndian.AppendUint16(nil, uint16(len(s))), s...) }

// connectAs logs in with MQTT 3.1.1, a clean session and user name and password.
func connectAs(id, secret string) []byte {
	return packet(0x10, str("MQTT"), []byte{4, 0xc2, 0, 60}, str(id), str(id), str(secret))
}

// publish1 is a QoS 1 message.
func publish1(topic string, id uint16, payload string) []byte {
	return packet(0x32, str(topic), binary.BigEndian.AppendUint16(nil, id), []byte(payload))
}

func subscribe(filters ...string) []byte {
	body := []byte{0, 7}
	for _, f := range filters {
		body = append(append(body, str(f)...), 1)
	}
	return packet(0x82, body)
}

// raw is a connection that says whatever it likes.
type raw struct {
	net.Conn
	t *testing.T
}

func dialRaw(t *testing.T, g *Gateway) *raw {
	t.Helper()
	conn, err := net.Dial("tcp", g.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(waitFor))
	return &raw{conn, t}
}

func (r *raw) say(b []byte) { _, _ = r.Write(b) } // who is cut off can't say it

// logIn logs in as the device "villain".
func (r *raw) logIn() {
	r.t.Helper()
	r.say(connectAs("villain", "v"))
	if got := r.hear(4); !bytes.Equal(got, []byte{0x20, 2, 0, 0}) {
		r.t.Fatalf("a log-in is answered with %x", got)
	}
}

func (r *raw) hear(n int) []byte {
	b := make([]byte, n)
	n, _ = io.ReadFull(r, b)
	return b[:n]
}

// isCut reports whether the connection was ended, and what came before that.
func (r *raw) isCut() (said []byte, cut bool) {
	said, err := io.ReadAll(r)
	var timeout net.Error
	return said, err == nil || !(asNetError(err, &timeout) && timeout.Timeout())
}

func asNetError(err error, to *net.Error) bool {
	e, ok := err.(net.Error)
	*to = e
	return ok
}

// street is a gateway with a villain and a neighbour in its fleet.
func street(t *testing.T, l Limits) (*Gateway, *door, *mqtt.Client) {
	t.Helper()
	d := &door{}
	g := startWith(t, d, l)
	withFleet(g, box("villain", "v"), box("neighbour", "n"))
	return g, d, dial(t, as(g, "neighbour", "n"))
}

// What becomes of a bad packet.
const (
	isCutOff  = "cut off"      // the connection is ended
	isIgnored = "not listened" // it goes on, and nothing of it is taken in
)

// TestBadPackets says everything that MQTT does not allow, packet by packet, over the real listener: nothing
// of it comes through the door, and the neighbour never notices.
func TestBadPackets(t *testing.T) {
	g, d, neighbour := street(t, Limits{})
	deep := strings.Repeat("a/", 5_000)
	mine := "nhip/in/position/villain"
	sent := 0
	for _, c := range []struct {
		name   string
		logIn  bool
		say    []byte
		hangUp bool // after that; else it waits
		want   string
	}{
		{"nothing", false, nil, true, isCutOff},
		{"one byte", false, []byte{0x10}, true, isCutOff},
		{"half a header", false, []byte{0x10, 0x80}, true, isCutOff},
		{"half a CONNECT", false, connectAs("villain", "v")[:7], true, isCutOff},
		{"256 MB", false, []byte{0x10, 0xff, 0xff, 0xff, 0x7f}, false, isCutOff},
		{"a length of five bytes", false, []byte{0x10, 0xff, 0xff, 0xff, 0xff, 0x01}, false, isCutOff},
		{"a PUBLISH before CONNECT", false, publish1(mine, 1, "{}"), false, isCutOff},
		{"a SUBSCRIBE before CONNECT", false, subscribe("#"), false, isCutOff},
		{"a PINGREQ before CONNECT", false, []byte{0xc0, 0}, false, isCutOff},
		{"another protocol", false, packet(0x10, str("HTTP"), []byte{4, 2, 0, 60}, str("villain")), false, isCutOff},
		{"another level", false, packet(0x10, str("MQTT"), []byte{9, 2, 0, 60}, str("villain")), false, isCutOff},
		{"MQTT 3.1 by its old name, without a secret", false, packet(0x10, str("MQIsdp"), []byte{3, 2, 0, 60}, str("villain")), false, isCutOff},
		{"CONNECT with a reserved bit", false, packet(0x10, str("MQTT"), []byte{4, 0xc3, 0, 60}, str("villain"), str("villain"), str("v")), false, isCutOff},
		{"CONNECT with wrong flags", false, append([]byte{0x1f}, connectAs("villain", "v")[1:]...), false, isCutOff},
		{"a client id that is no UTF-8", false, connectAs("vil\xff", "v"), false, isCutOff},
		{"a client id with NUL", false, connectAs("villain\x00", "v"), false, isCutOff},
		{"a client id with a surrogate", false, connectAs("\xed\xa0\x80", "v"), false, isCutOff},
		{"no client id", false, packet(0x10, str("MQTT"), []byte{4, 0xc2, 0, 60}, str(""), str("villain"), str("v")), false, isCutOff},
		{"a password without a user", false, packet(0x10, str("MQTT"), []byte{4, 0x42, 0, 60}, str("villain"), str("v")), false, isCutOff},
		{"a secret that is wrong", false, connectAs("villain", "w"), false, isCutOff},
		{"a second CONNECT", true, connectAs("villain", "v"), false, isCutOff},
		{"a packet of type 0", true, []byte{0x00, 0}, false, isCutOff},
		{"a packet of type 15 without a word", true, []byte{0xff, 0}, false, isCutOff},
		{"SUBSCRIBE with wrong flags", true, append([]byte{0x80}, subscribe("a")[1:]...), false, isCutOff},
		{"SUBSCRIBE without a filter", true, packet(0x82, []byte{0, 7}), false, isCutOff},
		{"PUBLISH with QoS 3", true, append([]byte{0x36}, publish1(mine, 1, "{}")[1:]...), false, isCutOff},
		{"PUBLISH with packet id 0", true, publish1(mine, 0, "{}"), false, isCutOff},
		{"PUBLISH without a topic", true, publish1("", 1, "{}"), false, isCutOff},
		{"PUBLISH to #", true, publish1("#", 1, "{}"), false, isCutOff},
		{"PUBLISH to +", true, publish1("nhip/in/position/+", 1, "{}"), false, isCutOff},
		{"PUBLISH to a topic with NUL", true, publish1(mine+"\x00", 1, "{}"), false, isCutOff},
		{"PUBLISH to a topic that is no UTF-8", true, publish1(mine+"\xff", 1, "{}"), false, isCutOff},
		{"PUBLISH to the longest topic", true, publish1(strings.Repeat("a", 65_500), 1, ""), false, isCutOff},
		{"PUBLISH to 5,000 levels", true, publish1(deep, 1, "{}"), false, isCutOff},
		{"PUBLISH to ..", true, publish1("nhip/in/position/../neighbour", 1, "{}"), false, isCutOff},
		{"PUBLISH to the neighbour's topic", true, publish1("nhip/in/position/neighbour", 1, "{}"), false, isCutOff},
		{"PUBLISH to a live topic", true, publish1("nhip/live/bus/a/1", 1, "{}"), false, isCutOff},
		{"PUBLISH of 1 MB", true, publish1(mine, 1, strings.Repeat("x", 1<<20)), false, isCutOff},
		{"PUBLISH of a topic longer than the packet", true, packet(0x32, []byte{0xff, 0xff}, []byte("abc")), false, isCutOff},
		{"PUBLISH to $SYS", true, publish1("$SYS/broker/clients", 1, "{}"), false, isIgnored},
		{"PUBLISH to $share", true, publish1("$share/a/"+mine, 1, "{}"), false, isCutOff},
		{"PUBACK of what was never sent", true, packet(0x40, []byte{0, 9}), false, isIgnored},
		{"PUBREC of what was never sent", true, packet(0x50, []byte{0, 9}), false, isIgnored},
		{"PUBREL of what was never sent", true, packet(0x62, []byte{0, 9}), false, isIgnored},
		{"PUBCOMP of what was never sent", true, packet(0x70, []byte{0, 9}), false, isIgnored},
		{"SUBSCRIBE to everything", true, subscribe("#", "+/+", "$share/x/#", "$SYS/#"), false, isIgnored},
		{"SUBSCRIBE to 10,000 filters", true, subscribe(strings.Split(strings.Repeat("a/b,", 9_999)+"c", ",")...), false, isCutOff},
		{"UNSUBSCRIBE of what was never subscribed", true, packet(0xa2, []byte{0, 7}, str("a")), false, isIgnored},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := dialRaw(t, g)
			if c.logIn {
				r.logIn()
			}
			r.say(c.say)
			if c.hangUp {
				_ = r.Conn.(*net.TCPConn).CloseWrite()
			}
			if c.want == isIgnored {
				r.say([]byte{0xc0, 0}) // PINGREQ
				if said := r.until([]byte{0xd0, 0}); said == nil {
					t.Error("the connection is ended")
				}
			} else if said, cut := r.isCut(); !cut {
				t.Errorf("the connection goes on; it said %x", said)
			}
			sent++
			if !acked(neighbour.Publish("nhip/in/position/neighbour", 1, false, []byte("{}")), waitFor) {
				t.Fatal("the neighbour is not heard any more")
			}
		})
	}
	for _, m := range d.messages() {
		if m.Client != "neighbour" || m.Topic != "nhip/in/position/neighbour" || string(m.Payload) != "{}" {
			t.Errorf("through the door came %.100q", fmt.Sprint(m))
		}
	}
	if n := len(d.messages()); n != sent {
		t.Errorf("%d messages came through the door, want %d", n, sent)
	}
}

// until reads up to a few bytes; nil where they do not come.
func (r *raw) until(end []byte) []byte {
	var said []byte
	one := make([]byte, 1)
	for !bytes.HasSuffix(said, end) {
		if _, err := r.Read(one); err != nil {
			return nil
		}
		said = append(said, one[0])
	}
	return said
}

// TestAMessageIDThatIsInFlight: a box that reuses an id gets each message acknowledged.
func TestAMessageIDThatIsInFlight(t *testing.T) {
	g, d, _ := street(t, Limits{})
	r := dialRaw(t, g)
	r.logIn()
	r.say(publish1("nhip/in/position/villain", 5, "1"))
	r.say(publish1("nhip/in/position/villain", 5, "2"))
	if got := r.hear(8); !bytes.Equal(got, []byte{0x40, 2, 0, 5, 0x40, 2, 0, 5}) || len(d.messages()) != 2 {
		t.Errorf("answered with %x, the door heard %d", got, len(d.messages()))
	}
}

// TestWhoComesTooOften: connections beyond the limits are closed, counted, and leave room for others.
func TestWhoComesTooOften(t *testing.T) {
	g, _, neighbour := street(t, Limits{PerAddress: 20})
	for range 500 {
		_ = dialRaw(t, g)
	}
	await.True(t, "those beyond the limit are counted", func() bool {
		return testutil.ToFloat64(g.hook.metrics.limited.WithLabelValues(classAddress)) >= 480
	})
	if !acked(neighbour.Publish("nhip/in/position/neighbour", 1, false, []byte("{}")), waitFor) {
		t.Error("the neighbour is not heard any more")
	}
	if n := testutil.ToFloat64(g.hook.metrics.connections); n > 20 {
		t.Errorf("%v connections are open", n)
	}
}

// TestTwoWithOneIDThrowEachOtherOut: a device that connects again and again keeps nothing of its former
// connections behind.
func TestTwoWithOneIDThrowEachOtherOut(t *testing.T) {
	g, _, _ := street(t, Limits{})
	for range 100 {
		r := dialRaw(t, g)
		r.logIn()
	}
	await.True(t, "one connection is left", func() bool {
		n := 0
		g.hook.sessions.Range(func(_, s any) bool {
			if s.(*session).rank == Box {
				n++
			}
			return true
		})
		return n == 2 && testutil.ToFloat64(g.hook.metrics.connections) == 2 // and the neighbour's
	})
}

// TestAFloodIsSlowed: what a device says beyond its rate is not lost, and not taken faster.
func TestAFloodIsSlowed(t *testing.T) {
	g, d, neighbour := street(t, Limits{MessageRate: 50})
	r := dialRaw(t, g)
	r.logIn()
	const flood = 300
	began := time.Now()
	go func() {
		for i := range flood {
			r.say(publish1("nhip/in/position/villain", uint16(i+1), "{}"))
		}
	}()
	if !acked(neighbour.Publish("nhip/in/position/neighbour", 1, false, []byte("{}")), waitFor) {
		t.Error("the neighbour is not heard any more")
	}
	if got := r.hear(4 * flood); len(got) != 4*flood {
		t.Fatalf("%d of %d are acknowledged", len(got)/4, flood)
	}
	if took := time.Since(began); took < (flood-burstSeconds*50)*time.Second/50-absent {
		t.Errorf("%d messages are taken in %s", flood, took)
	}
	if len(d.messages()) != flood+1 || testutil.ToFloat64(g.hook.metrics.limited.WithLabelValues(classMessageRate)) == 0 {
		t.Error("what is slowed is lost or not counted")
	}
}

// TestARetainedFloodLeavesNothing: a device's retained messages are not kept.
func TestARetainedFloodLeavesNothing(t *testing.T) {
	g, _, _ := street(t, Limits{})
	before := g.server.Info.Clone().Retained
	r := dialRaw(t, g)
	r.logIn()
	for i := range 100 {
		r.say(append([]byte{0x33}, publish1("nhip/in/position/villain", uint16(i+1), fmt.Sprint(i))[1:]...))
	}
	if got := r.hear(400); len(got) != 400 {
		t.Fatalf("%d are acknowledged", len(got)/4)
	}
	if after := g.server.Info.Clone().Retained; after != before {
		t.Errorf("%d retained messages more", after-before)
	}
}

// TestALongKeepAlive: the library's sum of a keep-alive of 43,691 s and its half is 0.
func TestALongKeepAlive(t *testing.T) {
	g, _, _ := street(t, Limits{})
	for _, k := range []uint16{0, 1, 43_691, 65_535} {
		r := dialRaw(t, g)
		r.say(packet(0x10, str("MQTT"), []byte{4, 0xc2, byte(k >> 8), byte(k)}, str("villain"), str("villain"), str("v")))
		r.hear(4)
		<-time.After(absent)
		r.say([]byte{0xc0, 0})
		if got := r.hear(2); !bytes.Equal(got, []byte{0xd0, 0}) {
			t.Errorf("a keep-alive of %d s ends the connection at once", k)
		}
		_ = r.Close()
	}
}

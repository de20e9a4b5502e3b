package gateway

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"nhip/internal/awaittest"
	"nhip/internal/suitetest"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// Operations of WebSocket frames.
const (
	wsBinary = 2
	wsPing   = 9
)

// frame returns a WebSocket frame of a client: masked, with the mask 0.
func frame(operation byte, payload []byte) []byte {
	b := []byte{0x80 | operation}
	if len(payload) < 126 {
		b = append(b, 0x80|byte(len(payload)))
	} else {
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(len(payload)))
	}
	return append(append(b, 0, 0, 0, 0), payload...)
}

// lastingConnects ask for a session that outlives the connection.
var lastingConnects = [][]byte{
	pack(0x10, str("MQTT"), []byte{4, 0, 0, 60}, str("x")), // not a clean session
	pack(0x10, str("MQTT"), []byte{5, 0, 0, 60}, []byte{5, 0x11, 0xff, 0xff, 0xff, 0xff}, str("x")),
	pack(0x10, str("MQTT"), []byte{5, 2, 0, 60}, []byte{8, 0x11, 0, 1, 0, 0, 0x22, 0xff, 0xff}, str("")),
}

// TestSilentGuestIsDisconnected: whatever a guest begins and does not finish has a deadline.
func TestSilentGuestIsDisconnected(t *testing.T) { onEachTransport(t, silentGuestIsDisconnected) }

func silentGuestIsDisconnected(t *testing.T, at transport) {
	g, _ := startGuests(t, at, Options{connectTimeout: quietTime})
	silent := dialRawGuest(t, g)
	half := dialRawGuest(t, g)
	half.sendPacket(lastingConnects[0][:5])
	all := map[string]func() bool{"a connection without CONNECT": silent.ended, "half a CONNECT": half.ended}
	if at.webSocket {
		frameHead := dialRawGuest(t, g)
		frameHead.send([]byte{0x82})
		all["half a frame"] = frameHead.ended
	}
	raw := &rawClient{g.dialConn(t), t}
	all["a connection without a byte"] = func() bool { _, ok := raw.readToEnd(); return ok }
	for name, closed := range all {
		if !closed() {
			t.Errorf("%s stays open", name)
		}
	}
	awaittest.True(t, "nothing is left", func() bool { return testutil.ToFloat64(g.hook.metrics.connections) == 1 })
}

// TestGuestSessionsEndWithConnection: a guest that asks for a lasting session does not get one, and nothing of it is
// left.
func TestGuestSessionsEndWithConnection(t *testing.T) {
	onEachTransport(t, guestSessionsEndWithConnection)
}

func guestSessionsEndWithConnection(t *testing.T, at transport) {
	g, role := startGuests(t, at, Options{})
	filters := make([]string, guestFilters)
	for i := range filters {
		filters[i] = fmt.Sprintf("nhip/live/bus/some-agency/vehicle-%d/%s", i, strings.Repeat("x", 200))
	}
	guests := suitetest.Pick(300, 9_000)
	before := heap()
	for i := range guests {
		r := dialRawGuest(t, g)
		connect := lastingConnects[i%len(lastingConnects)]
		answer := r.logIn(t, connect)
		if connect[8] == mqtt5 && !bytes.Contains(answer, []byte{0x11, 0, 0, 0, 0}) {
			t.Fatalf("the CONNACK %x does not say that the session ends with the connection", answer)
		}
		none := []byte(nil)
		if connect[8] == mqtt5 {
			none = []byte{0}
		}
		parts := [][]byte{{0, 7}, none}
		for _, f := range filters {
			parts = append(parts, str(f), []byte{1})
		}
		r.sendPacket(pack(0x82, parts...))
		if suback := r.payload(); len(suback) < guestFilters || suback[len(suback)-1] != 0 {
			t.Fatalf("SUBACK %x", suback)
		}
		if i%2 == 0 {
			r.sendPacket([]byte{0xe0, 0}) // DISCONNECT
		}
		_ = r.Close()
	}
	awaittest.True(t, "the guests are gone", func() bool { return testutil.ToFloat64(g.hook.metrics.connections) == 1 })
	if !acked(role.Publish("nhip/live/bus/some-agency/vehicle-1", 1, false, []byte("{}")), waitFor) {
		t.Fatal("a role can't publish")
	}
	left := float64(heap()-before) / float64(guests)
	t.Logf("%.0f bytes are left of each of %d guests", left, guests)
	if left > 2<<10 { // 43 kB before; the Go heap itself varies by some hundred kB
		t.Errorf("%.0f bytes are left of each guest", left)
	}
}

// heap returns the bytes in use after a garbage collection.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestGuestPacketsAreThrottled: a guest that sends too many packets is slowed down, and nobody else.
func TestGuestPacketsAreThrottled(t *testing.T) { onEachTransport(t, guestPacketsAreThrottled) }

func guestPacketsAreThrottled(t *testing.T, at transport) {
	const beyond = 8
	subscribeTo := func(n int) []byte {
		filters := make([]string, n)
		for i := range filters {
			filters[i] = "nhip/live/bus/#"
		}
		return subscribe(filters...)
	}
	for _, c := range []struct {
		name   string
		packet []byte
		cost   int
		answer int // bytes
	}{
		{"PINGREQ", []byte{0xc0, 0}, 1, 2},
		{"SUBSCRIBE", subscribeTo(16), 16, 4 + 16},
		{"UNSUBSCRIBE", pack(0xa2, []byte{0, 7}, bytes.Repeat(str("a"), 8)), 8, 4},
		{"PUBREL", pack(0x62, []byte{0, 9}), 1, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g, role := startGuests(t, at, Options{})
			r := dialRawGuest(t, g)
			r.logIn(t, guestConnect)
			packets := controlBurst/c.cost + max(1, beyond/c.cost)
			began := time.Now()
			for range packets {
				r.sendPacket(c.packet)
			}
			for answered := 0; answered < packets*c.answer; { // a frame may have several
				p := r.payload()
				if p == nil {
					t.Fatal("the guest is disconnected")
				}
				answered += len(p)
			}
			if took := time.Since(began); took < beyond*time.Second/controlRate/2 {
				t.Errorf("%d packets handled in %s", packets, took)
			}
			if testutil.ToFloat64(g.hook.metrics.limited.WithLabelValues(classControlRate)) == 0 {
				t.Error("not counted")
			}
			if !acked(role.Publish("nhip/live/bus/a/1", 1, false, []byte("{}")), waitFor) {
				t.Error("a role can't publish")
			}
		})
	}
}

// TestGuestBytesAreThrottled: the bytes of guests have a rate. Frames of WebSocket that carry no packet count, too.
func TestGuestBytesAreThrottled(t *testing.T) { onEachTransport(t, guestBytesAreThrottled) }

func guestBytesAreThrottled(t *testing.T, at transport) {
	t.Parallel()
	g, _ := startGuests(t, at, Options{})
	r := dialRawGuest(t, g)
	r.logIn(t, guestConnect)
	// A ping of WebSocket, or a subscription to a long filter, of which a few cost many bytes and no rate of packets.
	ping := subscribe(strings.Repeat("x", maxBytes/2))
	if at.webSocket {
		ping = frame(wsPing, make([]byte, 120))
	}
	began := time.Now()
	const beyond = guestByteRate // a second's worth
	for range (guestByteBurst+beyond)/len(ping) + 1 {
		r.send(ping)
		if r.payload() == nil {
			t.Fatal("the guest is disconnected")
		}
	}
	if took := time.Since(began); took < time.Second/2 {
		t.Errorf("%d bytes read in %s", guestByteBurst+beyond, took)
	}
}

// TestGuestThatReadsNothingIsDisconnected: a guest that pings keeps its connection alive, and could otherwise hold what
// waits for it for ever.
func TestGuestThatReadsNothingIsDisconnected(t *testing.T) {
	onEachTransport(t, guestThatReadsNothingIsDisconnected)
}

func guestThatReadsNothingIsDisconnected(t *testing.T, at transport) {
	t.Parallel()
	g, role := startGuests(t, at, Options{writeTimeout: quietTime})
	r := dialRawGuest(t, g)
	_ = tcpOf(r.Conn).SetReadBuffer(4 << 10)
	r.logIn(t, guestConnect)
	r.sendPacket(subscribe("nhip/live/bus/#"))
	r.payload()
	payload := make([]byte, 32<<10)
	ctx, cancel := context.WithTimeout(t.Context(), waitFor)
	defer cancel()
	for testutil.ToFloat64(g.hook.metrics.connections) > 1 {
		if ctx.Err() != nil {
			t.Fatal("the guest stays connected")
		}
		role.Publish("nhip/live/bus/a/1", 1, false, payload).WaitTimeout(waitFor)
		r.sendPacket([]byte{0xc0, 0})
	}
}

// TestDeepFilterIsRefused: the broker library searches a filter in the square of its levels.
func TestDeepFilterIsRefused(t *testing.T) { onEachTransport(t, deepFilterIsRefused) }

func deepFilterIsRefused(t *testing.T, at transport) {
	g, _ := startGuests(t, at, Options{})
	r := dialRawGuest(t, g)
	r.logIn(t, guestConnect)
	r.sendPacket(subscribe("nhip/live/bus/"+strings.Repeat("a/", 30_000), "nhip/live/air/#"))
	if got := r.payload(); !bytes.Equal(got, []byte{0x90, 4, 0, 7, 0x80, 0}) {
		t.Errorf("SUBACK %x", got)
	}
}

// TestAddressTableHasHardSize: the table forgets addresses without connections only, the longest unused first.
func TestAddressTableHasHardSize(t *testing.T) {
	a := newAddresses(Limits{PerAddress: 5_000, ConnectRate: 500})
	a.size = 100
	now := time.Now()
	address := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}) }
	const held = 40
	for i := range 10_000 {
		if class := a.admit(address(i), now); class != "" {
			t.Fatalf("address %d is refused: %s", i, class)
		}
		if i >= held {
			a.release(address(i))
		}
		if len(a.known) > a.size {
			t.Fatalf("%d addresses are known", len(a.known))
		}
	}
	for i := range held {
		if a.known[address(i)] == nil {
			t.Fatalf("address %d with a connection is forgotten", i)
		}
	}
	if a.known[address(9_999)] == nil || a.idle.Len() != a.size-held {
		t.Errorf("the last address is forgotten, or %d are idle", a.idle.Len())
	}
	for i := range a.size - held {
		if class := a.admit(address(20_000+i), now); class != "" {
			t.Fatal(class)
		}
	}
	if class := a.admit(address(30_000), now); class != classAddressTable {
		t.Errorf("an address beyond a table full of connections: %q", class)
	}
	if !a.loginFailed(address(30_001), now) {
		t.Error("an unknown address may guess while the table is full")
	}
	for i := range held {
		a.release(address(i))
	}
	if class := a.admit(address(30_000), now); class != "" || a.open != a.size-held+1 {
		t.Errorf("after connections have ended: %q, %d open", class, a.open)
	}
}

// TestPhonesBehindOneCarrier: with the default limits, 5,000 phones may share an IPv4 address, and the /64 of IPv6
// counts as one.
func TestPhonesBehindOneCarrier(t *testing.T) {
	a := newAddresses(Limits{Connections: 20_000, PerAddress: 5_000, ConnectRate: 500})
	now := time.Now()
	for i := range 5_000 {
		if class := a.admit(addressPrefix(netip.MustParseAddr("203.0.113.7")),
			now.Add(time.Duration(i)*2*time.Millisecond)); class != "" {
			t.Fatalf("phone %d is refused: %s", i, class)
		}
		six := netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 14: byte(i >> 8), 15: byte(i)})
		if class := a.admit(addressPrefix(six), now.Add(time.Duration(i)*2*time.Millisecond)); class != "" {
			t.Fatalf("phone %d is refused: %s", i, class)
		}
	}
	if class := a.admit(addressPrefix(netip.MustParseAddr("2001:db8::ffff:1")),
		now.Add(time.Hour)); class != classAddress {
		t.Errorf("the 5,001st connection of a /64: %q", class)
	}
	if len(a.known) != 2 {
		t.Errorf("%d addresses known, want 2", len(a.known))
	}
}

func BenchmarkAddresses(b *testing.B) {
	a := newAddresses(Limits{PerAddress: 5_000, ConnectRate: 500})
	now := time.Now()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		at := netip.AddrFrom4([4]byte{byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i)})
		if a.admit(at, now) == "" {
			a.release(at)
		}
	}
}

// BenchmarkIdleGuests measures the memory of a guest that is connected and does nothing. With TLS it contains the
// client's end, which has its state in this process, too.
func BenchmarkIdleGuests(b *testing.B) {
	for _, at := range transports {
		b.Run(at.name, func(b *testing.B) {
			g, _ := startGuests(b, at, Options{})
			before := memory()
			n := 0
			for b.Loop() {
				r := dialRawGuest(b, g)
				r.logIn(b, guestConnect)
				r.sendPacket(subscribe("nhip/live/bus/#"))
				r.payload()
				n++
			}
			b.ReportMetric((memory()-before)/float64(n), "B/guest")
		})
	}
}

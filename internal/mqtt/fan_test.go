package mqtt_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// waitFor bounds how long a test waits for what must come.
const waitFor = 20 * time.Second

// bridge is a line to a broker that a test can cut.
type bridge struct {
	url string
	mu  sync.Mutex
	up  []net.Conn

	refusing atomic.Bool
	dialled  atomic.Int64 // connections
	ended    atomic.Int64 // of them by the broker
	deaf     atomic.Int64 // so many of them, the first, carry no message of the broker's any more
}

func newBridge(t *testing.T, broker string) *bridge {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	b := &bridge{url: "tcp://" + l.Addr().String()}
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			number := b.dialled.Add(1)
			far, err := net.Dial("tcp", strings.TrimPrefix(broker, "tcp://"))
			if err != nil {
				_ = near.Close()
				continue
			}
			b.mu.Lock()
			b.up = append(b.up, near, far)
			b.mu.Unlock()
			go func() {
				_, _ = io.Copy(far, gate{near, b})
				b.refusing.Store(false)
				_ = far.(*net.TCPConn).CloseWrite() // the broker reads what is on its way, and ends the connection
			}()
			go func() {
				b.carry(near, far, number)
				b.ended.Add(1)
				_, _ = far.Close(), near.Close()
			}()
		}
	}()
	return b
}

// deafen lets the connections that there are now carry everything but messages to the client.
func (b *bridge) deafen() { b.deaf.Store(b.dialled.Load()) }

// carry takes the broker's packets over until the broker ends the connection.
func (b *bridge) carry(near io.Writer, far io.Reader, number int64) {
	for {
		p, err := packets.ReadPacket(far)
		if err != nil {
			return
		}
		if _, isMessage := p.(*packets.PublishPacket); isMessage && number <= b.deaf.Load() {
			continue
		}
		_ = p.Write(near) // the client may have left
	}
}

// gate ends a connection at the next thing that is sent over it, once the bridge refuses.
type gate struct {
	net.Conn
	b *bridge
}

func (g gate) Read(p []byte) (int, error) {
	n, err := g.Conn.Read(p)
	if g.b.refusing.Load() {
		return 0, io.EOF
	}
	return n, err
}

// refuse ends each connection at the next thing that is sent over it, once.
func (b *bridge) refuse() { b.refusing.Store(true) }

func (b *bridge) cut() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.up {
		_ = c.Close()
	}
	b.up = nil
}

func TestAFanKnowsWhatIsAcknowledgedAcrossALostLine(t *testing.T) {
	broker := mqtttest.Start(t)
	heard := mqtttest.Listen(t, mqtt.Options{URL: broker, ClientID: "listener"}, "a/#")
	line := newBridge(t, broker)
	ctx, cancel := context.WithTimeout(t.Context(), waitFor)
	defer cancel()
	fan, err := mqtt.DialFan(ctx, mqtt.FanOptions{Options: mqtt.Options{URL: line.url, ClientID: "fan"}, Lanes: 2})
	if err != nil {
		t.Fatal(err)
	}
	const n = 300
	for i := range n {
		if i == n/2 {
			line.cut()
		}
		if err := fan.Publish(ctx, fmt.Sprintf("a/%d", i), []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if err := fan.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if fan.Acked() != n {
		t.Errorf("%d of %d are acknowledged", fan.Acked(), n)
	}
	got := make(map[string]bool)
	for len(got) < n {
		m := heard.Wait(t, fmt.Sprintf("message %d of %d", len(got)+1, n), func(m mqtttest.Message) bool { return !got[m.Topic] })
		got[m.Topic] = true
	}
}

func TestAFanRefusesWhatNoBrokerTakes(t *testing.T) {
	fan, err := mqtt.DialFan(t.Context(), mqtt.FanOptions{Options: mqtt.Options{URL: mqtttest.Start(t), ClientID: "fan"}, Lanes: 1})
	if err != nil {
		t.Fatal(err)
	}
	for topic, payload := range map[string]string{
		"": "x", "a/+": "x", "a/#": "x", "big": strings.Repeat("x", mqtt.MaxPacket),
	} {
		if fan.Publish(t.Context(), topic, []byte(payload)) == nil {
			t.Errorf("%q with %d bytes is sent", topic, len(payload))
		}
	}
	if err := fan.Close(t.Context()); err != nil || fan.Acked() != 0 {
		t.Errorf("%d acknowledged, %v", fan.Acked(), err)
	}
}

func TestAFanGivesUpOnALineThatStaysDead(t *testing.T) {
	line := newBridge(t, mqtttest.Start(t))
	fan, err := mqtt.DialFan(t.Context(), mqtt.FanOptions{Options: mqtt.Options{URL: line.url, ClientID: "fan"}, Lanes: 1})
	if err != nil {
		t.Fatal(err)
	}
	line.url = "" // nothing more is sent over it by the test
	line.cut()
	if err := fan.Publish(t.Context(), "a/1", []byte("x")); err != nil {
		t.Fatal(err)
	}
	soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err = fan.Close(soon)
	if err == nil && fan.Acked() != 1 || err != nil && !strings.Contains(err.Error(), "a/1") {
		t.Errorf("%d acknowledged, %v", fan.Acked(), err)
	}
}

func TestAFanSaysWhichMessageIsNotTaken(t *testing.T) {
	line := newBridge(t, mqtttest.Start(t))
	fan, err := mqtt.DialFan(t.Context(), mqtt.FanOptions{Options: mqtt.Options{URL: line.url, ClientID: "fan"}, Lanes: 1, Patience: 1})
	if err != nil {
		t.Fatal(err)
	}
	line.refuse() // as a broker does with what a client may not say
	if err := fan.Publish(t.Context(), "nhip/live/x", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := fan.Close(t.Context()); err == nil || !strings.Contains(err.Error(), "nhip/live/x") {
		t.Errorf("closed with %v", err)
	}
}

func TestDialNamesTheBroker(t *testing.T) {
	if _, err := mqtt.Dial(t.Context(), mqtt.Options{URL: "tcp://127.0.0.1:1", ClientID: "x"}); err == nil || !strings.Contains(err.Error(), "tcp://127.0.0.1:1") {
		t.Errorf("a broker that is not there: %v", err)
	}
	if _, err := mqtt.Dial(t.Context(), mqtt.Options{URL: "ssl://127.0.0.1:1", ClientID: "x"}); err == nil {
		t.Error("a scheme that is not known is dialled")
	}
}

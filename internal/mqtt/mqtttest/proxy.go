package mqtttest

import (
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// Proxy carries connections to a broker, and lets a test break them.
type Proxy struct {
	URL string // that clients dial

	broker string // host:port
	mu     sync.Mutex
	conns  []net.Conn // both ends of each connection

	cutNext  atomic.Bool
	dialed   atomic.Int64
	ended    atomic.Int64
	silenced atomic.Int64 // connections up to this number, counted from 1, carry no message to the client

	dropSubacks atomic.Int64  // how many of the next SUBACKs are dropped
	holdSubacks atomic.Bool   // SUBACKs wait in held
	subacks     chan struct{} // receives when a SUBACK was dropped or held
	held        []func()      // send the SUBACKs that are held; under mu
}

// NewProxy starts a proxy for the broker at a URL. It accepts connections until the test ends.
func NewProxy(t testing.TB, broker string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	p := &Proxy{
		URL: "tcp://" + l.Addr().String(), broker: strings.TrimPrefix(broker, "tcp://"), subacks: make(chan struct{}, 1<<10),
	}
	go p.accept(l)
	return p
}

// Dialed returns how many connections clients have opened.
func (p *Proxy) Dialed() int { return int(p.dialed.Load()) }

// Ended returns how many connections the broker has ended.
func (p *Proxy) Ended() int { return int(p.ended.Load()) }

// DropMessages makes the present connections carry every packet except PUBLISH to the client.
func (p *Proxy) DropMessages() { p.silenced.Store(p.dialed.Load()) }

// DropSubacks drops the next n SUBACKs.
func (p *Proxy) DropSubacks(n int) { p.dropSubacks.Store(int64(n)) }

// HoldSubacks delays every SUBACK until ReleaseSubacks.
func (p *Proxy) HoldSubacks() { p.holdSubacks.Store(true) }

// ReleaseSubacks sends the SUBACKs that were held.
func (p *Proxy) ReleaseSubacks() {
	p.holdSubacks.Store(false)
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, send := range p.held {
		send()
	}
	p.held = nil
}

// Subacks returns a channel that receives when a SUBACK was dropped or held.
func (p *Proxy) Subacks() <-chan struct{} { return p.subacks }

// withheld drops or holds a SUBACK, if the test wants that.
func (p *Proxy) withheld(packet packets.ControlPacket, client net.Conn) bool {
	if _, is := packet.(*packets.SubackPacket); !is {
		return false
	}
	hold := p.holdSubacks.Load()
	if !hold && p.dropSubacks.Add(-1) < 0 {
		return false
	}
	if hold {
		p.mu.Lock()
		p.held = append(p.held, func() { _ = packet.Write(client) }) // the client may have disconnected
		p.mu.Unlock()
	}
	p.subacks <- struct{}{}
	return true
}

// CutOnNextSend ends each connection when the client next sends something over it, until one connection has ended.
func (p *Proxy) CutOnNextSend() { p.cutNext.Store(true) }

// Cut closes the present connections.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
}

func (p *Proxy) accept(l net.Listener) {
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		number := p.dialed.Add(1)
		server, err := net.Dial("tcp", p.broker)
		if err != nil {
			_ = client.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, client, server)
		p.mu.Unlock()
		go p.toBroker(server, client)
		go p.toClient(client, server, number)
	}
}

func (p *Proxy) toBroker(server, client net.Conn) {
	_, _ = io.Copy(server, cutReader{client, p})
	p.cutNext.Store(false)
	_ = server.(*net.TCPConn).CloseWrite() // the broker reads what is in flight and ends the connection
}

// toClient copies the broker's packets until the broker ends the connection.
func (p *Proxy) toClient(client, server net.Conn, number int64) {
	for {
		packet, err := packets.ReadPacket(server)
		if err != nil {
			break
		}
		if _, isMessage := packet.(*packets.PublishPacket); isMessage && number <= p.silenced.Load() {
			continue
		}
		if p.withheld(packet, client) {
			continue
		}
		_ = packet.Write(client) // the client may have disconnected
	}
	p.ended.Add(1)
	_, _ = server.Close(), client.Close()
}

// cutReader returns io.EOF instead of the next bytes once its proxy cuts.
type cutReader struct {
	net.Conn
	p *Proxy
}

func (r cutReader) Read(b []byte) (int, error) {
	n, err := r.Conn.Read(b)
	if r.p.cutNext.Load() {
		return 0, io.EOF
	}
	return n, err
}

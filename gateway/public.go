package gateway

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"

	"nhip/internal/mqtt"

	"github.com/coder/websocket"
	broker "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

// PublicOptions say who may hear the live city from outside.
type PublicOptions struct {
	Addr      string      // host:port; port 0 picks a free one; empty: nobody
	TLS       *tls.Config // nil: plain
	Anonymous bool        // whoever comes may listen; else who has a secret of the fleet or the operator's token
}

// The public listener speaks MQTT over WebSocket, at /mqtt, and nobody may say a word there.
const (
	publicID       = "public"
	publicPath     = "/mqtt"
	publicRoom     = 1 << 10 // messages that may wait for one client
	publicFilters  = 64      // boxes of the map, at a few zooms
	publicProtocol = "mqtt"  // WebSocket sub-protocol
)

// publicHFP is where HFP's clients look for the feed; here it is nhip/live/hfp/v2/.
const publicHFP = "/hfp/v2/"

// public serves MQTT over WebSocket to the broker library.
type public struct {
	listener *listener
	server   *http.Server
	rooms    *rooms
	gone     func(net.Conn)
	bid      func(string) // farewell to the clients of a listener
	log      *slog.Logger
	served   chan struct{}
	clients  sync.WaitGroup
}

func newPublic(l *listener, r *rooms, gone func(net.Conn), bid func(string), log *slog.Logger) *public {
	return &public{listener: l, rooms: r, gone: gone, bid: bid, log: log, served: make(chan struct{})}
}

// Init does nothing: the address is bound already.
func (p *public) Init(*slog.Logger) error { return nil }

// ID names the listener.
func (p *public) ID() string { return publicID }

// Address returns the address that is listened on.
func (p *public) Address() string { return p.listener.Addr().String() }

// Protocol returns how clients speak.
func (p *public) Protocol() string { return "ws" }

// Serve takes clients in until Close.
func (p *public) Serve(establish listeners.EstablishFn) {
	defer close(p.served)
	mux := http.NewServeMux()
	mux.HandleFunc(publicPath, func(w http.ResponseWriter, r *http.Request) { p.serveClient(w, r, establish) })
	p.server = &http.Server{
		Handler: mux, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout,
		ErrorLog: slog.NewLogLogger(p.log.Handler(), slog.LevelDebug), // clients that hang up are no news
	}
	if err := p.server.Serve(p.listener); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
		p.log.Error("the public listener ended", "error", err)
	}
}

func (p *public) serveClient(w http.ResponseWriter, r *http.Request, establish listeners.EstablishFn) {
	p.clients.Add(1)
	defer p.clients.Done()
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols: []string{publicProtocol}, InsecureSkipVerify: true, // any page may show the city, and none can act here
	})
	if err != nil {
		return // it has answered
	}
	ws.SetReadLimit(maxPacket)
	open, end := context.WithCancel(context.Background())
	conn := &countedConn{Conn: remote{websocket.NetConn(open, ws, websocket.MessageBinary), r.RemoteAddr}, open: open, closed: end}
	defer p.gone(conn)
	defer func() { _ = conn.Close() }() // the library has closed most of them
	p.rooms.make(publicRoom, conn)
	_ = establish(publicID, conn) // how a client's connection ended is counted where it matters
}

// remote tells the address of a WebSocket's other end, which the library behind it does not know.
type remote struct {
	net.Conn
	at string
}

// RemoteAddr returns the address of the other end.
func (r remote) RemoteAddr() net.Addr { return addrText(r.at) }

type addrText string

func (a addrText) Network() string { return "tcp" }
func (a addrText) String() string  { return string(a) }

// Close stops listening, takes leave of the clients, and waits until all are gone. It leaves the library's own
// farewell alone: see takeLeave.
func (p *public) Close(listeners.CloseFn) {
	_ = p.listener.Close() // only says that it was closed before
	p.bid(publicID)
	<-p.served
	_ = p.server.Close() // what has not become a WebSocket yet
	p.clients.Wait()
}

// welcome makes a session of a client of the public listener. It may choose no client id: nobody can take
// another's place.
func (h *hook) welcome(cl *broker.Client, pk packets.Packet) (s *session, why string) {
	if !h.anonymous && h.accounts.Rank(pk.Connect.Password) == Nobody {
		if d, _ := h.deviceOf(cl, pk); d == nil {
			return nil, badCredentials
		}
	}
	return &session{rank: Guest}, ""
}

// guestID is a client id that nobody else has.
func guestID() string { return "guest-" + rand.Text() }

// hears reports whether a guest may be told a topic, or subscribe to a filter: the live city, and neither how
// many collectors there are nor where it stands private.
func (h *hook) hears(filter string) bool {
	filter, _ = inward(filter)
	for _, open := range []string{mqtt.LiveBuses, mqtt.LiveAir, mqtt.LiveHFP + "#"} {
		if mqtt.Covers(open, filter) {
			station, named := mqtt.ParseLiveAir(filter)
			return !named || !(*h.private.Load())[station]
		}
	}
	return false
}

// inward turns a guest's topic or filter of HFP into ours, and reports whether it was one.
func inward(filter string) (string, bool) {
	rest, ok := strings.CutPrefix(filter, publicHFP)
	if !ok {
		return filter, false
	}
	return mqtt.LiveHFP + rest, true
}

// OnUnsubscribe finds a guest's filters where OnSubscribe has put them.
func (h *hook) OnUnsubscribe(cl *broker.Client, pk packets.Packet) packets.Packet {
	if h.session(cl).rank == Guest {
		pk.Filters = slices.Clone(pk.Filters)
		for i := range pk.Filters {
			pk.Filters[i].Filter, _ = inward(pk.Filters[i].Filter)
		}
	}
	return pk
}

// OnPacketEncode writes HFP's topics as its clients know them.
func (h *hook) OnPacketEncode(cl *broker.Client, pk packets.Packet) packets.Packet {
	if rest, ok := strings.CutPrefix(pk.TopicName, mqtt.LiveHFP); ok && pk.FixedHeader.Type == packets.Publish && h.session(cl).rank == Guest {
		pk.TopicName = publicHFP + rest
	}
	return pk
}

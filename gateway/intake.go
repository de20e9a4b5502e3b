package gateway

import (
	"log/slog"
	"net"
	"sync"

	broker "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
)

// intake serves connections to the broker library. The library's own counts a connection only once
// it is being served, so that its Close can miss one that has just come: here nothing is left when
// Close returns.
type intake struct {
	name    string
	l       *listener
	gone    func(net.Conn) // hears of each connection that has ended
	bid     func(string)   // farewell to the clients of a listener
	rooms   *rooms
	room    int32          // messages that may wait for a slow client of this listener
	serving sync.WaitGroup // the connections, and Serve itself

	mu   sync.Mutex
	open map[net.Conn]bool
	shut bool
}

// newIntake returns an intake that will be served: Close waits for that to end.
func newIntake(name string, l *listener, room int32, rooms *rooms, gone func(net.Conn), bid func(string)) *intake {
	i := &intake{name: name, l: l, room: room, rooms: rooms, gone: gone, bid: bid, open: make(map[net.Conn]bool)}
	i.serving.Add(1)
	return i
}

// Init does nothing: the address is bound already.
func (i *intake) Init(*slog.Logger) error { return nil }

// ID names the listener.
func (i *intake) ID() string { return i.name }

// Address returns the address that is listened on.
func (i *intake) Address() string { return i.l.Addr().String() }

// Protocol returns the network.
func (i *intake) Protocol() string { return i.l.Addr().Network() }

// Serve takes connections in until Close.
func (i *intake) Serve(establish listeners.EstablishFn) {
	defer i.serving.Done()
	for {
		conn, err := i.l.Accept()
		if err != nil {
			return
		}
		if !i.enter(conn) {
			_ = conn.Close() // nobody is waiting for it
			return
		}
		go func() {
			defer i.leave(conn)
			i.rooms.make(i.room, conn)
			_ = establish(i.ID(), conn) // how a client's connection ended is counted where it matters
		}()
	}
}

func (i *intake) enter(conn net.Conn) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.shut {
		return false
	}
	i.open[conn] = true
	i.serving.Add(1)
	return true
}

func (i *intake) leave(conn net.Conn) {
	_ = conn.Close() // the library has closed most of them
	i.gone(conn)
	i.mu.Lock()
	delete(i.open, conn)
	i.mu.Unlock()
	i.serving.Done()
}

// Close stops listening, takes leave of the clients, cuts whoever is left and waits until all are gone. It
// leaves the library's own farewell alone: see takeLeave.
func (i *intake) Close(listeners.CloseFn) {
	_ = i.l.Close() // only says that it was closed before
	i.bid(i.ID())
	for _, conn := range i.end() {
		_ = conn.Close()
	}
	i.serving.Wait()
}

func (i *intake) end() []net.Conn {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.shut = true
	var left []net.Conn
	for conn := range i.open {
		left = append(left, conn)
	}
	return left
}

// rooms gives clients of different listeners different room for what waits for them. The library has one number
// for all, and makes a queue of that length for each connection: what a role needs would cost a device 64 kB.
type rooms struct {
	mu   sync.Mutex
	caps *broker.Capabilities
}

// make sets the number for the connection that the library is handed next, and holds the others back until it
// has made the queue: it asks for the remote address right behind it.
func (r *rooms) make(room int32, conn net.Conn) {
	counted := countedOf(conn)
	if counted == nil {
		return
	}
	r.mu.Lock()
	r.caps.MaximumClientWritesPending = room
	unlock := r.mu.Unlock
	counted.named.Store(&unlock)
}

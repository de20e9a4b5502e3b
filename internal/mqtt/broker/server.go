package broker

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"nhip/internal/mqtt/packet"
)

// Options configures a Server. Zero means the default.
type Options struct {
	Rules          Rules
	Observer       Observer
	ConnectTimeout time.Duration // from Serve to the end of CONNECT
	WriteTimeout   time.Duration // for a write to a client
	TakeOver       time.Duration // how long a new connection waits for the end of the previous one with its client id
	MaxRetained    int           // retained messages
}

// Defaults of Options.
const (
	DefaultConnectTimeout = 10 * time.Second
	DefaultWriteTimeout   = 20 * time.Second
	DefaultTakeOver       = 5 * time.Second
	DefaultMaxRetained    = 1 << 20
)

// Server is an MQTT broker. It has no listeners: Serve gets connections.
type Server struct {
	options  Options
	rules    Rules
	observer Observer
	subs     subscriptionTree
	retained *retainedStore
	expiry   *deadlines

	mu       sync.RWMutex
	clients  map[*Client]bool    // open connections, also before CONNECT
	sessions map[string]*session // by client id
	claims   map[string]*Client  // who waits last for the end of another connection with its client id
	stopping bool
	serving  sync.WaitGroup // connections

	connected, received, routed, delivered, droppedCount atomic.Int64
}

// New returns a Server that serves nothing yet.
func New(o Options) *Server {
	setDefault(&o.ConnectTimeout, DefaultConnectTimeout)
	setDefault(&o.WriteTimeout, DefaultWriteTimeout)
	setDefault(&o.TakeOver, DefaultTakeOver)
	if o.MaxRetained == 0 {
		o.MaxRetained = DefaultMaxRetained
	}
	s := &Server{
		options: o, rules: o.Rules, observer: o.Observer, clients: make(map[*Client]bool),
		sessions: make(map[string]*session), claims: make(map[string]*Client), expiry: new(deadlines),
	}
	s.retained = newRetainedStore(o.MaxRetained, s.expiry)
	return s
}

func setDefault(d *time.Duration, preset time.Duration) {
	if *d == 0 {
		*d = preset
	}
}

// Retained returns the message retained for a topic; nil if there is none.
func (s *Server) Retained(topic string) *Message { return s.retained.get(topic) }

// Identity returns what Rules gave the client with an id, which may be connected or have a session that outlived its
// connection.
func (s *Server) Identity(clientID string) (identity any, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	known := s.sessions[clientID]
	if known == nil {
		return nil, false
	}
	return known.getIdentity(), true
}

// Subscribers returns how many subscriptions match a topic.
func (s *Server) Subscribers(topic string) (n int) {
	for _, list := range s.subs.match(topic, nil) {
		for _, sub := range list {
			if !sub.removed.Load() {
				n++
			}
		}
	}
	return n
}

// Clients returns the clients that Rules have admitted.
func (s *Server) Clients() []*Client {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make([]*Client, 0, len(s.clients))
	for c := range s.clients {
		if c.admitted.Load() {
			all = append(all, c)
		}
	}
	return all
}

// Stats are counts of a Server.
type Stats struct {
	Connections   int   // open, also before CONNECT
	Clients       int   // connected
	Sessions      int   // with those that outlived their connection
	Subscriptions int   // of all sessions
	Retained      int   // messages
	Received      int64 // messages of clients
	Delivered     int64 // messages to clients
	Dropped       int64 // messages that a subscriber did not get
}

// Stats returns the present counts.
func (s *Server) Stats() Stats {
	s.mu.RLock()
	connections, sessions := len(s.clients), len(s.sessions)
	s.mu.RUnlock()
	return Stats{
		Connections: connections, Clients: int(s.connected.Load()), Sessions: sessions,
		Subscriptions: s.subs.len(), Retained: s.retained.len(), Received: s.received.Load(),
		Delivered: s.delivered.Load(), Dropped: s.droppedCount.Load(),
	}
}

// Stop tells all clients that the server shuts down, closes their connections and waits for their end. Connections that
// are passed to Serve later are closed at once.
func (s *Server) Stop(ctx context.Context) error {
	for _, c := range s.beginStop() {
		c.end(packet.ServerShuttingDown)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); s.serving.Wait() }()
	select {
	case <-ended:
		s.expiry.close()
		return nil
	case <-ctx.Done():
		return fmt.Errorf("MQTT connections have not ended: %w", ctx.Err())
	}
}

func (s *Server) beginStop() []*Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopping = true
	all := make([]*Client, 0, len(s.clients))
	for c := range s.clients {
		all = append(all, c)
	}
	return all
}

// drop counts a message that a subscriber does not get.
func (s *Server) drop(clientID, cause string) {
	s.droppedCount.Add(1)
	s.observer.dropped(clientID, cause)
}

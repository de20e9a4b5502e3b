package gateway

import (
	"net"
	"sync"
	"time"
)

// seats are the client ids that are taken. The library disconnects a client whose id comes again, and the
// old connection's end may then take the new one off its register: it would go on, deaf, beside a third. So
// whoever comes takes the seat here first, and enters when the connection before has ended for good.
type seats struct {
	mu    sync.Mutex
	taken map[string]*seat
}

type seat struct {
	id   string
	conn net.Conn
	left chan struct{} // closed when the connection has ended
}

// seatTimeout is how long a new connection waits for the one before it to end; one that waits for a full disk
// may take longer.
const seatTimeout = 5 * time.Second

// take ends the connection that holds a client id and waits until it has; false when that takes too long.
func (s *seats) take(id string, conn net.Conn) (*seat, bool) {
	mine := &seat{id, conn, make(chan struct{})}
	s.mu.Lock()
	if s.taken == nil {
		s.taken = make(map[string]*seat)
	}
	before := s.taken[id]
	s.taken[id] = mine
	s.mu.Unlock()
	if before == nil {
		return mine, true
	}
	_ = before.conn.Close() // it may be gone already
	late := time.NewTimer(seatTimeout)
	defer late.Stop()
	select {
	case <-before.left:
		return mine, true
	case <-late.C:
		s.giveBack(mine, before)
		return nil, false
	}
}

// giveBack leaves a seat to who has not left it yet.
func (s *seats) giveBack(mine, before *seat) {
	close(mine.left)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken[mine.id] == mine {
		s.taken[mine.id] = before
	}
}

// leave gives a seat free; nil is none.
func (s *seats) leave(mine *seat) {
	if mine == nil {
		return
	}
	close(mine.left)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken[mine.id] == mine {
		delete(s.taken, mine.id)
	}
}

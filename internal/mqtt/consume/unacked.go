package consume

import "sync"

// maxUnacked is how many messages the acceptor may hold at once: the number of MQTT packet ids.
const maxUnacked = 1<<16 - 1

// unacked holds the packets that were passed to the acceptor and are not acknowledged yet. It releases them in the
// order in which they arrived, as MQTT 3.1.1 §4.6 demands, in whatever order the acceptor answers.
type unacked struct {
	mu      sync.Mutex
	changed *sync.Cond // the first packet was settled, packets were released, or closing or dropped changed
	first   uint64     // number of packets[0]
	packets []packet
	limit   int
	closing bool // add returns false
	dropped bool // release returns false
}

type packet struct {
	id      uint16
	settled bool
	skipped bool // it was not passed to the acceptor
}

func newUnacked(limit int) *unacked {
	u := &unacked{limit: limit}
	u.changed = sync.NewCond(&u.mu)
	return u
}

// add adds a packet and returns its number. It blocks while limit packets are held. It returns false after close or
// drop.
func (u *unacked) add(id uint16) (uint64, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for len(u.packets) >= u.limit && !u.closing {
		u.changed.Wait()
	}
	if u.closing {
		return 0, false
	}
	u.packets = append(u.packets, packet{id: id})
	return u.first + uint64(len(u.packets)) - 1, true
}

// settle marks a packet as ready to be acknowledged. It does not block.
func (u *unacked) settle(number uint64, skipped bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.dropped {
		return
	}
	p := &u.packets[number-u.first]
	p.settled, p.skipped = true, skipped
	if number == u.first {
		u.changed.Broadcast()
	}
}

// release blocks until the first packet is settled. It removes that packet and the settled ones directly behind it,
// appends their ids to ids, and reports whether the acceptor accepted any of them. It returns ok false after drop, and
// after close once no packet is left.
func (u *unacked) release(ids []uint16) (_ []uint16, accepted, ok bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for !u.dropped && (len(u.packets) > 0 && !u.packets[0].settled || len(u.packets) == 0 && !u.closing) {
		u.changed.Wait()
	}
	if u.dropped || len(u.packets) == 0 {
		return nil, false, false
	}
	n := 0
	for ; n < len(u.packets) && u.packets[n].settled; n++ {
		ids = append(ids, u.packets[n].id)
		accepted = accepted || !u.packets[n].skipped
	}
	u.packets = u.packets[n:]
	u.first += uint64(n)
	u.changed.Broadcast()
	return ids, accepted, true
}

func (u *unacked) len() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.packets)
}

// close makes add return false. release goes on until the last packet is released.
func (u *unacked) close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.closing = true
	u.changed.Broadcast()
}

// drop forgets the packets that are not released; the broker delivers them again.
func (u *unacked) drop() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.closing, u.dropped, u.packets = true, true, nil
	u.changed.Broadcast()
}

package mqtt

import "sync"

// maxUnacked is how many messages the door may have at once: as many as there are packet ids.
const maxUnacked = 1<<16 - 1

// unacked holds the packets that the door has and that are not acknowledged yet. They are released
// in the order in which they came, as MQTT asks (3.1.1 §4.6), whatever the order of their outcomes.
type unacked struct {
	mu      sync.Mutex
	changed *sync.Cond // the first was settled, packets were released, or the end came
	first   uint64     // the number of packets[0]
	packets []packet
	most    int
	closing bool // nothing is added any more
	dropped bool // nothing is released any more
}

type packet struct {
	id      uint16
	settled bool
	skipped bool // the door has not seen it
}

func newUnacked(most int) *unacked {
	u := &unacked{most: most}
	u.changed = sync.NewCond(&u.mu)
	return u
}

// add lists a packet and returns its number. It waits while too many are listed, and reports false
// when nothing may be added any more.
func (u *unacked) add(id uint16) (uint64, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for len(u.packets) >= u.most && !u.closing {
		u.changed.Wait()
	}
	if u.closing {
		return 0, false
	}
	u.packets = append(u.packets, packet{id: id})
	return u.first + uint64(len(u.packets)) - 1, true
}

// settle marks a packet as one to acknowledge. It never waits.
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

// release waits until the first packet may be acknowledged, and returns the ids of it and of those
// behind it up to the first that may not, and whether the door took any of them. It reports false
// when nothing is released any more.
func (u *unacked) release(ids []uint16) (_ []uint16, taken, ok bool) {
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
		taken = taken || !u.packets[n].skipped
	}
	u.packets = u.packets[n:]
	u.first += uint64(n)
	u.changed.Broadcast()
	return ids, taken, true
}

func (u *unacked) len() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.packets)
}

// close lets nothing be added any more; release ends when the last is released.
func (u *unacked) close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.closing = true
	u.changed.Broadcast()
}

// drop forgets what is not released: the broker will deliver it again.
func (u *unacked) drop() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.closing, u.dropped, u.packets = true, true, nil
	u.changed.Broadcast()
}

package broker

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"nhip/internal/awaittest"
	"nhip/internal/mqtt/packet"
)

// store is a disk that takes messages in groups, at its own pace, and sometimes fails.
type store struct {
	mu      sync.Mutex
	waiting []func(error)
	written []string // of waiting
	stored  map[string]int
}

func (s *store) take(_ *Client, m *Message, done func(error)) Decision {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting, s.written = append(s.waiting, done), append(s.written, string(m.Payload))
	return Take
}

// run writes groups until stop is closed.
func (s *store) run(stop chan struct{}) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
			if rand.IntN(3) > 0 {
				s.commit(rand.IntN(100) == 0)
			}
		}
	}
}

func (s *store) commit(fails bool) {
	s.mu.Lock()
	dones, written := s.waiting, s.written
	s.waiting, s.written = nil, nil
	if !fails {
		for _, w := range written {
			s.stored[w]++
		}
	}
	s.mu.Unlock()
	for _, done := range dones {
		if fails {
			done(errors.New("the disk fails"))
		} else {
			done(nil)
		}
	}
}

func (s *store) has(payload string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stored[payload] > 0
}

// stressed is a device that sends numbered messages with QoS 1 and 2, several at a time, over connections that break.
type stressed struct {
	t       *testing.T
	b       *testBroker
	s       *store
	name    string
	version byte
	next    int             // number of the next message
	flying  []flyingMessage // not acknowledged, in the order in which they were sent
	comp    map[uint16]bool // packet ids with a PUBREC and no PUBCOMP
	lastID  uint16
}

type flyingMessage struct {
	id      uint16
	qos     byte
	payload string
}

func (d *stressed) freeID() uint16 {
	for {
		d.lastID = d.lastID%12 + 1
		used := d.comp[d.lastID]
		for _, f := range d.flying {
			used = used || f.id == d.lastID
		}
		if !used {
			return d.lastID
		}
	}
}

// connection sends and receives until it breaks, or all messages are acknowledged.
func (d *stressed) connection(total int) {
	r, _ := d.b.login(d.t, d.version, d.name, false, keep(d.version)...)
	defer func() { _ = r.Close() }()
	for id := range d.comp {
		r.send(pack(0x62, num(id)))
	}
	for _, f := range d.flying {
		p := publishPacket(d.version, f.qos, "a", f.id, f.payload)
		p[0] |= 8
		r.send(p)
	}
	for {
		for len(d.flying)+len(d.comp) < 8 && d.next < total {
			f := flyingMessage{d.freeID(), byte(1 + rand.IntN(2)), fmt.Sprint(d.name, "/", d.next)}
			d.next++
			d.flying = append(d.flying, f)
			r.send(publishPacket(d.version, f.qos, "a", f.id, f.payload))
		}
		if len(d.flying)+len(d.comp) == 0 || rand.IntN(60) == 0 {
			return
		}
		got := r.read()
		if got == nil || got[0] == 0xe0 { // the disk failed
			return
		}
		d.receive(r, got)
	}
}

func (d *stressed) receive(r *raw, got []byte) {
	id := uint16(got[2])<<8 | uint16(got[3])
	switch got[0] {
	case 0x70:
		delete(d.comp, id)
		return
	case 0x40, 0x50:
	default:
		d.t.Fatalf("received % x", got)
	}
	// A PUBREC for a message that was sent again may overtake, because nothing has to be written for it.
	at := 0
	for got[0] == 0x50 && at < len(d.flying)-1 && d.flying[at].id != id {
		at++
	}
	f := d.flying[at]
	if f.id != id || (f.qos == 2) != (got[0] == 0x50) {
		d.t.Errorf("received % x, want the acknowledgement of %+v", got, f)
	}
	if !d.s.has(f.payload) {
		d.t.Errorf("%s is acknowledged and not stored", f.payload)
	}
	d.flying = append(d.flying[:at:at], d.flying[at+1:]...)
	if f.qos == 2 {
		d.comp[id] = true
		r.send(pack(0x62, num(id)))
	}
}

// TestAcknowledgedIsStored: whatever breaks, and in whatever order packet ids are used again, a message that is
// acknowledged is stored, and acknowledgements come in the order of the messages.
func TestAcknowledgedIsStored(t *testing.T) {
	const devices, total = 6, 300
	s := &store{stored: make(map[string]int)}
	b := startBroker(t, &testRules{limits: persistent, publish: s.take})
	stop := make(chan struct{})
	var disk, all sync.WaitGroup
	disk.Go(func() { s.run(stop) })
	end := time.Now().Add(awaittest.Timeout)
	for i := range devices {
		all.Go(func() {
			d := &stressed{
				t: t, b: b, s: s, name: fmt.Sprint("d", i), version: packet.V311 + byte(i%2), comp: make(map[uint16]bool),
			}
			for d.next < total || len(d.flying)+len(d.comp) > 0 {
				if d.connection(total); time.Now().After(end) {
					t.Errorf("%s: %d messages, %d and %d left", d.name, d.next, len(d.flying), len(d.comp))
					return
				}
			}
		})
	}
	all.Wait()
	close(stop)
	disk.Wait()
	if len(s.stored) != devices*total {
		t.Errorf("%d messages stored, want %d", len(s.stored), devices*total)
	}
	copies := 0
	for _, n := range s.stored {
		copies += n
	}
	t.Logf("%d messages, %d stored", devices*total, copies)
}

// TestSubscriberMissesNothing: a client with a persistent session gets each message with QoS 1, in order, however often
// its connection breaks or another one takes the session over, and however few messages it wants at once.
func TestSubscriberMissesNothing(t *testing.T) {
	eachVersion(t, func(t *testing.T, version byte) {
		const total = 2000
		b := startBroker(t, &testRules{limits: &Limits{SessionExpiry: 3600, Queue: total, Unacked: 7}})
		first, _ := b.login(t, version, "c", false, keep(version)...)
		first.subscribe(version, 1, "a/#", "+/b")
		published := make(chan struct{})
		go func() {
			defer close(published)
			for i := range total {
				_ = b.Publish(Message{Topic: "a/b", Payload: fmt.Append(nil, i), QoS: 1})
				if i%10 == 0 {
					<-time.After(100 * time.Microsecond)
				}
			}
		}()
		next := 0
		for r := first; next < total; {
			if rand.IntN(50) == 0 {
				before := r
				if rand.IntN(2) == 0 {
					_ = before.Close()
				}
				r, _ = b.login(t, version, "c", false, append(keep(version), receiveMaximum(version)...)...)
				_ = before.Close()
			}
			got := r.read()
			if len(got) == 0 || got[0]&0xf0 != 0x30 {
				t.Fatalf("received % x after %d messages", got, next)
			}
			p, err := packet.DecodePublish(got[0]&0x0f, got[2:], version)
			if err != nil {
				t.Fatal(err)
			}
			var n int
			_, _ = fmt.Sscan(string(p.Payload), &n)
			if n > next || n < next && !p.Dup {
				t.Fatalf("received %d with DUP %v, want %d", n, p.Dup, next)
			}
			next = max(next, n+1)
			if rand.IntN(20) > 0 {
				r.send(puback(p.ID))
			} else {
				before := r // it leaves without the acknowledgement
				r, _ = b.login(t, version, "c", false, keep(version)...)
				_ = before.Close()
			}
		}
		<-published
		if n := b.Stats().Dropped; n > 0 {
			t.Errorf("%d messages dropped", n)
		}
	})
}

func receiveMaximum(version byte) []byte {
	if version < packet.V5 {
		return nil
	}
	return []byte{0x21, 0, byte(1 + rand.IntN(5))}
}

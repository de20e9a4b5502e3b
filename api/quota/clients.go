package quota

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// counter bounds the entries of all shards together.
type counter struct {
	n    atomic.Int64
	most int64
}

func (c *counter) full() bool { return c.n.Load() >= c.most }

// sharedBucket is a bucket that all shards use.
type sharedBucket struct {
	mu sync.Mutex
	bucket
}

func (s *sharedBucket) take(now time.Duration, rate, cost float64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bucket.take(now, rate, rate, cost)
}

// client is a client without a key.
type client struct {
	from    netip.AddrPort
	group   *group
	bucket  bucket
	first   time.Duration // of its requests
	last    time.Duration
	settled bool
}

// groupKey names the clients of one address that say the same of themselves: a program among the phones of a mobile
// operator is slowed without them.
type groupKey struct {
	addr netip.Addr
	slot uint8
}

// group is what the clients of a groupKey have in common.
type group struct {
	key     groupKey
	settled int    // clients that stayed
	members int    // clients
	fresh   bucket // new clients
	common  bucket // of clients beyond these
	spare   bucket // its part of what all share
	last    time.Duration
}

const shardCount = 16

// shard holds the clients of some addresses. Its mutex is held for some comparisons only.
type shard struct {
	quota *Quota

	mu      sync.Mutex
	clients map[netip.AddrPort]*node[client]
	groups  map[groupKey]*node[group]
	passing list[client] // that have not stayed yet
	staying list[client]
	byAge   list[group]
}

// shardOf returns the shard of an address.
func shardOf(addr netip.Addr) int {
	b := addr.As16()
	var h uint32 = 2166136261 // FNV-1a
	for _, x := range b {
		h = (h ^ uint32(x)) * 16777619
	}
	return int(h>>16^h) % shardCount
}

// take decides about a request.
func (s *shard) take(c *Caller, now time.Duration, cost float64, idle bool) Decision {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(now)
	one := s.client(c, now)
	rate, b, g := s.quota.limits.Client, (*bucket)(nil), (*group)(nil)
	if one == nil {
		g = s.group(c, now)
		b = &g.common
	} else {
		b, g = &one.bucket, one.group
	}
	rate = c.rate(rate)
	d := Decision{Policy: PolicyClient, Burst: int(rate * Seconds)}
	if !b.take(now, rate, rate*Seconds, cost) {
		d.Outcome = Limited
		if s.quota.share(&g.spare, now, cost, idle) {
			d.Outcome = Spare
		}
	}
	d.Left, d.Full, d.Wait = b.state(rate, rate*Seconds, cost)
	return d
}

// charge takes what a client has cost already, so that it waits before its next request.
func (s *shard) charge(c *Caller, now time.Duration, cost float64, rate float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := &s.group(c, now).common
	if n := s.clients[c.From]; n != nil {
		b = &n.value.bucket
	}
	b.charge(now, rate, cost)
}

// client returns the client of a request, or nil if its group brings too many new ones, or too many are known.
func (s *shard) client(c *Caller, now time.Duration) *client {
	n := s.clients[c.From]
	if n == nil {
		return s.add(c, now)
	}
	one := &n.value
	one.last = now
	one.group.last = now
	if !one.settled && now-one.first >= settledAfter {
		one.settled = true
		one.group.settled++
		s.passing.remove(n)
		s.staying.push(n)
		return one
	}
	if one.settled {
		s.staying.touch(n)
	} else {
		s.passing.touch(n)
	}
	return one
}

// add adds a client.
func (s *shard) add(c *Caller, now time.Duration) *client {
	g := s.group(c, now)
	rate := newClients + float64(g.settled)/returnsAfter
	if !g.fresh.take(now, rate, newClientsBurst, 1) {
		return nil
	}
	if s.quota.clients.full() && !s.dropClient(s.passing.oldest()) && !s.dropClient(s.staying.oldest()) {
		return nil
	}
	n := &node[client]{value: client{from: c.From, group: g, first: now, last: now}}
	if s.clients == nil {
		s.clients = make(map[netip.AddrPort]*node[client])
	}
	s.clients[c.From] = n
	s.passing.push(n)
	s.quota.clients.n.Add(1)
	g.members++
	return &n.value
}

// visited is how many groups are visited to find one without clients.
const visited = 8

// group returns the group of a request. Beyond the bound, a shard forgets its oldest groups without clients.
func (s *shard) group(c *Caller, now time.Duration) *group {
	key := groupKey{c.From.Addr(), uint8(c.Agent % agentSlots)}
	if n := s.groups[key]; n != nil {
		s.byAge.touch(n)
		n.value.last = now
		return &n.value
	}
	for i := 0; i < visited && s.quota.groups.full(); i++ {
		if n := s.byAge.oldest(); n != nil && !s.dropGroup(n) {
			s.byAge.touch(n)
		}
	}
	n := &node[group]{value: group{key: key, last: now}}
	if s.groups == nil {
		s.groups = make(map[groupKey]*node[group])
	}
	s.groups[key] = n
	s.byAge.push(n)
	s.quota.groups.n.Add(1)
	return &n.value
}

// forget drops what has not been heard of for long. What is younger than that stays in front, so that little is
// visited.
func (s *shard) forget(now time.Duration) {
	old := now - forgetAfter
	for _, l := range []*list[client]{&s.passing, &s.staying} {
		for n := l.oldest(); n != nil && n.value.last < old; n = l.oldest() {
			s.dropClient(n)
		}
	}
	for n := s.byAge.oldest(); n != nil && n.value.last < old; n = s.byAge.oldest() {
		if !s.dropGroup(n) {
			n.value.last = now
			s.byAge.touch(n)
		}
	}
}

// dropClient removes a client. It reports false for nil.
func (s *shard) dropClient(n *node[client]) bool {
	if n == nil {
		return false
	}
	g := n.value.group
	g.members--
	if n.value.settled {
		g.settled--
		s.staying.remove(n)
	} else {
		s.passing.remove(n)
	}
	delete(s.clients, n.value.from)
	s.quota.clients.n.Add(-1)
	return true
}

// dropGroup removes a group. It reports false if the group has clients.
func (s *shard) dropGroup(n *node[group]) bool {
	if n.value.members > 0 {
		return false
	}
	s.byAge.remove(n)
	delete(s.groups, n.value.key)
	s.quota.groups.n.Add(-1)
	return true
}

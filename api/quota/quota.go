// Package quota shares the api among its clients by what their requests cost: token buckets of keys and of clients
// without one, and a bucket that all of these share.
//
// A client without a key is a connection: an address may be one program or a mobile operator with thousands of phones.
// Each client has a bucket. Only an address that brings more new clients than people do has one bucket for all further
// ones; so many new clients are as usual as it has had clients that stayed. What a client asks beyond its bucket is
// still served while the server has nothing else to do, within the shared bucket.
package quota

import (
	"net/netip"
	"time"
)

// Limits are units a second. A rate of 0 is no limit.
type Limits struct {
	Client float64 // of each client without a key
	Key    float64 // of each key
	Spare  float64 // beyond these, of all together, while the server is idle; an address or key has half of it; 0: none
}

// Seconds is the time in which an empty bucket fills: its size is so many times its rate.
const Seconds = 30

// Bounds and times.
const (
	maxClients = 1 << 16 // that are known; the one not heard of for longest is forgotten for a new one
	maxGroups  = 1 << 15
	maxKeys    = 1 << 12

	settledAfter = 2 * time.Second // a client that sends requests for so long stays
	forgetAfter  = 3 * time.Minute // longer than a connection may be idle

	newClients      = 20    // a second of one group, besides those that come back
	newClientsBurst = 5_000 // at once: all phones of a mobile operator after a restart
	returnsAfter    = 30    // seconds after which each client that stayed may come anew

	// A proxy that forwards no ports hides the clients of an address. Its bucket is that of so many.
	hiddenClients = 100

	agentSlots = 64 // groups of an address
)

// Class is a class of cost of requests.
type Class struct {
	Name string
	Cost float64 // units
}

// Classes of requests, by their cost.
var (
	Cached  = Class{"tile", 0.1} // a tile of the cache
	Cheap   = Class{"cheap", 1}
	List    = Class{"list", 2}
	Draw    = Class{"draw", 2} // of a tile, besides Cached
	Stream  = Class{"stream", 5}
	Write   = Class{"write", 5}
	History = Class{"history", 20}
)

// Classes are all classes.
var Classes = []Class{Cached, Cheap, List, Draw, Stream, Write, History}

// Caller is who a request counts for.
type Caller struct {
	Key   string         // id of its key; "" without one
	From  netip.AddrPort // address of the client, with the port if it is known; for IPv6 the /64
	Agent uint64         // hash of what the client says of itself
}

// rate returns the rate of a client's bucket.
func (c *Caller) rate(each float64) float64 {
	if c.From.Port() == 0 {
		return hiddenClients * each
	}
	return each
}

// Outcome is what a Quota decides about a request.
type Outcome int

// Outcomes.
const (
	Within  Outcome = iota // the bucket had enough
	Spare                  // served beyond the bucket because the server is idle
	Limited                // to be refused
)

// Outcomes are the names of the outcomes in metrics.
var Outcomes = [...]string{"within", "spare", "limited"}

// Decision is what a Quota decides about a request, and what it tells the client.
type Decision struct {
	Outcome Outcome
	Policy  string // PolicyClient or PolicyKey; "": no limit, and nothing below is set
	Burst   int    // units of a full bucket
	Left    int    // units
	Full    int    // seconds until the bucket is full
	Wait    int    // seconds until the bucket has what the request costs
}

// Names of the policies.
const (
	PolicyClient = "client"
	PolicyKey    = "key"
)

// Quota decides which requests are served. It is safe for concurrent use.
type Quota struct {
	limits  Limits
	clock   func() time.Duration
	spare   sharedBucket
	keys    keys
	shards  [shardCount]shard
	clients counter
	groups  counter
}

// New returns a quota, or nil, which limits nothing, if neither clients nor keys have a limit.
func New(l Limits) *Quota {
	began := time.Now()
	return newQuota(l, func() time.Duration { return time.Since(began) })
}

func newQuota(l Limits, clock func() time.Duration) *Quota {
	if l.Client <= 0 && l.Key <= 0 {
		return nil
	}
	q := &Quota{limits: l, clock: clock}
	q.clients.most, q.groups.most = maxClients, maxGroups
	for i := range q.shards {
		q.shards[i].quota = q
	}
	return q
}

// Take decides about a request that costs so many units. idle reports whether the server has nothing else to do.
func (q *Quota) Take(c *Caller, cost float64, idle bool) Decision {
	if c.Key != "" {
		return q.takeKey(c.Key, cost, idle)
	}
	if q.limits.Client <= 0 {
		return Decision{}
	}
	return q.shards[shardOf(c.From.Addr())].take(c, q.clock(), cost, idle)
}

// Charge takes what the requests of a client cost more than was known when they were decided about.
func (q *Quota) Charge(c *Caller, cost float64) {
	switch {
	case c.Key != "":
		q.chargeKey(c.Key, cost)
	case q.limits.Client > 0:
		q.shards[shardOf(c.From.Addr())].charge(c, q.clock(), cost, c.rate(q.limits.Client))
	}
}

// share takes units of what is shared. own is the part of the one that asks.
func (q *Quota) share(own *bucket, now time.Duration, cost float64, idle bool) bool {
	half := q.limits.Spare / 2
	if !idle || half <= 0 || !own.take(now, half, half, cost) {
		return false
	}
	return q.spare.take(now, q.limits.Spare, cost)
}

package quota

import "sync"

// keyed is the state of a key.
type keyed struct {
	id     string
	bucket bucket
	spare  bucket
}

// keys holds the buckets of the keys that were used lately.
type keys struct {
	mu    sync.Mutex
	known map[string]*node[keyed]
	byAge list[keyed]
}

// takeKey decides about a request with a key, which has its rate whatever others do.
func (q *Quota) takeKey(id string, cost float64, idle bool) Decision {
	rate, now := q.limits.Key, q.clock()
	if rate <= 0 {
		return Decision{}
	}
	q.keys.mu.Lock()
	defer q.keys.mu.Unlock()
	k := q.keys.get(id)
	d := Decision{Policy: PolicyKey, Burst: int(rate * Seconds)}
	if !k.bucket.take(now, rate, rate*Seconds, cost) {
		d.Outcome = Limited
		if q.share(&k.spare, now, cost, idle) {
			d.Outcome = Spare
		}
	}
	d.Left, d.Full, d.Wait = k.bucket.state(rate, rate*Seconds, cost)
	return d
}

func (q *Quota) chargeKey(id string, cost float64) {
	if rate := q.limits.Key; rate > 0 {
		q.keys.mu.Lock()
		defer q.keys.mu.Unlock()
		q.keys.get(id).bucket.charge(q.clock(), rate, cost)
	}
}

// get returns the state of a key. Beyond maxKeys the one that was not used for longest begins anew.
func (k *keys) get(id string) *keyed {
	if n := k.known[id]; n != nil {
		k.byAge.touch(n)
		return &n.value
	}
	if k.known == nil {
		k.known = make(map[string]*node[keyed])
	}
	if len(k.known) >= maxKeys {
		old := k.byAge.oldest()
		k.byAge.remove(old)
		delete(k.known, old.value.id)
	}
	n := &node[keyed]{value: keyed{id: id}}
	k.known[id] = n
	k.byAge.push(n)
	return &n.value
}

// Known returns how many clients and groups of clients are in memory.
func (q *Quota) Known() (clients, groups int) {
	if q == nil {
		return 0, 0
	}
	return int(q.clients.n.Load()), int(q.groups.n.Load())
}

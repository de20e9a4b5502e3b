package quota

import (
	"math"
	"time"
)

// bucket is a token bucket that is filled when it is used. The zero bucket is full at its first use.
type bucket struct {
	spent float64       // what is missing of a full bucket
	at    time.Duration // of the last use
}

// fill adds what has flowed in since the last use, at rate units a second.
func (b *bucket) fill(now time.Duration, rate float64) {
	if now > b.at {
		b.spent = max(0, b.spent-rate*(now-b.at).Seconds())
		b.at = now
	}
}

// take takes cost units, or none and reports false if fewer are left. A request that costs more than a full bucket
// needs a full one.
func (b *bucket) take(now time.Duration, rate, burst, cost float64) bool {
	b.fill(now, rate)
	if b.spent+min(cost, burst) > burst {
		return false
	}
	b.spent += cost
	return true
}

// debt is for how many seconds a bucket may be emptier than empty.
const debt = 10

// charge takes cost units although there may be fewer.
func (b *bucket) charge(now time.Duration, rate, cost float64) {
	b.fill(now, rate)
	b.spent = min(b.spent+cost, rate*(Seconds+debt))
}

// state returns what is left in whole units, the seconds until the bucket is full, and the seconds until it has cost
// units, each rounded up and at least 1.
func (b *bucket) state(rate, burst, cost float64) (left, full, wait int) {
	seconds := func(units float64) int { return max(1, int(math.Ceil(units/rate))) }
	return max(0, int(burst-b.spent)), seconds(b.spent), seconds(b.spent + min(cost, burst) - burst)
}

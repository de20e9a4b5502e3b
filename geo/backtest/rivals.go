package backtest

import (
	"time"

	"nhip/geo/network"
	"nhip/geo/predict"
)

// maxRivals is the number of questions that await their arrivals; later ones are not recorded. Each takes 40 bytes.
const maxRivals = 100_000

// Rivals compares two predictions of the same arrivals, which were made at the same moments: ours and those of a
// realtime feed. What only one of them told is not compared. It is not safe for concurrent use.
type Rivals struct {
	settled time.Time
	trips   map[instanceKey][]rivalry
	count   int
	sink    func(feed string, at time.Time, o RivalOutcome)
}

// rivalry is what both told at a time, in Unix ms.
type rivalry struct {
	feed             string
	at, ours, theirs int64
	stop             int32
}

// RivalOutcome is which of the two was right, by the windows of the ETA Accuracy Benchmark. Bin is that of the time
// that was really left, from 0.
type RivalOutcome struct {
	Bin          int
	Ours, Theirs bool
}

// RivalBins is the number of bins of outcomes.
const RivalBins = len(benchmark)

// NewRivals returns an empty comparison that passes what it finds to sink.
func NewRivals(sink func(feed string, at time.Time, o RivalOutcome)) *Rivals {
	return &Rivals{trips: make(map[instanceKey][]rivalry), sink: sink}
}

// Told records when a bus is expected at a stop of its trip: by us, and by a realtime feed.
func (r *Rivals) Told(feed string, trip *network.TripInstance, stop int, now, ours, theirs time.Time) {
	r.settle(now)
	if r.count >= maxRivals {
		return
	}
	key := keyOf(trip)
	r.trips[key] = append(r.trips[key], rivalry{
		feed, now.UnixMilli(), ours.UnixMilli(), theirs.UnixMilli(), int32(stop),
	})
	r.count++
}

// Arrived compares an arrival with what was told of it. What was told of the stops before is dropped.
func (r *Rivals) Arrived(a *predict.Arrival) {
	if a.Arrived.IsZero() || a.Instance == nil {
		return
	}
	key := keyOf(a.Instance)
	all := r.trips[key]
	kept := all[:0]
	for _, x := range all {
		if int(x.stop) > a.Stop {
			kept = append(kept, x)
			continue
		}
		now := time.UnixMilli(x.at)
		if i := binOf(&benchmark, a.Arrived.Sub(now).Seconds()); int(x.stop) == a.Stop && i >= 0 {
			right := func(told int64) bool {
				return benchmark[i].accepts(a.Arrived.Sub(time.UnixMilli(max(told, x.at))).Seconds())
			}
			r.sink(x.feed, a.Arrived, RivalOutcome{i, right(x.ours), right(x.theirs)})
		}
	}
	r.keep(key, len(all), kept)
}

// settle drops what no arrival has answered.
func (r *Rivals) settle(now time.Time) {
	if d := now.Sub(r.settled); d >= 0 && d < settlesEvery {
		return
	}
	r.settled = now
	before := now.Add(-ghostAfter).UnixMilli()
	for key, all := range r.trips {
		kept := all[:0]
		for _, x := range all {
			if max(x.at, x.ours, x.theirs) >= before {
				kept = append(kept, x)
			}
		}
		r.keep(key, len(all), kept)
	}
}

func (r *Rivals) keep(key instanceKey, before int, kept []rivalry) {
	r.count -= before - len(kept)
	if r.trips[key] = kept; len(kept) == 0 {
		delete(r.trips, key)
	}
}

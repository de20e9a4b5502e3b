package collector

import (
	"sync"
	"time"
)

// What dead letters may take, by the machine's clock. A box that is set up wrong says the same wrong
// thing for months: some of it shows what is wrong, all of it would fill the disk.
const (
	sampleSpan    = time.Minute
	sampleLetters = 30        // that one sender has kept in a span
	sampleBytes   = 256 << 10 // of payloads, the same
	sampleOneIn   = 100       // of what one sender says beyond, as long as there is room for all
	sampleAll     = 8 << 20   // bytes of payloads that all senders have kept in a span
	maxSampled    = 10_000    // senders that are told apart in a span
)

// sampler decides which messages that are turned away become dead letters. All of them are counted.
type sampler struct {
	mu      sync.Mutex
	began   time.Time
	bytes   int // kept in this span
	senders map[string]*quota
}

// quota is what a sender has used up of a span.
type quota struct {
	letters, bytes int
	skipped        int // since the last that was kept
}

func newSampler() *sampler { return &sampler{senders: make(map[string]*quota)} }

// sample decides on a payload of so many bytes. It returns how many of the sender's messages were not
// kept since the last that was, and whether this one is not either.
func (s *sampler) sample(sender string, size int, now time.Time) (skipped int, unkept bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.began) >= sampleSpan {
		s.turn(now)
	}
	q := s.senders[sender]
	if q == nil {
		if len(s.senders) >= maxSampled {
			sender = "" // all further ones share one quota
		}
		if q = s.senders[sender]; q == nil {
			q = new(quota)
			s.senders[sender] = q
		}
	}
	if !q.admits(size) || s.bytes+size > sampleAll {
		q.skipped++
		return 0, true
	}
	skipped, q.skipped = q.skipped, 0
	q.letters++
	q.bytes += size
	s.bytes += size
	return skipped, false
}

func (q *quota) admits(size int) bool {
	within := q.letters == 0 || q.letters < sampleLetters && q.bytes+size <= sampleBytes
	return within || q.skipped+1 >= sampleOneIn
}

// turn begins a new span. A sender is remembered as long as there is something to tell of it, unless
// there are too many.
func (s *sampler) turn(now time.Time) {
	s.began, s.bytes = now, 0
	if len(s.senders) >= maxSampled {
		clear(s.senders)
	}
	for sender, q := range s.senders {
		q.letters, q.bytes = 0, 0
		if q.skipped == 0 {
			delete(s.senders, sender)
		}
	}
}

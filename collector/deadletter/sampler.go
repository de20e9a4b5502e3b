package deadletter

import (
	"sync"
	"time"
)

// Quotas of dead letters, by the machine's clock. A misconfigured device sends the same error for months: a sample
// shows the fault, all of its messages would fill the disk.
const (
	quotaSpan    = time.Minute
	QuotaLetters = 30        // letters of one sender in a span
	quotaBytes   = 256 << 10 // of payloads, likewise
	SampleOneIn  = 100       // messages beyond the quota, as long as totalBytes permits
	totalBytes   = 8 << 20   // payloads of all senders in a span
	maxSenders   = 10_000    // senders distinguished in a span; all others share one quota
)

// Sampler decides which rejected messages become dead letters. It may be used by several goroutines.
type Sampler struct {
	mu      sync.Mutex
	began   time.Time
	bytes   int // kept in this span
	senders map[string]*quota
}

// quota is what a sender has used in a span.
type quota struct {
	letters, bytes int
	dropped        int // since the last letter that was kept
}

// NewSampler returns a Sampler with unused quotas.
func NewSampler() *Sampler { return &Sampler{senders: make(map[string]*quota)} }

// Sample reports whether to drop a letter with a payload of size bytes. If not, droppedBefore is the number of the
// sender's letters dropped since the last one that was kept.
func (s *Sampler) Sample(sender string, size int, now time.Time) (droppedBefore int, drop bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.began) >= quotaSpan {
		s.reset(now)
	}
	q := s.quota(sender)
	if !q.permits(size) || s.bytes+size > totalBytes {
		q.dropped++
		return 0, true
	}
	droppedBefore, q.dropped = q.dropped, 0
	q.letters++
	q.bytes += size
	s.bytes += size
	return droppedBefore, false
}

// quota returns the quota of a sender, or the shared one if there are too many senders.
func (s *Sampler) quota(sender string) *quota {
	if q := s.senders[sender]; q != nil {
		return q
	}
	if len(s.senders) >= maxSenders {
		sender = ""
	}
	q := s.senders[sender]
	if q == nil {
		q = new(quota)
		s.senders[sender] = q
	}
	return q
}

func (q *quota) permits(size int) bool {
	within := q.letters == 0 || q.letters < QuotaLetters && q.bytes+size <= quotaBytes
	return within || q.dropped+1 >= SampleOneIn
}

// reset begins a new span. It keeps senders whose dropped letters are not reported yet, unless there are too many.
func (s *Sampler) reset(now time.Time) {
	s.began, s.bytes = now, 0
	if len(s.senders) >= maxSenders {
		clear(s.senders)
	}
	for sender, q := range s.senders {
		q.letters, q.bytes = 0, 0
		if q.dropped == 0 {
			delete(s.senders, sender)
		}
	}
}

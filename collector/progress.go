package collector

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"nhip/collector/ledger"
)

// drainMark is the progress of the outbox in the book.
const drainMark = "drain"

// maxGaps bounds how often what is fresh may overtake what waits before the oldest is through: an hour
// of a database that is too slow makes some hundreds.
const maxGaps = 512

// progress tells which records of the outbox are in the database: all before next, but for those in
// the gaps, which were overtaken.
type progress struct {
	mu   sync.Mutex
	next uint64
	gaps []gap // oldest first, none next to another
}

// gap is a stretch of records, both ends included.
type gap struct {
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
}

// progressMark is progress as the book keeps it.
type progressMark struct {
	Next uint64 `json:"next"`
	Gaps []gap  `json:"gaps,omitempty"`
}

func newProgress(b *ledger.Book) (*progress, error) {
	raw := b.Mark(drainMark)
	if raw == nil {
		return &progress{next: 1}, nil
	}
	var m progressMark
	if err := json.Unmarshal(raw, &m); err != nil || m.Next == 0 {
		return nil, fmt.Errorf("the ledger's mark of the database can't be read: %q", raw)
	}
	return &progress{next: m.Next, gaps: m.Gaps}, nil
}

// mark returns what the book is to keep.
func (p *progress) mark() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	raw, err := json.Marshal(progressMark{Next: p.next, Gaps: p.gaps})
	if err != nil {
		panic("numbers can't be encoded: " + err.Error())
	}
	return raw
}

// passed says that everything up to seq is in the database, beginning with next.
func (p *progress) passed(seq uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next = max(p.next, seq+1)
}

// filled says that the oldest gap is in the database up to seq.
func (p *progress) filled(seq uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.gaps) == 0 {
		return
	}
	if p.gaps[0].From = seq + 1; p.gaps[0].From > p.gaps[0].To {
		p.gaps = slices.Delete(p.gaps, 0, 1)
	}
}

// mayOvertake tells whether one more gap may be.
func (p *progress) mayOvertake() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.gaps) < maxGaps
}

// overtake leaves a gap up to last, where there is anything up to it.
func (p *progress) overtake(last uint64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if last < p.next {
		return false
	}
	p.gaps = append(p.gaps, gap{p.next, last})
	p.next = last + 1
	return true
}

// oldest returns the gap to fill first.
func (p *progress) oldest() (gap, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.gaps) == 0 {
		return gap{}, false
	}
	return p.gaps[0], true
}

// head returns the first record that nobody has overtaken.
func (p *progress) head() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.next
}

// whole returns the last record before which nothing is missing.
func (p *progress) whole() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.gaps) > 0 {
		return p.gaps[0].From - 1
	}
	return p.next - 1
}

// left returns how many records up to last are not in the database.
func (p *progress) left(last uint64) uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := last + 1 - min(p.next, last+1)
	for _, g := range p.gaps {
		n += g.To - g.From + 1
	}
	return n
}

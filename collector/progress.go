package collector

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"nhip/collector/ledger"
)

// writerMark is the name of the ledger mark with the progress of the database writer. It is on disk and must not
// change.
const writerMark = "drain"

// maxGaps bounds how often new records may be written before a backlog. One hour of a database that is too slow makes
// a few hundred gaps.
const maxGaps = 512

// progress is the set of outbox records that are in the database: all before next except those in the gaps.
type progress struct {
	mu   sync.Mutex
	next uint64
	gaps []gap // oldest first
}

// gap is a range of records, both ends included.
type gap struct {
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
}

// progressMark is the JSON of writerMark.
type progressMark struct {
	Next uint64 `json:"next"`
	Gaps []gap  `json:"gaps,omitempty"`
}

func newProgress(l *ledger.Ledger) (*progress, error) {
	m, err := parseProgress(l.Mark(writerMark))
	return &progress{next: m.Next, gaps: m.Gaps}, err
}

// parseProgress parses writerMark, which is not set at first.
func parseProgress(raw []byte) (progressMark, error) {
	if raw == nil {
		return progressMark{Next: 1}, nil
	}
	var m progressMark
	if err := json.Unmarshal(raw, &m); err != nil || m.Next == 0 {
		return m, fmt.Errorf("invalid ledger mark %q: %q", writerMark, raw)
	}
	return m, nil
}

// mark returns the value of writerMark.
func (p *progress) mark() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	raw, err := json.Marshal(progressMark{Next: p.next, Gaps: p.gaps})
	if err != nil {
		panic("numbers can't be encoded: " + err.Error())
	}
	return raw
}

// advance adds the records from next to seq.
func (p *progress) advance(seq uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next = max(p.next, seq+1)
}

// fillOldest adds the records of the oldest gap up to seq.
func (p *progress) fillOldest(seq uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.gaps) == 0 {
		return
	}
	if p.gaps[0].From = seq + 1; p.gaps[0].From > p.gaps[0].To {
		p.gaps = slices.Delete(p.gaps, 0, 1)
	}
}

func (p *progress) hasRoomForGap() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.gaps) < maxGaps || p.gaps[len(p.gaps)-1].To+1 == p.next
}

// skipTo adds a gap from next to last, or extends the newest gap if it ends there. It reports false if last is before
// next.
func (p *progress) skipTo(last uint64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if last < p.next {
		return false
	}
	if n := len(p.gaps); n > 0 && p.gaps[n-1].To+1 == p.next {
		p.gaps[n-1].To = last
	} else {
		p.gaps = append(p.gaps, gap{p.next, last})
	}
	p.next = last + 1
	return true
}

func (p *progress) oldestGap() (gap, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.gaps) == 0 {
		return gap{}, false
	}
	return p.gaps[0], true
}

// head returns the first record after all gaps that is not in the database.
func (p *progress) head() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.next
}

// contiguous returns the last record that is in the database with all records before it.
func (p *progress) contiguous() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.gaps) > 0 {
		return p.gaps[0].From - 1
	}
	return p.next - 1
}

// remaining returns the number of records up to last that are not in the database.
func (p *progress) remaining(last uint64) uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := last + 1 - min(p.next, last+1)
	for _, g := range p.gaps {
		n += g.To - g.From + 1
	}
	return n
}

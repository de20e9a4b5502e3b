package gateway

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"nhip"
	"nhip/internal/topics"
	"nhip/internal/wait"
)

// loop forwards the records of both lanes. A broker acknowledges a message that nobody has subscribed to, and drops it;
// so the loop hands to the publisher only what the censuses of the collectors cover:
//
//   - While no census covers anything, everything stays where it is.
//   - While some topics are covered and others are not, a message that is not is moved to the waiting lane, and those
//     behind it go on. When the coverage changes, the waiting lane is read once ("a pass") before anything else: what
//     is covered now is forwarded, the rest moves to the end of the lane.
//   - A topic may lose its coverage while its messages are in the queues of the publisher. If that blocks a queue, the
//     loop takes back everything that is not acknowledged (recall), and reads it again.
//
// So messages of one device that the same filters cover are forwarded in the order in which they were received, and no
// message waits for one that is not covered.
type loop struct {
	*Forwarder
	next   *pendingRecord  // of the main lane: read, and not handed on yet
	pass   *pass           // nil: no pass is in progress
	passed topics.Coverage // coverage of the last complete pass; nil: none since the last recall

	moving atomic.Int64 // records that are being written to the waiting lane
	mu     sync.Mutex
	failed []*pendingRecord // could not be written to the waiting lane; in order
}

// pendingRecord is a record until the publisher or the waiting lane has it.
type pendingRecord struct {
	lane    *lane
	seq     uint64
	message nhip.Message
	raw     []byte
	err     error // the record is unreadable

	ticketed bool
	ticket   uint64
}

// pass is one reading of the waiting lane.
type pass struct {
	coverage topics.Coverage
	end      uint64 // last seq that belongs to it
	changed  bool   // the coverage is another one now; the rest of the pass stays in the lane, in its order
	next     *pendingRecord
	moved    time.Time // when the first record that stays in the lane was received
}

// changes hands out contexts that end with the next change.
type changes struct {
	mu      sync.Mutex
	current context.Context
	end     context.CancelFunc
}

// next returns a context that ends with the next call of signal, or with ctx, which must be the same each time.
func (c *changes) next(ctx context.Context) context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current == nil || c.current.Err() != nil {
		c.current, c.end = context.WithCancel(ctx)
	}
	return c.current
}

func (c *changes) signal() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.end != nil {
		c.end()
	}
}

// run forwards until ctx ends.
func (l *loop) run(ctx context.Context) error {
	for ctx.Err() == nil {
		change := l.changes.next(ctx)
		coverage := l.publisher.Load().Coverage()
		switch {
		case l.anyFailed():
			l.retryMoves(ctx)
		case len(coverage) == 0:
			l.rest(change)
		case l.blocked(coverage):
			l.recall(ctx)
		case l.pass != nil:
			l.passStep(change, coverage)
		case l.passDue(coverage):
			l.beginPass(change, coverage)
		default:
			l.step(change, coverage)
		}
	}
	return ctx.Err()
}

// rest waits for a change. It reads the next record, whose age is a metric.
func (l *loop) rest(change context.Context) {
	if (l.next != nil || l.readMain(change)) && l.enter(change, l.next) {
		<-change.Done()
	}
}

// blocked reports whether a queue of the publisher waits with a message that no census covers.
func (l *loop) blocked(coverage topics.Coverage) bool {
	held := l.publisher.Load().Held()
	return slices.ContainsFunc(held, func(topic string) bool { return !coverage.Covers(topic) })
}

// recall takes back what the publisher has not acknowledged. It is sent again later, and some of it arrives twice.
func (l *loop) recall(ctx context.Context) {
	l.log.Info("a collector has left while others remain; messages in flight are read again", "messages", l.Pending())
	l.publisher.Store(l.publisher.Load().Renew())
	if l.awaitMoves(ctx) != nil {
		return
	}
	for _, lane := range l.lanes() {
		if err := lane.rewind(); err != nil {
			lane.log.Warn("can't close a reader of the journal", "error", err)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next, l.pass, l.passed, l.failed = nil, nil, nil, nil
}

// awaitMoves waits until every record that moves to the waiting lane is on disk, or has failed. ctx is that of run.
func (l *loop) awaitMoves(ctx context.Context) error {
	for {
		change := l.changes.next(ctx)
		if l.moving.Load() == 0 {
			return nil
		}
		<-change.Done()
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// passDue reports whether the waiting lane may hold messages that are covered now.
func (l *loop) passDue(coverage topics.Coverage) bool {
	return l.waiting.pending() > 0 && !coverage.Equal(l.passed)
}

// beginPass begins a pass, unless nothing in the waiting lane is covered: to move all of it would be in vain.
func (l *loop) beginPass(change context.Context, coverage topics.Coverage) {
	if l.moving.Load() > 0 {
		<-change.Done() // move signals
		return
	}
	covered, err := l.waitingCovers(change, coverage)
	switch {
	case change.Err() != nil:
	case err != nil:
		l.readFailed(change, l.waiting, err)
	case covered:
		l.pass = &pass{coverage: coverage, end: l.waiting.journal.LastSeq()}
	default:
		l.passed = coverage
	}
}

// waitingCovers reads the waiting lane and reports whether a message in it is covered.
func (l *loop) waitingCovers(ctx context.Context, coverage topics.Coverage) (bool, error) {
	r := l.waiting.journal.Reader(l.waiting.window.position() + 1)
	defer func() { _ = r.Close() }() // it only read
	for ctx.Err() == nil {
		_, raw, ok, err := r.TryNext()
		if err != nil || !ok {
			return false, err
		}
		m, err := readForwardRecord(raw)
		l.waitingSince.CompareAndSwap(0, m.Received.UnixNano())
		if err != nil || coverage.Covers(m.Topic) {
			return true, nil // a pass also removes unreadable records
		}
	}
	return false, ctx.Err()
}

// passStep handles the next record of the pass, or ends the pass.
func (l *loop) passStep(change context.Context, coverage topics.Coverage) {
	p := l.pass
	if !coverage.Equal(p.coverage) {
		p.changed = true
	}
	if p.next == nil && !l.readWaiting(change) {
		return
	}
	covered := !p.changed && p.coverage.Covers(p.next.message.Topic)
	if !l.handOn(change, p.next, covered) {
		return
	}
	if !covered && p.moved.IsZero() {
		p.moved = p.next.message.Received
	}
	p.next = nil
}

// readWaiting reads the next record of the pass. It returns false when there is none, and ends the pass.
func (l *loop) readWaiting(change context.Context) bool {
	seq, raw, ok, err := l.waiting.reader.TryNext()
	switch {
	case err != nil:
		l.readFailed(change, l.waiting, err)
		return false
	case ok && seq <= l.pass.end:
		l.countSkipped(l.waiting, seq)
		l.pass.next = newPendingRecord(l.waiting, seq, raw)
		return true
	case ok: // it belongs to the next pass
		_ = l.waiting.reader.Close()
		l.waiting.reader = l.waiting.journal.Reader(seq)
	}
	if !l.pass.changed {
		l.passed = l.pass.coverage
	}
	l.waitingSince.Store(0)
	if !l.pass.moved.IsZero() {
		l.waitingSince.Store(l.pass.moved.UnixNano())
	}
	l.pass = nil
	return false
}

// step handles the next record of the main lane.
func (l *loop) step(change context.Context, coverage topics.Coverage) {
	if l.next == nil && !l.readMain(change) {
		return
	}
	covered := coverage.Covers(l.next.message.Topic)
	if !covered && l.waiting.overfull() {
		_ = wait.Sleep(change, l.retryMove) // run looks again
		return
	}
	if l.handOn(change, l.next, covered) {
		l.next = nil
	}
}

// readMain reads the next record of the main lane. It returns false if change ends first.
func (l *loop) readMain(change context.Context) bool {
	seq, raw, err := l.main.reader.Next(change)
	if err != nil {
		l.readFailed(change, l.main, err)
		return false
	}
	l.countSkipped(l.main, seq)
	l.next = newPendingRecord(l.main, seq, raw)
	return true
}

// readFailed logs an error of the disk and waits before the next attempt.
func (l *loop) readFailed(change context.Context, from *lane, err error) {
	if change.Err() == nil {
		from.log.Error("can't read the journal; retrying", "error", err, "retry_in", readRetry)
		_ = wait.Sleep(change, readRetry) // run looks again
	}
}

func newPendingRecord(from *lane, seq uint64, raw []byte) *pendingRecord {
	raw = slices.Clone(raw)
	m, err := readForwardRecord(raw)
	return &pendingRecord{lane: from, seq: seq, message: m, raw: raw, err: err}
}

// enter adds a record to the window of its lane. It returns false if change ends first.
func (l *loop) enter(change context.Context, r *pendingRecord) bool {
	if r.ticketed {
		return true
	}
	ticket, err := r.lane.window.add(change, r.seq, r.message.Received)
	r.ticket, r.ticketed = ticket, err == nil
	return r.ticketed
}

// handOn hands a record to the publisher or, if it is not covered, to the waiting lane. It returns false if change ends
// first.
func (l *loop) handOn(change context.Context, r *pendingRecord, covered bool) bool {
	if !l.enter(change, r) {
		return false
	}
	if r.err == nil && !covered {
		l.move(r)
		return true
	}
	if r.err == nil {
		m := &r.message
		acked := func() { r.lane.window.ack(r.ticket) }
		r.err = l.publisher.Load().PublishFor(change, orderKey(m), m.Topic, m.Payload, acked)
		if r.err != nil && change.Err() != nil {
			r.err = nil
			return false
		}
	}
	if r.err != nil { // a damaged record: Accept refuses what can't be sent
		l.log.Error("invalid journal record skipped", "seq", r.seq, "bytes", len(r.raw), "error", r.err)
		l.metrics.unreadable.Inc()
		r.lane.window.ack(r.ticket)
	}
	return true
}

// move writes a record to the end of the waiting lane. It does not wait for the disk.
func (l *loop) move(r *pendingRecord) {
	l.uncovered.note(r.message.Topic)
	l.waitingSince.CompareAndSwap(0, r.message.Received.UnixNano())
	l.moving.Add(1)
	l.waiting.journal.Append(r.raw, func(_ uint64, err error) {
		if err == nil {
			r.lane.window.ack(r.ticket)
		} else {
			l.mu.Lock()
			l.failed = append(l.failed, r)
			l.mu.Unlock()
		}
		if l.moving.Add(-1) == 0 || err != nil {
			l.changes.signal()
		}
	})
}

func (l *loop) anyFailed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.failed) > 0
}

// retryMoves writes the records that could not be written, in their order. Nothing is forwarded in the meantime, so
// that none overtakes them. It gives up until the next call when one fails again.
func (l *loop) retryMoves(ctx context.Context) {
	if wait.Sleep(ctx, l.retryMove) != nil || l.awaitMoves(ctx) != nil {
		return
	}
	l.mu.Lock()
	failed := l.failed
	l.failed = nil
	l.mu.Unlock()
	for i, r := range failed {
		l.move(r)
		if l.awaitMoves(ctx) != nil {
			return
		}
		l.mu.Lock()
		again := len(l.failed) > 0
		if again {
			l.failed = append(l.failed, failed[i+1:]...)
		}
		l.mu.Unlock()
		if again {
			return
		}
	}
}

// uncoveredTopics logs topics that no census covers, a few of them and each once.
type uncoveredTopics struct {
	*Forwarder
	logged map[string]bool
}

// maxUncovered is how many topics are logged.
const maxUncovered = 20

func (u *uncoveredTopics) note(topic string) {
	if len(u.logged) >= maxUncovered || u.logged[topic] {
		return
	}
	if u.logged == nil {
		u.logged = make(map[string]bool)
	}
	u.logged[topic] = true
	u.log.Warn("no collector has subscribed to a topic; its messages wait on the gateway's disk", "topic", topic)
}

// reportUncovered logs that nothing is forwarded because no collector has subscribed to anything, until ctx ends.
func (f *Forwarder) reportUncovered(ctx context.Context) error {
	logged := false
	for {
		if err := wait.Sleep(ctx, reportAfter); err != nil {
			return err
		}
		none := f.Connected() && !f.Covered()
		if none && !logged {
			f.log.Warn("connected to the upstream broker, where no collector has subscribed to anything; messages wait on "+
				"the gateway's disk", "topic", topics.LiveCensus)
		}
		if logged && f.Covered() {
			f.log.Info("a collector has subscribed; messages are forwarded")
		}
		logged = none || logged && !f.Covered()
	}
}

const reportAfter = 10 * time.Second

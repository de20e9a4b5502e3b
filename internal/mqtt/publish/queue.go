package publish

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"nhip/internal/mqtt"
	"nhip/internal/topics"
)

// stuckAfter is how often the connection must be lost over a message before the message counts as stuck.
const stuckAfter = 3

// queue sends messages in order over one connection at a time. All fields except channels and atomic ones belong to the
// goroutine of run.
type queue struct {
	address   *url.URL
	options   mqtt.Options
	maxLosses int
	maxDown   time.Duration
	retry     time.Duration
	state     *state
	covered   bool
	onChange  func()

	coverage atomic.Pointer[topics.Coverage] // of the open connection; nil: none is open
	held     atomic.Pointer[string]          // topic of the message that waits for a census; nil: none waits

	in  chan *message         // closed by Pool.Close
	err atomic.Pointer[error] // why nothing is sent any more

	window []*message // taken from in and not acknowledged, in order
	out    int        // how many messages of window, from the first, were sent on the present connection
	single bool       // send only the first message of window: the connection was lost while several were in flight
	ended  bool       // in is closed and empty
	acked  bool       // the present connection has brought an acknowledgement
	lastID uint16

	down    time.Time // when the first of the attempts to connect failed that all have failed since; zero: none has
	dialErr error     // of the last attempt
}

// message is a message until its acknowledgement.
type message struct {
	topic   string
	payload []byte
	acked   func()
	id      uint16 // packet id on the connection that it was sent on last; 0 if it was not sent yet
	losses  int    // how many connections were lost while it was the first in flight
}

func newQueue(at *url.URL, o Options, st *state) *queue {
	return &queue{
		address: at, options: o.Options, maxLosses: o.MaxLosses, maxDown: o.MaxDown, retry: o.Retry, state: st,
		covered: o.Covered, onChange: o.OnChange, in: make(chan *message, maxInFlight),
	}
}

func (q *queue) open(ctx context.Context) (*pubConn, error) {
	return openConn(ctx, q.address, q.options, maxInFlight, q.covered)
}

// publish adds a message. It blocks while the queue is full.
func (q *queue) publish(ctx context.Context, m *message) error {
	if err := q.err.Load(); err != nil {
		return *err
	}
	select {
	case q.in <- m:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run sends the messages, first over the given connection if it is not nil, then over as many as it takes. It returns
// nil once in is closed and every message acknowledged, and an error if ctx ends before or the queue gives up.
func (q *queue) run(ctx context.Context, first *pubConn) error {
	var pause time.Duration
	for c := first; ; c = nil {
		q.acked = false
		q.connectAndSend(ctx, c)
		if pause = min(max(2*pause, q.retry), lastRetry); q.acked {
			pause = 0
		}
		if done, err := q.outcome(ctx); done {
			return err
		}
		if q.pause(ctx, pause); q.finished() {
			return nil
		}
	}
}

// outcome reports whether run is done. If it is, and messages are left, outcome makes publish fail and returns the
// reason.
func (q *queue) outcome(ctx context.Context) (done bool, err error) {
	if ctx.Err() != nil {
		q.takeRest()
	}
	switch {
	case q.finished():
		return true, nil
	case ctx.Err() != nil:
		err = fmt.Errorf("not every message was acknowledged; the first is on %s", q.window[0].topic)
	case q.maxLosses > 0 && len(q.window) > 0 && q.window[0].losses >= q.maxLosses:
		m := q.window[0]
		err = fmt.Errorf("the broker does not accept a message on %s: the connection was lost %d times over it", m.topic,
			m.losses)
	case q.maxDown > 0 && !q.down.IsZero() && time.Since(q.down) >= q.maxDown:
		err = fmt.Errorf("the MQTT broker at %s can't be reached any more: %w", q.address.Redacted(), q.dialErr)
	default:
		return false, nil
	}
	q.giveUp(err)
	return true, err
}

// takeRest takes all messages from in. The context of run ends only after in is closed, so takeRest does not block.
func (q *queue) takeRest() {
	for !q.ended {
		m, ok := <-q.in
		q.take(m, ok)
	}
}

// connectAndSend sends over c, or over a new connection if c is nil, until the connection is lost or run is done.
func (q *queue) connectAndSend(ctx context.Context, c *pubConn) {
	if c == nil {
		var err error
		if c, err = q.open(ctx); err != nil {
			q.state.connectFailed(ctx, err)
			if q.dialErr = err; q.down.IsZero() {
				q.down = time.Now()
			}
			return
		}
	}
	q.down = time.Time{}
	q.state.connOpened()
	q.noteCoverage(c)
	stop := context.AfterFunc(ctx, c.close) // unblocks a write to a peer that does not read
	err := q.send(c)
	stop()
	c.close()
	q.noteCoverage(nil)
	for id := range c.acks { // those that arrived before the end count; the channel closes when the reader has ended
		_ = q.settle(id)
	}
	if err != nil && ctx.Err() == nil {
		q.countLoss()
	}
	q.state.connClosed(ctx, err)
}

// send sends over a connection until in is closed and every message acknowledged, or the connection is lost. Messages
// that were in flight on the previous connection go first.
func (q *queue) send(c *pubConn) error {
	ping := time.NewTicker(mqtt.KeepAlive)
	defer ping.Stop()
	q.single, q.out = q.out > 0, 0
	for !q.finished() {
		if err := q.sendDue(c); err != nil {
			return err
		}
		select {
		case m, ok := <-q.input():
			q.take(m, ok)
		case id, ok := <-c.acks:
			if !ok {
				return c.lost
			}
			if err := q.settle(id); err != nil {
				return err
			}
		case <-c.changed():
			q.noteCoverage(c)
		case <-ping.C:
			if err := c.ping(); err != nil {
				return err
			}
		}
	}
	c.disconnect()
	return nil
}

// noteCoverage notes what may be sent over a connection; nil: none is open.
func (q *queue) noteCoverage(c *pubConn) {
	if !q.covered {
		return
	}
	q.coverage.Store(nil)
	if c != nil {
		q.coverage.Store(new(c.censuses.coverage()))
	}
	q.held.Store(nil) // until sendDue has looked again
	q.onChange()
}

// hold notes that a message waits for a census.
func (q *queue) hold(m *message) {
	if held := q.held.Load(); held == nil || *held != m.topic {
		q.held.Store(&m.topic)
		q.onChange()
	}
}

// forget takes the messages that are left out of the count of stuck ones. run must have returned.
func (q *queue) forget() {
	for _, m := range q.window {
		q.state.messageForgotten(m)
	}
	q.window = nil
}

// input returns in, or nil, which blocks, while the window is full or in has ended.
func (q *queue) input() <-chan *message {
	if q.ended || len(q.window) >= maxInFlight {
		return nil
	}
	return q.in
}

func (q *queue) take(m *message, ok bool) {
	if !ok {
		q.ended = true
		return
	}
	q.window = append(q.window, m)
}

func (q *queue) finished() bool { return q.ended && len(q.window) == 0 }

// sendDue writes the messages of the window that were not sent on this connection. After a loss it writes the first
// message only, until that is acknowledged: if the connection is lost again, that message is known to be the cause.
func (q *queue) sendDue(c *pubConn) error {
	for q.out < len(q.window) && (q.out == 0 || !q.single) {
		m := q.window[q.out]
		if !c.covers(m.topic) {
			q.hold(m)
			return nil
		}
		if m.id != 0 {
			q.state.resent.Add(1)
		}
		if q.lastID++; q.lastID == 0 { // 0 is not a valid packet id
			q.lastID++
		}
		m.id = q.lastID
		q.out++
		if err := c.publish(m.id, m.topic, m.payload); err != nil {
			return err
		}
	}
	return nil
}

// settle removes an acknowledged message. A broker that conforms to the standard acknowledges in order.
func (q *queue) settle(id uint16) error {
	i := slices.IndexFunc(q.window[:q.out], func(m *message) bool { return m.id == id })
	if i < 0 {
		return errors.New("the broker acknowledged a message that was not sent")
	}
	m := q.window[i]
	q.window = slices.Delete(q.window, i, i+1)
	q.out--
	q.acked = true
	q.single = false
	q.state.messageAcked(m)
	if m.acked != nil {
		m.acked()
	}
	return nil
}

// countLoss counts a lost connection against the first message that was in flight.
func (q *queue) countLoss() {
	if q.out == 0 {
		return
	}
	m := q.window[0]
	if m.losses++; m.losses == stuckAfter {
		q.state.messageStuck(m)
	}
}

// pause waits for d and takes messages meanwhile, as far as the window has space. It returns early when ctx ends or no
// work is left.
func (q *queue) pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	for !q.finished() {
		select {
		case m, ok := <-q.input():
			q.take(m, ok)
		case <-t.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// giveUp makes publish return err, and drops the messages of callers that are blocked in publish until in is closed.
func (q *queue) giveUp(err error) {
	q.err.Store(&err)
	for range q.in {
	}
}

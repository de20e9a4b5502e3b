package mqtt

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync/atomic"
	"time"
)

// stuckAfter is how often a connection may be lost over one message before that is told.
const stuckAfter = 3

// lane is a queue of messages that go over one connection at a time, in order. Its fields belong to
// the goroutine of run, but for in and err.
type lane struct {
	address  *url.URL
	options  Options
	patience int
	retry    time.Duration
	state    *state

	in  chan *sent            // closed when no more come
	err atomic.Pointer[error] // why nothing is sent any more

	window []*sent // taken over and not acknowledged, in order
	out    int     // of window: on the line; the rest is due
	alone  bool    // the first of window goes alone: the last line was lost over it, or over one behind it
	ended  bool    // in is closed
	moved  bool    // the line has brought an acknowledgement
	lastID uint16
}

// sent is a message on its way.
type sent struct {
	topic   string
	payload []byte
	acked   func()
	id      uint16 // on the line where it was sent last; 0 before
	lost    int    // how often a line was lost while it was the first on it
}

func newLane(at *url.URL, o FanOptions, st *state) *lane {
	return &lane{
		address: at, options: o.Options, patience: o.Patience, retry: o.Retry, state: st,
		in: make(chan *sent, inFlight),
	}
}

func (l *lane) open(ctx context.Context) (*line, error) {
	return openLine(ctx, l.address, l.options, inFlight)
}

// publish hands a message over.
func (l *lane) publish(ctx context.Context, m *sent) error {
	if err := l.err.Load(); err != nil {
		return *err
	}
	select {
	case l.in <- m:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run sends what comes in, over first, if there is one, and then over as many lines as it takes,
// until all is acknowledged and no more comes, or ctx ends, or a message is not taken.
func (l *lane) run(ctx context.Context, first *line) {
	var pause time.Duration
	for ln := first; ; ln = nil {
		l.moved = false
		l.live(ctx, ln)
		if pause = min(max(2*pause, l.retry), lastRetry); l.moved {
			pause = 0
		}
		if l.over(ctx) {
			return
		}
		if l.rest(ctx, pause); l.finished() {
			return
		}
	}
}

// over reports whether nothing more is sent, and leaves the reason in err if not all was.
func (l *lane) over(ctx context.Context) bool {
	if ctx.Err() != nil {
		l.gather()
	}
	switch {
	case l.finished():
		return true
	case ctx.Err() != nil:
		l.giveUp(fmt.Errorf("not everything was acknowledged; the first is of %s", l.window[0].topic))
		return true
	case l.patience > 0 && len(l.window) > 0 && l.window[0].lost >= l.patience:
		m := l.window[0]
		l.giveUp(fmt.Errorf("the broker does not take a message on %s: the connection was lost %d times over it", m.topic, m.lost))
		return true
	}
	return false
}

// gather takes in all that was handed over; ctx ends only when no more comes.
func (l *lane) gather() {
	for !l.ended {
		m, ok := <-l.in
		l.take(m, ok)
	}
}

// live is the life of a line, which it opens if there is none.
func (l *lane) live(ctx context.Context, ln *line) {
	if ln == nil {
		var err error
		if ln, err = l.open(ctx); err != nil {
			l.state.unreachable(ctx, err)
			return
		}
	}
	l.state.rose()
	stop := context.AfterFunc(ctx, ln.close) // ends also a write that waits for a stalled line
	err := l.serve(ln)
	stop()
	ln.close()
	for id := range ln.acks { // what came before the end counts, and shows that nobody reads any more
		_ = l.settle(id)
	}
	if err != nil && ctx.Err() == nil {
		l.blame()
	}
	l.state.fell(ctx, err)
}

// serve sends over a line until all is acknowledged and no more comes, or the line is lost. What was
// in flight on the line before goes first.
func (l *lane) serve(ln *line) error {
	ping := time.NewTicker(keepAlive)
	defer ping.Stop()
	l.alone, l.out = l.out > 0, 0
	for !l.finished() {
		if err := l.send(ln); err != nil {
			return err
		}
		select {
		case m, ok := <-l.intake():
			l.take(m, ok)
		case id, ok := <-ln.acks:
			if !ok {
				return ln.lost
			}
			if err := l.settle(id); err != nil {
				return err
			}
		case <-ping.C:
			if err := ln.ping(); err != nil {
				return err
			}
		}
	}
	ln.leave()
	return nil
}

// intake returns where the next message comes from, nothing while the window is full.
func (l *lane) intake() <-chan *sent {
	if l.ended || len(l.window) >= inFlight {
		return nil
	}
	return l.in
}

func (l *lane) take(m *sent, ok bool) {
	if !ok {
		l.ended = true
		return
	}
	l.window = append(l.window, m)
}

func (l *lane) finished() bool { return l.ended && len(l.window) == 0 }

// send writes what is due. After a loss the first message goes alone: if a line is lost over one
// message, it is known then which.
func (l *lane) send(ln *line) error {
	for l.out < len(l.window) && (l.out == 0 || !l.alone) {
		m := l.window[l.out]
		if m.id != 0 {
			l.state.resent.Add(1)
		}
		if l.lastID++; l.lastID == 0 { // is no packet's id
			l.lastID++
		}
		m.id = l.lastID
		l.out++
		if err := ln.publish(m.id, m.topic, m.payload); err != nil {
			return err
		}
	}
	return nil
}

// settle notes an acknowledgement. They come in order from a broker that keeps to the standard.
func (l *lane) settle(id uint16) error {
	i := slices.IndexFunc(l.window[:l.out], func(m *sent) bool { return m.id == id })
	if i < 0 {
		return errors.New("the broker acknowledges what was not sent")
	}
	m := l.window[i]
	l.window = slices.Delete(l.window, i, i+1)
	l.out--
	l.moved = true
	l.alone = false
	l.state.settled(m)
	if m.acked != nil {
		m.acked()
	}
	return nil
}

// blame counts a lost line against the first message that was on it.
func (l *lane) blame() {
	if l.out == 0 {
		return
	}
	m := l.window[0]
	if m.lost++; m.lost == stuckAfter {
		l.state.stays(m)
	}
}

// rest waits for d and takes in meanwhile what there is room for. It ends early when ctx does, and
// when there turns out to be nothing to do.
func (l *lane) rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	for !l.finished() {
		select {
		case m, ok := <-l.intake():
			l.take(m, ok)
		case <-t.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// giveUp lets nobody wait for what will not be sent any more.
func (l *lane) giveUp(why error) {
	l.err.Store(&why)
	for range l.in {
	}
}

package mqtt

import (
	"bytes"
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// Times of a watchdog.
const (
	probeEvery  = 20 * time.Second // between probes
	silentFor   = 60 * time.Second // without a probe or a message, which a connection that works never is
	quietFor    = 5 * time.Minute  // without a message, which the small hours may be
	muteAfter   = 2                // sessions in a row that were lost over a probe, before there are no more
	probePrefix = "nhip/probe/"
)

// errDeaf is a connection that stands and over which nothing comes any more.
var errDeaf = errors.New("the connection stands, and nothing comes over it any more")

// ProbeTopic returns the topic on which a source says something to itself.
func ProbeTopic(client string) string { return probePrefix + Escape(client) }

// watchdog tells a source that has nothing to hear from one that is deaf: connected, and forgotten by
// the broker, or behind a line that carries its pings and nothing else. Every now and then it publishes
// a probe to itself. While probes come back, the way from the broker is open. When nothing comes it
// subscribes again, which loses nothing and costs a packet; when then still nothing comes, it ends the
// session, and the next one is delivered all that is not acknowledged. When only messages fail to come,
// perhaps the broker has forgotten only their filters, so they are asked for again now and then.
//
// A broker whose rules keep probes back proves nothing by silence: where none has ever come, silence is
// only answered by subscribing again.
type watchdog struct {
	n     *session
	born  time.Time
	asked time.Time    // when it subscribed again; the goroutine's own, like what follows
	told  bool         // that it did
	said  atomic.Int64 // when the last message came, in ns since it was born
	came  atomic.Int64 // when the last probe came, likewise; 0 when none has
}

func (w *watchdog) age() time.Duration { return time.Since(w.born) }

// message notes that a message came.
func (w *watchdog) message() { w.said.Store(int64(w.age())) }

// probe notes that a probe came back.
func (w *watchdog) probe() {
	w.came.Store(int64(w.age()))
	w.n.s.probed.Store(true)
}

// run watches until the session is over.
func (w *watchdog) run() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	tick := time.NewTicker(w.n.s.o.pace.probe)
	defer tick.Stop()
	for {
		w.send()
		select {
		case <-w.n.over:
			return
		case <-tick.C:
			w.look(ctx)
		}
	}
}

// send publishes a probe, past paho, which might make it wait for a line that does not move.
func (w *watchdog) send() {
	if w.n.s.mute.Load() {
		return
	}
	p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	p.TopicName = ProbeTopic(w.n.s.o.ClientID)
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		return // into memory: can't be
	}
	_, _ = w.n.conn.Write(b.Bytes()) // what is wrong with the line, its reader finds out
}

// look does what the silence asks for.
func (w *watchdog) look(ctx context.Context) {
	pace := &w.n.s.o.pace
	now := w.age()
	quiet := now - time.Duration(w.said.Load())
	silent := min(quiet, now-time.Duration(w.came.Load()))
	if w.n.inbox.len() > 0 {
		return // messages wait for the door, and those behind them for us
	}
	since := time.Since(w.asked)
	switch {
	case silent >= pace.silent && !w.asked.IsZero() && since >= pace.silent && since < silent && w.n.s.probed.Load():
		w.n.s.metrics.deaf.Inc()
		w.n.end(errDeaf)
	case silent >= pace.silent && (w.asked.IsZero() || since >= pace.quiet), quiet >= pace.quiet && since >= pace.quiet:
		w.askAgain(ctx, quiet)
	}
}

// askAgain subscribes once more. The broker's copies of retained messages come again with it; a source
// leaves them out anyway.
func (w *watchdog) askAgain(ctx context.Context, quiet time.Duration) {
	if !w.told {
		w.n.s.log.Warn("nothing comes from the MQTT broker; subscribing again", "for", quiet.Round(time.Second), "probes_come_back", w.came.Load() > 0)
	}
	w.told, w.asked = true, time.Now()
	w.n.s.metrics.resubscribed.Inc()
	if err := w.n.subscribe(ctx); err != nil {
		w.n.end(err)
	}
}

// learn notes at a session's end whether the broker may have ended it over a probe: some do that to
// whoever asks for or says what they may not. Then there are no more probes.
func (s *Source) learn(n *session) {
	if !n.asked || s.probed.Load() {
		s.overProbe = 0
		return
	}
	if s.overProbe++; s.overProbe == muteAfter && !s.mute.Swap(true) {
		s.log.Warn("the MQTT broker keeps ending the connection and no probe has ever come back; there will be no more, in case it allows none",
			"topic", ProbeTopic(s.o.ClientID))
	}
}

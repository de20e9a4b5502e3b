package mqtt

import (
	"bytes"
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// WatchTimings are the timings of a Watchdog.
type WatchTimings struct {
	Probe  time.Duration // between probes
	Silent time.Duration // without a probe and a message; a working connection is never silent for so long
	Quiet  time.Duration // without a message, which may happen at night
}

// DefaultWatch returns the default timings.
func DefaultWatch() WatchTimings {
	return WatchTimings{Probe: 20 * time.Second, Silent: time.Minute, Quiet: 5 * time.Minute}
}

// maxProbeSuspects is how many connections in a row may end after a probe before no more probes are sent.
const maxProbeSuspects = 2

// ErrSilent means that the connection is open and nothing arrives over it.
var ErrSilent = errors.New("no message and no probe arrives over the open connection")

// Probes is what is known about the probes of a client, over all of its connections.
type Probes struct {
	returned atomic.Bool // a probe has come back
	off      atomic.Bool // no more are sent
	suspects int         // connections in a row that the broker may have ended because of a probe
}

// Enabled reports whether probes may be sent.
func (p *Probes) Enabled() bool { return !p.off.Load() }

// Ended must be called after each connection on which a SUBSCRIBE was sent: some brokers end the connection of a client
// that subscribes or publishes without permission. After some such connections in a row, on which no probe has ever
// come back, Ended switches the probes off and returns true. It must not be called by two goroutines at the same time.
func (p *Probes) Ended(subscribed bool) (switchedOff bool) {
	if !subscribed || p.returned.Load() {
		p.suspects = 0
		return false
	}
	p.suspects++
	return p.suspects == maxProbeSuspects && !p.off.Swap(true)
}

// Watchdog detects a connection that is open and delivers nothing: the broker has lost the subscriptions, or the
// network carries pings and nothing else. It publishes a probe to the client itself at an interval. While probes come
// back, the broker delivers. When neither probes nor messages arrive, the watchdog subscribes again, which loses
// nothing and costs one packet. If still nothing arrives, it ends the connection. When probes arrive and messages do
// not, the broker may have lost the other filters, so the watchdog subscribes again now and then.
//
// The rules of a broker may suppress probes. While no probe has ever come back, silence proves nothing, and the
// watchdog only subscribes again.
type Watchdog struct {
	Timings WatchTimings
	Probes  *Probes
	Send    func()      // publishes a probe
	Busy    func() bool // received messages wait for the client, which may block the connection; nil: never
	End     func()      // ends the connection because of ErrSilent
	// Resubscribe subscribes again. If it returns an error, it has ended the connection.
	Resubscribe func(context.Context, SilentState) error

	began        time.Time
	resubscribed time.Time // when it last subscribed again; used by Run only

	lastMessage atomic.Int64 // nanoseconds from began to the last message
	lastProbe   atomic.Int64 // nanoseconds from began to the last probe; 0: none
}

// SilentState describes a connection over which no message arrives.
type SilentState struct {
	Quiet  time.Duration // since the last message
	Probes bool          // a probe has come back on this connection
	First  bool          // the watchdog has not subscribed again on this connection
}

// Begin must be called once, before the first message may arrive.
func (w *Watchdog) Begin() { w.began = time.Now() }

func (w *Watchdog) age() time.Duration { return time.Since(w.began) }

// MessageReceived notes a message.
func (w *Watchdog) MessageReceived() { w.lastMessage.Store(int64(w.age())) }

// ProbeReceived notes a probe. It reports whether it is the first on the connection.
func (w *Watchdog) ProbeReceived() (first bool) {
	w.Probes.returned.Store(true)
	return w.lastProbe.Swap(int64(w.age())) == 0
}

// Silent reports whether nothing has arrived for so long that the connection does not work.
func (w *Watchdog) Silent() bool {
	_, silent := w.silence()
	return silent >= w.Timings.Silent && w.Probes.returned.Load()
}

// silence returns the time since the last message, and since the last message or probe.
func (w *Watchdog) silence() (quiet, silent time.Duration) {
	now := w.age()
	quiet = now - time.Duration(w.lastMessage.Load())
	return quiet, min(quiet, now-time.Duration(w.lastProbe.Load()))
}

// Run watches until ctx ends or the watchdog has ended the connection. tick is called at each interval; it may be nil.
func (w *Watchdog) Run(ctx context.Context, tick func()) error {
	interval := time.NewTicker(w.Timings.Probe)
	defer interval.Stop()
	for {
		if w.Probes.Enabled() {
			w.Send()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-interval.C:
			if tick != nil {
				tick()
			}
			if !w.check(ctx) {
				return nil
			}
		}
	}
}

// check subscribes again or ends the connection if nothing has arrived for long enough. It returns false if the
// connection has ended.
func (w *Watchdog) check(ctx context.Context) bool {
	quiet, silent := w.silence()
	if w.Busy != nil && w.Busy() {
		return true
	}
	since := time.Since(w.resubscribed)
	triedInVain := !w.resubscribed.IsZero() && since >= w.Timings.Silent && since < silent
	switch {
	case silent >= w.Timings.Silent && triedInVain && w.Probes.returned.Load():
		w.End()
		return false
	case silent >= w.Timings.Silent && (w.resubscribed.IsZero() || since >= w.Timings.Quiet),
		quiet >= w.Timings.Quiet && since >= w.Timings.Quiet:
		state := SilentState{Quiet: quiet, Probes: w.lastProbe.Load() > 0, First: w.resubscribed.IsZero()}
		w.resubscribed = time.Now()
		return w.Resubscribe(ctx, state) == nil
	}
	return true
}

// Packet returns the bytes of a PUBLISH with QoS 0, for a writer that bypasses paho: paho might block on a connection
// that is stalled.
func Packet(topic string, payload []byte, retained bool) []byte {
	p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	p.TopicName, p.Payload, p.Retain = topic, payload, retained
	var b bytes.Buffer
	_ = p.Write(&b) // a write to memory does not fail
	return b.Bytes()
}

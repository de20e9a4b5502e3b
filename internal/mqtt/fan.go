package mqtt

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net/url"
	"sync"
	"time"
)

// What a Fan's zero options mean, and its bounds.
const (
	inFlight   = 64               // messages of one connection that may wait for their acknowledgement
	firstRetry = 2 * time.Second  // pause before a second try to connect
	lastRetry  = 15 * time.Second // the pause doubles up to here
	packetHead = 5                // what counts of a packet beside topic and payload: type, length of the topic, id
)

// FanOptions say how a Fan connects.
type FanOptions struct {
	Options     // where and as whom; its filters and handlers are not used
	Lanes   int // connections, at least 1
	// Patience is how often a connection may be lost over one message before the message is taken
	// to be the reason and nothing more is sent; 0 tries for ever.
	Patience int
	// Retry is the pause before a second try to connect; it doubles with each, up to 15 s.
	// Default 2 s.
	Retry time.Duration
}

// Fan publishes for many devices over a few connections with QoS 1 and knows what is acknowledged.
// A durable acknowledgement takes a sync of the broker's disk, and a broker reads a connection one
// message after the other; several connections share each sync. What has one key always goes over
// the same connection, so a device's messages keep their order: also when a connection is lost,
// because all that was in flight on it goes first on the next one, in the order it had. The broker
// may hear a message twice then, and never one before its elder.
type Fan struct {
	address *url.URL
	lanes   []*lane
	state   *state
	ctx     context.Context // of its goroutines; ends with it
	cancel  context.CancelFunc
	started bool
	running sync.WaitGroup
}

// NewFan returns a Fan that takes messages and, once started, sends them. An address that is none
// is an error.
func NewFan(o FanOptions) (*Fan, error) {
	at, err := checkAddress(o.URL)
	if err != nil {
		return nil, err
	}
	if o.Lanes < 1 {
		return nil, fmt.Errorf("a fan needs at least one connection, got %d", o.Lanes)
	}
	if o.Retry == 0 {
		o.Retry = firstRetry
	}
	f := &Fan{address: at, state: newState(at.Redacted(), o.Logger)}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	for i := range o.Lanes {
		own := o
		own.ClientID = fmt.Sprintf("%s-%d", o.ClientID, i)
		f.lanes = append(f.lanes, newLane(at, own, f.state))
	}
	return f, nil
}

// DialFan opens the connections, whose client ids are o's with a number, and fails when one can't be
// opened. A connection that is lost later is made again without end.
func DialFan(ctx context.Context, o FanOptions) (*Fan, error) {
	f, err := NewFan(o)
	if err != nil {
		return nil, err
	}
	lines := make([]*line, len(f.lanes))
	for i, l := range f.lanes {
		if lines[i], err = l.open(ctx); err != nil {
			for _, ln := range lines[:i] {
				ln.close()
			}
			f.cancel()
			return nil, fmt.Errorf("the MQTT broker at %s can't be reached: %w", f.address.Redacted(), err)
		}
	}
	f.start(lines)
	return f, nil
}

// Start connects in the background, and again whenever a connection is lost; it logs when the broker
// can't be reached, once for each cause, and when it is reached again.
func (f *Fan) Start() {
	f.state.away()
	f.start(make([]*line, len(f.lanes)))
}

func (f *Fan) start(lines []*line) {
	f.started = true
	for i, l := range f.lanes {
		f.running.Go(func() { l.run(f.ctx, lines[i]) })
	}
}

// Publish sends a message with its topic as key; see PublishFor.
func (f *Fan) Publish(ctx context.Context, topic string, payload []byte) error {
	return f.PublishFor(ctx, topic, topic, payload, nil)
}

// PublishFor sends a message after all that were sent for the same key, waiting while too many are
// in flight. The payload must not change. A message that no broker of ours would take is an error,
// and so is one behind a message that the broker did not take. acked, if not nil, is called once,
// when the broker has acknowledged the message and, after an error, never; it comes from a goroutine
// that other messages wait for and must be quick.
func (f *Fan) PublishFor(ctx context.Context, key, topic string, payload []byte, acked func()) error {
	if err := CheckMessage(topic, payload); err != nil {
		return err
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(key))
	return f.lanes[h.Sum32()%uint32(len(f.lanes))].publish(ctx, &sent{topic: topic, payload: payload, acked: acked})
}

// CheckMessage refuses what can't be published to a broker of ours.
func CheckMessage(topic string, payload []byte) error {
	if err := CheckTopic(topic); err != nil {
		return err
	}
	if size := packetHead + len(topic) + len(payload); size > MaxPacket {
		return fmt.Errorf("a message on %s has %d bytes; brokers take %d", topic, size, MaxPacket)
	}
	return nil
}

// Acked returns how many messages are acknowledged.
func (f *Fan) Acked() int64 { return f.state.acked.Load() }

// Resent returns how many messages were sent again, each time counted, because the connection was
// lost before they were acknowledged.
func (f *Fan) Resent() int64 { return f.state.resent.Load() }

// Stuck returns over how many messages the connection was lost again and again. They stay first in
// their line.
func (f *Fan) Stuck() int { return int(f.state.stuck.Load()) }

// Connected reports whether a connection stands.
func (f *Fan) Connected() bool { return f.state.connected() }

// Close waits until all is acknowledged or ctx ends, and disconnects. No Publish may follow.
func (f *Fan) Close(ctx context.Context) error {
	for _, l := range f.lanes {
		close(l.in)
	}
	if !f.started {
		f.cancel()
		f.start(make([]*line, len(f.lanes)))
	}
	stop := context.AfterFunc(ctx, f.cancel)
	f.running.Wait()
	stop()
	f.cancel()
	var errs []error
	for _, l := range f.lanes {
		if err := l.err.Load(); err != nil {
			errs = append(errs, *err)
		}
	}
	return errors.Join(errs...)
}

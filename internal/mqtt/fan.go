package mqtt

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"sync"
	"sync/atomic"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// inFlight is how many messages of one connection may wait for their acknowledgement, and
// packetHead what a packet holds beside topic and payload.
const (
	inFlight   = 64
	packetHead = 16
)

// FanOptions say how a Fan connects.
type FanOptions struct {
	Options
	Lanes int // connections
	// Patience is how often a connection may be lost over one message before the message is taken
	// to be the reason and nothing more is sent; 0 tries for ever.
	Patience int
}

// Fan publishes for many devices over a few connections with QoS 1 and knows what is acknowledged.
// A durable acknowledgement takes a sync of the broker's disk, and a broker reads a connection one
// message after the other; several connections share each sync. A topic always goes over the same
// connection, so a device's messages keep their order.
type Fan struct {
	lanes []*lane
	acked atomic.Int64
}

// lane is one connection with its messages in flight, in order.
type lane struct {
	client   *Client
	patience int
	lost     atomic.Int64 // times the connection was lost
	queue    chan sent
	quit     chan struct{} // closed when nobody waits for acknowledgements any more
	done     sync.WaitGroup
	err      atomic.Pointer[error] // why nothing is sent any more
}

// sent is a message on its way.
type sent struct {
	topic   string
	payload []byte
	token   paho.Token
	lost    int64 // lane.lost when it was sent
}

// DialFan opens the connections, whose client ids are o's with a number.
func DialFan(ctx context.Context, o FanOptions) (*Fan, error) {
	f := &Fan{}
	for i := range o.Lanes {
		l := &lane{patience: o.Patience, queue: make(chan sent, inFlight), quit: make(chan struct{})}
		own := o.Options
		own.ClientID = fmt.Sprintf("%s-%d", o.ClientID, i)
		own.OnDown = func(error) { l.lost.Add(1) }
		var err error
		if l.client, err = Dial(ctx, own); err != nil {
			return nil, errors.Join(err, f.Close(ctx))
		}
		l.done.Go(func() { l.collect(&f.acked) })
		f.lanes = append(f.lanes, l)
	}
	return f, nil
}

// Publish sends a message, waiting while too many are in flight. The payload must not change. A
// message that no broker of ours would take is an error, and so is one behind a message that the
// broker did not take.
func (f *Fan) Publish(ctx context.Context, topic string, payload []byte) error {
	if err := CheckTopic(topic); err != nil {
		return err
	}
	if size := packetHead + len(topic) + len(payload); size > MaxPacket {
		return fmt.Errorf("a message on %s has %d bytes; brokers take %d", topic, size, MaxPacket)
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(topic))
	l := f.lanes[h.Sum32()%uint32(len(f.lanes))]
	if err := l.err.Load(); err != nil {
		return *err
	}
	select {
	case l.queue <- l.send(topic, payload):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Acked returns how many messages are acknowledged.
func (f *Fan) Acked() int64 { return f.acked.Load() }

// Close waits until all is acknowledged or ctx ends, and disconnects. No Publish may follow.
func (f *Fan) Close(ctx context.Context) error {
	var errs []error
	for _, l := range f.lanes {
		close(l.queue)
	}
	for _, l := range f.lanes {
		errs = append(errs, l.close(ctx))
	}
	return errors.Join(errs...)
}

func (l *lane) send(topic string, payload []byte) sent {
	lost := l.lost.Load()
	return sent{topic, payload, l.client.Publish(topic, 1, false, payload), lost}
}

// collect waits for acknowledgements in order, until one does not come.
func (l *lane) collect(acked *atomic.Int64) {
	for s := range l.queue {
		if l.err.Load() != nil {
			continue // Publish says why
		}
		if err := l.settle(s); err != nil {
			l.err.Store(&err)
			continue
		}
		acked.Add(1)
	}
}

// settle waits until a message is acknowledged. The client library completes what was in flight
// when a connection was lost without any proof, so that is sent once more: for a receiver that
// knows a fact's identity the second one is a duplicate.
func (l *lane) settle(s sent) error {
	for tries := 1; ; tries++ {
		select {
		case <-s.token.Done():
		case <-l.quit: // the library leaves tokens open for ever when it is closed while it reconnects
			return fmt.Errorf("not everything was acknowledged; the first is of %s", s.topic)
		}
		if s.token.Error() == nil && l.lost.Load() == s.lost {
			return nil
		}
		if tries == l.patience {
			return fmt.Errorf("the broker does not take a message on %s: the connection was lost %d times over it", s.topic, tries)
		}
		s = l.send(s.topic, s.payload)
	}
}

func (l *lane) close(ctx context.Context) error {
	all := make(chan struct{})
	go func() { l.done.Wait(); close(all) }()
	select {
	case <-all:
	case <-ctx.Done():
		close(l.quit)
		<-all
	}
	l.client.Close()
	if err := l.err.Load(); err != nil {
		return *err
	}
	return nil
}

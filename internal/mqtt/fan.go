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

// inFlight is how many messages of one connection may wait for their acknowledgement.
const inFlight = 64

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
	client *Client
	lost   atomic.Int64 // times the connection was lost
	queue  chan sent
	done   sync.WaitGroup
	err    atomic.Pointer[error]
}

// sent is a message on its way.
type sent struct {
	topic   string
	payload []byte
	token   paho.Token
	lost    int64 // lane.lost when it was sent
}

// DialFan opens n connections, whose client ids are o's with a number.
func DialFan(ctx context.Context, o Options, n int) (*Fan, error) {
	f := &Fan{}
	for i := range n {
		l := &lane{queue: make(chan sent, inFlight)}
		own := o
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

// Publish sends a message, waiting while too many are in flight. The payload must not change.
func (f *Fan) Publish(ctx context.Context, topic string, payload []byte) error {
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

// collect waits for acknowledgements in order. The client library completes what was in flight
// when a connection was lost without any proof, so that is sent once more: for a receiver that
// knows a fact's identity the second one is a duplicate.
func (l *lane) collect(acked *atomic.Int64) {
	for s := range l.queue {
		for {
			<-s.token.Done()
			if errors.Is(s.token.Error(), paho.ErrNotConnected) { // only after Close gave up
				err := fmt.Errorf("%s was not acknowledged: %w", s.topic, s.token.Error())
				l.err.Store(&err)
				break
			}
			if s.token.Error() == nil && l.lost.Load() == s.lost {
				acked.Add(1)
				break
			}
			s = l.send(s.topic, s.payload)
		}
	}
}

func (l *lane) close(ctx context.Context) error {
	all := make(chan struct{})
	go func() { l.done.Wait(); close(all) }()
	var err error
	select {
	case <-all:
	case <-ctx.Done():
		err = ctx.Err()
	}
	l.client.Close() // completes what still waits, which ends collect
	<-all
	if lost := l.err.Load(); lost != nil && err == nil {
		err = *lost
	}
	return err
}

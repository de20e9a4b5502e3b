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
	quit   chan struct{} // closed when nobody waits for acknowledgements any more
	done   sync.WaitGroup
	err    error // of collect; to be read after done
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
		l := &lane{queue: make(chan sent, inFlight), quit: make(chan struct{})}
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
		for l.await(s) {
			if s.token.Error() == nil && l.lost.Load() == s.lost {
				acked.Add(1)
				break
			}
			s = l.send(s.topic, s.payload)
		}
	}
}

// await waits for a token to complete and reports false when nobody waits any more: the library
// leaves tokens open for ever when it is closed while it reconnects.
func (l *lane) await(s sent) bool {
	select {
	case <-s.token.Done():
		return true
	case <-l.quit:
		l.err = fmt.Errorf("not everything was acknowledged; the last is of %s", s.topic)
		return false
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
	return l.err
}

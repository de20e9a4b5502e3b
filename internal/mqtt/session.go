package mqtt

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"nhip"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// session is one connection of a source, from the dial to its end. Four goroutines carry a message:
// paho's puts it into the inbox, feed hands it to the door, the door's own answers, and acknowledge
// writes. None waits for a later one except where a bound says so, and the answer never waits.
type session struct {
	s       *Source
	client  paho.Client
	conn    net.Conn // paho's, once it is connected
	inbox   *inbox
	unacked *unacked
	dog     watchdog

	heard atomic.Int64 // messages
	took  atomic.Bool  // the door took one at least
	asked bool         // for subscriptions; the run loop's
	up    atomic.Bool  // the subscriptions are granted
	since time.Time    // when they were; the run loop's

	once sync.Once
	over chan struct{} // closed when the connection is of no use any more
	err  error         // why, once over is closed

	fed, acked, watched chan struct{} // closed when feed, acknowledge, and the watchdog have ended
}

// doorError is a message that the door did not take.
type doorError struct{ cause error }

func (e *doorError) Error() string { return e.cause.Error() }

// hangUp is a connection that tells when it is closed. Paho reports a loss only when its handler has
// returned, which a full inbox would never let it do.
type hangUp struct {
	net.Conn
	told func()
}

// Close tells, and closes the connection.
func (h hangUp) Close() error {
	h.told()
	return h.Conn.Close()
}

func newSession(s *Source) *session {
	n := &session{
		s: s, inbox: newInbox(s.o.pace.waiting), unacked: newUnacked(s.o.pace.inHand),
		over: make(chan struct{}), fed: make(chan struct{}), acked: make(chan struct{}), watched: make(chan struct{}),
	}
	n.dog.n, n.dog.born = n, time.Now()
	return n
}

// serve lives the session and returns why it ended; nil when ctx ended it in good order.
func (n *session) serve(ctx context.Context) error {
	go n.feed()
	go n.acknowledge()
	err := n.begin(ctx)
	if err == nil {
		go func() { defer close(n.watched); n.dog.run() }()
		select {
		case <-n.over:
		case <-ctx.Done():
			n.finish()
		}
	}
	if n.end(err); !n.up.Load() {
		close(n.watched) // nobody has begun to
	}
	n.client.Disconnect(quiesce)
	if n.conn != nil {
		_ = n.conn.Close() // the client may be slower; a second time does no harm
	}
	n.wait(n.watched)
	n.wait(n.fed) // the next session's messages must not overtake one that is in Accept
	n.wait(n.acked)
	return n.err
}

// begin connects and subscribes.
func (n *session) begin(ctx context.Context) error {
	if err := n.connect(ctx); err != nil {
		return err
	}
	n.asked = true
	if err := n.subscribe(ctx); err != nil {
		return err
	}
	n.since = time.Now()
	n.up.Store(true)
	n.s.metrics.connections.Inc()
	n.s.diary.up()
	return nil
}

func (n *session) connect(ctx context.Context) error {
	dialing, cancel := context.WithCancel(ctx)
	defer cancel()
	var kept func() bool
	po := n.options()
	po.SetCustomOpenConnectionFn(func(uri *url.URL, _ paho.ClientOptions) (net.Conn, error) {
		conn, err := n.s.o.open(dialing, uri)
		if err != nil {
			return nil, err
		}
		n.conn = hangUp{Buffer(conn), n.inbox.close}
		kept = context.AfterFunc(dialing, func() { _ = n.conn.Close() }) // ends paho's wait for an answer
		return n.conn, nil
	})
	n.client = paho.NewClient(po)
	token := n.client.Connect()
	<-token.Done() // after dialTimeout at the latest
	if kept != nil && !kept() {
		return ctx.Err()
	}
	if err := token.Error(); err != nil {
		return n.s.o.explain(err)
	}
	return nil
}

func (n *session) options() *paho.ClientOptions {
	o := n.s.o
	return paho.NewClientOptions().AddBroker(o.URL).SetClientID(o.ClientID).
		SetUsername(o.Username).SetPassword(o.Password).
		SetProtocolVersion(4).SetCleanSession(false).SetAutoAckDisabled(true).SetOrderMatters(true).
		SetKeepAlive(o.pace.keepAlive).SetPingTimeout(o.pace.ping).SetConnectTimeout(dialTimeout).
		SetAutoReconnect(false).SetConnectRetry(false).SetStore(forgetful{}).
		SetDefaultPublishHandler(n.receive).
		SetConnectionLostHandler(func(_ paho.Client, err error) { n.end(root(err)) })
}

// subscribe asks for all filters, also when the broker remembers them: the list may have changed.
func (n *session) subscribe(ctx context.Context) error {
	filters := make(map[string]byte)
	for _, f := range n.s.filters {
		filters[f] = 1
	}
	probe := ProbeTopic(n.s.o.ClientID)
	if !n.s.mute.Load() {
		filters[probe] = 0
	}
	token := n.client.SubscribeMultiple(filters, nil)
	if err := n.suback(ctx, token); err != nil {
		return err
	}
	if err := token.Error(); err != nil {
		return n.s.o.explain(err)
	}
	return n.s.o.granted(token, 1, probe)
}

// suback waits for the broker's answer. A broker sends what it has kept first, so the time-out is of
// silence only.
func (n *session) suback(ctx context.Context, token paho.Token) error {
	silence := time.NewTicker(dialTimeout)
	defer silence.Stop()
	for heard := int64(0); ; {
		select {
		case <-token.Done():
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-n.over:
			return n.err
		case <-silence.C:
			if now := n.heard.Load(); now > heard || n.inbox.len() > 0 {
				heard = now
				continue
			}
			return n.s.o.silent(errNoSuback)
		}
	}
}

// receive is called by paho for each message, in order. It must not wait for anything but room.
func (n *session) receive(_ paho.Client, m paho.Message) {
	if m.Topic() == ProbeTopic(n.s.o.ClientID) {
		n.dog.probe()
		return
	}
	n.heard.Add(1)
	n.dog.message()
	n.s.metrics.received.Inc()
	if m.Duplicate() {
		n.s.metrics.redelivered.Inc()
	}
	n.inbox.put(delivery{
		Message: nhip.Message{Topic: m.Topic(), Payload: m.Payload(), Received: n.s.o.Clock.Now()},
		id:      m.MessageID(), retained: m.Retained(),
	})
}

// feed hands the messages to the door, one after the other.
func (n *session) feed() {
	defer close(n.fed)
	var batch []delivery
	for ok := true; ok; {
		batch, ok = n.inbox.take(batch)
		for i := range batch {
			if !n.accept(&batch[i]) {
				return
			}
		}
	}
}

// accept hands one message to the door, and reports false when no more are to be. The copy that a
// broker keeps and sends to whoever subscribes is no new word of the device, and a device without a
// clock would have said it just now: it is acknowledged and left out.
func (n *session) accept(d *delivery) bool {
	number, ok := n.unacked.add(d.id)
	switch {
	case !ok:
		return false
	case d.retained:
		n.s.metrics.skipped.Inc()
		n.unacked.settle(number, true)
	default:
		n.s.o.Door.Accept(d.Message, func(err error) { n.settle(number, err) })
	}
	return true
}

// settle takes the door's answer. It may run in the goroutine that writes to the disk for all.
func (n *session) settle(number uint64, err error) {
	if err != nil {
		n.s.metrics.refused.Inc()
		n.end(&doorError{err})
		return
	}
	n.unacked.settle(number, false)
}

// acknowledge writes the PUBACKs of what is settled. It writes them itself, many in one piece:
// through paho each would pass three channels, for more than the rest of its way costs.
func (n *session) acknowledge() {
	defer close(n.acked)
	var ids []uint16
	var packets []byte
	for {
		var taken, ok bool
		if ids, taken, ok = n.unacked.release(ids[:0]); !ok {
			return
		}
		packets = appendPubacks(packets[:0], ids)
		if _, err := n.conn.Write(packets); err != nil {
			n.end(fmt.Errorf("can't acknowledge: %w", root(err)))
			return
		}
		n.s.metrics.acked.Add(float64(len(packets) / pubackSize))
		if taken {
			n.took.Store(true)
			n.s.took()
		}
	}
}

// finish takes no more and waits until all that the door has is acknowledged, or Stop gives up.
func (n *session) finish() {
	n.inbox.close()
	n.unacked.close()
	n.wait(n.fed)
	n.wait(n.acked)
}

func (n *session) wait(ended <-chan struct{}) {
	select {
	case <-ended:
	case <-n.s.abandon:
	}
}

// end makes the session take and acknowledge nothing more. The first reason stands.
func (n *session) end(err error) {
	n.once.Do(func() {
		n.err = err
		close(n.over)
		n.inbox.close()
		n.unacked.drop()
	})
}

// isUp reports whether the session is subscribed and still of use.
func (n *session) isUp() bool {
	select {
	case <-n.over:
		return false
	default:
		return n.up.Load()
	}
}

// lasted returns for how long the session has been up; 0 if it never was.
func (n *session) lasted() time.Duration {
	if n.since.IsZero() {
		return 0
	}
	return max(time.Since(n.since), 1)
}

package consume

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"nhip"
	"nhip/internal/mqtt"
	"nhip/internal/task"
	"nhip/internal/topics"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// session is one connection of a source, from the dial to its end. A message passes through four goroutines: paho's
// puts it into the inbox, feed passes it to the acceptor, the acceptor's own answers, and acknowledge writes the
// PUBACK. None of them waits for a later one unless a limit is reached, and the acceptor's answer never waits.
type session struct {
	s        *Source
	client   paho.Client
	conn     net.Conn // of client; nil before it is connected
	inbox    *inbox
	unacked  *unacked
	watchdog *mqtt.Watchdog
	census   census

	received   atomic.Int64 // messages
	accepted   atomic.Bool  // the acceptor accepted at least one message
	subscribed bool         // a SUBSCRIBE was sent; used by Source.run only
	up         atomic.Bool  // the subscriptions are granted
	since      time.Time    // when up became true; used by Source.run only

	once sync.Once
	over chan struct{} // closed when the session must end
	err  error         // why; valid once over is closed

	delivery *task.Group // feed and acknowledge
	watch    *task.Group // the watchdog
}

// rejectedError means that the acceptor rejected a message.
type rejectedError struct{ cause error }

func (e *rejectedError) Error() string { return e.cause.Error() }

// closeNotifier is a connection that calls a function when it is closed. paho reports a lost connection only after its
// message handler has returned, and with a full inbox the handler does not return before the inbox is closed.
type closeNotifier struct {
	net.Conn
	onClose func()
}

// Close implements net.Conn.
func (c closeNotifier) Close() error {
	c.onClose()
	return c.Conn.Close()
}

func newSession(s *Source) *session {
	n := &session{
		s: s, inbox: newInbox(s.o.limits.inbox), unacked: newUnacked(s.o.limits.unacked),
		over: make(chan struct{}), delivery: task.NewGroup(), watch: task.NewGroup(),
	}
	n.watchdog = newWatchdog(n)
	n.watchdog.Begin()
	return n
}

// serve runs the session and returns why it ended; nil after an orderly end because of ctx.
func (n *session) serve(ctx context.Context) error {
	n.delivery.Go("feed", n.feed)
	n.delivery.Go("acknowledge", n.acknowledge)
	err := n.begin(ctx)
	if err == nil {
		n.watch.Go("watchdog", n.runWatchdog)
		select {
		case <-n.over:
		case <-ctx.Done():
			n.finish()
		}
	}
	n.end(err)
	n.client.Disconnect(mqtt.Quiesce)
	if n.conn != nil {
		_ = n.conn.Close() // paho may close it later; a second Close is harmless
	}
	_ = n.watch.Stop(n.s.abandoned)
	// The next session must not deliver messages while an older one is still in Accept.
	_ = n.delivery.Stop(n.s.abandoned)
	return n.err
}

// begin connects and subscribes.
func (n *session) begin(ctx context.Context) error {
	if err := n.connect(ctx); err != nil {
		return err
	}
	n.subscribed = true
	if err := n.subscribe(ctx); err != nil {
		if mqtt.IsRefusal(err) {
			n.clearCensus() // an earlier session may have left it
		}
		return err
	}
	n.since = time.Now()
	n.up.Store(true)
	n.publishCensus()
	n.s.metrics.connections.Inc()
	n.s.sessionLog.up()
	return nil
}

func (n *session) connect(ctx context.Context) error {
	dialing, cancel := context.WithCancel(ctx)
	defer cancel()
	var keep func() bool
	po := n.options()
	po.SetCustomOpenConnectionFn(func(uri *url.URL, _ paho.ClientOptions) (net.Conn, error) {
		conn, err := n.s.o.OpenConn(dialing, uri)
		if err != nil {
			return nil, err
		}
		n.conn = closeNotifier{conn, n.inbox.close}
		keep = context.AfterFunc(dialing, func() { _ = n.conn.Close() }) // unblocks paho, which waits for the CONNACK
		return n.conn, nil
	})
	n.client = paho.NewClient(po)
	token := n.client.Connect()
	<-token.Done() // within a few seconds
	if keep != nil && !keep() {
		return ctx.Err()
	}
	if err := token.Error(); err != nil {
		return n.s.o.Explain(err)
	}
	return nil
}

func (n *session) options() *paho.ClientOptions {
	o := n.s.o
	po := paho.NewClientOptions().AddBroker(o.URL).SetClientID(o.ClientID).
		SetUsername(o.Username).SetPassword(o.Password).
		SetProtocolVersion(4).SetCleanSession(false).SetAutoAckDisabled(true).SetOrderMatters(true).
		SetKeepAlive(o.limits.keepAlive).SetPingTimeout(o.limits.ping).SetConnectTimeout(mqtt.DialTimeout).
		SetAutoReconnect(false).SetConnectRetry(false).SetStore(nopStore{}).
		SetDefaultPublishHandler(n.receive).
		SetConnectionLostHandler(func(_ paho.Client, err error) { n.end(mqtt.RootCause(err)) })
	n.setWill(po)
	return po
}

// subscribe subscribes to all filters, although the broker keeps those of the session: the list may have changed.
func (n *session) subscribe(ctx context.Context) error {
	filters := make(map[string]byte)
	for _, f := range n.s.filters {
		filters[f] = 1
	}
	probe := topics.ProbeTopic(n.s.o.ClientID)
	if n.s.probes.Enabled() {
		filters[probe] = 0
	}
	token := n.client.SubscribeMultiple(filters, nil)
	if err := n.awaitSuback(ctx, token); err != nil {
		return err
	}
	if err := token.Error(); err != nil {
		return n.s.o.Explain(err)
	}
	return n.s.o.CheckGranted(token, 1, probe)
}

// awaitSuback waits for the SUBACK. A broker may first deliver everything that the session holds, so the wait fails
// only when neither the SUBACK nor a message arrives for DialTimeout.
func (n *session) awaitSuback(ctx context.Context, token paho.Token) error {
	check := time.NewTicker(mqtt.DialTimeout)
	defer check.Stop()
	for received := int64(0); ; {
		select {
		case <-token.Done():
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-n.over:
			return n.err
		case <-check.C:
			if now := n.received.Load(); now > received || n.inbox.len() > 0 {
				received = now
				continue
			}
			return n.s.o.Unresponsive(mqtt.ErrNoSuback)
		}
	}
}

// receive is paho's message handler. paho calls it for each message, in order. It blocks only while the inbox is full.
func (n *session) receive(_ paho.Client, m paho.Message) {
	if m.Topic() == topics.ProbeTopic(n.s.o.ClientID) {
		n.watchdog.ProbeReceived()
		return
	}
	n.received.Add(1)
	n.watchdog.MessageReceived()
	n.s.metrics.received.Inc()
	if m.Duplicate() {
		n.s.metrics.redelivered.Inc()
	}
	n.inbox.put(delivery{
		Message: nhip.Message{Topic: m.Topic(), Payload: m.Payload(), Received: n.s.o.Clock.Now()},
		id:      m.MessageID(), retained: m.Retained(),
	})
}

// feed passes the messages of the inbox to the acceptor, one after the other, until the inbox is closed. It ignores its
// context: during an orderly end, messages that were taken from the inbox are still passed on.
func (n *session) feed(context.Context) error {
	var batch []delivery
	for ok := true; ok; {
		batch, ok = n.inbox.take(batch)
		for i := range batch {
			if !n.accept(&batch[i]) {
				return nil
			}
		}
	}
	return nil
}

// accept passes one message to the acceptor. It returns false when no more may follow. A retained message that the
// broker sends to a new subscriber is not new, and if its device has no clock, the time of arrival would be taken for
// that of the measurement. Such a message is acknowledged and not passed on.
func (n *session) accept(d *delivery) bool {
	number, ok := n.unacked.add(d.id)
	switch {
	case !ok:
		return false
	case d.retained:
		n.s.metrics.skipped.Inc()
		n.unacked.settle(number, true)
	default:
		n.s.o.Acceptor.Accept(d.Message, func(err error) { n.settle(number, err) })
	}
	return true
}

// settle handles the acceptor's answer. It may run in the goroutine that writes to disk for all, so it must not block.
func (n *session) settle(number uint64, err error) {
	if err != nil {
		n.s.metrics.rejected.Inc()
		n.end(&rejectedError{err})
		return
	}
	n.unacked.settle(number, false)
}

// acknowledge writes the PUBACKs of settled messages until the session ends. It bypasses paho and writes many of them
// at once: in paho each would pass through three channels, which costs more than everything else that happens to a
// message. It ignores its context: an orderly end waits for the last PUBACK.
func (n *session) acknowledge(context.Context) error {
	var ids []uint16
	var packets []byte
	for {
		var accepted, ok bool
		if ids, accepted, ok = n.unacked.release(ids[:0]); !ok {
			return nil
		}
		packets = appendPubacks(packets[:0], ids)
		if _, err := n.conn.Write(packets); err != nil {
			n.end(fmt.Errorf("can't acknowledge: %w", mqtt.RootCause(err)))
			return nil
		}
		n.s.metrics.acked.Add(float64(len(packets) / pubackSize))
		if accepted {
			n.accepted.Store(true)
			n.s.messageAccepted()
		}
	}
}

// finish clears the census, accepts no more messages and waits until all that the acceptor holds are acknowledged, or
// Stop stops waiting.
func (n *session) finish() {
	n.clearCensus()
	n.inbox.close()
	n.unacked.close()
	_ = n.delivery.Wait(n.s.abandoned)
}

// end makes the session accept and acknowledge nothing more. The first reason is kept.
func (n *session) end(err error) {
	n.once.Do(func() {
		n.err = err
		close(n.over)
		n.inbox.close()
		n.unacked.drop()
	})
}

// usable reports whether the session is subscribed and has not ended.
func (n *session) usable() bool {
	select {
	case <-n.over:
		return false
	default:
		return n.up.Load()
	}
}

// lasted returns how long the session has been up; 0 if it never was.
func (n *session) lasted() time.Duration {
	if n.since.IsZero() {
		return 0
	}
	return max(time.Since(n.since), 1)
}

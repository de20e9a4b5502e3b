package amqp

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"nhip"
	"nhip/internal/wait"

	amqp091 "github.com/rabbitmq/amqp091-go"
)

// session is one connection of a source. A message passes through three goroutines: serve's passes it to the acceptor,
// the acceptor's own reports the outcome, and acknowledge tells the broker.
type session struct {
	s          *Source
	conn       *boundedConn
	client     *amqp091.Connection
	channel    *amqp091.Channel
	deliveries <-chan amqp091.Delivery
	closed     <-chan *amqp091.Error
	cancelled  <-chan string

	window *window
	lost   chan error // receives why the broker can't be told outcomes

	mu     sync.Mutex
	failed []held // messages that could not be stored
}

// held is a message with its delivery tag.
type held struct {
	tag uint64
	nhip.Message
}

// serve receives messages until the session ends and returns why.
func (n *session) serve(ctx context.Context) error {
	ended := make(chan struct{})
	var acks sync.WaitGroup
	acks.Go(func() { n.acknowledge(ended) })
	defer func() {
		close(ended)
		_ = n.conn.Close() // ends an acknowledgement that blocks, and makes the client forget the rest
		acks.Wait()
		_ = n.client.Close() // ends the client's goroutines
		n.s.metrics.unacked.Set(0)
	}()
	err := n.receive(ctx)
	if errors.Is(err, errCancelled) || ctx.Err() != nil {
		n.finish()
	}
	return err
}

// errCancelled means that the broker has ended the consumer and kept the channel.
var errCancelled = errors.New("the broker has cancelled the consumer: the queue was deleted or has moved")

// receive passes messages on until the session ends or ctx does.
func (n *session) receive(ctx context.Context) error {
	failures := time.NewTicker(n.s.o.timing.first)
	defer failures.Stop()
	for {
		select {
		case d, ok := <-n.deliveries:
			if !ok {
				return n.ending()
			}
			if err := n.pass(&d); err != nil {
				return err
			}
		case <-failures.C:
		case err := <-n.lost:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := n.storeFailed(ctx); err != nil {
			return err
		}
	}
}

// ending returns why the broker sends no more messages.
func (n *session) ending() error {
	select {
	case _, ok := <-n.cancelled:
		if ok {
			return errCancelled
		}
	case err := <-n.closed:
		if err != nil {
			return err
		}
	}
	select {
	case err := <-n.closed:
		if err != nil {
			return err
		}
	default:
	}
	return errors.New("the connection to the broker was closed")
}

// keptOfLarge is how much of a message beyond the maximum size is passed on, in bytes: enough to see what it is, and so
// little that many of them fit into a sender's share of dead letters.
const keptOfLarge = 16 << 10

// pass passes a message to the acceptor.
func (n *session) pass(d *amqp091.Delivery) error {
	if err := n.window.add(d.DeliveryTag); err != nil {
		return err
	}
	n.s.metrics.unacked.Inc()
	if d.Redelivered {
		n.s.metrics.redelivered.Inc()
	}
	h := held{d.DeliveryTag, nhip.Message{
		Client: n.s.o.Name, Topic: n.s.topic, Payload: d.Body, Received: n.s.o.Clock.Now().UTC(),
	}}
	if len(h.Payload) > n.s.o.MaxBytes {
		h.Payload, h.Size = h.Payload[:min(keptOfLarge, n.s.o.MaxBytes)], int64(n.conn.takeSize())
		n.s.metrics.tooLarge.Inc()
	}
	n.s.o.Acceptor.Accept(h.Message, func(err error) { n.settle(h, err) })
	return nil
}

// settle notes what became of a message. It may run in the goroutine that writes to disk for all, so it must not block.
func (n *session) settle(h held, err error) {
	switch {
	case err == nil:
		n.window.settle(h.tag, stored)
	case permanent(err):
		n.s.log.Error("message rejected; the broker drops it, or moves it to a dead-letter exchange",
			"bytes", len(h.Payload), "error", err)
		n.window.settle(h.tag, refused)
	default:
		n.putBack(h)
	}
}

// putBack adds a message to those that could not be stored.
func (n *session) putBack(h held) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.failed = append(n.failed, h)
}

// permanent reports whether a message can't be stored later either.
func permanent(err error) bool { return nhip.ErrorCode(err) == nhip.CodeTooLarge }

// storeFailed tries to store the messages that could not be stored, in their order, until all are. It receives no
// others meanwhile: they would fail, too. The connection stays open.
func (n *session) storeFailed(ctx context.Context) error {
	pause := n.s.o.timing.first
	for {
		h, ok := n.firstFailed()
		if !ok {
			return nil
		}
		if err := n.awaitRetry(ctx, pause); err != nil {
			n.putBack(h) // finish waits for all others
			return err
		}
		outcome := make(chan error, 1)
		n.s.metrics.retries.Inc()
		n.s.o.Acceptor.Accept(h.Message, func(err error) { outcome <- err })
		err := <-outcome
		if err != nil && !permanent(err) {
			n.refusing(err)
			n.settle(h, err)
			pause = min(2*pause, n.s.o.timing.longest)
			continue
		}
		n.settle(h, err)
		n.storing()
		pause = 0
	}
}

// firstFailed removes the earliest message that could not be stored.
func (n *session) firstFailed() (held, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.failed) == 0 {
		return held{}, false
	}
	slices.SortFunc(n.failed, func(a, b held) int { return int(int64(a.tag) - int64(b.tag)) })
	h := n.failed[0]
	n.failed = n.failed[1:]
	return h, true
}

// awaitRetry waits before another attempt. It returns an error if the session has ended.
func (n *session) awaitRetry(ctx context.Context, pause time.Duration) error {
	if err := wait.Sleep(ctx, pause); err != nil {
		return err
	}
	select {
	case err := <-n.lost:
		return err
	default:
	}
	if n.channel.IsClosed() {
		return n.ending()
	}
	return nil
}

// refusing reports that messages can't be stored.
func (n *session) refusing(err error) {
	reason := "messages are not stored and wait at the broker: " + err.Error()
	if n.s.Fault() != reason {
		n.s.log.Error("messages are not stored and wait at the broker", "error", err)
		n.s.setFault(reason)
	}
}

// storing reports that messages are stored again.
func (n *session) storing() {
	if n.s.Fault() != "" {
		n.s.log.Info("messages are stored again")
		n.s.setFault("")
	}
}

// acknowledge tells the broker the outcomes until the session has ended.
func (n *session) acknowledge(ended <-chan struct{}) {
	for {
		select {
		case <-n.window.changed:
		case <-ended:
			return
		}
		if err := n.tell(); err != nil {
			n.lost <- err
			return
		}
	}
}

// tell tells the broker the outcomes that are known, up to the first message without one.
func (n *session) tell() error {
	for {
		tag, o, count := n.window.next()
		if count == 0 {
			return nil
		}
		if o == refused {
			n.s.metrics.rejected.Inc()
			n.s.metrics.unacked.Sub(1)
			if err := n.channel.Reject(tag, false); err != nil {
				return err
			}
			continue
		}
		if err := n.channel.Ack(tag, true); err != nil {
			return err
		}
		n.s.metrics.acked.Add(float64(count))
		n.s.metrics.unacked.Sub(float64(count))
	}
}

// finishPoll is the interval at which finish looks at what is left.
const finishPoll = 10 * time.Millisecond

// finish takes no more messages, and waits until those that were passed on have an outcome and the broker knows it.
// What is left after that is delivered again.
func (n *session) finish() {
	ctx, cancel := context.WithTimeout(context.Background(), n.s.o.timing.finish)
	defer cancel()
	for n.window.len() > n.failures() && len(n.lost) == 0 {
		if wait.Sleep(ctx, finishPoll) != nil {
			n.s.log.Warn("messages are not stored in time and will be delivered again", "messages", n.window.len())
			return
		}
	}
	stuck := time.AfterFunc(n.s.o.timing.finish, func() { _ = n.conn.Close() }) // the broker may not answer
	defer stuck.Stop()
	_ = n.channel.Close() // sends what is buffered; an error means that the broker delivers the rest again
	_ = n.client.Close()
}

// failures returns the number of messages that could not be stored.
func (n *session) failures() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.failed)
}

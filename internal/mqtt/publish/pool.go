// Package publish sends MQTT messages with QoS 1 over several connections and keeps the order of each device's
// messages, also when a connection is lost.
package publish

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net/url"
	"time"

	"nhip/internal/mqtt"
	"nhip/internal/task"
	"nhip/internal/topics"
)

const (
	maxInFlight = 64               // unacknowledged messages of one connection
	firstRetry  = 2 * time.Second  // default of Options.Retry
	lastRetry   = 15 * time.Second // the pause doubles up to this
)

// Options configure a Pool.
type Options struct {
	mqtt.Options     // the broker and the log-in; the filters and callbacks are ignored
	Connections  int // at least 1
	// MaxLosses is how often the connection may be lost over the same message before its queue gives up and sends
	// nothing more; 0 means that it never gives up.
	MaxLosses int
	// MaxDown is how long no connection may be had before a queue gives up and sends nothing more; 0 means that it never
	// gives up.
	MaxDown time.Duration
	// Retry is the pause before the second attempt to connect. It doubles with each attempt, up to 15 s. Default: 2 s.
	Retry time.Duration
	// Covered makes a connection send only messages that a census which arrived over it covers; see topics.Census. The
	// others are held, and those behind them on the same connection. Such a Pool must be renewed when it holds messages
	// that no census covers any more; see Held.
	Covered bool
	// OnChange, if it is set, is called when the result of Coverage or Held may have changed. It must not block.
	OnChange func()
}

// Pool publishes the messages of many devices over a few connections with QoS 1, and counts the acknowledgements.
//
// A durable acknowledgement costs the broker a sync of its disk, and a broker handles the messages of one connection
// one after the other; several connections share each sync. Messages with the same key use the same connection, so a
// device's messages stay in order. When a connection is lost, its unacknowledged messages are sent first on the next
// one, in the same order. The broker may therefore receive a message twice, but never before an earlier one with the
// same key.
type Pool struct {
	options Options
	address *url.URL
	queues  []*queue
	state   *state
	tasks   *task.Group // one task for each queue
	started bool
}

// New returns a Pool that accepts messages and sends them once it is started. An invalid URL is an error.
func New(o Options) (*Pool, error) {
	at, err := parseAddress(o.URL)
	if err != nil {
		return nil, err
	}
	if o.Connections < 1 {
		return nil, fmt.Errorf("connections: must be at least 1, got %d", o.Connections)
	}
	if o.Retry == 0 {
		o.Retry = firstRetry
	}
	if o.OnChange == nil {
		o.OnChange = func() {}
	}
	return newPool(o, at, newState(at.Redacted(), o.Logger)), nil
}

func newPool(o Options, at *url.URL, st *state) *Pool {
	p := &Pool{options: o, address: at, state: st, tasks: task.NewGroup()}
	for i := range o.Connections {
		own := o
		own.ClientID = fmt.Sprintf("%s-%d", o.ClientID, i)
		p.queues = append(p.queues, newQueue(at, own, p.state))
	}
	return p
}

// Renew ends the connections and returns a started Pool with the same options and counts and without messages. The
// messages of the old Pool that were not acknowledged are forgotten: nothing calls acked for them once Renew has
// returned. The old Pool must have been started, and must not be used any more.
func (p *Pool) Renew() *Pool {
	p.tasks.Cancel()
	for _, q := range p.queues {
		close(q.in)
	}
	_ = p.tasks.Wait(context.Background()) // the errors are those of the forgotten messages
	for _, q := range p.queues {
		q.forget()
	}
	renewed := newPool(p.options, p.address, p.state)
	renewed.start(make([]*pubConn, len(renewed.queues)))
	return renewed
}

// Fault returns why the connections are not reliable, or "": all were lost again and again; see mqtt.Losses.
func (p *Pool) Fault() string { return p.state.losses.Fault() }

// Coverage returns what the censuses cover that have arrived over the open connections.
func (p *Pool) Coverage() topics.Coverage {
	var all []topics.Coverage
	for _, q := range p.queues {
		if c := q.coverage.Load(); c != nil {
			all = append(all, *c)
		}
	}
	return topics.Union(all...)
}

// Held returns the topics of messages that wait at the head of an open connection because none of its censuses covers
// them.
func (p *Pool) Held() []string {
	var held []string
	for _, q := range p.queues {
		if topic := q.held.Load(); topic != nil {
			held = append(held, *topic)
		}
	}
	return held
}

// Dial returns a started Pool whose connections are open. The client id of each is that of o with a number. Dial fails
// if one of them can't be opened; a connection that is lost later is opened again, without a limit of attempts.
func Dial(ctx context.Context, o Options) (*Pool, error) {
	p, err := New(o)
	if err != nil {
		return nil, err
	}
	conns := make([]*pubConn, len(p.queues))
	for i, q := range p.queues {
		if conns[i], err = q.open(ctx); err != nil {
			for _, c := range conns[:i] {
				c.close()
			}
			p.tasks.Cancel()
			return nil, fmt.Errorf("the MQTT broker at %s can't be reached: %w", p.address.Redacted(), err)
		}
	}
	p.start(conns)
	return p, nil
}

// Start connects in the background, and again whenever a connection is lost. It logs each cause of a failure to connect
// once, and that the broker is reached again.
func (p *Pool) Start() {
	p.state.markDown()
	p.start(make([]*pubConn, len(p.queues)))
}

// start runs the queues, each on its connection or, if that is nil, on one that it opens.
func (p *Pool) start(conns []*pubConn) {
	p.started = true
	for i, q := range p.queues {
		p.tasks.Go(fmt.Sprintf("connection %d", i), func(ctx context.Context) error { return q.run(ctx, conns[i]) })
	}
}

// Publish sends a message with its topic as the key; see PublishFor.
func (p *Pool) Publish(ctx context.Context, topic string, payload []byte) error {
	return p.PublishFor(ctx, topic, topic, payload, nil)
}

// PublishFor sends a message after all earlier ones with the same key. It blocks while too many are in flight. The
// payload must not be changed afterwards. It returns an error if no broker of ours would accept the message, or if the
// queue has given up on an earlier one. acked, if not nil, is called once when the broker has acknowledged the message,
// and never if PublishFor returns an error. Other messages wait while acked runs, so it must return at once.
func (p *Pool) PublishFor(ctx context.Context, key, topic string, payload []byte, acked func()) error {
	if err := topics.CheckMessage(topic, payload); err != nil {
		return err
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(key))
	q := p.queues[h.Sum32()%uint32(len(p.queues))]
	return q.publish(ctx, &message{topic: topic, payload: payload, acked: acked})
}

// Acked returns the number of acknowledged messages.
func (p *Pool) Acked() int64 { return p.state.acked.Load() }

// Resent returns how many times a message was sent again because the connection was lost before its acknowledgement.
func (p *Pool) Resent() int64 { return p.state.resent.Load() }

// Stuck returns the number of messages over which the connection was lost again and again. Each of them blocks its
// queue.
func (p *Pool) Stuck() int { return int(p.state.stuck.Load()) }

// Connected reports whether at least one connection is open.
func (p *Pool) Connected() bool { return p.state.connected() }

// Close waits until every message is acknowledged or ctx ends, and disconnects. It returns an error for each queue that
// has unacknowledged messages left. Publish must not be called any more.
func (p *Pool) Close(ctx context.Context) error {
	for _, q := range p.queues {
		close(q.in)
	}
	if !p.started { // the queues return at once, with an error if they hold messages
		p.tasks.Cancel()
		p.start(make([]*pubConn, len(p.queues)))
	}
	stop := context.AfterFunc(ctx, p.tasks.Cancel)
	defer stop()
	defer p.tasks.Cancel()
	_ = p.tasks.Wait(context.Background()) // the errors are those below, here in the order of the queues
	var errs []error
	for _, q := range p.queues {
		if err := q.err.Load(); err != nil {
			errs = append(errs, *err)
		}
	}
	return errors.Join(errs...)
}

package live

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"nhip"
	"nhip/collector/deadletter"
	"nhip/collector/document"
	"nhip/internal/mqtt"
	"nhip/internal/rpc"
	"nhip/internal/topics"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// publishTimeout is the time limit for sending one message to the broker.
const publishTimeout = 5 * time.Second

// Pauses between two rounds of publishing states. While a backlog is processed, every bus changes hundreds of times a
// second; to publish each change would cost the broker a lot and serve no reader.
const (
	minPause        = 100 * time.Millisecond
	pausePerMessage = 100 * time.Microsecond
	maxPause        = time.Second
)

func pauseAfter(messages int) time.Duration {
	return min(minPause+time.Duration(messages)*pausePerMessage, maxPause)
}

// Publisher keeps the retained live topics equal to a State and publishes events.
type Publisher struct {
	collector  string
	state      *State
	broker     mqtt.Options
	client     *mqtt.Client
	rpc        *rpc.Server
	openAlerts func() []nhip.Alert
	metrics    *Metrics

	documents *document.Store

	letters  chan announcement
	results  chan Event // of user actions
	alerts   chan nhip.Alert
	arrivals <-chan nhip.Arrival // nil if buses are not tracked
	hfp      *hfpEncoder         // nil if HFP is disabled

	census          topics.Census // published last
	censusPublished atomic.Bool   // on this connection
	publishCensus   func()
	since           func() int64 // of the census; nil: 0
	up              atomic.Bool
	watched         atomic.Pointer[mqtt.Client] // client; nil before Connect
}

// PublisherOptions configure a Publisher.
type PublisherOptions struct {
	Collector  string // id of the collector, part of some topics
	State      *State
	Documents  *document.Store
	Broker     mqtt.Options        // the Publisher sets OnUp and OnDown
	RPC        *rpc.Server         // uses the same connection; Broker must be extended for it
	OpenAlerts func() []nhip.Alert // alerts to publish again on each connection
	Arrivals   *ArrivalWriter      // may be nil
	HFP        bool                // publish buses as HFP messages, too
	Metrics    *Metrics
	Logger     *slog.Logger

	// PublishCensus, if it is set, publishes the census, whose counts have changed. Otherwise the Publisher publishes it,
	// as that of a collector that receives every message.
	PublishCensus func()
	Since         func() int64 // of the census; nil: 0
}

// NewPublisher returns a Publisher that is not connected.
func NewPublisher(o PublisherOptions) *Publisher {
	p := &Publisher{
		collector: o.Collector, state: o.State, broker: o.Broker, rpc: o.RPC, openAlerts: o.OpenAlerts,
		metrics: o.Metrics, letters: make(chan announcement, queueLength),
		results: make(chan Event, queueLength), alerts: make(chan nhip.Alert, queueLength),
		publishCensus: o.PublishCensus, since: o.Since, documents: o.Documents,
	}
	if p.publishCensus == nil {
		p.publishCensus = p.publishOwnCensus
	}
	if o.Arrivals != nil {
		p.arrivals = o.Arrivals.publish
	}
	if o.HFP {
		p.hfp = newHFPEncoder()
	}
	p.broker.Logger = o.Logger
	p.broker.Watch = true // a user action must not be missed
	p.broker.OnUp = p.onUp
	p.broker.OnDown = func(error) { p.up.Store(false) }
	return p
}

func (p *Publisher) onUp() {
	p.censusPublished.Store(false)
	p.up.Store(true)
	p.state.republish()
	p.documents.Republish()
	for _, a := range p.openAlerts() {
		p.Alert(a)
	}
}

// Connect waits for the broker until ctx ends.
func (p *Publisher) Connect(ctx context.Context) (err error) {
	if p.client, err = mqtt.DialRetry(ctx, p.broker); err != nil {
		return err
	}
	p.watched.Store(p.client)
	p.rpc.Use(p.client)
	return nil
}

// Close closes the RPC server and the connection. Run must have returned.
func (p *Publisher) Close() {
	p.rpc.Close()
	p.client.Close()
}

// Connected reports whether the broker is reachable now, and delivers.
func (p *Publisher) Connected() bool {
	client := p.watched.Load()
	return p.up.Load() && (client == nil || !client.Silent())
}

// Fault returns why the connection to the broker is not reliable, or "": it was lost again and again.
func (p *Publisher) Fault() string {
	if client := p.watched.Load(); client != nil {
		return client.Fault()
	}
	return ""
}

// announcement is a dead letter to publish. It is encoded at once so that the queue doesn't hold long payloads.
type announcement struct {
	code    nhip.Code
	payload []byte
}

// Announce queues dead letters.
func (p *Publisher) Announce(letters []nhip.DeadLetter) {
	for _, l := range letters {
		enqueue(p, p.letters, announcement{l.Code, deadletter.Encode(l)})
	}
}

// Event is what has become of a user action.
type Event struct {
	Kind, ID string
	Result   nhip.ActionResult
}

// Publish queues what has become of user actions. What was stored is published after the documents that it changed.
func (p *Publisher) Publish(results []Event) {
	for _, r := range results {
		enqueue(p, p.results, r)
	}
}

// Send publishes a message with QoS 1 and waits until the broker has it, ctx ends or publishTimeout is over. It reports
// whether the broker has it.
func (p *Publisher) Send(ctx context.Context, topic string, payload []byte) bool {
	client := p.watched.Load()
	if client == nil || !p.Connected() {
		return false
	}
	token := client.Publish(topic, 1, false, payload)
	timeout := time.NewTimer(publishTimeout)
	defer timeout.Stop()
	select {
	case <-token.Done():
		return token.Error() == nil
	case <-ctx.Done():
	case <-timeout.C:
	}
	return false
}

// Alert queues an alert that has changed.
func (p *Publisher) Alert(a nhip.Alert) { enqueue(p, p.alerts, a) }

// enqueue never blocks.
func enqueue[T any](p *Publisher, queue chan T, event T) {
	select {
	case queue <- event:
	default:
		p.metrics.unannounced.Inc()
	}
}

// Run publishes until ctx ends. A state that changes faster than the broker accepts messages is published once, in
// its newest version.
func (p *Publisher) Run(ctx context.Context) error {
	wake, pause := p.state.wake, (<-chan time.Time)(nil)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case l := <-p.letters:
			p.client.Publish(topics.DeadTopic(p.collector, l.code), 0, false, l.payload)
		case <-p.documents.Wake():
			p.publishDocuments()
		case r := <-p.results:
			p.publishDocuments()
			p.client.Publish(topics.EventTopic(r.Kind, r.ID), 1, false, encode(&r.Result))
		case a := <-p.alerts:
			p.publishAlert(a)
		case a := <-p.arrivals:
			p.client.Publish(topics.ArrivalTopic(a.Agency, a.Vehicle), 0, false, encode(a))
		case <-pause:
			wake, pause = p.state.wake, nil
		case <-wake:
			if p.up.Load() {
				wake, pause = nil, time.After(pauseAfter(p.publishStates(ctx)))
			}
		}
	}
}

// publishAlert publishes an alert as a retained message, and clears its topic when it has ended.
func (p *Publisher) publishAlert(a nhip.Alert) {
	topic := topics.EventTopic(topics.Alert, a.ID)
	p.client.Publish(topic, 1, a.Grade > 0, encode(&a))
	if a.Grade == 0 {
		p.client.Publish(topic, 1, true, nil)
	}
}

// publishStates publishes all changed states and returns their number.
func (p *Publisher) publishStates(ctx context.Context) int {
	due, census := p.state.takeDirty()
	census.Documents = p.documents.Count()
	var last paho.Token
	for _, e := range due {
		if ctx.Err() != nil {
			return len(due)
		}
		last = p.publishState(&e)
	}
	if !p.censusPublished.Swap(true) || census.Buses != p.census.Buses || census.Stations != p.census.Stations ||
		census.Services != p.census.Services || census.Documents != p.census.Documents {
		p.census = census
		p.publishCensus()
	}
	p.publishDocuments()
	if last != nil {
		last.WaitTimeout(publishTimeout)
	}
	return len(due)
}

// publishDocuments publishes the documents that have changed. The census with another number of them follows with the
// states.
func (p *Publisher) publishDocuments() {
	if !p.up.Load() || !p.censusPublished.Load() {
		return // they follow the census, by which a subscriber knows how many to wait for
	}
	due := p.documents.TakeDirty()
	for _, m := range due {
		p.client.Publish(m.Topic, 1, true, m.Payload)
	}
	if len(due) > 0 {
		p.state.Signal()
	}
}

// publishOwnCensus publishes the census of a collector that is in one process with its broker, which hands it every
// message of devices.
func (p *Publisher) publishOwnCensus() {
	census := p.census
	census.Filters = []string{topics.EveryTopic}
	if p.since != nil {
		census.Since = p.since()
	}
	p.client.Publish(topics.CensusTopic(p.collector), 0, true, encode(census))
}

func (p *Publisher) publishState(e *entry) paho.Token {
	switch {
	case e.bus != nil:
		b := p.state.bus(e.bus)
		token := p.client.Publish(e.topic, 0, true, encode(b))
		if p.hfp != nil {
			topic, payload := p.hfp.message(e.topic, b)
			p.client.Publish(topic, 0, false, payload)
		}
		return token
	case e.station != nil:
		return p.client.Publish(e.topic, 0, true, encode(p.state.published(e.station)))
	case e.service != nil:
		return p.client.Publish(e.topic, 0, true, encode(e.service))
	}
	if p.hfp != nil {
		p.hfp.forget(e.topic)
	}
	return p.client.Publish(e.topic, 0, true, nil)
}

package ask

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"sync"
	"time"

	"nhip"
	"nhip/internal/mqtt"

	"github.com/prometheus/client_golang/prometheus"
)

// Timeout is how long an answer is waited for where the asker's context sets no end.
const Timeout = 5 * time.Second

// AskerOptions say who asks.
type AskerOptions struct {
	ID         string                // names the topic of the answers; no two askers have one
	Timeout    time.Duration         // default: Timeout
	Registerer prometheus.Registerer // nil: no metrics
}

// Asker asks collectors, any number of questions at a time.
type Asker struct {
	topic   string // of the answers
	timeout time.Duration
	metrics *askerMetrics
	mouth   *mouth

	mu      sync.Mutex
	waiting map[string]chan answer // by the question's id
}

// NewAsker returns an asker that has no broker yet.
func NewAsker(o AskerOptions) *Asker {
	return &Asker{
		topic: mqtt.AnswerTopic(o.ID), timeout: cmp.Or(o.Timeout, Timeout), metrics: newAskerMetrics(o.Registerer),
		mouth: newMouth(), waiting: make(map[string]chan answer),
	}
}

// Extend returns o listening for the answers, too. Messages of other topics go where they went.
func (a *Asker) Extend(o mqtt.Options) mqtt.Options { return extend(o, a.topic, a.hear) }

// Use gives the asker the client that was dialled with the extended options.
func (a *Asker) Use(c *mqtt.Client) { a.mouth.use(c) }

// Close ends the asker; it comes before its client's.
func (a *Asker) Close() { a.mouth.close() }

// Ask asks a collector, with params as JSON, and reads the answer into into, which may be nil. It
// waits until ctx's deadline or, where that has none, the asker's time-out. The error is an
// *nhip.Error: the one that the collector answers with, Unavailable naming the collector when
// no answer comes, or Internal for one that can't be read.
func (a *Asker) Ask(ctx context.Context, collector, question string, params, into any) error {
	err := a.ask(ctx, collector, question, params, into)
	a.metrics.asked.WithLabelValues(question, outcome(err)).Inc()
	return err
}

func (a *Asker) ask(ctx context.Context, collector, what string, params, into any) error {
	if _, limited := ctx.Deadline(); !limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, a.timeout)
		defer cancel()
	}
	id := rand.Text()
	heard := a.expect(id)
	defer a.forget(id)
	q, err := a.compose(id, collector, what, params)
	if err != nil {
		return err
	}
	if !a.mouth.connected() {
		return nhip.Errorf(nhip.Unavailable, "collector", "%q can't be asked: the MQTT broker is away", collector)
	}
	select {
	case a.mouth.queue <- q:
	case <-ctx.Done():
		return silent(collector)
	}
	select {
	case got := <-heard:
		return got.into(collector, into)
	case <-ctx.Done():
		return silent(collector)
	}
}

// compose makes a question's message, which must fit into a packet.
func (a *Asker) compose(id, collector, what string, params any) (message, error) {
	raw, err := json.Marshal(params)
	if err != nil {
		return message{}, nhip.Errorf(nhip.Internal, "", "the question %s can't be written: %v", what, err)
	}
	topic := mqtt.AskTopic(collector, what)
	if err := mqtt.CheckTopic(topic); err != nil {
		return message{}, nhip.Errorf(nhip.Invalid, "collector", "%q can't be asked: %v", collector, err)
	}
	payload, err := json.Marshal(question{ID: id, Reply: a.topic, Params: raw})
	if err != nil {
		return message{}, nhip.Errorf(nhip.Internal, "", "the question %s can't be written: %v", what, err)
	}
	if most := mqtt.MaxPayload(topic); len(payload) > most {
		return message{}, nhip.Errorf(nhip.Invalid, "", "the question %s has %d bytes; a packet takes %d", what, len(payload), most)
	}
	return message{topic, payload}, nil
}

func silent(collector string) error {
	return nhip.Errorf(nhip.Unavailable, "collector", "%q does not answer", collector)
}

func (a *Asker) expect(id string) <-chan answer {
	heard := make(chan answer, 1)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.waiting[id] = heard
	return heard
}

func (a *Asker) forget(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.waiting, id)
}

// hear hands an answer to whoever waits for it. One that nobody waits for any more is dropped, and so
// is a second one.
func (a *Asker) hear(_ string, payload []byte, _ bool) {
	var got answer
	if err := json.Unmarshal(payload, &got); err != nil {
		a.metrics.dropped.WithLabelValues("malformed").Inc()
		return
	}
	a.mu.Lock()
	heard, expected := a.waiting[got.ID]
	delete(a.waiting, got.ID)
	a.mu.Unlock()
	if !expected {
		a.metrics.dropped.WithLabelValues("late").Inc()
		return
	}
	heard <- got // has a place, and nobody else has the channel any more
}

// into reads the answer.
func (a *answer) into(collector string, into any) error {
	switch {
	case a.Error != nil:
		return a.Error.err()
	case into == nil:
		return nil
	}
	if err := json.Unmarshal(a.Answer, into); err != nil {
		return nhip.Errorf(nhip.Internal, "collector", "the answer of %q can't be read: %v", collector, err)
	}
	return nil
}

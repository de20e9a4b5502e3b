package ask

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"runtime/debug"
	"sync"

	"nhip"
	"nhip/internal/mqtt"

	"github.com/prometheus/client_golang/prometheus"
)

// defaultAtOnce is how many questions an answerer works on at a time: few, since its collector has
// better things to do.
const defaultAtOnce = 8

// Handler answers one question. The answer must be possible as JSON. An *nhip.Error reaches the
// asker as it is, any other error as Internal without its words.
type Handler func(ctx context.Context, params json.RawMessage) (answer any, err error)

// AnswererOptions say who answers what.
type AnswererOptions struct {
	Collector  string
	Handlers   map[string]Handler // by question, as in "dead/list"
	AtOnce     int                // questions that are worked on at a time; default 8
	Logger     *slog.Logger
	Registerer prometheus.Registerer // nil: no metrics
}

// Answerer answers the questions to one collector.
type Answerer struct {
	o       AnswererOptions
	log     *slog.Logger
	metrics *answererMetrics
	mouth   *mouth
	ctx     context.Context // of the handlers
	cancel  context.CancelFunc

	places chan struct{} // one for each question that is worked on
	work   sync.WaitGroup
	mu     sync.Mutex // over closed, so that nothing begins while the last are waited for
	closed bool
}

// NewAnswerer returns an answerer that has no broker yet.
func NewAnswerer(o AnswererOptions) *Answerer {
	a := &Answerer{
		o: o, log: o.Logger.With("component", "answerer"), metrics: newAnswererMetrics(o.Registerer), mouth: newMouth(),
		places: make(chan struct{}, cmp.Or(o.AtOnce, defaultAtOnce)),
	}
	a.ctx, a.cancel = context.WithCancel(context.Background())
	return a
}

// Extend returns o listening for the questions, too. Messages of other topics go where they went.
func (a *Answerer) Extend(o mqtt.Options) mqtt.Options {
	return extend(o, mqtt.AskFilter(a.o.Collector), a.hear)
}

// Use gives the answerer the client that was dialled with the extended options.
func (a *Answerer) Use(c *mqtt.Client) { a.mouth.use(c) }

// Close ends the handlers' context, waits for them, and says their answers; it comes before the
// client's own Close.
func (a *Answerer) Close() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.cancel()
	a.work.Wait()
	a.mouth.close()
}

// hear begins with a question, or refuses it when too many are worked on. It never blocks.
func (a *Answerer) hear(topic string, payload []byte, retained bool) {
	what, q, fit := a.read(topic, payload, retained)
	if !fit {
		return
	}
	select {
	case a.places <- struct{}{}:
		if !a.begin(what, q) {
			<-a.places
		}
	default:
		a.refuse(what, q)
	}
}

// read takes a question apart. What can't be answered is counted and dropped.
func (a *Answerer) read(topic string, payload []byte, retained bool) (what string, q question, fit bool) {
	_, what, known := mqtt.ParseAsk(topic)
	reason := ""
	switch {
	case retained: // it was asked in another life
		reason = "retained"
	case !known || json.Unmarshal(payload, &q) != nil || q.ID == "" || len(q.ID) > maxID:
		reason = "malformed"
	case !mqtt.IsAnswerTopic(q.Reply):
		reason = "reply"
	}
	if reason != "" {
		a.metrics.dropped.WithLabelValues(reason).Inc()
	}
	return what, q, reason == ""
}

func (a *Answerer) begin(what string, q question) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return false
	}
	a.work.Go(func() {
		defer func() { <-a.places }()
		a.answer(what, q)
	})
	return true
}

// refuse tells an asker that too much is asked. In a flood even that is left out: the broker's line
// must not be held up by it.
func (a *Answerer) refuse(what string, q question) {
	err := nhip.Errorf(nhip.Unavailable, "collector", "%q is asked too much at once; ask again in a moment", a.o.Collector)
	a.count(what, err)
	select {
	case a.mouth.queue <- a.message(q, answer{ID: q.ID, Error: a.fault(what, err)}):
	default:
		a.metrics.dropped.WithLabelValues("flood").Inc()
	}
}

// answer works on a question and queues its answer.
func (a *Answerer) answer(what string, q question) {
	m, err := a.compose(what, q)
	if err != nil {
		m = a.message(q, answer{ID: q.ID, Error: a.fault(what, err)})
	}
	a.count(what, err)
	select {
	case a.mouth.queue <- m:
	case <-a.ctx.Done():
		a.last(m)
	}
}

// last queues an answer at the end, if there is place.
func (a *Answerer) last(m message) {
	select {
	case a.mouth.queue <- m:
	default:
	}
}

// compose makes the message of an answer, which must fit into a packet: a greater one would end the
// connection.
func (a *Answerer) compose(what string, q question) (message, error) {
	given, err := a.run(what, q.Params)
	if err != nil {
		return message{}, err
	}
	raw, err := json.Marshal(given)
	if err != nil {
		return message{}, err
	}
	m := a.message(q, answer{ID: q.ID, Answer: raw})
	if most := mqtt.MaxPayload(m.topic); len(m.payload) > most {
		return message{}, nhip.Errorf(nhip.Internal, "", "the answer to %s has %d bytes; a packet takes %d", what, len(m.payload), most)
	}
	return m, nil
}

// run calls the handler. Its panic is an answer and a log line; the process goes on.
func (a *Answerer) run(what string, params json.RawMessage) (given any, err error) {
	handle, known := a.o.Handlers[what]
	if !known {
		return nil, nhip.Errorf(nhip.NotFound, "", "a collector has no answer to %q", what)
	}
	defer func() {
		if p := recover(); p != nil {
			a.log.Error("the answer to a question panicked", "question", what, "panic", p, "stack", string(debug.Stack()))
			err = nhip.Errorf(nhip.Internal, "", "collector %q failed over %s; its log says why", a.o.Collector, what)
		}
	}()
	return handle(a.ctx, params)
}

// fault turns an error into what the asker is told. What is our own fault is logged.
func (a *Answerer) fault(what string, err error) *fault {
	if a.ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = nhip.Errorf(nhip.Unavailable, "collector", "%q is stopping", a.o.Collector)
	}
	var known *nhip.Error
	if !errors.As(err, &known) {
		known = nhip.Errorf(nhip.Internal, "", "collector %q failed over %s; its log says why", a.o.Collector, what)
	}
	if known.Code == nhip.Internal {
		a.log.Error("a question can't be answered", "question", what, "error", err)
	}
	return &fault{known.Code, known.Field, known.Rule}
}

func (a *Answerer) message(q question, said answer) message {
	payload, err := json.Marshal(said)
	if err != nil {
		panic("an answer can't be encoded: " + err.Error()) // its parts are JSON already, or text
	}
	return message{q.Reply, payload}
}

// count counts an answered question, under its own name only if it has one.
func (a *Answerer) count(what string, err error) {
	if _, known := a.o.Handlers[what]; !known {
		what = "unknown"
	}
	a.metrics.answered.WithLabelValues(what, outcome(err)).Inc()
}

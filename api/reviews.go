package api

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"nhip"
	"nhip/internal/mqtt"
	"nhip/internal/problem"
)

// echoWithin is how long a saying may take to be on disk and told of.
const echoWithin = 10 * time.Second

// echoes wait for sayings to be taken in.
type echoes struct {
	mu      sync.Mutex
	waiting map[string]chan struct{} // by topic of the event
}

// expect returns a channel that is closed when an event is told.
func (e *echoes) expect(topic string) <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.waiting == nil {
		e.waiting = make(map[string]chan struct{})
	}
	if e.waiting[topic] == nil {
		e.waiting[topic] = make(chan struct{})
	}
	return e.waiting[topic]
}

func (e *echoes) forget(topic string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.waiting, topic)
}

func (e *echoes) hear(topic string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if heard := e.waiting[topic]; heard != nil {
		close(heard)
		delete(e.waiting, topic)
	}
}

// say brings a saying to the collectors and returns when one has it on disk.
func (a *API) say(ctx context.Context, kind, id string, body any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	event := mqtt.EventTopic(kind, id)
	heard := a.echoes.expect(event)
	defer a.echoes.forget(event)
	if a.client == nil || !a.broker.Load() {
		return nhip.Errorf(nhip.Unavailable, "", "the MQTT broker is away; ask again")
	}
	a.client.Publish(mqtt.SayTopic(kind, id), 1, false, raw)
	late := time.NewTimer(echoWithin)
	defer late.Stop()
	select {
	case <-heard:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-late.C:
		return nhip.Errorf(nhip.Unavailable, "", "no collector has taken it in; ask again with the same id, %q", id)
	}
}

// newReview is the body of POST /v1/reviews.
type newReview struct {
	ID       string        `json:"id"` // to ask again; default: a new one
	Station  string        `json:"station"`
	Quantity nhip.Quantity `json:"quantity"`
	From     time.Time     `json:"from"`
	To       time.Time     `json:"to"`
	Action   nhip.Action   `json:"action"`
	By       string        `json:"by"`
	Why      string        `json:"why"`
}

// postReview answers POST /v1/reviews.
func (a *API) postReview(w http.ResponseWriter, r *http.Request) {
	var body newReview
	if err := readBody(w, r, &body); err != nil {
		a.problem(w, r, err)
		return
	}
	if body.ID == "" {
		body.ID = rand.Text()
	}
	review := nhip.Review{
		ID: body.ID, Station: body.Station, Quantity: body.Quantity, From: body.From.UTC(), To: body.To.UTC(), Action: body.Action,
		By: body.By, Why: body.Why, Time: a.o.Clock.Now().Truncate(time.Millisecond),
	}
	err := asInvalid(review.Validate())
	if err == nil {
		err = a.say(r.Context(), nhip.SayReview, review.ID, review)
	}
	if err != nil {
		a.problem(w, r, err)
		return
	}
	problem.WriteJSON(w, http.StatusCreated, formJSON, review)
}

// reviewsAnswer is the answer of GET /v1/reviews.
type reviewsAnswer struct {
	Reviews []nhip.Review `json:"reviews"`
}

// listReviews answers GET /v1/reviews.
func (a *API) listReviews(w http.ResponseWriter, r *http.Request) {
	q := readQuery(r, "station")
	station := q.text("station")
	if q.err != nil {
		a.problem(w, r, q.err)
		return
	}
	reviews, err := a.o.History.Reviews(r.Context(), station, a.o.Clock.Now().Add(nhip.FutureTolerance))
	if err != nil {
		a.log.Warn("the history does not answer", "error", err)
		a.problem(w, r, errHistoryAway)
		return
	}
	if reviews == nil {
		reviews = []nhip.Review{}
	}
	problem.WriteJSON(w, http.StatusOK, formJSON, reviewsAnswer{reviews})
}

// valueHistory is all that is known of one value: the answer of GET /v1/stations/{id}/value.
type valueHistory struct {
	Reading   nhip.Judged    `json:"reading"`
	Period    string         `json:"period"`
	Unit      string         `json:"unit"`
	Received  time.Time      `json:"received"`
	Revisions []valueRevised `json:"revisions"` // what was said again of the same moment
	Reviews   []nhip.Review  `json:"reviews"`   // those that cover it, as they were decided
	Flag      nhip.Flag      `json:"flag"`      // what holds
}

type valueRevised struct {
	Value    float64   `json:"value"`
	Flag     nhip.Flag `json:"flag"`
	Received time.Time `json:"received"`
}

// getValue answers GET /v1/stations/{id}/value: what a monitor said at one moment, and what was thought of it since.
func (a *API) getValue(w http.ResponseWriter, r *http.Request) {
	id, err := pathID(r, "id")
	q := readQuery(r, "quantity", "time", "period")
	quantity, at, period := nhip.Quantity(q.text("quantity")), q.time("time", time.Time{}), time.Duration(0)
	switch {
	case !quantity.Known():
		q.fail("quantity", "must be a known quantity, got %q", string(quantity))
	case at.IsZero():
		q.fail("time", "is required: the END of the averaging period")
	}
	if text := q.text("period"); text != "" {
		if period, err = nhip.ParsePeriod(text); err != nil {
			q.fail("period", "%v", err)
		}
	}
	if err == nil {
		err = q.err
	}
	if err != nil {
		a.problem(w, r, err)
		return
	}
	found, err := a.o.History.Said(r.Context(), id, quantity, at)
	if err != nil {
		a.log.Warn("the history does not answer", "error", err)
		a.problem(w, r, errHistoryAway)
		return
	}
	answer := valueHistory{Revisions: []valueRevised{}, Reviews: []nhip.Review{}}
	for _, s := range found {
		switch {
		case period != 0 && s.Period != period:
		case s.Revision == 0:
			answer.Reading, answer.Received = s.Judged, s.Received
		default:
			answer.Revisions = append(answer.Revisions, valueRevised{s.Value, s.Flag, s.Received})
		}
	}
	if answer.Received.IsZero() {
		a.problem(w, r, nhip.Errorf(nhip.NotFound, "time", "%q has said nothing of %s that ends then", id, quantity))
		return
	}
	reviews, err := a.o.History.Reviews(r.Context(), id, a.o.Clock.Now().Add(nhip.FutureTolerance))
	if err != nil {
		a.problem(w, r, errHistoryAway)
		return
	}
	for i := range reviews {
		if reviews[i].Covers(quantity, at) {
			answer.Reviews = append(answer.Reviews, reviews[i])
		}
	}
	_, flag := answer.Reading.At(nhip.Automatic)
	answer.Flag, _ = nhip.Decide(reviews, quantity, at, flag)
	answer.Period, answer.Unit = nhip.FormatPeriod(answer.Reading.Period), quantity.Unit()
	problem.WriteJSON(w, http.StatusOK, formJSON, answer)
}

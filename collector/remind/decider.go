// Package remind decides when reminders fire, and delivers what they tell. Of several collectors one decides. A
// decision is a change of the reminder's document, which all collectors journal: once it is on disk, and before that
// nobody is told, it is never made again.
package remind

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"nhip"
	"nhip/collector/document"
	"nhip/collector/live"
	"nhip/geo/network"
	georemind "nhip/geo/remind"
	"nhip/internal/fleet"
	"nhip/internal/recovery"
	"nhip/internal/topics"
	"nhip/internal/training"
	"nhip/internal/wait"

	"github.com/prometheus/client_golang/prometheus"
)

// Options configure a Decider.
type Options struct {
	Collector string // id
	Clock     nhip.Clock
	Zone      *time.Location // of clock times in texts
	Documents *document.Store
	State     *live.State
	History   training.History  // arrivals that predictions learn from; nil: they follow the timetable
	Lean      float64           // see predict.NewLeaning
	Reach     float64           // m from the nearest monitor up to which the air is estimated; 0: the default
	Secrets   map[string]string // of web hooks, by host; others are not asked
	Client    *http.Client      // asks web hooks
	// Publish sends a message to the broker with QoS 1 and waits until it has it. It returns false if that fails.
	Publish func(ctx context.Context, topic string, payload []byte) bool
	// CaughtUp returns once all that was journaled before the start is applied.
	CaughtUp func(ctx context.Context) error
	Guard    *recovery.Guard
	Logger   *slog.Logger
	Registry prometheus.Registerer
}

// Decider decides and delivers. Its life is New and Run.
type Decider struct {
	o       Options
	log     *slog.Logger
	book    *book
	buses   *buses
	air     *stations
	leader  *leader
	metrics *metrics
	deliver *deliverer
	due     chan struct{} // signals that a document has changed

	arrivals chan nhip.Arrival

	wants   wanted
	expired time.Time // when expired reminders were removed last
	alerts  []*nhip.ServiceAlert
	changes atomic.Pointer[changedTrips]
	read    time.Time // when alerts and changes were read
}

// Times of the Decider, by the machine's clock unless stated otherwise.
const (
	round       = time.Second
	sendAgain   = 10 * time.Second // after a change that was not confirmed
	expireEvery = time.Minute      // by the platform's clock
	maxSends    = 500              // changes in a round; others follow in the next
	shortRound  = 200 * time.Millisecond
	maxArrivals = 20_000 // that wait for the next round
)

// When a reminder is decided next, by the platform's clock.
const (
	soonest  = 2 * time.Second
	onBoard  = 3 * time.Second // of the rider's own bus
	latest   = 5 * time.Second
	untilPer = 4 // a fraction of the time until it fires
)

// New returns a Decider.
func New(o Options) *Decider {
	d := &Decider{
		o: o, log: o.Logger.With("component", "reminders"), book: newBook(), buses: newBuses(o.State, o.Lean),
		air: newStations(o.State.PublicStations, o.Reach), leader: newLeader(o.Collector), due: make(chan struct{}, 1),
		arrivals: make(chan nhip.Arrival, maxArrivals),
	}
	d.changes.Store(new(changedTrips))
	d.buses.runs = func(t *network.TripInstance) bool { return d.changes.Load().runs(t) }
	d.metrics = newMetrics(o.Registry, d.book, d.leader)
	d.deliver = newDeliverer(d)
	return d
}

// Connected, RetainedReceived and Census tell what other collectors there are; see mqtt.Options.
func (d *Decider) Connected() { d.leader.connected(time.Now()) }

// Since returns when the present connection began, as the census tells it.
func (d *Decider) Since() int64 { return d.leader.ownSince() }

// RetainedReceived is called when the retained messages of a connection have arrived.
func (d *Decider) RetainedReceived() { d.leader.retainedReceived() }

// Census applies the census of a collector.
func (d *Decider) Census(collector string, payload []byte) { d.leader.receive(collector, payload) }

// UpdateStation applies the fleet's entry of a station; nil removes it.
func (d *Decider) UpdateStation(id string, f *fleet.Station) { d.air.updateFleet(id, f) }

// Arrival learns from the arrival of a bus. It never blocks: what is too much at a time is not learned from.
func (d *Decider) Arrival(a *nhip.Arrival) {
	select {
	case d.arrivals <- *a:
	default:
	}
}

// Run decides and delivers until ctx ends, and returns its error.
func (d *Decider) Run(ctx context.Context) error {
	if err := d.o.CaughtUp(ctx); err != nil {
		return err
	}
	d.o.Documents.Watch(nhip.DocumentReminder, func(s nhip.DocumentState) {
		d.book.put(s)
		select {
		case d.due <- struct{}{}:
		default:
		}
	})
	defer d.deliver.wait()
	ticker := time.NewTicker(round)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-d.due:
		case <-ticker.C:
		}
		d.guardedRound(ctx)
		if err := wait.Sleep(ctx, shortRound); err != nil { // many documents may change at once
			return err
		}
	}
}

// guardedRound is a round, whose panic costs no other.
func (d *Decider) guardedRound(ctx context.Context) {
	defer d.o.Guard.Recover("reminders", nil)
	began := time.Now()
	d.round(ctx)
	d.metrics.round.Observe(time.Since(began).Seconds())
}

func (d *Decider) round(ctx context.Context) {
	d.follow(ctx)
	now := d.o.Clock.Now()
	if now.Sub(d.expired) >= expireEvery || now.Before(d.expired) {
		d.expired = now
		d.o.Documents.Expire(nhip.DocumentReminder, now)
	}
	if !d.leader.leads() {
		return
	}
	if due := d.book.due(now); len(due) > 0 {
		d.decideAll(ctx, due, now)
	}
	d.deliver.start(ctx, d.book.undelivered())
}

// follow keeps up with the buses that reminders are about, and with the timetable.
func (d *Decider) follow(ctx context.Context) {
	if w, changed := d.book.wanted(); changed {
		d.wants = w
		d.buses.want(w)
	}
	if t := d.buses.use(d.o.State.Network()); t != nil && d.o.History != nil {
		d.deliver.tasks.Go(func() { _ = t.Train(ctx, d.o.History, d.o.Clock.Now(), d.log) })
	}
	for range len(d.arrivals) {
		a := <-d.arrivals
		d.buses.learn(&a)
	}
	if d.wants.any() {
		d.buses.update()
	}
}

// decideAll decides the reminders that are due, and sends what has become of them.
func (d *Decider) decideAll(ctx context.Context, due []*entry, now time.Time) {
	if now.Sub(d.read) >= readChanges || now.Before(d.read) {
		changes := changedTrips(d.o.State.ChangedTrips(now))
		d.read = now
		d.alerts = append(d.o.State.ServiceAlerts(), written(d.o.Documents.List(nhip.DocumentServiceAlert), now)...)
		d.changes.Store(&changes)
	}
	d.air.refresh(now)
	c := &georemind.City{
		Now: now, Zone: d.o.Zone, Alerts: func() []*nhip.ServiceAlert { return d.alerts }, Off: d.changes.Load().off,
		Station: d.air.station, Field: d.air.field,
	}
	decisions := make([]georemind.Decision, len(due))
	d.buses.decide(c, func() {
		for i, e := range due {
			decisions[i] = georemind.Decide(&e.Reminder, c)
		}
	})
	sends := 0
	for i, e := range due {
		switch x := &decisions[i]; {
		case x.State == nhip.ReminderWaiting:
			e.look = now.Add(lookAgain(e.Kind, x.Fires, now))
			d.deliver.update(ctx, e, x, now)
		case sends < maxSends && time.Since(e.sent) >= sendAgain:
			sends++
			e.sent = time.Now()
			if !d.sendOutcome(ctx, e, x) {
				sends = maxSends // each of the others might wait as long for the broker
			}
		}
	}
}

// lookAgain returns when a reminder that waits is decided next: the sooner, the closer it is.
func lookAgain(kind nhip.ReminderKind, fires, now time.Time) time.Duration {
	switch {
	case kind == nhip.ReminderGetOff:
		return onBoard
	case fires.IsZero():
		return latest
	}
	return min(max(fires.Sub(now)/untilPer, soonest), latest)
}

// sendOutcome changes the document of a reminder that fires or ends. It returns false if the change is not sent.
func (d *Decider) sendOutcome(ctx context.Context, e *entry, x *georemind.Decision) bool {
	r := e.Reminder
	n := x.Notification
	n.ID, n.Event = e.id, e.id+"."+string(x.State)
	r.State, r.Outcome, r.Expires = x.State, &n, n.Time.Add(nhip.ReminderKept)
	if !d.send(ctx, e, &r) {
		return false
	}
	d.metrics.decided.WithLabelValues(string(r.Kind), string(r.State)).Inc()
	return true
}

// actorName is who changes reminders, in the audit log.
const actorName = "reminders"

// send publishes a change of a document, which all collectors journal. It is made only if the document has not changed
// meanwhile: another collector may have been faster.
func (d *Decider) send(ctx context.Context, e *entry, r *nhip.Reminder) bool {
	body, err := json.Marshal(r)
	if err != nil {
		d.log.Error("reminder not encoded", "error", err)
		return false
	}
	doc := nhip.Document{
		Kind: nhip.DocumentReminder, ID: e.id, Request: rand.Text(), Object: "reminder",
		Time: d.o.Clock.Now().UTC().Truncate(time.Millisecond), Body: body, IfVersion: nhip.Some(e.version),
	}
	if err := doc.Validate(); err != nil {
		d.log.Error("reminder not changed", "error", err)
		return false
	}
	raw, err := json.Marshal(struct {
		nhip.Document
		Actor nhip.Actor `json:"actor"`
	}{doc, nhip.Actor{Name: actorName, Role: nhip.RoleAdmin}})
	return err == nil && d.o.Publish(ctx, topics.UserActionTopic(nhip.DocumentReminder, e.id), raw)
}

package collector

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync/atomic"
	"time"

	"nhip"
	"nhip/internal/ask"
	"nhip/internal/mqtt"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/prometheus/client_golang/prometheus"
)

// maxAnnouncements is how many dead letters may wait for the broker. Beyond that announcements are
// left out: the letters themselves are on disk, and a flood of bad messages must not fill memory.
const maxAnnouncements = 1024

// publishTimeout is how long one message may take to reach the broker's socket.
const publishTimeout = 5 * time.Second

// How long the city rests between two rounds of publishing: longer after a round that had much to say.
// While a backlog is worked off, every bus changes hundreds of times a second. To publish all that would
// cost the broker as much as it delivers, and nobody could look so fast.
const (
	restBetween = 100 * time.Millisecond
	restPerWord = 100 * time.Microsecond
	longestRest = time.Second
)

func restAfter(words int) time.Duration {
	return min(restBetween+time.Duration(words)*restPerWord, longestRest)
}

// publisher keeps the retained live topics equal to the city.
type publisher struct {
	id       string
	city     *city
	broker   mqtt.Options
	client   *mqtt.Client
	answers  *ask.Answerer // speaks over the same connection
	letters  chan announcement
	echoes   chan nhip.Saying
	alerts   chan nhip.Alert
	open     func() []nhip.Alert // nil where the air is not kept
	missed   prometheus.Counter  // announcements left out
	arrivals chan nhip.Arrival   // nil where buses are not followed
	hfp      *hfpFeed            // nil where nobody wants it
	census   mqtt.Census         // the last that was published
	counted  atomic.Bool         // the broker has heard it on this connection
	up       atomic.Bool
}

func newPublisher(id string, city *city, broker mqtt.Options, answers *ask.Answerer, log *slog.Logger, m *metrics) *publisher {
	p := &publisher{
		id: id, city: city, broker: answers.Extend(broker), answers: answers, missed: m.unannounced,
		letters: make(chan announcement, maxAnnouncements), echoes: make(chan nhip.Saying, maxAnnouncements),
		alerts: make(chan nhip.Alert, maxAnnouncements),
	}
	p.broker.Logger = log
	p.broker.OnUp = func() {
		p.counted.Store(false)
		p.up.Store(true)
		city.republish()
		if p.open != nil {
			for _, a := range p.open() {
				p.alert(a)
			}
		}
	}
	p.broker.OnDown = func(error) { p.up.Store(false) }
	return p
}

func (p *publisher) connect(ctx context.Context) (err error) {
	if p.client, err = mqtt.DialPatiently(ctx, p.broker); err != nil {
		return err
	}
	p.answers.Use(p.client)
	return nil
}

func (p *publisher) close() {
	p.answers.Close()
	p.client.Close()
}

// announce queues the announcements of dead letters.
func (p *publisher) announce(letters []nhip.DeadLetter) {
	for _, l := range letters {
		select {
		case p.letters <- announcementOf(l):
		default:
			p.missed.Inc()
		}
	}
}

// echo tells that sayings are taken in.
func (p *publisher) echo(sayings []nhip.Saying) {
	for _, s := range sayings {
		select {
		case p.echoes <- s:
		default:
			p.missed.Inc()
		}
	}
}

// alert queues an alert that changed.
func (p *publisher) alert(a nhip.Alert) {
	select {
	case p.alerts <- a:
	default:
		p.missed.Inc()
	}
}

// sayAlert tells of an alert: the broker keeps it until it has ended.
func (p *publisher) sayAlert(a nhip.Alert) {
	topic := mqtt.EventTopic(mqtt.Alert, a.ID)
	p.client.Publish(topic, 1, a.Grade > 0, encodeState(&a))
	if a.Grade == 0 {
		p.client.Publish(topic, 1, true, nil)
	}
}

// run publishes whatever is due until ctx ends. States that change faster than the broker takes
// them are published once, in their newest form.
func (p *publisher) run(ctx context.Context) {
	wake, rested := p.city.wake, (<-chan time.Time)(nil)
	for {
		select {
		case <-ctx.Done():
			return
		case l := <-p.letters:
			p.client.Publish(mqtt.DeadTopic(p.id, l.code), 0, false, l.letter)
		case s := <-p.echoes:
			p.client.Publish(mqtt.EventTopic(s.Kind(), s.ID()), 0, false, encodeState(&s))
		case a := <-p.alerts:
			p.sayAlert(a)
		case a := <-p.arrivals:
			p.client.Publish(mqtt.ArrivalTopic(a.Agency, a.Vehicle), 0, false, encodeState(a))
		case <-rested:
			wake, rested = p.city.wake, nil
		case <-wake:
			if p.up.Load() {
				wake, rested = nil, time.After(restAfter(p.publishDue(ctx)))
			}
		}
	}
}

// publishDue publishes what is due and returns how much that was.
func (p *publisher) publishDue(ctx context.Context) int {
	due, census := p.city.take()
	var last paho.Token
	for _, r := range due {
		if ctx.Err() != nil {
			return len(due)
		}
		bus, payload := p.city.payload(&r)
		last = p.client.Publish(r.topic, 0, true, payload)
		if p.hfp != nil {
			p.sayHFP(r.topic, bus)
		}
	}
	if !p.counted.Swap(true) || census != p.census {
		last = p.client.Publish(mqtt.CensusTopic(p.id), 0, true, encodeState(census))
		p.census = census
	}
	if last != nil {
		last.WaitTimeout(publishTimeout)
	}
	return len(due)
}

// sayHFP tells of a bus as HFP does; nil is none, or one that has left.
func (p *publisher) sayHFP(topic string, bus *nhip.Bus) {
	if bus == nil {
		p.hfp.forget(topic)
		return
	}
	t, payload := p.hfp.message(topic, bus)
	p.client.Publish(t, 0, false, payload)
}

// payload writes a retained message, and returns the bus that it is about, if any; one that clears its topic is
// empty.
func (c *city) payload(r *retained) (*nhip.Bus, []byte) {
	switch {
	case r.bus != nil:
		b, err := c.bus(r.bus)
		if err != nil {
			panic("a fix that was packed can't be unpacked: " + err.Error()) // it was read when it came from disk
		}
		return b, encodeState(b)
	case r.station != nil:
		return nil, encodeState(r.station)
	}
	return nil, nil
}

// encodeState writes a state as JSON.
func encodeState(state any) []byte {
	raw, err := json.Marshal(state)
	if err != nil {
		panic("a live state can't be encoded: " + err.Error()) // only a NaN could, and the door lets none in
	}
	return raw
}

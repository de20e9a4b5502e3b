package collector

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync/atomic"
	"time"

	"nhip/internal/mqtt"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/prometheus/client_golang/prometheus"
)

// maxAnnouncements is how many dead letters may wait for the broker. Beyond that announcements are
// left out: the letters themselves are on disk, and a flood of bad messages must not fill memory.
const maxAnnouncements = 1024

// publishTimeout is how long one message may take to reach the broker's socket.
const publishTimeout = 5 * time.Second

// restBetween is how long the city rests between two rounds of publishing. While a backlog is worked
// off, every bus changes hundreds of times a second: to publish all that would cost a third as much
// again as the backlog, and nobody could look so fast.
const restBetween = 100 * time.Millisecond

// publisher keeps the retained live topics equal to the city.
type publisher struct {
	id      string
	city    *city
	broker  mqtt.Options
	client  *mqtt.Client
	letters chan announcement
	missed  prometheus.Counter // announcements left out
	census  mqtt.Census        // the last that was published
	counted atomic.Bool        // the broker has heard it on this connection
	up      atomic.Bool
}

func newPublisher(id string, city *city, broker mqtt.Options, log *slog.Logger, m *metrics) *publisher {
	p := &publisher{id: id, city: city, broker: broker, missed: m.unannounced, letters: make(chan announcement, maxAnnouncements)}
	p.broker.Logger = log
	p.broker.OnUp = func() {
		p.counted.Store(false)
		p.up.Store(true)
		city.republish()
	}
	p.broker.OnDown = func(error) { p.up.Store(false) }
	return p
}

func (p *publisher) connect(ctx context.Context) (err error) {
	p.client, err = mqtt.DialPatiently(ctx, p.broker)
	return err
}

func (p *publisher) close() { p.client.Close() }

// announce queues the announcements of dead letters.
func (p *publisher) announce(letters []announcement) {
	for _, l := range letters {
		select {
		case p.letters <- l:
		default:
			p.missed.Inc()
		}
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
		case <-rested:
			wake, rested = p.city.wake, nil
		case <-wake:
			if p.up.Load() {
				p.publishDue(ctx)
				wake, rested = nil, time.After(restBetween)
			}
		}
	}
}

func (p *publisher) publishDue(ctx context.Context) {
	due, census := p.city.take()
	var last paho.Token
	for _, r := range due {
		if ctx.Err() != nil {
			return
		}
		last = p.client.Publish(r.topic, 0, true, encodeState(r.state))
	}
	if !p.counted.Swap(true) || census != p.census {
		last = p.client.Publish(mqtt.CensusTopic(p.id), 0, true, encodeState(census))
		p.census = census
	}
	if last != nil {
		last.WaitTimeout(publishTimeout)
	}
}

// encodeState writes a state as JSON; nil clears a retained topic, which takes an empty payload.
func encodeState(state any) []byte {
	if state == nil {
		return nil
	}
	raw, err := json.Marshal(state)
	if err != nil {
		panic("a live state can't be encoded: " + err.Error()) // only a NaN could, and the door lets none in
	}
	return raw
}

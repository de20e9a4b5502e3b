package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"nhip/internal/awaittest"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/publish"
	"nhip/internal/task"
	"nhip/internal/torturetest"

	"golang.org/x/time/rate"
)

// The composition of a load. Of a hundred messages, those that are of no other kind are new.
const (
	loadDevices  = 12
	loadMonitors = 4 // of the devices; the others are buses
	loadStep     = 30 * time.Second
	loadDays     = 20

	percentRepeated = 10 // with the same content
	percentRevised  = 4
	percentGarbage  = 3
	percentInvalid  = 3 // out of range

	// rejectedEvery is the pause between two messages of a device that must be rejected: of more, some dead letters are
	// only counted.
	rejectedEvery = 4 * time.Second
)

// loadRate returns the messages a second. In make test there are fewer of them, because what they cost is taken from
// the tests that run at the same time.
func loadRate() rate.Limit { return torturetest.Pick[rate.Limit](300, 1_000) }

// counts are the rows of a device and hour that must be in the database.
type counts struct{ Stored, Revised int64 }

// load publishes for devices until it is ended, whatever happens to the platform. It knows what must become of each
// message.
type load struct {
	publisher *publish.Pool
	random    *rand.Rand
	devices   []*loadDevice
	running   *task.Group
	sent      int
}

// loadDevice is a device and everything that it has published.
type loadDevice struct {
	name    string // in the ledger
	topic   string
	monitor bool
	next    time.Time

	lastRejected time.Time // when it published the last message that must be rejected
	facts        []*loadFact
	stored       map[time.Time]int64 // by hour: identities
	revised      map[time.Time]int64 // by hour: of those, the ones that were published with another content, too
	garbage      map[string]bool     // payloads without facts
	invalid      map[string]bool     // payloads with values out of range
}

// loadFact is one fact and the payloads that contained it: one or two.
type loadFact struct {
	at       time.Time
	payloads []string
}

// startLoad publishes to a broker that may come and go.
func startLoad(t *testing.T, broker mqtt.Options, random *rand.Rand) *load {
	t.Helper()
	publisher, err := publish.New(publish.Options{
		Options: broker, Connections: 8, Retry: 100 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	l := &load{publisher: publisher, random: random, running: task.NewGroup()}
	start := time.Now().UTC().Truncate(time.Hour).AddDate(0, 0, -loadDays)
	for i := range loadDevices {
		l.devices = append(l.devices, newLoadDevice(i, start))
	}
	publisher.Start()
	l.running.Go("load", l.run)
	t.Cleanup(l.running.Cancel)
	return l
}

func newLoadDevice(i int, start time.Time) *loadDevice {
	d := &loadDevice{
		name: fmt.Sprintf("bus/hanoi/%d", i), topic: fmt.Sprintf("nhip/in/position/%d", i), next: start,
		stored: make(map[time.Time]int64), revised: make(map[time.Time]int64),
		garbage: make(map[string]bool), invalid: make(map[string]bool),
	}
	if d.monitor = i < loadMonitors; d.monitor {
		d.name, d.topic = fmt.Sprintf("air/%d", i), fmt.Sprintf("nhip/in/reading/%d", i)
	}
	return d
}

func (l *load) run(ctx context.Context) error {
	pace := rate.NewLimiter(loadRate(), int(loadRate()/10))
	for pace.Wait(ctx) == nil {
		d := l.devices[l.random.IntN(len(l.devices))]
		if l.publisher.Publish(context.WithoutCancel(ctx), d.topic, []byte(d.compose(l.random))) == nil {
			l.sent++
		}
	}
	return ctx.Err()
}

// await waits until so many more messages are acknowledged.
func (l *load) await(t *testing.T, more int64) {
	t.Helper()
	until := l.publisher.Acked() + more
	awaittest.True(t, "messages are acknowledged", func() bool { return l.publisher.Acked() >= until })
}

// end stops publishing, waits until all messages are acknowledged, and returns how many there were.
func (l *load) end(t *testing.T) (sent int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitFor)
	defer cancel()
	if err := l.running.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	if err := l.publisher.Close(ctx); err != nil {
		t.Fatalf("not all messages are acknowledged: %v", err)
	}
	return l.sent
}

// compose returns the device's next payload.
func (d *loadDevice) compose(random *rand.Rand) string {
	kind := random.IntN(100)
	if kind < percentGarbage+percentInvalid {
		if time.Since(d.lastRejected) < rejectedEvery {
			kind = 100
		} else {
			d.lastRejected = time.Now()
		}
	}
	switch {
	case kind < percentGarbage:
		return remember(d.garbage, fmt.Sprintf(`{"torture":%d`, len(d.garbage)))
	case kind < percentGarbage+percentInvalid:
		return remember(d.invalid, d.payload(d.tick(), -1_000_000))
	case kind < percentGarbage+percentInvalid+percentRevised+percentRepeated && len(d.facts) > 0:
		f := d.facts[random.IntN(len(d.facts))]
		if kind >= percentGarbage+percentInvalid+percentRevised || len(f.payloads) > 1 {
			return f.payloads[random.IntN(len(f.payloads))]
		}
		f.payloads = append(f.payloads, d.payload(f.at, 2))
		d.revised[f.at.Truncate(time.Hour)]++
		return f.payloads[1]
	}
	f := &loadFact{at: d.tick()}
	f.payloads = []string{d.payload(f.at, 1)}
	d.facts = append(d.facts, f)
	d.stored[f.at.Truncate(time.Hour)]++
	return f.payloads[0]
}

func (d *loadDevice) tick() time.Time {
	at := d.next
	d.next = d.next.Add(loadStep)
	return at
}

func remember(in map[string]bool, payload string) string {
	in[payload] = true
	return payload
}

// payload returns a payload for a time, whose content depends on value.
func (d *loadDevice) payload(at time.Time, value int) string {
	if d.monitor {
		return fmt.Sprintf(`{"time":%q,"period":"30s","values":{"pm25":%d}}`, at.Format(time.RFC3339), value)
	}
	return fmt.Sprintf(`{"time":%q,"lat":%d,"lon":105.85}`, at.Format(time.RFC3339), 20+value)
}

// expect returns what the ledger must count, by "device hour".
func (l *load) expect() map[string]counts {
	want := make(map[string]counts)
	for _, d := range l.devices {
		for hour, n := range d.stored {
			want[d.name+" "+hour.Format(time.RFC3339)] = counts{n, d.revised[hour]}
		}
	}
	return want
}

// rejected returns the messages that must be among the dead letters.
func (l *load) rejected() []string {
	var all []string
	for _, d := range l.devices {
		for p := range d.garbage {
			all = append(all, d.topic+" "+p)
		}
		for p := range d.invalid {
			all = append(all, d.topic+" "+p)
		}
	}
	return all
}

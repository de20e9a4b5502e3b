package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"nhip/internal/await"
	"nhip/internal/mqtt"

	"golang.org/x/time/rate"
)

// What a load is made of: some devices, their hours, and in a hundred messages so many of each kind.
// The rest are new.
const (
	loadRate     = 1_000 // messages a second
	loadDevices  = 12
	loadMonitors = 4 // of the devices; the others are buses
	loadStep     = 30 * time.Second
	loadDays     = 20

	percentAgain   = 10 // said before, with the same content
	percentRevised = 4
	percentGarbage = 3
	percentBroken  = 3 // outside of what can be

	// badEvery leaves time between what a device says badly: of one that says more, not all is kept.
	badEvery = 4 * time.Second
)

// load speaks for devices until it is ended, whatever happens to whoever listens, and knows what must
// have become of each message by then.
type load struct {
	fan     *mqtt.Fan
	random  *rand.Rand
	devices []*talker

	say     context.CancelFunc
	talking sync.WaitGroup
	sent    int
}

// talker is a device and all that it has said.
type talker struct {
	name    string // as in the ledger
	topic   string
	monitor bool
	next    time.Time

	bad     time.Time // when it said the last that must be turned away
	facts   []*told
	stored  map[time.Time]int // by hour: identities
	revised map[time.Time]int // by hour: of those, the ones that were said again with another content
	garbage map[string]bool   // payloads that say nothing
	broken  map[string]bool   // payloads that say what can't be
}

// told is one fact and the contents it was told with: one or two.
type told struct {
	at       time.Time
	payloads []string
}

// startLoad speaks with the operator's token to a broker that may come and go.
func startLoad(t *testing.T, broker mqtt.Options, random *rand.Rand) *load {
	t.Helper()
	fan, err := mqtt.NewFan(mqtt.FanOptions{Options: broker, Lanes: 8, Retry: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	l := &load{fan: fan, random: random}
	start := time.Now().UTC().Truncate(time.Hour).AddDate(0, 0, -loadDays)
	for i := range loadDevices {
		l.devices = append(l.devices, newTalker(i, start))
	}
	fan.Start()
	ctx, cancel := context.WithCancel(t.Context())
	l.say = cancel
	l.talking.Go(func() { l.talk(ctx) })
	return l
}

func newTalker(i int, start time.Time) *talker {
	d := &talker{
		name: fmt.Sprintf("bus/hanoi/%d", i), topic: fmt.Sprintf("nhip/in/position/%d", i), next: start,
		stored: make(map[time.Time]int), revised: make(map[time.Time]int),
		garbage: make(map[string]bool), broken: make(map[string]bool),
	}
	if d.monitor = i < loadMonitors; d.monitor {
		d.name, d.topic = fmt.Sprintf("air/%d", i), fmt.Sprintf("nhip/in/reading/%d", i)
	}
	return d
}

func (l *load) talk(ctx context.Context) {
	pace := rate.NewLimiter(loadRate, loadRate/10)
	for pace.Wait(ctx) == nil {
		d := l.devices[l.random.IntN(len(l.devices))]
		if l.fan.Publish(context.WithoutCancel(ctx), d.topic, []byte(d.compose(l.random))) == nil {
			l.sent++
		}
	}
}

// await waits until so many more messages are acknowledged.
func (l *load) await(t *testing.T, more int64) {
	t.Helper()
	until := l.fan.Acked() + more
	await.True(t, "devices are acknowledged", func() bool { return l.fan.Acked() >= until })
}

// end says nothing new, waits until all that was said is acknowledged, and returns how much that was.
func (l *load) end(t *testing.T) (sent int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitFor)
	defer cancel()
	l.say()
	stop := make(chan error, 1)
	go func() {
		l.talking.Wait()
		stop <- l.fan.Close(ctx)
	}()
	if err := <-stop; err != nil {
		t.Fatalf("not everything is acknowledged: %v", err)
	}
	return l.sent
}

// compose makes the device's next message.
func (d *talker) compose(random *rand.Rand) string {
	kind := random.IntN(100)
	if kind < percentGarbage+percentBroken {
		if time.Since(d.bad) < badEvery {
			kind = 100
		} else {
			d.bad = time.Now()
		}
	}
	switch {
	case kind < percentGarbage:
		return remember(d.garbage, fmt.Sprintf(`{"torture":%d`, len(d.garbage)))
	case kind < percentGarbage+percentBroken:
		return remember(d.broken, d.content(d.tick(), -1_000_000))
	case kind < percentGarbage+percentBroken+percentRevised+percentAgain && len(d.facts) > 0:
		f := d.facts[random.IntN(len(d.facts))]
		if kind >= percentGarbage+percentBroken+percentRevised || len(f.payloads) > 1 {
			return f.payloads[random.IntN(len(f.payloads))]
		}
		f.payloads = append(f.payloads, d.content(f.at, 2))
		d.revised[f.at.Truncate(time.Hour)]++
		return f.payloads[1]
	}
	f := &told{at: d.tick()}
	f.payloads = []string{d.content(f.at, 1)}
	d.facts = append(d.facts, f)
	d.stored[f.at.Truncate(time.Hour)]++
	return f.payloads[0]
}

func (d *talker) tick() time.Time {
	at := d.next
	d.next = d.next.Add(loadStep)
	return at
}

func remember(in map[string]bool, payload string) string {
	in[payload] = true
	return payload
}

// content is a message about a moment; what it says of it depends on value.
func (d *talker) content(at time.Time, value int) string {
	if d.monitor {
		return fmt.Sprintf(`{"time":%q,"period":"30s","values":{"pm25":%d}}`, at.Format(time.RFC3339), value)
	}
	return fmt.Sprintf(`{"time":%q,"lat":%d,"lon":105.85}`, at.Format(time.RFC3339), 20+value)
}

// expect returns what the ledger must count as stored and as revised, by "device hour".
func (l *load) expect() map[string][2]int64 {
	want := make(map[string][2]int64)
	for _, d := range l.devices {
		for hour, n := range d.stored {
			want[d.name+" "+hour.Format(time.RFC3339)] = [2]int64{int64(n), int64(d.revised[hour])}
		}
	}
	return want
}

// turnedAway returns the payloads that must be among the dead letters.
func (l *load) turnedAway() []string {
	var all []string
	for _, d := range l.devices {
		for p := range d.garbage {
			all = append(all, d.topic+" "+p)
		}
		for p := range d.broken {
			all = append(all, d.topic+" "+strings.TrimSpace(p))
		}
	}
	return all
}

package air

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"nhip"
	"nhip/geo/alert"
	"nhip/geo/aqi"
	"nhip/internal/durable"
	"nhip/internal/pause"
)

// alertsFile is where every rule stands at every station, and what of it has not been delivered.
const alertsFile = "alerts.json"

// Deliverer brings alerts to somebody: a web hook, a mail server.
type Deliverer interface {
	Name() string
	Deliver(ctx context.Context, a *nhip.Alert) error
}

// Timing of deliveries. One that fails for a day has nobody who waits for it any more.
const (
	deliverPoll    = time.Second
	deliverTimeout = 20 * time.Second
	firstRetry     = 5 * time.Second
	longestRetry   = 10 * time.Minute
	giveUpAfter    = 24 * time.Hour
)

// delivery is an alert on its way to somebody.
type delivery struct {
	To    string     `json:"to"`
	Alert nhip.Alert `json:"alert"`
	Made  time.Time  `json:"made"` // by the machine's clock
	Tries int        `json:"tries,omitempty"`
	Next  time.Time  `json:"next,omitzero"`
}

// alarms is what alertsFile holds.
type alarms struct {
	States     map[string]*alert.State `json:"states"` // by rule and station
	Deliveries []delivery              `json:"deliveries,omitempty"`

	fired []nhip.Alert // that are not on disk yet
	dirty bool
}

func alarmKey(rule, station string) string { return rule + "/" + station }

func (k *Keeper) restoreAlarms() error {
	k.alarms.States = make(map[string]*alert.State)
	raw, err := os.ReadFile(k.path(alertsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &k.alarms)
	}
	if err != nil {
		return fmt.Errorf("can't read the alerts in %s: %w", k.path(alertsFile), err)
	}
	if k.alarms.States == nil {
		k.alarms.States = make(map[string]*alert.State)
	}
	return nil
}

// observe shows a value to the rules about a measure.
func (k *Keeper) observe(s *station, measure string, at time.Time, v float64) {
	for i := range k.o.Alerts {
		r := &k.o.Alerts[i]
		if r.Measure != measure || !r.Applies(s.id, s.of.Area) {
			continue
		}
		key := alarmKey(r.Name, s.id)
		state := k.alarms.States[key]
		if state == nil {
			state = new(alert.State)
			k.alarms.States[key] = state
		}
		k.alarms.dirty = true
		if state.Observe(r, s.id, at, v) {
			k.fire(state.Alert)
		}
	}
}

func (k *Keeper) fire(a nhip.Alert) {
	k.alarms.fired = append(k.alarms.fired, a)
	for _, d := range k.o.Deliver {
		k.alarms.Deliveries = append(k.alarms.Deliveries, delivery{To: d.Name(), Alert: a, Made: time.Now()})
	}
	k.metrics.alerts.WithLabelValues(fmt.Sprint(a.Grade)).Inc()
}

// alarmHour shows the rules an hour that was summed up: the means of which nothing is flagged, the indices, and how
// much was captured lately. What is old is no news to anybody.
func (k *Keeper) alarmHour(s *station) {
	if len(k.o.Alerts) == 0 {
		return
	}
	hours := s.liveHours()
	if hours == nil || k.now.Sub(hours.End) >= recentHours*time.Hour {
		return
	}
	end := hourOf(hours.End.UnixMilli())
	captured := 0
	for q, of := range s.hours {
		if stats, ok := of[end]; ok && stats.Flag == nhip.Good {
			k.observe(s, string(q), hours.End, stats.Mean)
		}
		n := 0
		for h := end - liveHours + 1; h <= end; h++ {
			if stats, ok := of[h]; ok && stats.Complete() {
				n++
			}
		}
		captured = max(captured, n)
	}
	if s.first <= end-liveHours+1 { // a new station has not had its day yet
		k.observe(s, alert.Capture, hours.End, 100*float64(captured)/liveHours)
	}
	if hours.Suspect {
		return
	}
	plain := make(aqi.Hours, len(hours.Means))
	for q, means := range hours.Means {
		for _, m := range means {
			plain[q] = append(plain[q], m.Or(math.NaN()))
		}
	}
	for _, scale := range aqi.Scales() {
		if index, ok := aqi.At(scale, hours.End, plain); ok {
			k.observe(s, string(scale), hours.End, index.Value)
		}
	}
}

// alarmNow shows the rules what the clock tells: how long a station has been silent, and whether it says the same
// again and again.
func (k *Keeper) alarmNow(s *station) {
	last, flag := int64(0), nhip.Good
	for i := range s.series {
		n := len(s.series[i].Samples)
		if n == 0 {
			continue
		}
		last = max(last, s.series[i].Samples[n-1].At)
		tests := s.said[i][n-1].verdict.Tests()
		for _, frozen := range []string{"flat_line=", "frozen_feed="} {
			if _, grade, found := strings.Cut(tests, frozen); found {
				flag = max(flag, nhip.Flag(grade[0]-'0'))
			}
		}
	}
	if last == 0 {
		return
	}
	k.observe(s, alert.Frozen, k.now, float64(flag))
	k.observe(s, alert.Silent, k.now, float64(k.now.UnixMilli()-last)/60_000)
}

// settle brings what fired to disk and then to the city. What can't be kept is not told: it would be told again.
func (k *Keeper) settle() {
	k.mu.Lock()
	fired := k.alarms.fired
	if len(fired) == 0 {
		k.mu.Unlock()
		return
	}
	raw, err := json.Marshal(&k.alarms)
	k.alarms.fired = nil
	k.mu.Unlock()
	if err == nil {
		err = k.writeAlarms(raw)
	}
	if err != nil {
		k.log.Error("can't keep alerts; they are told when it can", "error", err)
		k.mu.Lock()
		k.alarms.fired = append(fired, k.alarms.fired...)
		k.mu.Unlock()
		return
	}
	for _, a := range fired {
		k.log.Info("an alert changed", "alert", a.ID, "grade", a.Grade, "value", a.Value)
		k.o.Alert(a)
	}
}

func (k *Keeper) writeAlarms(raw []byte) error {
	k.alarmFile.Lock()
	defer k.alarmFile.Unlock()
	return durable.Write(k.path(alertsFile), func(w io.Writer) error { _, err := w.Write(raw); return err })
}

// saveAlarms keeps where the rules stand, where that has changed.
func (k *Keeper) saveAlarms() error {
	k.mu.Lock()
	if !k.alarms.dirty {
		k.mu.Unlock()
		return nil
	}
	raw, err := json.Marshal(&k.alarms)
	k.alarms.dirty = false
	k.mu.Unlock()
	if err != nil {
		return err
	}
	return k.writeAlarms(raw)
}

// Open returns the alerts that have not ended, by id.
func (k *Keeper) Open() []nhip.Alert {
	k.mu.Lock()
	defer k.mu.Unlock()
	var out []nhip.Alert
	for _, s := range k.alarms.States {
		if s.Alert.Grade > 0 {
			out = append(out, s.Alert)
		}
	}
	slices.SortFunc(out, func(a, b nhip.Alert) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// Ack notes that somebody has seen an alert, and tells of it. One that has ended, or never was, changes nothing.
func (k *Keeper) Ack(a nhip.Ack) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, s := range k.alarms.States {
		if s.Alert.ID == a.Alert && s.Alert.Grade > 0 && s.Alert.AckTime.IsZero() {
			s.Alert.AckBy, s.Alert.AckNote, s.Alert.AckTime = a.By, a.Note, a.Time
			k.alarms.fired = append(k.alarms.fired, s.Alert)
		}
	}
	k.signal()
}

// RunDeliveries brings alerts to those who are to know, again and again until they take them, until ctx ends. The
// alert's id and time tell a second delivery of one from another one.
func (k *Keeper) RunDeliveries(ctx context.Context) {
	by := make(map[string]Deliverer)
	for _, d := range k.o.Deliver {
		by[d.Name()] = d
	}
	for pause.For(ctx, deliverPoll) {
		for _, d := range k.dueDeliveries(time.Now()) {
			to := by[d.To]
			if to == nil {
				k.delivered(&d, nil) // nobody is there any more
				continue
			}
			attempt, cancel := context.WithTimeout(ctx, deliverTimeout)
			err := to.Deliver(attempt, &d.Alert)
			cancel()
			if ctx.Err() != nil {
				return
			}
			k.delivered(&d, err)
		}
	}
}

func (k *Keeper) dueDeliveries(now time.Time) []delivery {
	k.mu.Lock()
	defer k.mu.Unlock()
	var due []delivery
	waiting := make(map[string]bool) // one after the other to each, in their order
	for _, d := range k.alarms.Deliveries {
		if !waiting[d.To] && !d.Next.After(now) {
			due = append(due, d)
		}
		waiting[d.To] = true
	}
	return due
}

// delivered strikes a delivery off, or puts it off.
func (k *Keeper) delivered(d *delivery, err error) {
	k.mu.Lock()
	for i := range k.alarms.Deliveries {
		x := &k.alarms.Deliveries[i]
		if x.To != d.To || x.Alert.ID != d.Alert.ID || !x.Alert.Time.Equal(d.Alert.Time) || x.Alert.Grade != d.Alert.Grade {
			continue
		}
		x.Tries++
		if err == nil || time.Since(x.Made) > giveUpAfter {
			k.alarms.Deliveries = slices.Delete(k.alarms.Deliveries, i, i+1)
		} else {
			x.Next = time.Now().Add(min(firstRetry<<min(x.Tries-1, 10), longestRetry))
		}
		break
	}
	k.alarms.dirty = true
	k.mu.Unlock()
	if err != nil {
		k.metrics.undelivered.WithLabelValues(d.To).Inc()
		k.log.Warn("an alert is not delivered; it is tried again", "to", d.To, "alert", d.Alert.ID, "error", err)
		return
	}
	if err := k.saveAlarms(); err != nil {
		k.log.Error("can't keep that an alert is delivered; it may be delivered again", "error", err)
	}
}

// forgetRules drops the states of rules that are no more. Their alerts end.
func (k *Keeper) forgetRules() {
	known := make(map[string]bool)
	for _, r := range k.o.Alerts {
		known[r.Name] = true
	}
	maps.DeleteFunc(k.alarms.States, func(_ string, s *alert.State) bool {
		if known[s.Alert.Rule] || s.Alert.Rule == "" {
			return false
		}
		if s.Alert.Grade > 0 {
			s.Alert.Grade, s.Alert.Time = 0, k.o.Clock.Now()
			k.fire(s.Alert)
		}
		return true
	})
}

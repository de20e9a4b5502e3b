package live

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"nhip"
	"nhip/collector/record"
	"nhip/geo/geotest"
	"nhip/geo/network"

	"github.com/prometheus/client_golang/prometheus"
)

// lateRig is a State that tracks buses on a line and keeps their arrivals.
func lateRig(t *testing.T) *rig {
	r := newRig(t, t.TempDir())
	r.state.log, r.state.shifts = slog.New(slog.DiscardHandler), newShifts(nil)
	r.state.services = newServices(r.state.dirty, nil)
	r.state.arrivals = NewArrivalWriter(nil, r.state.log, NewMetrics(prometheus.NewRegistry()))
	r.state.tracker = r.state.trackOn(network.New(geotest.Line(21, 15*time.Minute)))
	return r
}

// drive applies the positions of a bus on the trip of 18:45 on a day, from a second of the trip to another.
func (r *rig) drive(vehicle string, began time.Time, from, to int) {
	r.t.Helper()
	for s := from; s < to; s += 30 {
		at := began.Add(time.Duration(s) * time.Second)
		p := nhip.Position{
			Agency: "hanoi", Vehicle: vehicle, Time: at, Point: nhip.Some(geotest.At(float64(s) * geotest.Speed)),
			Trip: "T51-0", StartDate: began.In(time.FixedZone("+07", 7*3600)).Format("20060102"), Event: nhip.EventPosition,
		}
		o := &record.Outcome{Received: r.clock.Now()}
		o.Facts.Positions = []nhip.Position{p}
		record.Append(nil, o)
		r.seq++
		r.state.Apply(r.seq, r.state.Changes(o))
	}
}

// arrivals returns the queued arrivals as "vehicle stop", and those that are published.
func (r *rig) arrivals() (stored map[string]int, published int) {
	stored = map[string]int{}
	for w := r.state.arrivals; ; {
		select {
		case a := <-w.queue:
			stored[fmt.Sprint(a.Vehicle, " ", a.Stop, " ", a.Trip)]++
		case <-w.publish:
			published++
		default:
			return stored, published
		}
	}
}

// TestLatePositionsGiveArrivals delivers a trip of yesterday while the same bus is live: its arrivals are stored and
// not published, the live state stays, a repetition gives none again, and old ones are left to the history.
func TestLatePositionsGiveArrivals(t *testing.T) {
	r := lateRig(t)
	now := time.Date(2026, 2, 16, 11, 46, 0, 0, time.UTC) // 18:46 in Hanoi
	r.clock.set(now.Add(5 * time.Minute))
	r.drive("a", now, 0, 150)
	before := *r.state.buses["nhip/live/bus/hanoi/a"]
	r.arrivals()

	yesterday := now.AddDate(0, 0, -1)
	for range 2 {
		r.drive("a", yesterday, 0, 300)
	}
	stored, published := r.arrivals()
	if stored["a S2 T51-0"] != 1 || stored["a S3 T51-0"] != 1 || published != 0 {
		t.Errorf("stored %v, published %d", stored, published)
	}
	if after := *r.state.buses["nhip/live/bus/hanoi/a"]; after.stamp != before.stamp {
		t.Errorf("the live bus is at %v, was at %v", after.stamp, before.stamp)
	}
	r.drive("b", now.Add(-maxLateAge-time.Hour), 0, 300)
	if stored, _ := r.arrivals(); len(stored) != 0 {
		t.Errorf("of older positions: %v", stored)
	}

	r.clock.set(now.Add(5*time.Minute + lateIdle + time.Minute))
	if r.state.Sweep(r.clock.Now()); r.state.late != nil {
		t.Errorf("%d buses are tracked late after a pause", len(r.state.late.buses))
	}
}

// TestLateBusesAreBounded sends late positions of more buses than are tracked at once.
func TestLateBusesAreBounded(t *testing.T) {
	r := lateRig(t)
	then := start.Add(-3 * time.Hour)
	for i := range maxLateBuses + 10 {
		r.drive(fmt.Sprint("bus-", i), then, 0, 30)
	}
	if n := len(r.state.late.buses); n != maxLateBuses {
		t.Errorf("%d buses are tracked, the bound is %d", n, maxLateBuses)
	}
}

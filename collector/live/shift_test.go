package live

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/collector/record"
	"nhip/geo/geotest"
	"nhip/geo/network"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// TestShiftedAgencyIsTold lets all buses of an agency be an hour late by their clock: the log and a metric say so once,
// and delays are those of the buses. A new timetable begins anew.
func TestShiftedAgencyIsTold(t *testing.T) {
	n := network.New(geotest.Line(21, 15*time.Minute))
	f := newSignOnFixture(t, nil)
	var log bytes.Buffer
	f.options.Network, f.options.Metrics = n, NewMetrics(prometheus.NewRegistry())
	f.options.Logger = slog.New(slog.NewTextHandler(&log, nil))
	f.options.Arrivals = NewArrivalWriter(nil, f.options.Logger, f.options.Metrics)
	f.restart(t)
	for i := range 20 {
		inst := n.Day(geotest.Day).TripInstances(n.Patterns[0])[i]
		for s := range 30 {
			f.seq++
			at := time.Unix(inst.Departs(0), 0).UTC().Add(time.Hour + 2*time.Minute + time.Duration(60*s)*time.Second)
			f.clock.now = at
			o := record.Outcome{Received: at, Facts: nhip.Facts{Positions: []nhip.Position{{
				Agency: "hanoi", Vehicle: fmt.Sprint(i % 8), Event: nhip.EventPosition, Time: at, Trip: inst.Trip.ID,
				StartDate: inst.Day.String(), Point: nhip.Some(geotest.At(float64(60*s) * geotest.Speed)),
			}}}}
			record.Append(nil, &o)
			f.Apply(f.seq, f.Changes(&o))
		}
	}
	f.Sweep(f.clock.now)
	f.Sweep(f.clock.now)
	if n := strings.Count(log.String(), "hours off the timetable"); n != 1 ||
		!strings.Contains(log.String(), "late=1h0m0s") {
		t.Errorf("the log says it %d times:\n%s", n, log.String())
	}
	shift := f.options.Metrics.shifts.WithLabelValues("hanoi")
	if got := testutil.ToFloat64(shift); got != 3600 {
		t.Errorf("the metric says %.0f s", got)
	}
	var last nhip.Arrival
	for len(f.arrivals.queue) > 0 {
		last = <-f.arrivals.queue
	}
	if delay := last.Delay.Or(-1); delay < 60 || delay > 180 {
		t.Errorf("the last arrival %+v has a delay of %d s, want about 120", last, delay)
	}
	if err := f.UseTimetable(network.New(geotest.Line(21, 15*time.Minute))); err != nil {
		t.Fatal(err)
	}
	f.Sweep(f.clock.now)
	if got := testutil.ToFloat64(shift); got != 0 || !strings.Contains(log.String(), "on the timetable's time again") {
		t.Errorf("with a new timetable the metric says %.0f s, the log:\n%s", got, log.String())
	}
}

package records

import (
	"maps"
	"slices"
	"testing"
	"time"

	"nhip"
	"nhip/api/catalog"
	"nhip/internal/influx"
)

func TestStatusCountsHoursOfAllQuantities(t *testing.T) {
	counts := &hourCounts{flags: map[string]int{}, quantities: map[nhip.Quantity]bool{}}
	hour := func(q nhip.Quantity, end time.Time, stats *nhip.RollupStats) {
		counts.add(&influx.RollupRow{Rollup: nhip.Rollup{Quantity: q, Time: end, RollupStats: *stats}})
	}
	failed := &nhip.RollupStats{Flag: nhip.FlagFail}
	hour(nhip.PM25, noon.Add(-3*time.Hour), complete(1))
	hour(nhip.PM10, noon.Add(-3*time.Hour), complete(1))
	hour(nhip.PM25, noon.Add(-2*time.Hour), failed)
	hour(nhip.PM25, noon, complete(1))
	fault := nhip.MonitorFault{Quantity: nhip.PM25, Cause: "gain", Since: noon, Factor: nhip.Some(0.5)}
	station := &catalog.Entry{Station: &nhip.Station{
		ID: "s", Time: noon, Faults: []nhip.MonitorFault{fault}, Unvouched: []nhip.Quantity{nhip.SO2},
	}}
	row := status(station, counts, noon.Add(-4*time.Hour), noon, noon)
	if row.Capture != 37.5 || !maps.Equal(row.Flags, map[string]int{"1": 3, "4": 1}) { // 3 of 2 × 4 hours
		t.Errorf("capture %v, flags %v", row.Capture, row.Flags)
	}
	if !slices.Equal(row.Faults, station.Faults) || !slices.Equal(row.Unvouched, station.Unvouched) {
		t.Errorf("faults %+v, unvouched %v", row.Faults, row.Unvouched)
	}
	if len(row.Off) != 1 || row.Off[0].Hours != 2 {
		t.Errorf("gaps %+v", row.Off)
	}
	if row = status(station, nil, noon.Add(-4*time.Hour), noon, noon); len(row.Off) != 1 || row.Off[0].Hours != 4 ||
		row.Capture != 0 || row.State != nhip.StateStale {
		t.Errorf("without hours: %+v", row)
	}
	silent := &catalog.Entry{Station: &nhip.Station{ID: "s"}, Last: noon.AddDate(-1, 0, 0)}
	if row = status(silent, nil, noon.Add(-4*time.Hour), noon, noon); row.State != nhip.StateSilent ||
		!row.Time.Equal(silent.Last) {
		t.Errorf("silent: %+v", row)
	}
	silent.Last = time.Time{}
	if row = status(silent, nil, noon.Add(-4*time.Hour), noon, noon); row.State != nhip.StateSilent || row.Time != nil ||
		row.Age.Known() {
		t.Errorf("without any reading: %+v", row)
	}
}

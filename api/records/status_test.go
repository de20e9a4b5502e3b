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
	counts := newHourCounts()
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

func TestStatusTellsEachQuantity(t *testing.T) {
	from, counts := noon.Add(-4*time.Hour), newHourCounts()
	hours := func(q nhip.Quantity, flags ...nhip.Flag) { // 0: no hour
		for i, flag := range flags {
			if flag != 0 {
				counts.add(&influx.RollupRow{Rollup: nhip.Rollup{
					Quantity: q, Time: from.Add(time.Duration(i+1) * time.Hour), RollupStats: nhip.RollupStats{Flag: flag},
				}})
			}
		}
	}
	hours(nhip.PM25, 1, 3, 3, 3)
	hours(nhip.PM10, 4, 4, 4, 4)
	hours(nhip.NO2, 1, 1, 0, 1)
	hours(nhip.SO2, 1, 1, 0, 0)
	now := noon.Add(10 * time.Minute)
	value := func(flag nhip.Flag, age time.Duration) nhip.LiveValue {
		return nhip.LiveValue{Time: now.Add(-age), Period: 60, Flag: flag, Tests: "spike=3"}
	}
	row := status(&catalog.Entry{Station: &nhip.Station{ID: "s", Time: now, Values: map[nhip.Quantity]nhip.LiveValue{
		nhip.PM25: value(nhip.FlagSuspect, 0), nhip.PM10: value(nhip.FlagFail, 0), nhip.NO2: value(nhip.FlagGood, 0),
		nhip.CO: value(nhip.FlagGood, 0), nhip.O3: value(nhip.FlagGood, 9*time.Hour),
	}}}, counts, from, noon, now)
	want := map[nhip.Quantity]quantityStatus{
		nhip.PM25: {Flag: nhip.FlagSuspect, Since: from.Add(time.Hour), Capture: 100},
		nhip.PM10: {Flag: nhip.FlagFail, Since: from, Before: true},
		nhip.NO2:  {Flag: nhip.FlagGood, Since: from.Add(3 * time.Hour), Capture: 75},
		nhip.SO2:  {Flag: nhip.FlagMissing, Since: from.Add(2 * time.Hour), Capture: 50},
		nhip.CO:   {Flag: nhip.FlagGood, Since: noon},
		nhip.O3:   {Flag: nhip.FlagMissing, Since: from, Before: true},
	}
	if len(row.Quantities) != len(want) {
		t.Fatalf("%+v", row.Quantities)
	}
	for _, got := range row.Quantities {
		w := want[got.Quantity]
		if got.Flag != w.Flag || !got.Since.Equal(w.Since) || got.Before != w.Before || got.Capture != w.Capture ||
			(got.Tests != "") != (got.Flag != nhip.FlagMissing) || got.Time == nil {
			t.Errorf("%s: %+v, want %+v", got.Quantity, got, w)
		}
	}
}

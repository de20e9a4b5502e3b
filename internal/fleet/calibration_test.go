package fleet

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"nhip"
)

func calibratedStation() Station {
	hanoi := time.FixedZone("", 7*3600)
	return Station{ID: "a", Kind: Reference, Quantities: []Quantity{
		{Name: nhip.PM25, Calibration: []Calibration{{From: time.Date(2026, 1, 1, 0, 0, 0, 0, hanoi), Slope: 0.9, Offset: 1.5}}},
		{Name: nhip.NO2},
	}}
}

// TestCalibrationCountsUntilTheFileIsEdited: the digest of an entry is the same once a gateway has published it.
func TestCalibrationCountsUntilTheFileIsEdited(t *testing.T) {
	file := calibratedStation()
	var published Station
	if err := json.Unmarshal([]byte(encode(&file)), &published); err != nil {
		t.Fatal(err)
	}
	from := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	lines := []nhip.CalibrationLine{{From: from, Slope: 2, By: "Lan"}}
	changes := map[nhip.Quantity]nhip.CalibrationChange{
		nhip.PM25: {Base: file.Quantities[0].Base(), Lines: lines}, nhip.CO: {Lines: lines},
	}
	got := published.WithCalibrations(changes)
	for _, q := range []nhip.Quantity{nhip.PM25, nhip.CO} {
		if entry := got.QuantityOf(q); !slices.Equal(entry.Calibration, []Calibration{{From: from, Slope: 2}}) {
			t.Errorf("%s: %+v", q, entry)
		}
	}
	if len(got.Quantities) != 3 || published.Quantities[0].Calibration[0].Slope != 0.9 {
		t.Errorf("%+v, made from %+v", got, published)
	}
	published.Quantities[0].Calibration[0].Offset = 2
	got = published.WithCalibrations(changes)
	if entry := got.QuantityOf(nhip.PM25); entry.Calibration[0].Slope != 0.9 {
		t.Errorf("an edited entry loses: %+v", entry)
	}
	corrected := Quantity{Name: nhip.PM25, Correction: "epa_2021"}
	if state := corrected.CalibrationState(&nhip.CalibrationChange{Base: corrected.Base()}); state != ChangeInvalid {
		t.Errorf("beside a correction: %s", state)
	}
}

func TestDiffOfCalibrations(t *testing.T) {
	file := &Fleet{Stations: []Station{calibratedStation()}}
	at := time.Date(2026, 2, 16, 12, 0, 0, 0, time.UTC)
	lines := []nhip.CalibrationLine{{From: at, Slope: 2, Offset: -1}}
	made := func(station string, q nhip.Quantity, base string) nhip.MadeCalibration {
		return nhip.MadeCalibration{
			Station: station, Quantity: q, By: "Lan", Time: at, CalibrationChange: nhip.CalibrationChange{Base: base, Lines: lines},
		}
	}
	got := DiffChanges(file, &nhip.FleetChanges{Calibrations: []nhip.MadeCalibration{
		made("a", nhip.PM25, file.Stations[0].Quantities[0].Base()), made("a", nhip.NO2, "old"), made("b", nhip.CO, ""),
	}})
	const by = " (over the web by Lan, 2026-02-16T12:00:00Z)"
	want := []string{
		"~ calibration a pm25: 0.9×+1.5 from 2025-12-31T17:00:00Z → 2×-1 from 2026-02-16T12:00:00Z" + by,
		"! calibration a no2: the file was edited later and wins" + by,
		"~ calibration b co: – → 2×-1 from 2026-02-16T12:00:00Z" + by,
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

package v1

import (
	"testing"
	"time"

	"nhip"
)

func TestWindOfStation(t *testing.T) {
	now := time.Date(2026, 2, 16, 12, 0, 0, 0, time.UTC)
	value := func(v float64, minutes int, flag nhip.Flag) nhip.LiveValue {
		return nhip.LiveValue{Value: v, Time: now.Add(-time.Duration(minutes) * time.Minute), Period: 300, Flag: flag}
	}
	for name, c := range map[string]struct {
		values    map[nhip.Quantity]nhip.LiveValue
		ok        bool
		speed     nhip.Opt[float64]
		direction nhip.Opt[float64]
		flag      nhip.Flag
		state     nhip.State
	}{
		"none": {
			map[nhip.Quantity]nhip.LiveValue{nhip.PM25: value(1, 0, 1)},
			false,
			nhip.Opt[float64]{},
			nhip.Opt[float64]{},
			0, "",
		},
		"both": {
			map[nhip.Quantity]nhip.LiveValue{nhip.WindSpeed: value(2.104, 5, 1), nhip.WindDirection: value(360, 5, 2)},
			true, nhip.Some(2.1), nhip.Some(0.0), 2, nhip.StateLive,
		},
		"older direction": {
			map[nhip.Quantity]nhip.LiveValue{nhip.WindSpeed: value(2, 5, 1), nhip.WindDirection: value(90, 10, 1)},
			true, nhip.Some(2.0),
			nhip.Opt[float64]{},
			1, nhip.StateLive,
		},
		"failed speed": {
			map[nhip.Quantity]nhip.LiveValue{nhip.WindSpeed: value(70, 5, 4), nhip.WindDirection: value(90, 20, 1)},
			true,
			nhip.Opt[float64]{},
			nhip.Some(90.0), 1, nhip.StateStale,
		},
	} {
		got, ok := windOf(&nhip.Station{ID: "s", Values: c.values}, now)
		if ok != c.ok || ok && (got.Speed != c.speed || got.Direction != c.direction || got.Flag != c.flag ||
			got.State != c.state) {
			t.Errorf("%s: %+v, %v", name, got, ok)
		}
	}
}

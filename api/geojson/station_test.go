package geojson

import (
	"encoding/json"
	"testing"
	"time"

	"nhip"
)

func TestStationValueIsStaleOnItsOwn(t *testing.T) {
	now := time.Date(2026, 2, 16, 12, 0, 0, 0, time.UTC)
	s := nhip.Station{ID: "s", Time: now, Values: map[nhip.Quantity]nhip.LiveValue{
		nhip.PM25:        {Value: 300, Time: now.AddDate(0, 0, -20), Period: 3600},
		nhip.Temperature: {Value: 20, Time: now, Period: 3600},
	}}
	var f struct {
		Properties struct {
			State  string
			Values map[string]struct{ State string }
		}
	}
	if err := json.Unmarshal(AppendStation(nil, &s, nhip.ScaleVNAQI, now), &f); err != nil {
		t.Fatal(err)
	}
	if f.Properties.State != "live" || f.Properties.Values["pm25"].State != "stale" ||
		f.Properties.Values["temperature"].State != "live" {
		t.Errorf("%+v", f)
	}
}

package staff

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"nhip"
	"nhip/api/catalog"
	"nhip/api/live"
	"nhip/api/livetest"
	"nhip/internal/fleet"
	"nhip/internal/topics"
)

// noHistory is a history that nobody asks.
type noHistory struct{ catalog.History }

func (noHistory) Stations(context.Context) ([]string, error) { return nil, nil }

// TestAlertsAreShownWithTheirMeaning shows alerts of a known and of an unknown station.
func TestAlertsAreShownWithTheirMeaning(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	state := live.New(live.Options{Clock: livetest.NewClock(livetest.Noon), Logger: log})
	t.Cleanup(state.Close)
	s := livetest.Monitor(0, livetest.Noon, 20)
	livetest.ReceiveStation(t, state, s)
	livetest.Receive(t, state, topics.FleetStationTopic(s.ID), fleet.Station{
		ID: s.ID, Name: nhip.LocalizedText{Vi: "Trạm", En: "Station"}, At: []float64{105.8, 21},
	})
	h := &Handler{Stations: catalog.New(state, noHistory{}, log), Clock: livetest.NewClock(livetest.Noon)}
	for _, c := range []struct {
		station, measure string
		value            float64
		want, not        string
	}{
		{s.ID, "pm25", 69.23456, `"value":69.2,"peak":69.2,"threshold":50`, ""},
		{s.ID, "pm25", 69.23456, `"station_name":{"vi":"Trạm","en":"Station"},"unit":"µg/m³"`, ""},
		{"unknown", "VN_AQI", 150.4, `"value":150,`, "station_name"},
		{"unknown", "silent", 181.7, `"unit":"min"`, "station_name"},
		{"unknown", "VN_AQI", 150.4, `"changes":[{"time":"0001-01-01T00:00:00Z","grade":1,"value":150}]`, "station_name"},
		{"unknown", "VN_AQI", 150.4, `,"path":"/v1/alerts/dust%2Fm00.cap"}`, "station_name"},
		{"unknown", "capture", 74.96, `"value":75,`, "station_name"},
	} {
		a := nhip.Alert{
			ID: "dust/m00", Station: c.station, Measure: c.measure, Value: c.value, Peak: c.value, Threshold: nhip.Some(50.0),
			Changes: []nhip.AlertChange{{Grade: 1, Value: c.value}},
		}
		text, err := json.Marshal(h.shown(&a))
		if err != nil || !strings.Contains(string(text), c.want) || c.not != "" && strings.Contains(string(text), c.not) {
			t.Errorf("%s: %s: %v", c.measure, text, err)
		}
	}
}

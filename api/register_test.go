package api

import (
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/internal/fleet"
	"nhip/internal/mqtt"
)

func TestTheFleetIsShownWithWhatDevicesSay(t *testing.T) {
	a := newAPI(t)
	hear(t, a, mqtt.FleetVehicleTopic("1"), fleet.Vehicle{ID: "1", Plate: "29B-123.45", Line: "32", Interval: time.Minute})
	hear(t, a, mqtt.FleetVehicleTopic("2"), fleet.Vehicle{ID: "2", Agency: "other", Plate: "30B"})
	addBus(t, a, nhip.Bus{ID: "1", Lat: 21, Lon: 105.8, Time: noon.Add(-2 * time.Minute)})
	addBus(t, a, nhip.Bus{ID: "2", Lat: 21, Lon: 105.8, Time: noon.Add(-2 * time.Minute)})
	_, props := features(t, get(t, a, "/v1/buses"))
	if p := props[0]; p["plate"] != "29B-123.45" || p["usual_line"] != "32" || p["line"] != nil || p["state"] != "live" || p["stale_after_s"] != 180.0 {
		t.Errorf("a bus of the fleet: %v", p)
	}
	if p := props[1]; p["plate"] != nil || p["state"] != "stale" {
		t.Errorf("a bus of another agency: %v", p)
	}
	hear(t, a, mqtt.FleetVehicleTopic("1"), fleet.Vehicle{ID: "1", Plate: "29B-999.99"}) // a new fleet
	if err := a.city.hear(mqtt.FleetVehicleTopic("2"), nil); err != nil {
		t.Fatal(err)
	}
	if _, props = features(t, get(t, a, "/v1/buses")); props[0]["plate"] != "29B-999.99" || props[0]["state"] != "stale" {
		t.Errorf("after a new fleet: %v", props[0])
	}
}

func TestStationsOfTheFleet(t *testing.T) {
	a := newAPI(t)
	said := func(id string) {
		hear(t, a, mqtt.LiveAirTopic(id), nhip.Station{
			ID: id, Time: noon.Add(-30 * time.Minute), Lat: nhip.Some(1.0), Lon: nhip.Some(2.0),
			Values: map[nhip.Quantity]nhip.LiveValue{nhip.PM25: {Value: 40, Time: noon.Add(-30 * time.Minute), Period: 60}},
		})
	}
	said("balcony")
	said("street")
	hear(t, a, mqtt.FleetStationTopic("balcony"), fleet.Station{ID: "balcony", Kind: fleet.LowCost, Position: fleet.Private})
	hear(t, a, mqtt.FleetStationTopic("street"), fleet.Station{
		ID: "street", Kind: fleet.Reference, Position: fleet.Public, Name: nhip.Name{Vi: "Phố Huế"}, Owner: "Sở", At: []float64{105.85, 21.01}, Period: time.Hour,
	})
	said("street") // the fleet holds for what comes after, too
	w := get(t, a, "/v1/stations")
	ids, props := features(t, w)
	if strings.Join(ids, " ") != "balcony street" || props[0]["state"] != "stale" || props[0]["kind"] != "low-cost" {
		t.Fatalf("%v %v", ids, props)
	}
	if name, _ := props[1]["name"].(map[string]any); name["vi"] != "Phố Huế" || name["en"] != "Phố Huế" || props[1]["owner"] != "Sở" || props[1]["state"] != "live" {
		t.Errorf("a station of the fleet: %v", props[1])
	}
	for _, want := range []string{`"geometry":null,"properties":{"id":"balcony"`, `[105.85,21.01]},"properties":{"id":"street"`} {
		if !strings.Contains(strings.ReplaceAll(w.Body.String(), `"type":"Feature",`, ""), want) {
			t.Errorf("%s is not in %s", want, w.Body)
		}
	}
	for _, path := range []string{"/v1/stations?format=csv", "/v1/stations/balcony", "/v1/stations?bbox=1.9,0.9,2.1,1.1"} {
		if body := get(t, a, path).Body.String(); strings.Contains(body, "balcony,1,2") || strings.Contains(body, "[2,1]") {
			t.Errorf("%s tells where a private station stands: %s", path, body)
		}
	}
	if err := a.city.hear(mqtt.FleetStationTopic("street"), nil); err != nil {
		t.Fatal(err)
	}
	if _, props = features(t, get(t, a, "/v1/stations")); props[1]["name"] != nil || props[1]["state"] != "stale" {
		t.Errorf("a station that has left the fleet: %v", props[1])
	}
}

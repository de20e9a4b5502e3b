package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/apitest"
	"nhip/app"
	"nhip/app/apptest"
	"nhip/geo/geotest"
	"nhip/internal/awaittest"
)

// TestRidersSeeWhatTheyCanCatch publishes positions without line or trip, and asks as riders do: before and after a
// restart, and with a new timetable.
func TestRidersSeeWhatTheyCanCatch(t *testing.T) {
	zip := apptest.TimetableFile(t)
	eight := time.Date(2026, 3, 2, 8, 0, 0, 0, geotest.TimeZone)
	dir := t.TempDir()
	start := func() *apptest.Platform {
		o := apptest.Options(t, dir, fmt.Sprintf("gtfs: %q", zip))
		o.Clock = nhip.NewReplayClock(eight, 1)
		return apptest.Start(t, app.Up, o)
	}
	p := start()
	p.Publish(t, apptest.Drive("29B-1", eight.Add(-14*time.Minute), 14*60)...) // the trip of 07:45, a minute late
	c := p.API(t)
	checkTrackedBus(t, c, eight)
	checkRiderAnswers(t, c)
	reportProblems(t, p, c)
	awaittest.True(t, "its arrivals are published and stored", func() bool {
		return strings.HasSuffix(apptest.Metric(t, c, "nhip_collector_arrivals_total"), " 10") &&
			apptest.Metric(t, c, "nhip_collector_arrivals_missed_total") == ""
	})
	writeServiceAlerts(t, p)
	p.Stop(t)
	p = start()
	c = p.API(t)
	checkTrackedBus(t, c, eight)
	checkRiderAnswers(t, c)
	endServiceAlert(t, p)

	if err := os.WriteFile(zip, apptest.Timetable(t, 25), 0o600); err != nil { // while nhip runs
		t.Fatal(err)
	}
	awaittest.True(t, "the new stops are known", func() bool {
		return c.Get(t, "/v1/stops/S24").Status == http.StatusOK
	})
	p.Publish(t, apptest.Drive("29B-1", eight.Add(-14*time.Minute), 14*60+40)...)
	awaittest.True(t, "the bus is tracked on the new line", func() bool {
		var buses apptest.Features
		apptest.Decode(t, c.Get(t, "/v1/buses"), &buses)
		return len(buses.Features) == 1 && buses.Features[0].Properties["status"] == "in_service"
	})
}

// reportProblems reports a problem with the bus's trip as an app of OneBusAway does, and finds it in the queue of
// staff, at the bus and without the rider's position.
func reportProblems(t *testing.T, p *apptest.Platform, c *apitest.Client) {
	t.Helper()
	awaitReports(t, c)
	resp, err := http.Get(p.HTTP + "/api/where/report-problem-with-trip.json?key=TEST&version=2&tripId=HN_T7-0&" +
		"code=vehicle_came_late&userComment=tr%E1%BB%85&userLat=21.123456&userLon=105.654321&userOnVehicle=true")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct{ Code int }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.Code != http.StatusOK {
		t.Fatalf("%d %v", answer.Code, err)
	}
	var queue string
	awaittest.True(t, "the problem is in the queue", func() bool {
		queue = string(c.Get(t, "/v1/queue?service=no-bus", "Authorization", "Bearer "+p.Token(t)).Body)
		return strings.Contains(queue, "vehicle_came_late")
	})
	if !strings.Contains(queue, `"place":"bus"`) || !strings.Contains(queue, "29B-1") || strings.Contains(queue, "1234") {
		t.Errorf("the report: %s", queue)
	}
}

// riderAt is the place where the rider of the test stands.
func riderAt() string { return fmt.Sprintf("%f,%f", geotest.At(6050).Lat(), geotest.At(6050).Lon()) }

// checkTrackedBus waits for the bus's last position, of the given time.
func checkTrackedBus(t *testing.T, c *apitest.Client, last time.Time) {
	t.Helper()
	var buses apptest.Features
	awaittest.True(t, "the bus is tracked", func() bool {
		apptest.Decode(t, c.Get(t, "/v1/buses?near="+riderAt()), &buses)
		return len(buses.Features) == 1 && buses.Features[0].Properties["status"] == "in_service" &&
			buses.Features[0].Properties["time"] == last.UTC().Format(time.RFC3339)
	})
	b := buses.Features[0].Properties
	walk, _ := b["walk_to"].(map[string]any)
	if b["line"] != "01" || b["headsign"] != "Long Biên" || b["trip"] != "T7-0" || b["inferred"] != true ||
		b["relation"] != "approaching" || walk["id"] != "S12" {
		t.Errorf("bus: %v", b)
	}
}

func checkRiderAnswers(t *testing.T, c *apitest.Client) {
	t.Helper()
	for _, path := range []string{
		"/v1/departures?near=" + riderAt(), "/v1/stops", "/v1/stops/S12", "/v1/stops/S12/arrivals",
		"/v1/departures?route=R1,R1&direction=1&near=" + riderAt(), "/v1/stops/S20/arrivals?route=R1&direction=0",
		"/v1/routes", "/v1/routes/R1", "/v1/search?q=cau+giay",
	} {
		a := c.Get(t, path)
		if a.Status != http.StatusOK || !bytes.Contains(a.Body, []byte(`"01"`)) && path != "/v1/stops" {
			t.Errorf("%s: %d %s", path, a.Status, a.Body)
		}
	}
	if a := c.Get(t, "/v1/departures?route=R1,R2&near="+riderAt()); a.Status != http.StatusNotFound {
		t.Errorf("an unknown route: %d %s", a.Status, a.Body)
	}
	var arrivals struct {
		Arrivals []struct {
			State, Vehicle string
			Minutes        float64
		}
	}
	apptest.Decode(t, c.Get(t, "/v1/stops/S15/arrivals"), &arrivals)
	live := 0
	for _, d := range arrivals.Arrivals {
		if d.State == "live" && d.Vehicle == "29B-1" && d.Minutes > 6 && d.Minutes < 10 {
			live++
		}
	}
	if live != 1 {
		t.Errorf("arrivals at S15: %+v", arrivals)
	}
}

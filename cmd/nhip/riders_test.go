package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nhip/api/apitest"
	"nhip/geo/geotest"
	"nhip/internal/await"
)

// lineZip writes the made timetable.
func lineZip(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	if err := geotest.Line(21, 15*time.Minute).Write(&b); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "line.zip")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// drive says where a box is that drives the line from one time on, and no word of what it runs.
func drive(id string, from time.Time, seconds int) (messages [][2]string) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for s := 0; s <= seconds; s += 20 {
		p := geotest.At(float64(s) * geotest.Speed)
		at := from.Add(time.Duration(s) * time.Second).UTC()
		messages = append(messages, [2]string{"nhip/in/position/" + id, fmt.Sprintf(`{"time":%q,"lat":%f,"lon":%f}`,
			at.Format(time.RFC3339), p.Lat()+rnd.NormFloat64()*5e-5, p.Lon()+rnd.NormFloat64()*5e-5)})
	}
	return messages
}

// TestRidersAreToldWhatTheyCanCatch takes points without a word of line or trip through the whole house,
// and asks as riders do; also after a restart.
func TestRidersAreToldWhatTheyCanCatch(t *testing.T) {
	dir, zip := t.TempDir(), lineZip(t)
	eight := time.Date(2026, 3, 2, 8, 0, 0, 0, geotest.Zone)
	args := []string{"--gtfs", zip, "--clock", eight.UTC().Format(time.RFC3339)}
	p := up(t, dir, args...)
	p.publish(t, drive("29B-1", eight.Add(-14*time.Minute), 14*60)...) // the run of 07:45, a minute late
	check := func() {
		t.Helper()
		c := apitest.New(t, p.HTTP)
		here := geotest.At(6050)
		var buses collection
		await.True(t, "the bus is followed", func() bool {
			answerInto(t, c.Get(t, fmt.Sprintf("/v1/buses?near=%f,%f", here.Lat(), here.Lon())), &buses)
			return len(buses.Features) == 1 && buses.Features[0].Properties["status"] == "in_service"
		})
		b := buses.Features[0].Properties
		walk, _ := b["walk_to"].(map[string]any)
		if b["line"] != "01" || b["headsign"] != "Long Biên" || b["trip"] != "T7-0" || b["inferred"] != true || b["relation"] != "approaching" || walk["id"] != "S12" {
			t.Errorf("the bus: %v", b)
		}
		for _, path := range []string{
			fmt.Sprintf("/v1/departures?near=%f,%f", here.Lat(), here.Lon()), "/v1/stops", "/v1/stops/S12", "/v1/stops/S12/arrivals",
			"/v1/routes", "/v1/routes/R1", "/v1/search?q=cau+giay",
		} {
			if a := c.Get(t, path); a.Status != http.StatusOK || !bytes.Contains(a.Body, []byte(`"01"`)) && path != "/v1/stops" {
				t.Errorf("%s: %d %s", path, a.Status, a.Body)
			}
		}
		var arrivals struct {
			Arrivals []struct {
				State, Vehicle string
				Minutes        float64
			}
		}
		answerInto(t, c.Get(t, "/v1/stops/S15/arrivals"), &arrivals)
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
	check()
	c := apitest.New(t, p.HTTP)
	await.True(t, "its arrivals are told and stored", func() bool {
		return strings.HasSuffix(metric(t, c, "nhip_collector_arrivals_total"), " 10") && metric(t, c, "nhip_collector_arrivals_missed_total") == ""
	})
	if err := p.stop(t); err != nil {
		t.Fatal(err)
	}
	p = up(t, dir, args...)
	check()

	var longer bytes.Buffer // a new timetable, while the house runs
	if err := geotest.Line(25, 15*time.Minute).Write(&longer); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(zip, longer.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	c = apitest.New(t, p.HTTP)
	await.True(t, "the new stops are there", func() bool { return c.Get(t, "/v1/stops/S24").Status == http.StatusOK })
	p.publish(t, drive("29B-1", eight.Add(-14*time.Minute), 14*60+40)...)
	await.True(t, "the bus is followed on the new line", func() bool {
		var buses collection
		answerInto(t, c.Get(t, "/v1/buses"), &buses)
		return len(buses.Features) == 1 && buses.Features[0].Properties["status"] == "in_service"
	})
}

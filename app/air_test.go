package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/apitest"
	"nhip/app/apptest"
	"nhip/client"
	"nhip/internal/awaittest"
	"nhip/internal/wait"
)

// TestLiveStationHasAQI follows readings from the device to the station's answer and the status list.
func TestLiveStationHasAQI(t *testing.T) {
	p := apptest.Up(t, t.TempDir(), "")
	c := p.API(t)
	hour := time.Now().Truncate(time.Hour)
	for i := range 3 {
		p.Publish(t, apptest.Reading("hn-01", hour.Add(-time.Duration(2-i)*time.Hour), 65))
	}
	var f struct {
		Properties struct {
			AQI *struct {
				Scale string
				Value float64
				Time  time.Time
			}
			Values map[string]struct{ Flag int }
		}
	}
	awaittest.True(t, "the station has an AQI, and its value a flag", func() bool {
		a := c.Get(t, "/v1/stations/hn-01")
		if a.Status != http.StatusOK {
			return false
		}
		apptest.Decode(t, a, &f)
		return f.Properties.AQI != nil && f.Properties.AQI.Time.Equal(hour) && f.Properties.Values["pm25"].Flag == 1
	})
	var status struct {
		Stations []struct {
			Station string
			State   string
			Flags   map[string]int
			Off     []struct{ Hours float64 }
		}
	}
	awaittest.True(t, "the status covers three hours", func() bool {
		apptest.Decode(t, c.Get(t, "/v1/stations/status?hours=6"), &status)
		return len(status.Stations) == 1 && status.Stations[0].Flags["1"] >= 3 &&
			len(status.Stations[0].Off) == 1 && status.Stations[0].Off[0].Hours == 3
	})
	if status.Stations[0].Station != "hn-01" || status.Stations[0].State != "live" {
		t.Errorf("status: %+v", status)
	}
	if f.Properties.AQI.Scale != "VN_AQI" || f.Properties.AQI.Value != 125 {
		t.Errorf("AQI: %+v", f.Properties.AQI)
	}
}

// day is a local day that begins at from, with one reading of station hn-01 for each hour.
type day struct {
	from  time.Time
	api   *apitest.Client
	staff []string // headers
}

func publishDay(t *testing.T, p *apptest.Platform) *day {
	t.Helper()
	d := &day{
		from: time.Now().Add(-72 * time.Hour).Truncate(24 * time.Hour).Add(-7 * time.Hour),
		api:  p.API(t), staff: []string{"Authorization", "Bearer " + p.Token(t)},
	}
	for i := 1; i <= 24; i++ {
		p.Publish(t, apptest.Reading("hn-01", d.from.Add(time.Duration(i)*time.Hour), float64(i)))
	}
	apptest.AwaitAssessed(t, d.api, 24)
	return d
}

func (d *day) end() time.Time { return d.from.Add(24 * time.Hour) }

// mean returns the day's mean of a quality level; 0 if there is none.
func (d *day) mean(t *testing.T, level string) float64 {
	t.Helper()
	var got struct{ Readings []struct{ Mean float64 } }
	apptest.Decode(t, d.api.Get(t, apitest.Query("/v1/stations/hn-01/readings",
		"period", "day", "quantity", "pm25", "level", level,
		"from", d.from.Format(time.RFC3339), "to", d.end().Format(time.RFC3339)), d.staff...), &got)
	if len(got.Readings) != 1 {
		return 0
	}
	return got.Readings[0].Mean
}

// TestStaffReviewReadings excludes two hours of a day, reinstates them, and reads what was decided. Then the day is
// calibrated.
func TestStaffReviewReadings(t *testing.T) {
	dir, file := t.TempDir(), fleetFile(t, calibratedFleet(""))
	yaml := fmt.Sprintf("fleet: %q\n", file)
	p := apptest.Up(t, dir, yaml)
	d, api := publishDay(t, p), p.Client(t)
	awaittest.True(t, "the day is aggregated", func() bool { return d.mean(t, "reviewed") == 12.5 })
	review := func(action nhip.ReviewAction, id string) {
		t.Helper()
		if _, err := api.CreateReview(t.Context(), client.NewReview{
			ID: id, Station: "hn-01", Quantity: "pm25", From: d.from.Add(22 * time.Hour), To: d.end(),
			Action: action, By: "Lan", Why: "lọc bụi bẩn",
		}); err != nil {
			t.Fatalf("review %s: %v", action, err)
		}
	}
	span := fmt.Sprintf(`"station":"hn-01","quantity":"pm25","from":%q,"to":%q`,
		d.from.Add(22*time.Hour).Format(time.RFC3339), d.end().Format(time.RFC3339))
	d.checkPreview(t, `{"action":"strike",`+span+`}`, 12.5, 11.5)
	for range 2 { // a repeated request counts once
		review(nhip.ActionExclude, "r1")
	}
	awaittest.True(t, "the day is aggregated without the hours", func() bool { return d.mean(t, "reviewed") == 11.5 })
	if v := d.mean(t, "automatic"); v != 12.5 {
		t.Errorf("mean of the automatic quality level: %v", v)
	}
	checkValueHistory(t, d)
	review(nhip.ActionReinstate, "r2")
	awaittest.True(t, "the day has its first mean again", func() bool { return d.mean(t, "reviewed") == 12.5 })
	if reviews, err := api.Reviews(t.Context(), "hn-01"); err != nil || len(reviews) != 2 || reviews[1].ID != "r2" {
		t.Errorf("reviews: %+v, %v", reviews, err)
	}
	checkUndo(t, api, d)
	checkInvalidReviews(t, d)
	checkRepeatedReviews(t, d)
	checkRecompute(t, api, d)
	page, err := api.Ledger(t.Context(), client.LedgerQuery{})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range page.Rows {
		if row.Device == "say/review" && !row.Balanced() {
			t.Errorf("ledger row of reviews: %+v", row)
		}
	}
	checkCalibrations(t, p, d, file)
	p.Stop(t)
	checkCalibrationsAgain(t, apptest.Up(t, dir, yaml), d)
}

// checkPreview checks what a review is said to change of the day's mean.
func (d *day) checkPreview(t *testing.T, body string, before, after float64) {
	t.Helper()
	var got struct {
		Values int
		Means  []struct {
			Average       string
			Time          time.Time
			Before, After *float64
		}
		Indices []struct{ Rule string }
	}
	apptest.Decode(t, d.api.Post(t, "/v1/reviews/preview", body, d.staff...), &got)
	var ofDay, hours int
	for _, m := range got.Means {
		switch {
		case m.Average == "1h":
			hours++
		case m.Time.Equal(d.end()) && *m.Before == before && *m.After == after:
			ofDay++
		}
	}
	if got.Values != 2 || hours != 2 || ofDay != 1 || len(got.Indices) == 0 {
		t.Errorf("%s: %+v", body, got)
	}
}

// checkUndo undoes a reinstatement, by which the exclusion before it counts again, and then that one.
func checkUndo(t *testing.T, api *client.Client, d *day) {
	t.Helper()
	d.checkPreview(t, `{"action":"undo","of":"r2"}`, 12.5, 11.5)
	undo, err := api.UndoReview(t.Context(), "r2", "Somebody Else", "nhầm trạm")
	if err != nil || undo.Of != "r2" || undo.Action != nhip.ActionUndo || undo.By != "operator" {
		t.Fatalf("%+v %v", undo, err)
	}
	awaittest.True(t, "the exclusion counts again", func() bool { return d.mean(t, "reviewed") == 11.5 })
	if again, err := api.UndoReview(t.Context(), "r2", "Hùng", "nhầm"); err != nil || again.ID != undo.ID {
		t.Errorf("a second undo: %+v %v", again, err)
	}
	if _, err := api.UndoReview(t.Context(), "r1", "Lan", "nhầm"); err != nil {
		t.Fatal(err)
	}
	awaittest.True(t, "nothing is decided any more", func() bool { return d.mean(t, "reviewed") == 12.5 })
	if _, err := api.UndoReview(t.Context(), "none", "Lan", "nhầm"); nhip.ErrorCode(err) != nhip.CodeNotFound {
		t.Errorf("an unknown review: %v", err)
	}
	for body, field := range map[string]string{
		`{"action":"undo","of":"none"}`: "of", `{"action":"undo"}`: "of", `{"action":"strike"}`: "station", `{}`: "station",
		`{"action":"delete","station":"hn-01"}`:                                                            "action",
		`{"action":"strike","station":"hn-01","from":"2026-01-01T00:00:00Z","to":"2026-03-01T00:00:00Z"}`:  "from",
		`{"action":"strike","station":"nobody","from":"2026-01-01T00:00:00Z","to":"2026-01-02T00:00:00Z"}`: "station",
	} {
		got := d.api.Post(t, "/v1/reviews/preview", body, d.staff...)
		if got.Status < 400 || got.Status >= 500 || !strings.Contains(string(got.Body), fmt.Sprintf(`"field":%q`, field)) {
			t.Errorf("%s: %d %s", body, got.Status, got.Body)
		}
	}
}

// checkValueHistory reads what is known of an excluded value.
func checkValueHistory(t *testing.T, d *day) {
	t.Helper()
	var value struct {
		Reading struct {
			Value   float64
			Verdict struct{ Flag int }
		}
		Reviews []struct{ By, Why, Action string }
		Flag    int
	}
	path := apitest.Query("/v1/stations/hn-01/value", "quantity", "pm25", "time", d.end().Format(time.RFC3339))
	awaittest.True(t, "the review is in the history", func() bool {
		apptest.Decode(t, d.api.Get(t, path, d.staff...), &value)
		return len(value.Reviews) == 1
	})
	if value.Reading.Value != 24 || value.Reading.Verdict.Flag != 1 || value.Flag != 4 ||
		value.Reviews[0].By != "operator" || value.Reviews[0].Why != "lọc bụi bẩn" || value.Reviews[0].Action != "strike" {
		t.Errorf("value: %+v", value)
	}
	if got := d.api.Get(t, path); got.Status != http.StatusUnauthorized {
		t.Errorf("value without a token: %d", got.Status)
	}
}

func checkInvalidReviews(t *testing.T, d *day) {
	t.Helper()
	const before, after = `"2026-01-01T00:00:00Z"`, `"2026-01-02T00:00:00Z"`
	for body, field := range map[string]string{
		`"from":` + after + `,"to":` + before + `,"action":"strike","by":"x","why":"y"`:          "from",
		`"from":"1926-01-02T00:00:00Z","to":` + before + `,"action":"strike","by":"x","why":"y"`: "from",
		`"from":` + before + `,"to":` + after + `,"action":"delete","by":"x","why":"y"`:          "action",
		`"from":` + before + `,"to":` + after + `,"action":"strike","by":"x"`:                    "why",
	} {
		got := d.api.Post(t, "/v1/reviews", `{"station":"hn-01",`+body+`}`, d.staff...)
		if got.Status != http.StatusBadRequest || !strings.Contains(string(got.Body), fmt.Sprintf(`"field":%q`, field)) {
			t.Errorf("%s: %d %s", body, got.Status, got.Body)
		}
	}
}

// checkRepeatedReviews sends reviews with used ids.
func checkRepeatedReviews(t *testing.T, d *day) {
	t.Helper()
	const span = `"station":"hn-01","from":"2026-01-01T00:00:00Z","to":"2026-01-02T00:00:00Z","action":"annotate"`
	send := func(why string) apitest.Answer {
		return d.api.Post(t, "/v1/reviews", `{"id":"repeated",`+span+`,"why":"`+why+`"}`, d.staff...)
	}
	first, again, other := send("fog"), send("fog"), send("haze")
	if first.Status != http.StatusCreated || again.Status != http.StatusCreated ||
		string(first.Body) != string(again.Body) {
		t.Errorf("repeated: %d %s, %d %s", first.Status, first.Body, again.Status, again.Body)
	}
	if other.Status != http.StatusConflict || !strings.Contains(string(other.Body), "repeated") {
		t.Errorf("another content: %d %s", other.Status, other.Body)
	}
	undo := d.api.Post(t, "/v1/reviews/repeated/undo", `{"why":"no fog"}`, d.staff...)
	if undo.Status != http.StatusCreated {
		t.Fatalf("undo: %d %s", undo.Status, undo.Body)
	}
	awaittest.True(t, "the audit log has the review that is undone", func() bool {
		var got struct{ Entries []nhip.AuditEntry }
		a := d.api.Get(t, "/v1/audit?kind=review&limit=1", d.staff...)
		err := json.Unmarshal(a.Body, &got)
		return err == nil && len(got.Entries) == 1 && strings.Contains(string(got.Entries[0].Before), `"id":"repeated"`)
	})
}

func checkRecompute(t *testing.T, api *client.Client, d *day) {
	t.Helper()
	left, err := api.Recompute(t.Context(), nhip.RecomputeQuery{
		Station: "hn-01", From: d.from.Add(-time.Hour), To: time.Now(),
	})
	for err == nil && left.Hours+left.Days > 0 {
		if err = wait.Sleep(t.Context(), 10*time.Millisecond); err == nil {
			left, err = api.RecomputeProgress(t.Context(), "hn-01")
		}
	}
	if err != nil {
		t.Errorf("recompute: %v", err)
	}
	_, err = api.Recompute(t.Context(), nhip.RecomputeQuery{Station: "nobody", From: d.from, To: time.Now()})
	if nhip.ErrorCode(err) != nhip.CodeNotFound || !strings.Contains(err.Error(), "nobody") {
		t.Errorf("recompute of an unknown station: %v", err)
	}
}

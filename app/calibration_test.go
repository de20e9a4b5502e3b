package app_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"nhip/app/apptest"
	"nhip/internal/awaittest"
)

const calibrationPath = "/v1/stations/hn-01/calibrations"

// calibratedFleet returns a fleet file with station hn-01 and what its entry says of PM2.5.
func calibratedFleet(calibration string) string {
	return "stations:\n- {id: hn-01, kind: reference, quantities: [{name: pm25" + calibration + "}]}\n"
}

// calibrationLine is a line of an answer.
type calibrationLine struct {
	ID, Source, By   string
	InForce, Current bool
	Slope, Offset    float64
}

// calibrations returns the state of the change and the lines of PM2.5.
func (d *day) calibrations(t *testing.T) (state string, lines []calibrationLine) {
	t.Helper()
	var got struct {
		Calibrations []struct {
			Quantity string
			Change   struct{ State string }
			Lines    []struct {
				ID, Source, By string
				InForce        bool `json:"in_force"`
				Current        bool
				Slope, Offset  float64
			}
		}
	}
	apptest.Decode(t, d.api.Get(t, calibrationPath, d.staff...), &got)
	if len(got.Calibrations) == 0 {
		return "", nil
	}
	for _, l := range got.Calibrations[0].Lines {
		lines = append(lines, calibrationLine{l.ID, l.Source, l.By, l.InForce, l.Current, l.Slope, l.Offset})
	}
	return got.Calibrations[0].Change.State, lines
}

func (d *day) awaitMean(t *testing.T, what string, want float64) {
	t.Helper()
	awaittest.True(t, what, func() bool { return d.mean(t, "automatic") == want })
}

// checkCalibrationPreview checks the mean of the day before and after a change.
func (d *day) checkCalibrationPreview(t *testing.T, change string, before, after float64) {
	t.Helper()
	var got struct {
		Values int
		Means  []struct {
			Average       string
			Before, After *float64
		}
		Indices []struct{ Rule string }
	}
	body := fmt.Sprintf(`{%s,"from":%q,"to":%q}`, change, d.from.Format(time.RFC3339), d.end().Format(time.RFC3339))
	apptest.Decode(t, d.api.Post(t, calibrationPath+"/preview", body, d.staff...), &got)
	ofDay := 0
	for _, m := range got.Means {
		if m.Average == "24h" && *m.Before == before && *m.After == after {
			ofDay++
		}
	}
	if got.Values != 24 || ofDay != 1 || len(got.Indices) == 0 {
		t.Errorf("%s: %+v", body, got)
	}
}

// checkCalibrations calibrates a day, whose mean is 12.5, over the web, and then in the fleet file.
func checkCalibrations(t *testing.T, p *apptest.Platform, d *day, file string) {
	t.Helper()
	if state, lines := d.calibrations(t); state != "" || len(lines) > 0 {
		t.Errorf("at first: %s %+v", state, lines)
	}
	line := fmt.Sprintf(`"quantity":"pm25","valid_from":%q`, d.from.Format(time.RFC3339))
	d.checkCalibrationPreview(t, line+`,"slope":2`, 12.5, 25)
	post := func(body string) {
		t.Helper()
		if got := d.api.Post(t, calibrationPath, `{`+body+`,"why":"so với trạm chuẩn"}`, d.staff...); got.Status != 201 {
			t.Fatalf("%s: %d %s", body, got.Status, got.Body)
		}
	}
	post(line + `,"slope":2`)
	d.awaitMean(t, "the day is calibrated", 25)
	state, lines := d.calibrations(t)
	if len(lines) != 1 || state != "in_force" || lines[0].Source != "web" || !lines[0].Current || lines[0].By != "operator" {
		t.Fatalf("over the web: %s %+v", state, lines)
	}
	d.checkCalibrationPreview(t, fmt.Sprintf(`"remove":%q`, lines[0].ID), 25, 12.5)
	changes, err := p.Client(t).FleetChanges(t.Context())
	if err != nil || len(changes.Calibrations) != 1 || changes.Calibrations[0].Station != "hn-01" {
		t.Errorf("changes beside the file: %+v, %v", changes, err)
	}
	checkInvalidCalibrations(t, d, line)
	edited := calibratedFleet(", calibration: [{from: 2000-01-01, slope: 3}]")
	if err := os.WriteFile(file, []byte(edited), 0o600); err != nil {
		t.Fatal(err)
	}
	d.awaitMean(t, "the file wins", 37.5)
	awaittest.True(t, "the change is superseded", func() bool {
		state, lines = d.calibrations(t)
		return state == "superseded"
	})
	if len(lines) != 2 || !lines[0].InForce || lines[0].Source != "file" || lines[1].InForce || lines[1].ID != "" {
		t.Errorf("the file wins: %+v", lines)
	}
	post(line + `,"offset":1`)
	d.awaitMean(t, "the day is calibrated again", 13.5)
}

func checkInvalidCalibrations(t *testing.T, d *day, line string) {
	t.Helper()
	const from = `"quantity":"pm25","valid_from":"2026-01-01T00:00:00Z"`
	for _, c := range []struct {
		body, field string
		status      int
	}{
		{line + `,"why":"x"`, "valid_from", http.StatusConflict},
		{`"valid_from":"2026-01-01T00:00:00Z","why":"x"`, "quantity", http.StatusBadRequest},
		{`"quantity":"soot","valid_from":"2026-01-01T00:00:00Z","why":"x"`, "quantity", http.StatusBadRequest},
		{`"quantity":"pm25","why":"x"`, "valid_from", http.StatusBadRequest},
		{from, "why", http.StatusBadRequest},
		{from + `,"why":"x","slope":0`, "slope", http.StatusBadRequest},
		{from + `,"why":"x","slope":null`, "slope", http.StatusBadRequest},
		{from + `,"why":"x","offset":-1e9`, "offset", http.StatusBadRequest},
		{from + `,"why":"x","offset":"1"`, "offset", http.StatusBadRequest},
		{from + `,"why":"x","factor":2`, "factor", http.StatusBadRequest},
	} {
		checkProblem(t, d, calibrationPath, c.body, c.field, c.status)
	}
	for _, c := range []struct {
		body, field string
		status      int
	}{
		{from, "from", http.StatusBadRequest},
		{from + `,"from":"2026-01-01T00:00:00Z","to":"2026-03-01T00:00:00Z"`, "from", http.StatusBadRequest},
		{from + `,"from":"2026-01-02T00:00:00Z","to":"2026-01-01T00:00:00Z"`, "from", http.StatusBadRequest},
		{`"remove":"pm25-1"`, "remove", http.StatusNotFound},
		{`"remove":"pm25-1",` + from, "remove", http.StatusBadRequest},
	} {
		checkProblem(t, d, calibrationPath+"/preview", c.body, c.field, c.status)
	}
	checkProblem(t, d, "/v1/stations/nobody/calibrations", from+`,"why":"x"`, "id", http.StatusNotFound)
}

// checkProblem sends a body that names a field in its problem.
func checkProblem(t *testing.T, d *day, path, body, field string, status int) {
	t.Helper()
	got := d.api.Post(t, path, `{`+body+`}`, d.staff...)
	if got.Status != status || !strings.Contains(string(got.Body), fmt.Sprintf(`"field":%q`, field)) {
		t.Errorf("%s %s: %d %s", path, body, got.Status, got.Body)
	}
}

// checkCalibrationsAgain removes, after a restart, the line over the web and then that of the file.
func checkCalibrationsAgain(t *testing.T, p *apptest.Platform, d *day) {
	t.Helper()
	d.api, d.staff = p.API(t), []string{"Authorization", "Bearer " + p.Token(t)}
	var lines []calibrationLine
	awaittest.True(t, "the calibration is known after a restart", func() bool {
		var state string
		state, lines = d.calibrations(t)
		return state == "in_force" && len(lines) == 2 && lines[0].InForce && lines[1].Current
	})
	d.awaitMean(t, "after a restart", 13.5)
	for i, mean := range []float64{37.5, 12.5} {
		path := calibrationPath + "/" + lines[1-i].ID
		if got := d.api.Delete(t, path, d.staff...); got.Status != http.StatusNoContent {
			t.Fatalf("%s: %d %s", path, got.Status, got.Body)
		}
		d.awaitMean(t, "a line is removed", mean)
		if got := d.api.Delete(t, path, d.staff...); got.Status != http.StatusNotFound {
			t.Errorf("%s again: %d", path, got.Status)
		}
	}
}

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nhip/app/apptest"
	"nhip/geo/backtest"
	"nhip/internal/suitetest"
)

// TestBacktestSurface leaves out the monitors of real cities one by one. The limits are the best of plain inverse
// distances and ordinary kriging, of values or logarithms, with a variogram that is fitted to the city.
func TestBacktestSurface(t *testing.T) {
	suitetest.Only(t)
	data := os.Getenv("TESTDATA_DIR")
	if data == "" {
		t.Skip("TESTDATA_DIR is not set: the recordings are missing")
	}
	recordings := []struct {
		file, quantity string
		limit          float64
	}{
		{"air/surface/kolkata-winter", "pm25", 6.25},
		{"recordings/beijing-12", "pm25", 34.2},
		{"air/surface/puget-smoke", "pm25", 4.45},
		{"air/surface/inland-smoke", "pm25", 40.6},
		{"air/surface/beijing-summer", "pm25", 12.6},
		{"air/surface/mexico-no2", "no2", 15.0},
	}
	for _, c := range recordings {
		var out, errs bytes.Buffer
		args := []string{"backtest", "surface", "--json", "--quantity", c.quantity, filepath.Join(data, c.file+".rec.gz")}
		if code := executeShared(t.Context(), args, &out, &errs); code != 0 {
			t.Fatalf("exit %d: %s", code, errs.String())
		}
		var report map[string]backtest.SurfaceReport
		if err := json.Unmarshal(out.Bytes(), &report); err != nil {
			t.Fatal(err)
		}
		k, best := report["kriging"], min(report["idw2"].RMSE, report["ok"].RMSE, report["log-ok"].RMSE)
		if k.RMSE > c.limit || k.RMSE > 1.01*best || k.RMSE > 0.99*report["idw2"].RMSE {
			t.Errorf("%s: RMSE %.2f, want %v; the best has %.2f, idw2 %.2f", c.file, k.RMSE, c.limit, best, report["idw2"].RMSE)
		}
		if k.Without2.RMSE > report["idw2"].Without2.RMSE || k.Without4.RMSE > report["idw2"].Without4.RMSE {
			t.Errorf("%s: worse than inverse distances away from the monitors", c.file)
		}
		for i, cover := range k.Cover {
			if cover < 77.5 || cover > 82.5 {
				t.Errorf("%s: %.1f %% in the 80 %% range in third %d", c.file, cover, i)
			}
		}
	}
}

// Several quantities give an object for each.
func TestBacktestSurfaceOfQuantities(t *testing.T) {
	var b strings.Builder
	for hour := range 20 {
		for i, station := range []string{"a", "b", "c", "d"} {
			fmt.Fprintf(&b, `2026-02-16T%02d:00:00Z nhip/in/reading/%s `, hour, station)
			fmt.Fprintf(&b, `{"time":"2026-02-16T%02d:00:00Z","period":"1h","lat":21.0%d,"lon":105.8,`, hour, i)
			fmt.Fprintf(&b, "\"values\":{\"pm25\":%d,\"no2\":%d}}\n", 20+hour+3*i, 30+hour-i)
		}
	}
	rec := apptest.WriteFile(t, "a.rec", b.String())
	var out, errs bytes.Buffer
	args := []string{"backtest", "surface", "--json", "--quantity", "pm25,no2", rec}
	if code := executeShared(t.Context(), args, &out, &errs); code != 0 {
		t.Fatalf("exit %d: %s", code, errs.String())
	}
	var report map[string]map[string]backtest.SurfaceReport
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{"pm25", "no2"} {
		for _, method := range []string{"nearest", "idw2", "idw5", "mean", "ok", "log-ok", "kriging"} {
			if r := report[q][method]; r.Count != 80 || r.Without2 != nil {
				t.Errorf("%s by %s: %+v", q, method, r)
			}
		}
	}
	out.Reset()
	if code := executeShared(t.Context(), append([]string{"backtest", "surface"}, args[3:]...), &out, &errs); code != 0 ||
		!strings.Contains(out.String(), "no2, each monitor") || !strings.Contains(out.String(), "log-ok") {
		t.Errorf("exit %d: %s%s", code, out.String(), errs.String())
	}
}

func TestBacktestSurfaceRejectsInput(t *testing.T) {
	var b strings.Builder
	for _, station := range []string{"a", "b"} {
		b.WriteString(`2026-02-16T05:00:00Z nhip/in/reading/` + station +
			` {"time":"2026-02-16T05:00:00Z","period":"1h","lat":21,"lon":105.8,"values":{"pm25":4}}` + "\n")
	}
	rec := apptest.WriteFile(t, "a.rec", b.String())
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{rec}, "no hour has three monitors"},
		{[]string{"--quantity", "PM9", rec}, "--quantity: there is no"},
	} {
		var out, errs bytes.Buffer
		code := executeShared(t.Context(), append([]string{"backtest", "surface"}, c.args...), &out, &errs)
		if code == 0 || !strings.Contains(errs.String(), c.want) {
			t.Errorf("%v: exit %d, %s", c.args, code, errs.String())
		}
	}
}

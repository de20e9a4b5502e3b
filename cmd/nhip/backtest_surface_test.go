package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nhip/geo/backtest"
)

// TestSurfaceOfRecordedAir leaves Beijing's monitors out one by one, over a winter. The yardsticks are those of
// plain ordinary kriging with one fixed variogram: an RMSE of 34.3, 7 % better than the best IDW.
func TestSurfaceOfRecordedAir(t *testing.T) {
	data := os.Getenv("TESTDATA_DIR")
	if data == "" {
		t.Skip("TESTDATA_DIR is not set: no recording to leave monitors out of")
	}
	var out, errs bytes.Buffer
	if code := execute(t.Context(), []string{"backtest", "surface", "--json", filepath.Join(data, "recordings", "beijing-12.rec.gz")}, &out, &errs); code != 0 {
		t.Fatalf("exit %d: %s", code, errs.String())
	}
	var report map[string]backtest.SurfaceReport
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	k, best := report["kriging"], min(report["idw2"].RMSE, report["idw5"].RMSE, report["nearest"].RMSE)
	if k.Count != 26347 {
		t.Errorf("%d estimates, want those of every reading", k.Count)
	}
	if k.RMSE > 34.3 || k.RMSE > 0.93*best || k.Bias < -1 || k.Bias > 1 {
		t.Errorf("RMSE %.2f, bias %.2f; the best IDW has %.2f", k.RMSE, k.Bias, best)
	}
	for i, sd := range append(k.Third[:], *k.ZSD) {
		if sd < 0.8 || sd > 1.25 {
			t.Errorf("the deviation of z is %.2f in part %d: not honest", sd, i)
		}
	}
}

// TestSurfaceOfLittle: what can't be held against anything is said so.
func TestSurfaceOfLittle(t *testing.T) {
	rec := filepath.Join(t.TempDir(), "a.rec")
	var b bytes.Buffer
	for _, station := range []string{"a", "b"} {
		b.WriteString(`2026-02-16T05:00:00Z nhip/in/reading/` + station + ` {"time":"2026-02-16T05:00:00Z","period":"1h","lat":21,"lon":105.8,"values":{"pm25":4}}` + "\n")
	}
	if err := os.WriteFile(rec, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{rec}, "no hour has three monitors"},
		{[]string{"--quantity", "PM9", rec}, "--quantity: there is no"},
	} {
		var out, errs bytes.Buffer
		if code := execute(t.Context(), append([]string{"backtest", "surface"}, c.args...), &out, &errs); code == 0 || !strings.Contains(errs.String(), c.want) {
			t.Errorf("%v: exit %d, %s", c.args, code, errs.String())
		}
	}
}

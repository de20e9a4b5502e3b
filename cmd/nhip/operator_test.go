package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"nhip/app/apptest"
)

// TestRetentionAndRecompute imports old readings, recomputes and deletes them on the command line.
func TestRetentionAndRecompute(t *testing.T) {
	p := apptest.Up(t, t.TempDir(), "retention: {position: 400d, reading: 300d, arrival: 30d}")
	old := time.Now().AddDate(-2, 0, 0).Truncate(time.Hour).UTC()
	rows := "time,quantity,value\n"
	for i := range 30 {
		rows += fmt.Sprintf("%s,pm25,%d\n", old.Add(time.Duration(i)*time.Hour).Format(time.RFC3339), 20+i%5)
	}
	succeed(t, p.Dir, "import", "csv", apptest.WriteFile(t, "hn-01.csv", rows))
	p.Publish(t, apptest.Reading("hn-01", time.Now().Truncate(time.Hour), 20))
	apptest.AwaitAssessed(t, p.API(t), 32)
	out := succeed(t, p.Dir, "recompute", "--station", "hn-01", "--from", old.Add(-time.Hour).Format(time.RFC3339))
	if !strings.Contains(out, "are assessed and aggregated again") {
		t.Errorf("recompute prints %s", out)
	}
	code, _, errs := try(t, p.Dir, "recompute", "--station", "nobody", "--from", "2026-01-01")
	if code == 0 || !strings.Contains(errs, "nobody") {
		t.Errorf("recompute of an unknown station: exit %d, %s", code, errs)
	}
	apptest.AwaitAssessed(t, p.API(t), 32)
	plan := succeed(t, p.Dir, "retention", "plan")
	for _, want := range []string{
		"position  400 days", "arrival   30 days", "300 days", "  30 ", "deleted by nhip retention apply",
	} {
		if !strings.Contains(plan, want) {
			t.Errorf("the plan has no %q:\n%s", want, plan)
		}
	}
	if out := succeed(t, p.Dir, "retention", "apply"); !strings.Contains(out, "deleted") {
		t.Errorf("apply prints\n%s", out)
	}
	if out := succeed(t, p.Dir, "retention", "plan"); !strings.Contains(out, "nothing before") {
		t.Errorf("the plan after the deletion:\n%s", out)
	}
}

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nhip/api/apitest"
	"nhip/internal/await"
)

// seeRetention takes in readings of two years ago and of now, and lets the old ones go: their hours stay.
func seeRetention(t *testing.T, seen effects) {
	t.Helper()
	dir := t.TempDir()
	p := up(t, dir, "--config", writeYAML(t, "retention: {position: 400d, reading: 300d, arrival: 30d}"))
	c := apitest.New(t, p.HTTP)
	old := time.Now().AddDate(-2, 0, 0).Truncate(time.Hour).UTC()
	file := filepath.Join(t.TempDir(), "hn-01.csv")
	rows := "time,quantity,value\n"
	for i := range 30 {
		rows += fmt.Sprintf("%s,pm25,%d\n", old.Add(time.Duration(i)*time.Hour).Format(time.RFC3339), 20+i%5)
	}
	if err := os.WriteFile(file, []byte(rows), 0o600); err != nil {
		t.Fatal(err)
	}
	p.succeed(t, "import", "csv", file)
	now := time.Now().Truncate(time.Hour)
	p.publish(t, reading("hn-01", now, 20))
	p.made(t, c, 32)
	plan := p.succeed(t, "retention", "plan")
	seen.see(t, "retention.position", strings.Contains(plan, "position  400 days"))
	seen.see(t, "retention.arrival", strings.Contains(plan, "arrival   30 days"))
	seen.see(t, "retention.reading", strings.Contains(plan, "300 days") && strings.Contains(plan, "  30 ") && strings.Contains(plan, "goes with nhip retention apply"))
	count := func(period string) int {
		var got struct{ Readings []struct{} }
		answerInto(t, c.Get(t, apitest.Query("/v1/stations/hn-01/readings", "period", period, "quantity", "pm25",
			"from", old.Add(-time.Hour).Format(time.RFC3339), "to", old.AddDate(0, 0, 7).Format(time.RFC3339))), &got)
		return len(got.Readings)
	}
	if count("raw") != 30 {
		t.Errorf("the plan deletes: %d are left", count("raw"))
	}
	if out := p.succeed(t, "retention", "apply"); !strings.Contains(out, "deleted") {
		t.Errorf("apply says\n%s", out)
	}
	await.True(t, "the readings are gone, and their hours are not", func() bool { return count("raw") == 0 && count("hour") == 30 })
	if out := p.succeed(t, "retention", "plan"); !strings.Contains(out, "nothing before") {
		t.Errorf("after that the plan is\n%s", out)
	}
}

package app_test

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"nhip/app"
	"nhip/app/apptest"
	"nhip/internal/awaittest"
)

// TestUpStartsWithoutTimetable starts all roles with a damaged timetable, which is used once it is mended.
func TestUpStartsWithoutTimetable(t *testing.T) {
	path := apptest.WriteFile(t, "line.zip", "no zip")
	o := hungDatabase(t, t.TempDir())
	o.Config = apptest.LoadConfig(t, fmt.Sprintf(
		"gtfs: %q\nhttp: {listen: '127.0.0.1:0'}\nmqtt: {listen: '127.0.0.1:0'}", path))
	p := apptest.StartNow(t, app.Up, o)
	p.Publish(t, apptest.Position("a", time.Now(), 21.03, 105.85))
	if got := apptest.Degraded(t, p.HTTP); !slices.Contains(got, "gtfs") {
		t.Errorf("degraded: %v", got)
	}
	if err := os.WriteFile(path, apptest.Timetable(t, 5), 0o600); err != nil {
		t.Fatal(err)
	}
	c := p.API(t)
	awaittest.True(t, "the timetable is in use", func() bool {
		a := c.Get(t, "/v1/routes/R1")
		return a.Status == 200 && !slices.Contains(apptest.Degraded(t, p.HTTP), "gtfs")
	})
}

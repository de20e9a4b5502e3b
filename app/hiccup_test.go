package app_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"nhip/api/apitest"
	"nhip/app/apptest"
	"nhip/internal/awaittest"
	"nhip/internal/influx/influxtest"
)

// databasePID returns the process of the embedded database on a data folder.
func databasePID(t *testing.T, dir string) int {
	t.Helper()
	if _, ok := influxtest.Outside(); ok {
		t.Skip("the InfluxDB outside is not a process of the test")
	}
	lists, err := filepath.Glob("/proc/self/task/*/children") // a child belongs to the thread that started it
	if err != nil || len(lists) == 0 {
		t.Skip("this system does not list a process's children")
	}
	for _, list := range lists {
		raw, _ := os.ReadFile(list) // the thread may have ended
		for _, child := range strings.Fields(string(raw)) {
			args, _ := os.ReadFile(filepath.Join("/proc", child, "cmdline"))
			if pid, err := strconv.Atoi(child); err == nil && strings.Contains(string(args), dir) {
				return pid
			}
		}
	}
	t.Fatal("no database runs on " + dir)
	return 0
}

// TestDatabaseOutageIsNoOutage kills the embedded database: the live city is served without interruption, messages
// accepted in the meantime are stored, and only requests for the history fail.
func TestDatabaseOutageIsNoOutage(t *testing.T) {
	p := apptest.Up(t, t.TempDir(), "")
	c := p.API(t)
	hour := time.Now().Truncate(time.Hour)
	p.Publish(t, apptest.Reading("s", hour.Add(-time.Hour), 1))
	path := apitest.Query("/v1/stations/s/readings", "quantity", "pm25",
		"from", hour.Add(-2*time.Hour).Format(time.RFC3339), "to", hour.Format(time.RFC3339))
	stored := func(n int) bool {
		a := c.Get(t, path)
		if a.Status != http.StatusOK {
			return false
		}
		var body struct{ Readings []struct{ Value float64 } }
		apptest.Decode(t, a, &body)
		return len(body.Readings) == n
	}
	awaittest.True(t, "the first reading is in the database", func() bool { return stored(1) })

	if err := syscall.Kill(databasePID(t, p.Dir), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	awaittest.True(t, "the history is unavailable", func() bool {
		return c.Get(t, path).Status == http.StatusServiceUnavailable
	})
	p.Publish(t, apptest.Reading("s", hour, 2), apptest.Position("near", time.Now(), 21, 105.8))
	var buses apptest.Features
	awaittest.True(t, "the bus is live", func() bool {
		apptest.Decode(t, c.Get(t, "/v1/buses"), &buses)
		return len(buses.Features) == 1
	})
	answered, pictured := sendReports(t, p)
	checkReports(t, p, answered, pictured)
	if a := c.Get(t, "/readyz"); a.Status != http.StatusOK {
		t.Errorf("readiness without the database: %d %s", a.Status, a.Body)
	}
	awaittest.True(t, "the database has all readings at its old address", func() bool { return stored(2) })
}

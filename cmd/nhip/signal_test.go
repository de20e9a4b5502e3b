package main

import (
	"errors"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"nhip/api/apitest"
	"nhip/app"
	"nhip/app/apptest"
	"nhip/internal/awaittest"
)

// TestSecondSignalStopsAtOnce stops a nhip whose database hangs: after the first signal it waits for the database,
// after the second it ends. The next start has what was accepted.
func TestSecondSignalStopsAtOnce(t *testing.T) {
	dir := t.TempDir()
	p := launchUp(t, dir)
	database := p.databasePID(t)
	if err := syscall.Kill(database, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	hour := time.Now().Truncate(time.Hour)
	p.Publish(t, apptest.Reading("s", hour, 0))
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		if err := p.cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	err := <-p.exited
	p.exited <- err // for kill, at the end of the test
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(p.stderr.String(), "stopped at once") {
		t.Errorf("ended with %v\n%s", err, p.stderr)
	}
	if took := time.Since(began); took >= app.StopTimeout {
		t.Errorf("the second signal took %s: nhip waited for the database", took)
	}
	killProcess(t, database)
	checkStoredOnce(t, apptest.Up(t, dir, "").API(t), hour)
}

// checkStoredOnce waits for the reading of station "s" that ends at an hour, and counts it.
func checkStoredOnce(t *testing.T, c *apitest.Client, hour time.Time) {
	t.Helper()
	path := apitest.Query("/v1/stations/s/readings", "quantity", "pm25",
		"from", hour.AddDate(0, 0, -30).Format(time.RFC3339), "to", hour.Format(time.RFC3339))
	var body struct{ Readings []struct{ Value float64 } }
	awaittest.True(t, "the reading is in the database", func() bool {
		apptest.Decode(t, c.Get(t, path), &body)
		return len(body.Readings) > 0
	})
	if len(body.Readings) != 1 || body.Readings[0].Value != 0 {
		t.Errorf("readings: %+v", body.Readings)
	}
}

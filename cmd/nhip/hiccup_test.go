package main

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"nhip/api/apitest"
	"nhip/internal/await"
)

// database returns the process id of a nhip's embedded database.
func (p *running) database(t *testing.T) int {
	t.Helper()
	pid := p.cmd.Process.Pid
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		t.Skipf("this system does not tell a process's children: %v", err)
	}
	for _, task := range strings.Fields(string(raw)) {
		if n, err := strconv.Atoi(task); err == nil {
			return n
		}
	}
	// A child belongs to the thread that started it.
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		raw, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, task.Name())) // a thread may end meanwhile
		for _, child := range strings.Fields(string(raw)) {
			if n, err := strconv.Atoi(child); err == nil {
				return n
			}
		}
	}
	t.Fatal("nhip has no child")
	return 0
}

// TestADatabaseHiccupIsNoOutage kills the embedded database: the live city is answered all the
// while, what is accepted meanwhile arrives, and only the history says that it is away.
func TestADatabaseHiccupIsNoOutage(t *testing.T) {
	p := up(t, t.TempDir())
	c := apitest.New(t, p.HTTP)
	hour := time.Now().Truncate(time.Hour)
	p.publish(t, reading("s", hour.Add(-time.Hour), 1))
	path := apitest.Query("/v1/stations/s/readings", "quantity", "pm25",
		"from", hour.Add(-2*time.Hour).Format(time.RFC3339), "to", hour.Format(time.RFC3339))
	var body struct{ Readings []struct{ Value float64 } }
	await.True(t, "the first reading is in the database", func() bool {
		a := c.Get(t, path)
		if a.Status == http.StatusNotFound {
			return false // nobody has heard of the station yet
		}
		answerInto(t, a, &body)
		return len(body.Readings) == 1
	})

	if err := syscall.Kill(p.database(t), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	await.True(t, "the history is away and says so", func() bool {
		return c.Get(t, path).Status == http.StatusServiceUnavailable
	})
	p.publish(t, reading("s", hour, 2), position("1", time.Now(), 21, 105.8))
	var buses collection
	await.True(t, "the bus is live", func() bool {
		answerInto(t, c.Get(t, "/v1/buses"), &buses)
		return len(buses.Features) == 1
	})
	if a := c.Get(t, "/readyz"); a.Status != http.StatusOK {
		t.Errorf("a hiccup is an outage: %d %s", a.Status, a.Body)
	}
	await.True(t, "the database is back on its port with everything", func() bool {
		a := c.Get(t, path)
		if a.Status != http.StatusOK {
			return false
		}
		answerInto(t, a, &body)
		return len(body.Readings) == 2
	})
}

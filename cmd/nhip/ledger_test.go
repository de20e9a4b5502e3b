package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/app/apptest"
	"nhip/client"
	"nhip/internal/awaittest"
	"nhip/internal/influx"
	"nhip/internal/influx/influxtest"
)

const probeFeeds = `
feeds:
- {topic: nhip/in/position/+, format: position, agency: hanoi}
- {topic: probe/+, format: position, agency: probed}
`

// TestLedgerAndDeadLetters follows rows through the ledger and the dead letters on the command line: counted, verified,
// shown, replayed before and after a feed is configured, and deleted from the database.
func TestLedgerAndDeadLetters(t *testing.T) {
	dir := t.TempDir()
	p := apptest.Up(t, dir, "")
	at := time.Now().UTC().Truncate(time.Second)
	good, revised := apptest.Position("1", at, 21, 105.8), apptest.Position("1", at, 21.5, 105.8)
	probe := apptest.Message{Topic: "probe/1", Payload: good.Payload}
	p.Publish(t, good, good, revised, apptest.Position("1", at, 91, 105.8), probe)
	checkLedger(t, dir, at)
	id := checkLetter(t, dir, probe)
	if code, out, _ := try(t, dir, "dead", "replay", id); code != 1 || !strings.Contains(out, "no_feed") {
		t.Errorf("replay without a feed: exit %d, %s", code, out)
	}
	p.Stop(t)
	p = apptest.Up(t, dir, probeFeeds)
	for range 2 { // the second time changes nothing
		if out := succeed(t, dir, "dead", "replay", "--code", "no_feed"); !strings.Contains(out, id+": 1 rows pass") {
			t.Errorf("replay with a feed: %s", out)
		}
	}
	if out := succeed(t, dir, "dead", "list"); !strings.Contains(out, "passed") {
		t.Errorf("the list does not show the replay:\n%s", out)
	}
	awaittest.True(t, "the replayed row is stored", func() bool {
		return ledgerByDevice(t, dir)["bus/probed/1"].Stored == 1
	})
	succeed(t, dir, "ledger", "--verify")
	deletePositions(t, p, "1")
	code, out, why := try(t, dir, "ledger", "--verify")
	if code != 1 || !strings.Contains(why, "2 of ") || !strings.Contains(out, "THE DATABASE HOLDS 0") {
		t.Errorf("ledger of deleted rows: exit %d, %s\n%s", code, why, out)
	}
	checkAccess(t, p)
	checkInvalidRequests(t, p)
	checkInvalidArguments(t, dir)
}

// checkLedger waits until the rows of bus 1 are stored, and checks the ledger.
func checkLedger(t *testing.T, dir string, at time.Time) {
	t.Helper()
	var row nhip.LedgerRow
	awaittest.True(t, "two rows are stored", func() bool {
		row = ledgerByDevice(t, dir)["bus/hanoi/1"]
		return row.Stored == 1 && row.Revised == 1
	})
	if row.Received != 4 || row.Duplicate != 1 || row.Rejected[nhip.CodeOutOfRange] != 1 || row.Pending != 0 ||
		row.Collector != "main" {
		t.Errorf("row: %+v", row)
	}
	table := succeed(t, dir, "ledger", "--verify")
	for _, want := range []string{"RECEIVED", "bus/hanoi/1", "out_of_range 1", "no_feed 1", "topic/probe/1", "all"} {
		if !strings.Contains(table, want) {
			t.Errorf("%q is not in\n%s", want, table)
		}
	}
	one := succeed(t, dir, "ledger", "--device", "bus/hanoi/1", "--from", at.Format(time.DateOnly))
	if strings.Contains(one, "topic/probe/1") {
		t.Errorf("ledger of one device:\n%s", one)
	}
}

// checkLetter checks the dead letter of a message in every form, and returns its name.
func checkLetter(t *testing.T, dir string, message apptest.Message) (id string) {
	t.Helper()
	var letter nhip.DeadLetter
	list := succeed(t, dir, "dead", "list", "--json", "--code", "no_feed")
	if err := json.Unmarshal([]byte(list), &letter); err != nil ||
		letter.Topic != message.Topic || letter.Payload != message.Payload {
		t.Fatalf("the list %s: %v", list, err)
	}
	id = client.DeadLetterName(&letter)
	if all := succeed(t, dir, "dead", "list"); !strings.Contains(all, id) || strings.Count(all, "\n") != 3 {
		t.Errorf("the list\n%s", all)
	}
	shown := succeed(t, dir, "dead", "show", id)
	for _, want := range []string{id, message.Topic, message.Payload, "no feed is configured"} {
		if !strings.Contains(shown, want) {
			t.Errorf("%q is not in\n%s", want, shown)
		}
	}
	if raw := succeed(t, dir, "dead", "show", "--raw", id); raw != message.Payload {
		t.Errorf("the payload %q", raw)
	}
	return id
}

// checkAccess requests the operator's answers without the token.
func checkAccess(t *testing.T, p *apptest.Platform) {
	t.Helper()
	c := p.API(t)
	for _, path := range []string{"/v1/ledger", "/v1/dead", "/v1/dead/main/x"} {
		for _, header := range [][]string{nil, {"Authorization", "Bearer wrong"}, {"Authorization", "Bearer "}} {
			a := c.Get(t, path, header...)
			if a.Status != http.StatusUnauthorized || !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Bearer") {
				t.Errorf("%s with %q: %d", path, header, a.Status)
			}
		}
	}
}

// checkInvalidRequests sends requests with the token, most of which are invalid.
func checkInvalidRequests(t *testing.T, p *apptest.Platform) {
	t.Helper()
	c, operator := p.API(t), []string{"Authorization", "Bearer " + p.Token(t)}
	for path, want := range map[string]int{
		"/v1/ledger?verify=maybe":        http.StatusBadRequest,
		"/v1/ledger?limit=0":             http.StatusBadRequest,
		"/v1/ledger?after=x":             http.StatusBadRequest,
		"/v1/ledger?colector=main":       http.StatusBadRequest,
		"/v1/ledger?collector=nobody":    http.StatusNotFound,
		"/v1/ledger?format=csv":          http.StatusOK,
		"/v1/ledger?limit=1":             http.StatusOK,
		"/v1/ledger?limit=1&verify=true": http.StatusOK,
		"/v1/dead?after=x":               http.StatusBadRequest,
		"/v1/dead?limit=1":               http.StatusOK,
		"/v1/dead/main/none":             http.StatusBadRequest,
		"/v1/dead/nobody/none":           http.StatusNotFound,
	} {
		if a := c.Get(t, path, operator...); a.Status != want {
			t.Errorf("%s: %d %s, want %d", path, a.Status, a.Body, want)
		}
	}
	for body, want := range map[string]int{
		`{}`:                                  http.StatusBadRequest,
		`{"collector":"main","ids":[]}`:       http.StatusBadRequest,
		`{"collector":"main","ids":["x"]}x`:   http.StatusBadRequest,
		`{"collector":"main","id":["x"]}`:     http.StatusBadRequest,
		`{"collector":"nobody","ids":["x"]}`:  http.StatusNotFound,
		`{"collector":"main","ids":["none"]}`: http.StatusOK,
	} {
		if a := c.Post(t, "/v1/dead/replay", body, operator...); a.Status != want {
			t.Errorf("%s: %d %s, want %d", body, a.Status, a.Body, want)
		}
	}
}

func checkInvalidArguments(t *testing.T, dir string) {
	t.Helper()
	for _, args := range [][]string{
		{"dead", "replay"},
		{"dead", "replay", "--all", "x"},
		{"dead", "show", "main/none"},
		{"dead", "list", "--limit=-1"},
		{"ledger", "--from", "yesterday"},
		{"ledger", "--url", "http://127.0.0.1:1"},
		{"ledger", "--url", "127.0.0.1:1"},
		{"ledger", "--collector", "nobody"},
	} {
		if code, _, why := try(t, dir, args...); code != 1 || !strings.HasPrefix(why, "nhip: ") {
			t.Errorf("nhip %v exits with %d: %s", args, code, why)
		}
	}
}

// ledgerByDevice returns the rows of nhip ledger --json by device.
func ledgerByDevice(t *testing.T, dir string) map[string]nhip.LedgerRow {
	t.Helper()
	var page nhip.LedgerPage
	if err := json.Unmarshal([]byte(succeed(t, dir, "ledger", "--json")), &page); err != nil {
		t.Fatal(err)
	}
	rows := make(map[string]nhip.LedgerRow)
	for _, r := range page.Rows {
		rows[r.Device] = r
	}
	return rows
}

// deletePositions deletes a vehicle's positions in the database without the collector.
func deletePositions(t *testing.T, p *apptest.Platform, vehicle string) {
	t.Helper()
	p.Database(t).Delete(t, influxtest.FolderBucket, influxtest.Deletion{
		Measurement: influx.PositionMeasurement, Tag: "vehicle", Value: vehicle,
	})
}

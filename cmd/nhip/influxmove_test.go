package main

import (
	"fmt"
	"regexp"
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

// TestHistoryMoves moves the history of a running city to another InfluxDB with the tokens of nhip influx setup: the
// ledger holds there before the switch, after changes and another copy, and after the switch.
func TestHistoryMoves(t *testing.T) {
	dir := t.TempDir()
	config := apptest.WriteFile(t, "nhip.yaml", "retention: {reading: 300d}\n")
	p := launchEmbedded(t, dir, "--config", config)
	now := time.Now().UTC().Truncate(time.Hour)
	old := now.AddDate(-2, 0, 0)
	p.Publish(t, apptest.Message{
		Topic: "nhip/in/import/csv/hn-02", Payload: "time,quantity,value\n" + old.Format(time.RFC3339) + ",pm25,20\n",
	})
	for i := range 3 {
		p.Publish(t, apptest.Reading("hn-01", now.Add(-time.Duration(2-i)*time.Hour), 65))
	}
	p.Publish(t, apptest.Reading("hn-01", now, 66), // a revision
		apptest.Position(`1 "x"\, '=`, now, 21, 105.8), apptest.Position("2", now.Add(-30*24*time.Hour), 21, 105.8))
	review(t, p, now, "r1")
	awaitStored(t, p, 12) // with the row of the review in the audit log
	apptest.AwaitAssessed(t, p.API(t), 6)

	to := influxtest.Server(t)
	there := to.Options(t, "moved")
	collector, reader := setUpTokens(t, there)
	copying := []string{
		"influx", "copy", "--to", there.URL, "--to-token", collector, "--to-org", there.Org, "--to-bucket", there.Bucket,
	}
	verifying := []string{
		"ledger", "--verify", "--in", there.URL, "--in-token", reader, "--in-org", there.Org, "--in-bucket", there.Bucket,
	}
	if code, _, _ := try(t, dir, verifying...); code != 1 {
		t.Errorf("verification in an empty bucket ends with %d", code)
	}
	succeed(t, dir, copying...)
	succeed(t, dir, verifying...)

	p.Publish(t, apptest.Position("3", now, 21, 105.8), apptest.Reading("hn-01", now, 67))
	review(t, p, now, "r2")
	awaitStored(t, p, 16)
	apptest.AwaitAssessed(t, p.API(t), 6)
	if code, out, _ := try(t, dir, verifying...); code != 1 || strings.Count(out, "THE DATABASE HOLDS") != 4 {
		t.Errorf("verification before the changes are copied ends with %d: %s", code, out)
	}
	if out := succeed(t, dir, "retention", "apply"); !strings.Contains(out, "deleted") {
		t.Errorf("retention: %s", out)
	}
	out := succeed(t, dir, copying...)
	if !strings.Contains(out, " 1 spans with rows that are gone") {
		t.Errorf("the copy after a deletion: %s", out)
	}
	succeed(t, dir, verifying...)
	succeed(t, dir, append(verifying, "--device", "air/hn-01")...)

	if err := p.stop(t); err != nil {
		t.Fatal(err)
	}
	there.Token = collector
	useDatabase(t, there)
	again := launchEmbedded(t, dir, "--config", config)
	succeed(t, dir, "ledger", "--verify")
	again.Publish(t, apptest.Position("4", now, 21, 105.8))
	awaitStored(t, again, 17)
	succeed(t, dir, "ledger", "--verify")
	db := influxtest.Open(t, to, "moved")
	if n, err := db.Count(t.Context(), influx.PositionMeasurement, now.Add(-time.Hour), now); err != nil || n != 3 {
		t.Errorf("%d positions in the new database, %v", n, err)
	}
}

func review(t *testing.T, p *process, now time.Time, id string) {
	t.Helper()
	_, err := p.Client(t).CreateReview(t.Context(), client.NewReview{
		ID: id, Station: "hn-01", Quantity: "pm25", From: now.Add(-time.Hour), To: now,
		Action: nhip.ActionAnnotate, By: "Lan", Why: "đốt rác",
	})
	if err != nil {
		t.Fatal(err)
	}
}

// awaitStored waits until the database has a number of rows, revised ones included.
func awaitStored(t *testing.T, p *process, want int64) {
	t.Helper()
	last := ""
	defer func() {
		if t.Failed() {
			t.Log(last)
		}
	}()
	awaittest.True(t, "all rows are stored", func() bool {
		page, err := p.Client(t).Ledger(t.Context(), client.LedgerQuery{})
		if err != nil {
			return false
		}
		n := int64(0)
		for i := range page.Rows {
			if page.Rows[i].Pending > 0 {
				return false
			}
			n += page.Rows[i].Stored + page.Rows[i].Revised
		}
		last = fmt.Sprintf("%+v", page.Rows)
		return n == want
	})
}

var shownToken = regexp.MustCompile(`token of the (\w+) \(influx.token\), shown once: (\S+)`)

// setUpTokens sets a database up and returns the tokens of the roles.
func setUpTokens(t *testing.T, o influx.Options) (collector, reader string) {
	t.Helper()
	args := []string{
		"influx", "setup", "--url", o.URL, "--admin-token", o.Token, "--org", o.Org, "--bucket", o.Bucket, "--keep", "10000d",
	}
	out := succeed(t, t.TempDir(), args...)
	found := shownToken.FindAllStringSubmatch(out, -1)
	if len(found) != 2 || found[0][1] != "collector" || found[1][1] != "api" {
		t.Fatalf("the tokens: %s", out)
	}
	if again := succeed(t, t.TempDir(), args...); shownToken.MatchString(again) ||
		!strings.Contains(again, "is set up already") {
		t.Errorf("a second run: %s", again)
	}
	return found[0][2], found[1][2]
}

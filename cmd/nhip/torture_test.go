package main

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/internal/await"
	"nhip/internal/torture"
)

// TestKilledAtAnyMoment lets the worst happen to the parts of a city at random moments, while devices
// speak that say things twice, differently, and badly. At the end everything that was acknowledged is
// in the database exactly once or among the dead letters, and the ledger balances.
func TestKilledAtAnyMoment(t *testing.T) {
	const betweenFew, betweenMany = 200, 2_000 // messages from one fault to the next
	for _, shape := range shapes() {
		t.Run(shape.name, func(t *testing.T) {
			seed := torture.Seed(t)
			random := torture.Chances(seed, 0)
			c := shape.prepare(t)(t)
			l := startLoad(t, c.operator(t, "load"), torture.Chances(seed, 1))
			order := random.Perm(len(c.faults))
			for i := range torture.Times(t, len(c.faults), 50) {
				f := c.faults[order[i%len(order)]]
				l.await(t, betweenFew+random.Int64N(betweenMany-betweenFew))
				t.Logf("after %d messages %s", l.fan.Acked(), f.name)
				f.strike(t)
			}
			l.await(t, betweenFew)
			sent := l.end(t)
			t.Logf("%d messages are acknowledged, %d were sent again", sent, l.fan.Resent())
			checkTortured(t, c, l, int64(sent))
		})
	}
}

// TestTwoCollectorsWriteTheSamePoints lets two collectors hear the same devices, of which now one and
// now the other is killed. Each counts everything once, and so does the database.
func TestTwoCollectorsWriteTheSamePoints(t *testing.T) {
	s := newSurroundings(t)
	c := &town{}
	s.start(t, c)
	west := t.TempDir()
	twin := s.second(t, "west", west)
	seed := torture.Seed(t)
	l := startLoad(t, c.operator(t, "load"), torture.Chances(seed, 1))
	for range torture.Times(t, 1, 10) {
		l.await(t, 1000)
		kill(t, twin.cmd.Process.Pid)
		l.await(t, 1000)
		twin = s.second(t, "west", west)
		kill(t, c.processes[1].cmd.Process.Pid)
		l.await(t, 1000)
		c.processes[1] = s.collector(t)
	}
	sent := l.end(t)
	t.Logf("%d messages are acknowledged", sent)
	for _, id := range []string{"main", "west"} {
		var rows []auditedRow
		await.True(t, "nothing is pending", func() bool {
			code, stdout, _ := c.try(t, "ledger", "--json", "--verify", "--collector", id)
			var page struct{ Rows []auditedRow }
			if code != 0 || json.Unmarshal([]byte(stdout), &page) != nil {
				return false
			}
			rows = page.Rows
			var received, pending int64
			for _, r := range rows {
				received += r.Received
				pending += r.Pending
			}
			return pending == 0 && received >= int64(sent)
		})
		checkTwin(t, id, rows, l.expect())
	}
}

// checkTwin compares what a collector has counted, and the database, with what there was.
func checkTwin(t *testing.T, id string, rows []auditedRow, want map[string][2]int64) {
	t.Helper()
	found := 0
	for _, r := range rows {
		counts := [2]int64{r.Stored, r.Revised}
		if counts == [2]int64{} {
			continue
		}
		found++
		if w := want[r.Device+" "+r.Hour.Format(time.RFC3339)]; counts != w || *r.Counted != (struct{ Stored, Revised int64 }{w[0], w[1]}) {
			t.Errorf("%s of %s, %s: %v stored and revised, %v in the database, want %v", id, r.Device, r.Hour, counts, *r.Counted, w)
		}
	}
	if found != len(want) {
		t.Errorf("%s has %d rows, want %d", id, found, len(want))
	}
}

// checkTortured compares what a city has made of a load with what it had to.
func checkTortured(t *testing.T, c *town, l *load, sent int64) {
	t.Helper()
	var rows map[string]nhip.LedgerRow
	await.True(t, "nothing is pending", func() bool {
		code, stdout, _ := c.try(t, "ledger", "--json")
		if code != 0 {
			return false // the broker may just have come back
		}
		rows = ledgerRows(t, stdout)
		var pending, received int64
		for _, r := range rows {
			pending += r.Pending
			received += r.Received
		}
		return pending == 0 && received >= sent
	})
	want, got := l.expect(), make(map[string][2]int64)
	var sum nhip.LedgerRow
	for key, r := range rows {
		if !r.Balanced() {
			t.Errorf("the ledger does not balance: %+v", r)
		}
		sum.Received += r.Received
		sum.Duplicate += r.Duplicate
		if r.Stored+r.Revised > 0 {
			got[key] = [2]int64{r.Stored, r.Revised}
		}
	}
	c.succeed(t, "ledger", "--verify")
	checkLetters(t, c, l)
	if !maps.Equal(got, want) {
		for key := range want {
			if got[key] != want[key] {
				t.Errorf("%s: %v stored and revised, want %v", key, got[key], want[key])
			}
		}
		t.Errorf("%d rows hold something, want %d", len(got), len(want))
	}
}

// checkLetters looks for each message that had to be turned away among the dead letters.
func checkLetters(t *testing.T, c *town, l *load) {
	t.Helper()
	kept := make(map[string]bool)
	for line := range strings.Lines(c.succeed(t, "dead", "list", "--json", "--limit", "0")) {
		var letter nhip.DeadLetter
		if err := json.Unmarshal([]byte(line), &letter); err != nil {
			t.Fatal(err)
		}
		kept[letter.Topic+" "+letter.Payload] = true
	}
	missing := 0
	for _, message := range l.turnedAway() {
		if !kept[message] {
			missing++
			t.Logf("not among the dead letters: %s", message)
		}
	}
	if missing > 0 {
		t.Errorf("%d messages are missing among %d dead letters", missing, len(kept))
	}
}

// ledgerRows reads what `nhip ledger --json` prints, by device and hour.
func ledgerRows(t *testing.T, printed string) map[string]nhip.LedgerRow {
	t.Helper()
	var page nhip.LedgerPage
	if err := json.Unmarshal([]byte(printed), &page); err != nil {
		t.Fatal(err)
	}
	rows := make(map[string]nhip.LedgerRow)
	for _, r := range page.Rows {
		rows[r.Device+" "+r.Hour.Format(time.RFC3339)] = r
	}
	return rows
}

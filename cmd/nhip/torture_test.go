package main

import (
	"encoding/json"
	"fmt"
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
			checkTortured(t, c, l)
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
	t.Logf("%d messages are acknowledged", l.end(t))
	want := l.expect()
	for _, id := range []string{"main", "west"} {
		untilRight(t, func() string {
			code, stdout, stderr := c.try(t, "ledger", "--json", "--verify", "--collector", id)
			var page struct{ Rows []auditedRow }
			if code != 0 || json.Unmarshal([]byte(stdout), &page) != nil {
				return stderr
			}
			return twinFault(page.Rows, want)
		})
	}
}

// untilRight waits until nothing is wrong any more. If that does not come, it tells what was wrong last.
func untilRight(t *testing.T, look func() (wrong string)) {
	t.Helper()
	last := ""
	defer func() {
		if t.Failed() {
			t.Log(last)
		}
	}()
	await.True(t, "everything is where it must be", func() bool {
		last = look()
		return last == ""
	})
}

// twinFault compares what a collector has counted, and the database, with what there was.
func twinFault(rows []auditedRow, want map[string][2]int64) string {
	found := 0
	for _, r := range rows {
		counts := [2]int64{r.Stored, r.Revised}
		if counts == [2]int64{} {
			continue
		}
		found++
		if w := want[r.Device+" "+r.Hour.Format(time.RFC3339)]; counts != w || *r.Counted != (struct{ Stored, Revised int64 }{w[0], w[1]}) {
			return fmt.Sprintf("%s, %s: %v stored and revised, %v in the database, want %v", r.Device, r.Hour, counts, *r.Counted, w)
		}
	}
	if found != len(want) {
		return fmt.Sprintf("there are %d rows, want %d", found, len(want))
	}
	return ""
}

// checkTortured compares what a city has made of a load with what it had to, as soon as all of it has
// come through.
func checkTortured(t *testing.T, c *town, l *load) {
	t.Helper()
	want, turnedAway := l.expect(), l.turnedAway()
	untilRight(t, func() string {
		code, stdout, stderr := c.try(t, "ledger", "--json")
		if code != 0 {
			return stderr // the broker may just have come back
		}
		return ledgerFault(ledgerRows(t, stdout), want)
	})
	untilRight(t, func() string { return lettersFault(t, c, turnedAway) })
	c.succeed(t, "ledger", "--verify")
}

// ledgerFault tells what in the ledger is not as it must be, or not yet.
func ledgerFault(rows map[string]nhip.LedgerRow, want map[string][2]int64) string {
	var faults []string
	for key, r := range rows {
		counts := [2]int64{r.Stored, r.Revised}
		if !r.Balanced() || r.Pending != 0 || counts != want[key] {
			faults = append(faults, fmt.Sprintf("%s: %+v, want %v stored and revised", key, r, want[key]))
		}
	}
	for key := range want {
		if _, there := rows[key]; !there {
			faults = append(faults, key+" is missing")
		}
	}
	return strings.Join(faults, "\n")
}

// lettersFault looks for each message that had to be turned away among the dead letters.
func lettersFault(t *testing.T, c *town, messages []string) string {
	t.Helper()
	kept := make(map[string]bool)
	for line := range strings.Lines(c.succeed(t, "dead", "list", "--json", "--limit", "0")) {
		var letter nhip.DeadLetter
		if err := json.Unmarshal([]byte(line), &letter); err != nil {
			t.Fatal(err)
		}
		kept[letter.Topic+" "+letter.Payload] = true
	}
	var missing []string
	for _, message := range messages {
		if !kept[message] {
			missing = append(missing, "not among the dead letters: "+message)
		}
	}
	return strings.Join(missing, "\n")
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

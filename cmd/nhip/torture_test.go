package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/client"
	"nhip/internal/awaittest"
	"nhip/internal/torturetest"
)

// TestKilledAtAnyMoment kills or restarts parts of the platform at random moments, while devices publish messages,
// repetitions, revisions and invalid payloads. At the end everything acknowledged is in the database exactly once or
// among the dead letters, the ledger balances, and every confirmed report of a citizen is shown.
func TestKilledAtAnyMoment(t *testing.T) {
	t.Setenv("NHIP_REPORTS_PER_ADDRESS", "0")
	fewest, most := int64(200), torturetest.Pick[int64](600, 2_000) // messages between two faults
	for _, d := range deployments() {
		t.Run(d.name, func(t *testing.T) {
			seed := torturetest.Seed(t)
			random := torturetest.Rand(seed, 0)
			s := d.start(t)
			l := startLoad(t, s.Operator(t, "load"), torturetest.Rand(seed, 1))
			order, reports := random.Perm(len(s.faults)), sentReports{}
			for i := range torturetest.Times(t, len(s.faults), 50) {
				f := s.faults[order[i%len(order)]]
				l.await(t, fewest+random.Int64N(most-fewest))
				t.Logf("after %d messages %s", l.publisher.Acked(), f.name)
				reports.send(t, s.HTTP)
				f.happen(t)
			}
			l.await(t, fewest)
			reports.check(t, s.HTTP)
			sent := l.end(t)
			t.Logf("%d messages are acknowledged, %d were sent again", sent, l.publisher.Resent())
			checkOutcome(t, s.Dir, l)
		})
	}
}

// TestTwoCollectorsWriteSamePoints runs two collectors on the same devices, and kills the one and the other. Each
// counts everything once, and so does the database.
func TestTwoCollectorsWriteSamePoints(t *testing.T) {
	e := newEnvironment(t)
	s := &system{}
	e.start(t, s)
	west := t.TempDir()
	second := e.second(t, "west", west)
	seed := torturetest.Seed(t)
	l := startLoad(t, s.Operator(t, "load"), torturetest.Rand(seed, 1))
	between := torturetest.Pick[int64](300, 1_000) // messages between two faults
	for range torturetest.Times(t, 1, 10) {
		l.await(t, between)
		killProcess(t, second.cmd.Process.Pid)
		l.await(t, between)
		second = e.second(t, "west", west)
		killProcess(t, s.processes[1].cmd.Process.Pid)
		l.await(t, between)
		s.processes[1] = e.collector(t)
	}
	t.Logf("%d messages are acknowledged", l.end(t))
	want := l.expect()
	for _, id := range []string{"main", "west"} {
		awaitNoFault(t, func() string {
			code, stdout, stderr := try(t, s.Dir, "ledger", "--json", "--verify", "--collector", id)
			var page client.LedgerPage
			if code != 0 || json.Unmarshal([]byte(stdout), &page) != nil {
				return stderr
			}
			return countFault(page.Rows, want)
		})
	}
}

// awaitNoFault waits until find returns "". It logs the last fault if the wait fails.
func awaitNoFault(t *testing.T, find func() (fault string)) {
	t.Helper()
	last := ""
	defer func() {
		if t.Failed() {
			t.Log(last)
		}
	}()
	awaittest.True(t, "every row is where it must be", func() bool {
		last = find()
		return last == ""
	})
}

// countFault compares the counts of a collector and of the database with those of the load.
func countFault(rows []client.LedgerRow, want map[string]counts) string {
	found := 0
	for i := range rows {
		r := &rows[i]
		got := counts{r.Stored, r.Revised}
		if got == (counts{}) {
			continue
		}
		found++
		key := r.Device + " " + r.Hour.Format(time.RFC3339)
		if got != want[key] || counts(*r.Counted) != want[key] {
			return fmt.Sprintf("%s: %+v in the ledger, %+v in the database, want %+v", key, got, *r.Counted, want[key])
		}
	}
	if found != len(want) {
		return fmt.Sprintf("%d rows, want %d", found, len(want))
	}
	return ""
}

// checkOutcome compares the ledger and the dead letters with a load, as soon as all of it is processed.
func checkOutcome(t *testing.T, dir string, l *load) {
	t.Helper()
	want, rejected := l.expect(), l.rejected()
	awaitNoFault(t, func() string {
		code, stdout, stderr := try(t, dir, "ledger", "--json")
		if code != 0 {
			return stderr // the broker may have come back just now
		}
		return ledgerFault(ledgerByHour(t, stdout), want)
	})
	awaitNoFault(t, func() string { return lettersFault(t, dir, rejected) })
	succeed(t, dir, "ledger", "--verify")
}

// ledgerFault returns what in the ledger is not as it must be, or not yet.
func ledgerFault(rows map[string]nhip.LedgerRow, want map[string]counts) string {
	var faults []string
	for key, r := range rows {
		unexpected := (counts{r.Stored, r.Revised}) != want[key] && !strings.HasPrefix(r.Device, "say/") // of reports
		if !r.Balanced() || r.Pending != 0 || unexpected {
			faults = append(faults, fmt.Sprintf("%s: %+v, want %+v", key, r, want[key]))
		}
	}
	for key := range want {
		if _, exists := rows[key]; !exists {
			faults = append(faults, key+" is missing")
		}
	}
	return strings.Join(faults, "\n")
}

// lettersFault returns which of the messages are not among the dead letters.
func lettersFault(t *testing.T, dir string, messages []string) string {
	t.Helper()
	kept := make(map[string]bool)
	for line := range strings.Lines(succeed(t, dir, "dead", "list", "--json", "--limit", "0")) {
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

// ledgerByHour parses the output of nhip ledger --json, by device and hour.
func ledgerByHour(t *testing.T, printed string) map[string]nhip.LedgerRow {
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

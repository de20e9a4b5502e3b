package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/apitest"
	"nhip/internal/await"
)

const withProbe = `
feeds:
- {topic: nhip/in/position/+, format: position, agency: hanoi}
- {topic: probe/+, format: position, agency: probed}
`

// TestTheBooksAreOpen follows rows through the ledger and the dead letters as an operator does, on the
// command line: counted, verified, shown, replayed in vain, replayed after a cure, and missed when
// somebody takes them from the database.
func TestTheBooksAreOpen(t *testing.T) {
	dir := t.TempDir()
	p := up(t, dir)
	at := time.Now().UTC().Truncate(time.Second)
	good, revised, probe := position("1", at, 21, 105.8), position("1", at, 21.5, 105.8), [2]string{"probe/1", position("1", at, 21, 105.8)[1]}
	p.publish(t, good, good, revised, position("1", at, 91, 105.8), probe)
	await.True(t, "two rows are stored", func() bool {
		r := p.rows(t)["bus/hanoi/1"]
		return r.Stored == 1 && r.Revised == 1
	})
	r := p.rows(t)["bus/hanoi/1"]
	if r.Received != 4 || r.Duplicate != 1 || r.Rejected[nhip.OutOfRange] != 1 || r.Pending != 0 || r.Collector != "main" {
		t.Errorf("the row %+v", r)
	}
	table := p.succeed(t, "ledger", "--verify")
	for _, want := range []string{"RECEIVED", "bus/hanoi/1", "out_of_range 1", "no_feed 1", "topic/probe/1", "all"} {
		if !strings.Contains(table, want) {
			t.Errorf("%q is not in\n%s", want, table)
		}
	}
	if one := p.succeed(t, "ledger", "--device", "bus/hanoi/1", "--from", at.Format(time.DateOnly)); strings.Contains(one, "topic/probe/1") {
		t.Errorf("of one device:\n%s", one)
	}

	id := seeLetters(t, p, probe)
	if code, out, _ := p.try(t, "dead", "replay", id); code != 1 || !strings.Contains(out, "no_feed") {
		t.Errorf("a replay in vain exits with %d: %s", code, out)
	}
	if err := p.stop(t); err != nil {
		t.Fatal(err)
	}
	p = up(t, dir, "--config", writeYAML(t, withProbe))
	for range 2 { // again it does no harm
		if out := p.succeed(t, "dead", "replay", "--code", "no_feed"); !strings.Contains(out, id+": 1 rows pass") {
			t.Errorf("after the cure: %s", out)
		}
	}
	if out := p.succeed(t, "dead", "list"); !strings.Contains(out, "passed") {
		t.Errorf("the list does not tell of the replay:\n%s", out)
	}
	await.True(t, "the replayed row is stored", func() bool { return p.rows(t)["bus/probed/1"].Stored == 1 })
	p.succeed(t, "ledger", "--verify")
	p.take(t, dir, "position", "1")
	code, out, why := p.try(t, "ledger", "--verify")
	if code != 1 || !strings.Contains(why, "2 of ") || !strings.Contains(out, "THE DATABASE HOLDS 0") {
		t.Errorf("with rows missing it exits with %d: %s\n%s", code, why, out)
	}
	seeRules(t, p)
}

// seeLetters looks at the letter of a message in every way there is, and returns its name.
func seeLetters(t *testing.T, p *running, message [2]string) (id string) {
	t.Helper()
	var letter nhip.DeadLetter
	list := p.succeed(t, "dead", "list", "--json", "--code", "no_feed")
	if err := json.Unmarshal([]byte(list), &letter); err != nil || letter.Topic != message[0] || letter.Payload != message[1] {
		t.Fatalf("the list %s: %v", list, err)
	}
	id = letterName(&letter)
	if all := p.succeed(t, "dead", "list"); !strings.Contains(all, id) || strings.Count(all, "\n") != 3 {
		t.Errorf("the list\n%s", all)
	}
	shown := p.succeed(t, "dead", "show", id)
	for _, want := range []string{id, message[0], message[1], "no feed is configured"} {
		if !strings.Contains(shown, want) {
			t.Errorf("%q is not in\n%s", want, shown)
		}
	}
	if raw := p.succeed(t, "dead", "show", "--raw", id); raw != message[1] {
		t.Errorf("the payload %q", raw)
	}
	return id
}

// seeRules asks as nobody should.
func seeRules(t *testing.T, p *running) {
	t.Helper()
	c := apitest.New(t, p.HTTP)
	for _, path := range []string{"/v1/ledger", "/v1/dead", "/v1/dead/main/x"} {
		for _, header := range [][]string{nil, {"Authorization", "Bearer wrong"}, {"Authorization", "Bearer "}} {
			a := c.Get(t, path, header...)
			if a.Status != http.StatusUnauthorized || !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Bearer") {
				t.Errorf("%s with %q: %d", path, header, a.Status)
			}
		}
	}
	token := p.operator(t, "").Password
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
		if a := c.Get(t, path, "Authorization", "Bearer "+token); a.Status != want {
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
		if a := c.Post(t, "/v1/dead/replay", body, "Authorization", "Bearer "+token); a.Status != want {
			t.Errorf("%s: %d %s, want %d", body, a.Status, a.Body, want)
		}
	}
	for _, args := range [][]string{
		{"dead", "replay"},
		{"dead", "replay", "--all", "x"},
		{"dead", "show", "main/none"},
		{"dead", "list", "--limit=-1"},
		{"ledger", "--from", "yesterday"},
		{"ledger", "--url", "http://127.0.0.1:1"},
		{"ledger", "--collector", "nobody"},
	} {
		if code, _, why := p.try(t, args...); code != 1 || !strings.HasPrefix(why, "nhip: ") {
			t.Errorf("nhip %v exits with %d: %s", args, code, why)
		}
	}
}

// rows returns the ledger by device.
func (p *running) rows(t *testing.T) map[string]nhip.LedgerRow {
	t.Helper()
	var page nhip.LedgerPage
	if err := json.Unmarshal([]byte(p.succeed(t, "ledger", "--json")), &page); err != nil {
		t.Fatal(err)
	}
	rows := make(map[string]nhip.LedgerRow)
	for _, r := range page.Rows {
		rows[r.Device] = r
	}
	return rows
}

// take deletes a vehicle's rows behind the collector's back.
func (p *running) take(t *testing.T, dir, measurement, vehicle string) {
	t.Helper()
	token, err := os.ReadFile(filepath.Join(dir, "influx.auth"))
	if err != nil {
		t.Fatal(err)
	}
	q := url.Values{"db": {"nhip"}, "q": {fmt.Sprintf("DELETE FROM %s WHERE vehicle = '%s'", measurement, vehicle)}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.Influx+"/query?"+q.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Token "+strings.TrimSpace(string(token)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("the database answers %s", resp.Status)
	}
}

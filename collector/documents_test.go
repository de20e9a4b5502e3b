package collector

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/internal/awaittest"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"
	"nhip/internal/topics"
)

// keyBody returns the body of a key.
func keyBody(name string) string {
	return fmt.Sprintf(`{"name":%q,"role":"analyst","hash":%q,"created":"2026-02-16T12:00:00Z"}`, name,
		strings.Repeat("ab", 32))
}

// sayKey makes the collector take in a change of the key k1. condition is more of the payload.
func (h *harness) sayKey(t *testing.T, request, body, condition string) {
	t.Helper()
	if body != "" {
		body = `,"body":` + body
	}
	payload := fmt.Sprintf(`{"kind":"key","id":"k1","request":%q,"object":"key/k1","time":%q,"actor":{"name":"Lan",`+
		`"key":"k0","role":"admin"}%s%s}`, request, h.clock.Now().Format(time.RFC3339Nano), condition, body)
	h.onUserAction(topics.UserActionTopic("key", "k1"), []byte(payload))
	h.clock.set(h.clock.Now().Add(time.Second))
}

// resultOf waits for the outcome of a request.
func resultOf(t *testing.T, events *mqtttest.Listener, request string) (r nhip.ActionResult) {
	t.Helper()
	m := events.Wait(t, "the outcome of "+request, func(m mqtttest.Message) bool {
		return strings.Contains(m.Payload, `"request":"`+request+`"`)
	})
	if err := json.Unmarshal([]byte(m.Payload), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestDocumentsAreSetInOrder sets, changes and removes a document, refuses what was made from an older version, and
// keeps all of it through a kill.
func TestDocumentsAreSetInOrder(t *testing.T) {
	h := newHarness(t)
	events := h.listen(t, "nhip/event/+/+")
	states := mqtttest.Listen(t, mqtt.Options{URL: h.broker, ClientID: "keys"}, topics.Keys)
	h.start(t)
	expect := func(request string, version int64, refused nhip.Code) {
		t.Helper()
		r := resultOf(t, events, request)
		switch {
		case refused != "":
			if r.Refused == nil || r.Refused.Code != refused {
				t.Errorf("%s: %+v, want %s", request, r, refused)
			}
		case r.Document == nil || r.Document.Version != version:
			t.Errorf("%s: %+v, want version %d", request, r, version)
		}
	}
	h.sayKey(t, "made", keyBody("Minh"), `,"if_version":0`)
	expect("made", 1, "")
	states.Wait(t, "the key", func(m mqtttest.Message) bool { return strings.Contains(m.Payload, `"version":1`) })
	h.sayKey(t, "made", keyBody("Minh"), `,"if_version":0`)
	expect("made", 1, "") // the request is repeated, which is no conflict
	h.sayKey(t, "again", keyBody("Minh"), `,"if_version":0`)
	expect("again", 0, nhip.CodeConflict)
	h.sayKey(t, "changed", keyBody("Hoa"), `,"if_version":1`)
	expect("changed", 2, "")
	h.crash(t)
	h.start(t)
	h.sayKey(t, "outdated", keyBody("Nam"), `,"if_version":1`)
	expect("outdated", 0, nhip.CodeConflict)
	h.sayKey(t, "wrong", `{"name":"x"}`, "")
	expect("wrong", 0, nhip.CodeOutOfRange)
	h.sayKey(t, "gone", "", `,"if_version":2`)
	expect("gone", 3, "")
	states.Wait(t, "the removal", func(m mqtttest.Message) bool { return m.Payload == "" })
	h.sayKey(t, "late", keyBody("Nam"), `,"if_version":2`)
	expect("late", 0, nhip.CodeConflict)
	h.stop(t)
	h.start(t)
	h.sayKey(t, "anew", keyBody("Nam"), "")
	expect("anew", 4, "")
	h.checkDocumentsLedger(t)
	h.checkAudit(t)
}

// checkDocumentsLedger checks that what was said of keys is accounted for.
func (h *harness) checkDocumentsLedger(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	if err := h.dedup.caughtUp(ctx, &h.dedup.done); err != nil {
		t.Fatal(err)
	}
	awaittest.True(t, "the rows are stored", func() bool { return h.writer.pending() == 0 })
	page, err := h.Collector.ledger.Page(nhip.LedgerQuery{Device: "say/key", Limit: 10}, "c")
	if err != nil {
		t.Fatal(err)
	}
	var sum nhip.LedgerRow
	for _, row := range page.Rows {
		if !row.Balanced() {
			t.Errorf("unbalanced: %+v", row)
		}
		sum.Stored, sum.Duplicate = sum.Stored+row.Stored, sum.Duplicate+row.Duplicate
		sum.Pending += row.TotalRejected()
	}
	if sum.Stored != 4 || sum.Duplicate != 1 || sum.Pending != 3 {
		t.Errorf("%d stored, %d duplicate, %d rejected; want 4, 1, 3", sum.Stored, sum.Duplicate, sum.Pending)
	}
}

// checkAudit checks the rows of the audit log.
func (h *harness) checkAudit(t *testing.T) {
	t.Helper()
	var rows []string
	for _, row := range h.store.rows() {
		if strings.HasPrefix(row, "audit,") {
			rows = append(rows, row)
		}
		if strings.Contains(row, "abab") {
			t.Errorf("the hash of a key is in the database: %s", row)
		}
	}
	unique := make(map[string]bool)
	for _, row := range rows {
		unique[row] = true
	}
	if len(unique) != 4 {
		t.Fatalf("%d rows: %s", len(unique), strings.Join(rows, "\n"))
	}
	for row := range unique {
		for _, part := range []string{"id=k1,kind=key", `by="Lan"`, `key="k0"`, `object="key/k1"`, `role="admin"`} {
			if !strings.Contains(row, part) {
				t.Errorf("%s lacks %s", row, part)
			}
		}
	}
}

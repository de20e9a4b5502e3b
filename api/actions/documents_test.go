package actions

import (
	"encoding/json"
	"fmt"
	"testing"

	"nhip"
	"nhip/internal/topics"
)

// hear gives d a document; with version 0 its removal.
func hear(t *testing.T, d *Documents, id string, version int64) {
	t.Helper()
	var raw []byte
	if version > 0 {
		raw, _ = json.Marshal(nhip.DocumentState{
			Kind: "report", ID: id, Version: version, Body: json.RawMessage(fmt.Sprintf(`{"n":%d}`, version)),
		})
	}
	if is, err := d.Receive(topics.DocumentTopic("report", id), raw); !is || err != nil {
		t.Fatal(is, err)
	}
}

func listed(d *Documents) (out string) {
	for _, doc := range d.List("report") {
		out += fmt.Sprint(doc.ID, doc.Version, " ")
	}
	return out
}

func TestDocumentsFollowTheirTopics(t *testing.T) {
	d := NewDocuments()
	var told string
	d.Watch("report", func(s nhip.DocumentState) { told += fmt.Sprintf("%s%d%v ", s.ID, s.Version, s.Exists()) })
	d.Connected()
	hear(t, d, "b", 1)
	hear(t, d, "a", 1)
	hear(t, d, "a", 2)
	hear(t, d, "a", 2) // again, after a reconnect
	hear(t, d, "b", 0)
	hear(t, d, "b", 0)
	if got := listed(d); got != "a2 " {
		t.Error(got)
	}
	if told != "b1true a1true a2true b1false " {
		t.Error(told)
	}
	if is, _ := d.Receive(topics.LiveAirTopic("m00"), nil); is {
		t.Error("a station is a document")
	}
	for _, wrong := range []string{"not JSON", `{"kind":"report","id":"other"}`} {
		if is, err := d.Receive(topics.DocumentTopic("report", "c"), []byte(wrong)); !is || err == nil {
			t.Errorf("%s is accepted", wrong)
		}
	}
}

func TestDocumentsAreCompleteByTheCensus(t *testing.T) {
	d := NewDocuments()
	check := func(what string, want bool) {
		t.Helper()
		if d.Complete() != want {
			t.Errorf("%s: complete is %v", what, !want)
		}
	}
	d.Connected()
	d.RetainedReceived()
	check("nothing is heard", false)
	d.Census("c", &topics.Census{Documents: 2})
	d.Census("other", &topics.Census{Documents: 2}) // of the same documents
	hear(t, d, "a", 1)
	check("one of two", false)
	hear(t, d, "b", 1)
	check("two of two", true)
	d.Connected()
	check("connected again", true)
	if listed(d) != "a1 b1 " {
		t.Error("documents are forgotten when the broker is away")
	}
	hear(t, d, "b", 2)
	d.Census("c", &topics.Census{Documents: 1})
	d.RetainedReceived()
	if got := listed(d); got != "b2 " {
		t.Errorf("after a removal while the broker was away: %s", got)
	}
}

func TestDocumentsWithoutCollectorAreThoseOfTheBroker(t *testing.T) {
	d := NewDocuments()
	d.Connected()
	hear(t, d, "a", 1)
	d.RetainedReceived()
	if !d.Complete() {
		t.Error("what the broker has is not all")
	}
}

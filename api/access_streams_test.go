package api

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"nhip"
	"nhip/internal/awaittest"
	"nhip/internal/topics"

	"github.com/coder/websocket"
)

// followAs opens a stream of server-sent events with a key, and returns its lines; the channel is closed at its end.
func followAs(t *testing.T, a *API, path, secret string) <-chan string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.URL()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(resp.Body)
		t.Fatalf("%s: %s %s", path, resp.Status, body)
	}
	lines := make(chan string, 1000)
	go func() { // ends with the request
		defer close(lines)
		defer func() { _ = resp.Body.Close() }()
		for all := bufio.NewScanner(resp.Body); all.Scan(); {
			lines <- all.Text()
		}
	}()
	return lines
}

// until reads lines up to one that begins with a text, and returns them; all that remain for "".
func until(t *testing.T, lines <-chan string, begin string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), awaittest.Timeout)
	defer cancel()
	var b strings.Builder
	for {
		select {
		case line, open := <-lines:
			if !open {
				if begin != "" {
					t.Fatalf("the stream ended before %q: %s", begin, b.String())
				}
				return b.String()
			}
			b.WriteString(line + "\n")
			if begin != "" && strings.HasPrefix(line, begin) {
				return b.String()
			}
		case <-ctx.Done():
			t.Fatalf("no %q: %s", begin, b.String())
		}
	}
}

// receiveDocument hands the api the state of a document.
func receiveDocument(t *testing.T, a *API, kind, id string, version int64, body any) {
	t.Helper()
	state := nhip.DocumentState{Kind: kind, ID: id, Version: version, Time: noon, By: "x"}
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		state.Body = raw
	}
	raw, err := json.Marshal(state)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.documents.Receive(topics.DocumentTopic(kind, id), raw); err != nil {
		t.Fatal(err)
	}
}

// TestStreamsEndWithTheirKey: what happens after a key was removed is told to nobody who had it.
func TestStreamsEndWithTheirKey(t *testing.T) {
	a := newAPI(t)
	serveAPI(t, a)
	a.documents.Connected()
	a.documents.RetainedReceived()
	scope := nhip.Scope{Stations: []string{"s1"}, Agencies: []string{"one"}}
	secret := addKey(t, a, "lan", nhip.RoleAnalyst, scope)
	station := func(id string) {
		receive(t, a, topics.FleetStationTopic(id), map[string]any{
			"id": id, "kind": "reference", "position": "public", "at": []float64{105.8, 21.0},
		})
	}
	alert := func(id, station string) {
		raw, _ := json.Marshal(nhip.Alert{ID: id, Station: station, Grade: 1, Since: noon, Time: noon})
		a.events.Receive(topics.EventTopic(topics.Alert, id), raw)
	}
	for _, id := range []string{"s1", "s2"} {
		station(id)
		alert("a-"+id, id)
	}
	addBus(t, a, nhip.Bus{ID: "b1", Agency: "one", Lat: 21, Lon: 105.8})
	addBus(t, a, nhip.Bus{ID: "b2", Agency: "two", Lat: 21, Lon: 105.8})
	streams := make(map[string]<-chan string)
	for path, hidden := range map[string]string{
		"/v1/live": "b2", "/v1/live?bbox=105.79,20.99,105.81,21.01": "b2", "/v1/alerts/live": "a-s2",
		"/v1/queue/live": "nothing",
	} {
		streams[path] = followAs(t, a, path, secret)
		if got := until(t, streams[path], "event: ready"); strings.Contains(got, hidden) {
			t.Errorf("%s tells what is out of scope: %s", path, got)
		}
	}
	socket, _, err := websocket.Dial(t.Context(), a.URL()+"/v1/live?bbox=105.79,20.99,105.81,21.01",
		&websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + secret}}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.CloseNow() }()
	receiveDocument(t, a, nhip.DocumentKey, "lan", 2, nil)
	addBus(t, a, nhip.Bus{ID: "late-bus", Agency: "one", Lat: 21, Lon: 105.8})
	alert("late-alert", "s1")
	receiveDocument(t, a, nhip.DocumentReport, "r1", 1, nhip.CitizenReport{
		ID: "r1", Service: "air-information", Status: nhip.ReportOpen, Received: noon, Updated: noon, At: noon, Text: "x",
	})
	for path, lines := range streams {
		if got := until(t, lines, ""); strings.Contains(got, "late-") || strings.Contains(got, "event: report") {
			t.Errorf("%s goes on: %s", path, got)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), awaittest.Timeout)
	defer cancel()
	for err == nil {
		var raw []byte
		if _, raw, err = socket.Read(ctx); strings.Contains(string(raw), "late-bus") {
			t.Errorf("the WebSocket goes on: %s", raw)
		}
	}
	if ctx.Err() != nil {
		t.Error("the WebSocket does not end")
	}
}

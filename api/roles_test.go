package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"nhip"
	"nhip/api/access"
	"nhip/internal/topics"

	"github.com/getkin/kin-openapi/openapi3"
)

// addKey gives the api a key and returns its secret.
func addKey(t *testing.T, a *API, id string, role nhip.Role, scope nhip.Scope) string {
	t.Helper()
	secret, hash := access.NewSecret(access.KeyPrefix)
	body, err := json.Marshal(nhip.Key{Name: id, Role: role, Scope: scope, Hash: hash, Created: noon})
	if err != nil {
		t.Fatal(err)
	}
	state := nhip.DocumentState{Kind: nhip.DocumentKey, ID: id, Version: 1, Time: noon, By: "x", Body: body}
	raw, err := json.Marshal(state)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.documents.Receive(topics.DocumentTopic(nhip.DocumentKey, id), raw); err != nil {
		t.Fatal(err)
	}
	return secret
}

// ask returns the status of a request with a key, "" for none.
func ask(a *API, method, path, secret string) int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if strings.HasSuffix(path, "/live") {
		cancel() // a stream ends at once
	}
	r := httptest.NewRequestWithContext(ctx, method, path, strings.NewReader("{}"))
	if secret != "" {
		r.Header.Set("Authorization", "Bearer "+secret)
	}
	w := httptest.NewRecorder()
	a.server.Handler.ServeHTTP(w, r)
	return w.Code
}

// roleOperation is an operation of the contract with the roles that may use it.
type roleOperation struct {
	method, path string
	roles        []nhip.Role
}

// roleOperations returns the operations that state their roles.
func roleOperations(t *testing.T) (out []roleOperation) {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(contract)
	if err != nil {
		t.Fatal(err)
	}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			names, ok := op.Extensions["x-roles"].([]any)
			if !ok {
				continue
			}
			one := roleOperation{method: method, path: path}
			for _, name := range names {
				one.roles = append(one.roles, nhip.Role(name.(string)))
			}
			out = append(out, one)
		}
	}
	return out
}

// TestRolesByOperation sends each operation that the contract gives roles to as each role. Who may not use it is
// refused before anything is looked at, and who may is not.
func TestRolesByOperation(t *testing.T) {
	a := newAPI(t, func(o *Options) { o.PublicMetrics = false })
	a.documents.Connected()
	a.documents.RetainedReceived()
	secrets := map[nhip.Role]string{nhip.RolePublic: ""}
	for _, role := range nhip.Roles[1:] {
		secrets[role] = addKey(t, a, string(role), role, nhip.Scope{})
	}
	replacer := strings.NewReplacer(
		"{id}", "s", "{link}", "l", "{line}", "pm25-1", "{collector}", "c", "{z}", "1", "{x}", "1", "{y}", "1",
		"{agency}", "a",
		"{date}", "2026-02-15", "{collection}", "stations", "{feature}", "s", "{format}", "json", "{code}", "c",
		"{token}", "t", "{table}", "stop_visits",
	)
	operations := roleOperations(t)
	if len(operations) < 8 {
		t.Fatalf("%d operations", len(operations))
	}
	for _, op := range operations {
		if strings.HasPrefix(op.path, "/in/") {
			continue // the gateway's
		}
		path := replacer.Replace(op.path)
		if strings.Contains(path, "{") {
			t.Fatalf("%s has a parameter that the test does not know", op.path)
		}
		for role, secret := range secrets {
			got, may := ask(a, op.method, path, secret), slices.Contains(op.roles, role)
			refused := got == http.StatusForbidden || got == http.StatusUnauthorized && op.path != "/v1/session"
			switch {
			case may && refused && op.path != "/v1/session":
				t.Errorf("%s %s as %s: %d", op.method, path, role, got)
			case !may && role == nhip.RolePublic && got != http.StatusUnauthorized:
				t.Errorf("%s %s for the public: %d", op.method, path, got)
			case !may && role != nhip.RolePublic && got != http.StatusForbidden:
				t.Errorf("%s %s as %s: %d, want 403", op.method, path, role, got)
			}
		}
	}
}

// TestUnknownKeyWhileKeysLoad: a key may be among those that are not received yet.
func TestUnknownKeyWhileKeysLoad(t *testing.T) {
	a := newAPI(t)
	secret, _ := access.NewSecret(access.KeyPrefix)
	if got := ask(a, http.MethodGet, "/v1/reviews", secret); got != http.StatusServiceUnavailable {
		t.Errorf("while they load: %d", got)
	}
	if got := ask(a, http.MethodGet, "/v1/session", secret); got != http.StatusServiceUnavailable {
		t.Errorf("session while they load: %d", got)
	}
	a.documents.Connected()
	a.documents.Census("c", &topics.Census{})
	a.documents.RetainedReceived()
	if got := ask(a, http.MethodGet, "/v1/reviews", secret); got != http.StatusUnauthorized {
		t.Errorf("then: %d", got)
	}
}

// TestScopeHidesTheRest asks for two stations and the buses of two agencies as callers who see one of them.
func TestScopeHidesTheRest(t *testing.T) {
	a := newAPI(t)
	for id, area := range map[string]string{"s1": "Ba Đình", "s2": "Đống Đa"} {
		receive(t, a, topics.FleetStationTopic(id), map[string]any{
			"id": id, "kind": "reference", "position": "public", "area": area, "at": []float64{105.8, 21.0},
		})
		receive(t, a, topics.LiveAirTopic(id), nhip.Station{ID: id, Time: noon, Values: map[nhip.Quantity]nhip.LiveValue{
			"pm25": {Value: 20, Time: noon, Period: 3600},
		}})
		raw, _ := json.Marshal(nhip.Alert{ID: "a-" + id, Station: id, Grade: 1, Since: noon, Time: noon})
		a.events.Receive(topics.EventTopic(topics.Alert, "a-"+id), raw)
	}
	addBus(t, a, nhip.Bus{ID: "b1", Agency: "one", Lat: 21, Lon: 105.8})
	addBus(t, a, nhip.Bus{ID: "b2", Agency: "two", Lat: 21, Lon: 105.8})
	scope := nhip.Scope{Areas: []string{"Ba Đình"}, Agencies: []string{"one"}}
	secret := addKey(t, a, "analyst", nhip.RoleAnalyst, scope)
	for _, path := range []string{
		"/v1/stations", "/v1/stations?format=csv", "/v1/air?at=21.0,105.8", "/v1/alerts", "/v1/buses",
		"/v1/buses?near=21.0,105.8", "/ogc/collections/stations/items", "/ogc/collections/readings-now/items",
		"/v1/search?q=s&kind=station", "/v1/alerts.atom", "/v1/alerts/a-s1.cap",
	} {
		w := get(t, a, path, "Authorization", "Bearer "+secret)
		body := w.Body.String()
		seen := strings.Contains(body, "s1") || strings.Contains(body, "b1")
		if w.Code != http.StatusOK || strings.Contains(body, `s2`) || strings.Contains(body, "b2") || !seen {
			t.Errorf("%s: %d %s", path, w.Code, body)
		}
		if w.Header().Get("Cache-Control") != "no-store" && w.Header().Get("Cache-Control") != "private, no-cache" {
			t.Errorf("%s may be cached for others: %s", path, w.Header().Get("Cache-Control"))
		}
		if body := get(t, a, path).Body.String(); !strings.HasPrefix(path, "/v1/alerts") && !strings.Contains(body, "s2") &&
			!strings.Contains(body, "b2") {
			t.Errorf("%s: the public sees less: %s", path, body)
		}
	}
	for _, path := range []string{
		"/v1/stations/s2", "/v1/stations/s2/readings", "/v1/stations/s2/aqi", "/v1/stations/s2/report?month=2026-01",
		"/v1/stations/s2/value?quantity=pm25&time=2026-02-16T12:00:00Z", "/v1/reviews?station=s2",
		"/v1/exceedances?station=s2",
		"/v1/stations/s2/calibrations",
		"/v1/exceedances?area=" + "%C4%90%E1%BB%91ng%20%C4%90a", "/ogc/collections/stations/items/s2",
		"/v1/buses/two/b2", "/v1/reports/monthly?month=2026-01&station=s2", "/v1/arrivals/2026-02-15?agency=two",
		"/v1/positions/2026-02-15?agency=two", "/v1/alerts/a-s2.cap",
	} {
		if got := ask(a, http.MethodGet, path, secret); got != http.StatusNotFound && got != http.StatusServiceUnavailable {
			t.Errorf("%s: %d, want 404", path, got)
		}
		if got := ask(a, http.MethodGet, path, secret); got == http.StatusServiceUnavailable &&
			!strings.Contains(path, "area") {
			t.Errorf("%s: the history is asked", path)
		}
	}
	if got := ask(a, http.MethodPost, "/v1/alerts/a-s2/ack", secret); got != http.StatusNotFound {
		t.Errorf("an acknowledgement: %d", got)
	}
	operator := addKey(t, a, "operator-of-one", nhip.RoleOperator, scope)
	for method, path := range map[string]string{
		http.MethodPost: "/v1/stations/s2/calibrations", http.MethodDelete: "/v1/stations/s2/calibrations/pm25-1",
	} {
		if got := ask(a, method, path, operator); got != http.StatusNotFound {
			t.Errorf("%s %s: %d", method, path, got)
		}
	}
	if got := ask(a, http.MethodPost, "/v1/stations/s2/calibrations/preview", operator); got != http.StatusNotFound {
		t.Errorf("a preview: %d", got)
	}
	for _, path := range []string{"/v1/ledger", "/v1/dead", "/v1/retention", "/v1/recompute", "/v1/fleet/changes"} {
		if got := ask(a, http.MethodGet, path, operator); got != http.StatusForbidden {
			t.Errorf("%s with a scope: %d", path, got)
		}
	}
}

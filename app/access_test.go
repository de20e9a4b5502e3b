package app_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/apitest"
	"nhip/app/apptest"
	"nhip/client"
	"nhip/internal/awaittest"
	"nhip/internal/mqtt"
	"nhip/internal/openid/openidtest"
)

// TestPeopleHaveKeysAndSessions makes, uses, rotates and removes keys, signs browsers in and out, and reads who did what.
func TestPeopleHaveKeysAndSessions(t *testing.T) {
	issuer := openidtest.Start(t)
	issuer.Say(openidtest.Answers{Away: true}) // while the platform starts
	p := apptest.Up(t, t.TempDir(), issuerYAML(issuer, fmt.Sprintf(`client_secret: %q, session: 8h, rules: [
  {claim: groups, value: air, role: analyst, stations: [hn-01]},
  {claim: groups, value: nowhere, role: viewer, zones: [district/nowhere]}]`, openidtest.ClientSecret)))
	p.Publish(t, apptest.Reading("hn-01", time.Now().Truncate(time.Hour), 20),
		apptest.Reading("hn-02", time.Now().Truncate(time.Hour), 30))
	apptest.AwaitAssessed(t, p.API(t), 2)
	a := access{p, p.API(t), p.Client(t), issuer}
	t.Run("keys", a.testKeys)
	t.Run("scopes must exist", a.testScopes)
	t.Run("sessions", a.testSessions)
	t.Run("origins", a.testOrigins)
	t.Run("issuer", a.testIssuer)
	t.Run("operator's token", a.testRotation)
	t.Run("audit", a.testAudit)
}

type access struct {
	p      *apptest.Platform
	api    *apitest.Client
	admin  *client.Client
	issuer *openidtest.Issuer
}

func bearer(secret string) []string { return []string{"Authorization", "Bearer " + secret} }

func (a *access) add(t *testing.T, k client.NewKey) client.Key {
	t.Helper()
	key, err := a.admin.AddKey(t.Context(), k)
	if err != nil || key.Secret == "" {
		t.Fatalf("%+v: %v", key, err)
	}
	return key
}

// status returns the status of the reviews for a key.
func (a *access) status(t *testing.T, secret string) int {
	t.Helper()
	return a.api.Get(t, "/v1/reviews", bearer(secret)...).Status
}

func (a *access) testKeys(t *testing.T) {
	key := a.add(t, client.NewKey{ID: "minh", Name: "Minh", Role: nhip.RoleAnalyst})
	if got := a.status(t, key.Secret); got != http.StatusOK {
		t.Errorf("the key: %d", got)
	}
	if got := a.api.Get(t, "/v1/keys", bearer(key.Secret)...).Status; got != http.StatusForbidden {
		t.Errorf("keys for an analyst: %d", got)
	}
	if got := a.api.Get(t, "/v1/keys").Status; got != http.StatusUnauthorized {
		t.Errorf("keys for the public: %d", got)
	}
	var problem *client.Problem
	if _, err := a.admin.AddKey(t.Context(), client.NewKey{ID: "minh", Name: "M", Role: nhip.RoleApp}); !errors.As(err,
		&problem) || problem.Status != http.StatusConflict {
		t.Errorf("the same id again: %v", err)
	}
	rotated, err := a.admin.RotateKey(t.Context(), "minh")
	if err != nil {
		t.Fatal(err)
	}
	if old, now := a.status(t, key.Secret), a.status(t, rotated.Secret); old != 401 || now != 200 {
		t.Errorf("after a rotation: %d with the old secret, %d with the new one", old, now)
	}
	keys, err := a.admin.Keys(t.Context())
	if err != nil || len(keys) != 1 || keys[0].LastUse.IsZero() || keys[0].Secret != "" || keys[0].Rotated.IsZero() {
		t.Errorf("%+v %v", keys, err)
	}
	if _, err := a.admin.RemoveKey(t.Context(), "minh"); err != nil {
		t.Error(err)
	}
	if got := a.status(t, rotated.Secret); got != http.StatusUnauthorized {
		t.Errorf("a removed key: %d", got)
	}
	short := a.add(t, client.NewKey{Name: "short", Role: nhip.RoleViewer, Expires: time.Now().Add(300 * time.Millisecond)})
	awaittest.True(t, "the key expires", func() bool { return a.status(t, short.Secret) == http.StatusUnauthorized })
}

func (a *access) testScopes(t *testing.T) {
	for field, scope := range map[string]nhip.Scope{
		"scope.zones": {Zones: []string{"district/nowhere"}}, "scope.areas": {Areas: []string{"nowhere"}},
		"scope.stations": {Stations: []string{"hn-01", "hn-99"}}, "scope.agencies": {Agencies: []string{"nobody"}},
	} {
		var problem *client.Problem
		_, err := a.admin.AddKey(t.Context(), client.NewKey{Name: "x", Role: nhip.RoleViewer, Scope: scope})
		if !errors.As(err, &problem) || problem.Status != http.StatusBadRequest || !strings.HasPrefix(err.Error(), field) &&
			!strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	for body, field := range map[string]string{
		`{"name":"x","role":"public"}`: "role", `{"name":"","role":"app"}`: "name",
		`{"name":"x","role":"app","expires":"2001-01-01T00:00:00Z"}`: "expires", `{"name":"x","role":"app","hash":"a"}`: "hash",
		`{"id":"operator","name":"x","role":"app"}`: "id",
	} {
		got := a.api.Post(t, "/v1/keys", body, bearer(a.p.Token(t))...)
		if got.Status != http.StatusBadRequest || !strings.Contains(string(got.Body), `"field":"`+field+`"`) {
			t.Errorf("%s: %d %s", body, got.Status, got.Body)
		}
	}
}

// signIn returns the cookie of a new session.
func (a *access) signIn(t *testing.T, secret string) string {
	t.Helper()
	got := a.api.Post(t, "/v1/session", `{"key":"`+secret+`"}`)
	cookie := got.Header.Get("Set-Cookie")
	if got.Status != http.StatusCreated || !strings.Contains(cookie, "HttpOnly") ||
		!strings.Contains(cookie, "SameSite=Strict") {
		t.Fatalf("%d %s %s", got.Status, cookie, got.Body)
	}
	cookie, _, _ = strings.Cut(cookie, ";")
	return cookie
}

// session returns who the caller with a cookie is, nil for nobody.
func (a *access) session(t *testing.T, cookie string) *sessionState {
	t.Helper()
	var got struct{ Session *sessionState }
	apptest.Decode(t, a.api.Get(t, "/v1/session", "Cookie", cookie), &got)
	return got.Session
}

type sessionState struct {
	Name  string
	Role  nhip.Role
	Scope struct {
		Stations []string
		Count    *int `json:"station_count"`
	}
	Expires time.Time
}

func (a *access) testSessions(t *testing.T) {
	if got := a.session(t, ""); got != nil {
		t.Errorf("without a cookie: %+v", got)
	}
	key := a.add(t, client.NewKey{
		ID: "lan", Name: "Lan", Role: nhip.RoleAnalyst, Scope: nhip.Scope{Stations: []string{"hn-01"}},
	})
	cookie := a.signIn(t, key.Secret)
	got := a.session(t, cookie)
	if got == nil || got.Name != "Lan" || got.Role != nhip.RoleAnalyst || got.Scope.Count == nil || *got.Scope.Count != 1 ||
		got.Expires.IsZero() {
		t.Errorf("session %+v", got)
	}
	other := a.signIn(t, key.Secret)
	out := a.api.Delete(t, "/v1/session", "Cookie", cookie, "Origin", a.p.HTTP)
	if out.Status != http.StatusOK || a.session(t, cookie) != nil {
		t.Errorf("after the sign-out: %d %s", out.Status, out.Body)
	}
	if a.session(t, other) == nil {
		t.Error("another session has ended")
	}
	if _, err := a.admin.RotateKey(t.Context(), "lan"); err != nil || a.session(t, other) != nil {
		t.Errorf("the session outlives its key: %v", err)
	}
	for secret, status := range map[string]int{"wrong": 401, key.Secret: 401} {
		if got := a.api.Post(t, "/v1/session", `{"key":"`+secret+`"}`); got.Status != status {
			t.Errorf("%s: %d", secret, got.Status)
		}
	}
	app := a.add(t, client.NewKey{Name: "an app", Role: nhip.RoleApp})
	if got := a.api.Post(t, "/v1/session", `{"key":"`+app.Secret+`"}`); got.Status != http.StatusForbidden {
		t.Errorf("a program signs in: %d", got.Status)
	}
}

func (a *access) testOrigins(t *testing.T) {
	key := a.add(t, client.NewKey{ID: "hoa", Name: "Hoa", Role: nhip.RoleAdmin})
	cookie := a.signIn(t, key.Secret)
	body := `{"name":"x","role":"app"}`
	for _, c := range []struct {
		header []string
		status int
	}{
		{nil, http.StatusForbidden},
		{[]string{"Origin", "https://elsewhere.example"}, http.StatusForbidden},
		{[]string{"Origin", "null"}, http.StatusForbidden},
		{[]string{"Origin", a.p.HTTP, "Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
		{[]string{"Sec-Fetch-Site", "same-site"}, http.StatusForbidden},
		{[]string{"Origin", a.p.HTTP, "Sec-Fetch-Site", "same-origin"}, http.StatusCreated},
	} {
		got := a.api.Post(t, "/v1/keys", body, append(c.header, "Cookie", cookie)...)
		if got.Status != c.status {
			t.Errorf("%v: %d %s", c.header, got.Status, got.Body)
		}
	}
	read := a.api.Get(t, "/v1/keys", "Cookie", cookie)
	if policy := read.Header.Get("Cache-Control"); read.Status != 200 || policy != "no-store" {
		t.Errorf("%d %s", read.Status, policy)
	}
	if got := a.api.Get(t, "/v1/stations", "Cookie", cookie).Header; got.Get("Cache-Control") != "private, no-cache" ||
		!strings.Contains(strings.Join(got.Values("Vary"), ","), "Cookie") {
		t.Errorf("%v", got)
	}
	if got := a.api.Post(t, "/v1/session", `{"key":"x"}`, "Origin", "https://elsewhere.example"); got.Status != 403 {
		t.Errorf("a page of another site signs in: %d", got.Status)
	}
}

func (a *access) testRotation(t *testing.T) {
	old := a.p.Token(t)
	lost := make(chan struct{})
	o := a.p.Operator(t, "a-tool")
	o.OnDown = func(error) { close(lost) }
	tool, err := mqtt.Dial(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer tool.Close()
	cookie := a.signIn(t, old)
	key, err := a.admin.RotateKey(t.Context(), "operator")
	if err != nil {
		t.Fatal(err)
	}
	if a.p.Token(t) != key.Secret || key.Secret == old {
		t.Error("the file does not have the new token")
	}
	if info, err := os.Stat(filepath.Join(a.p.Dir, "operator.token")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if got := a.status(t, old); got != http.StatusUnauthorized {
		t.Errorf("the old token: %d", got)
	}
	if a.session(t, cookie) != nil {
		t.Error("a session of the old token goes on")
	}
	select {
	case <-lost:
	case <-time.After(awaittest.Timeout):
		t.Error("a connection with the old token stays")
	}
	a.admin = a.p.Client(t)
	if _, err := a.admin.Keys(t.Context()); err != nil {
		t.Error(err)
	}
}

func (a *access) testAudit(t *testing.T) {
	var entries []nhip.AuditEntry
	read := func(query ...string) string {
		t.Helper()
		entries = nil
		var kinds []string
		for path := apitest.Query("/v1/audit", append(query, "limit", "3")...); path != ""; {
			var got struct {
				Entries []nhip.AuditEntry
				Next    string
			}
			answer := a.api.Get(t, path, bearer(a.p.Token(t))...)
			if strings.Contains(string(answer.Body), `"hash"`) {
				t.Errorf("a hash is told: %s", answer.Body)
			}
			apptest.Decode(t, answer, &got)
			for _, e := range got.Entries {
				entries, kinds = append(entries, e), append(kinds, e.Kind)
			}
			path = ""
			if got.Next != "" {
				path = apitest.Query("/v1/audit", append(query, "limit", "3", "to", got.Next)...)
			}
		}
		return strings.Join(kinds, " ")
	}
	awaittest.True(t, "what was done to minh's key is told", func() bool { return read("object", "key/minh") == "key key key" })
	var before, after nhip.Key
	_, _ = json.Unmarshal(entries[1].Before, &before), json.Unmarshal(entries[1].After, &after)
	if entries[0].After != nil || entries[2].Before != nil || before.Name != "Minh" || !before.Rotated.IsZero() ||
		after.Rotated.IsZero() || entries[1].By != "operator" || entries[1].Role != nhip.RoleAdmin {
		t.Errorf("%+v", entries)
	}
	if got := read("kind", "token"); got != "token" {
		t.Errorf("rotations of the token: %s", got)
	}
	if got := read("who", "Lan"); !strings.HasPrefix(got, "session") {
		t.Errorf("what Lan did: %s", got)
	}
	if got := read("who", "Hạnh"); got != "session session" || !strings.HasPrefix(entries[0].Key, "account:") {
		t.Errorf("what Hạnh did: %s %+v", got, entries)
	}
	csv := a.api.Get(t, "/v1/audit?format=csv", bearer(a.p.Token(t))...)
	if csv.Status != 200 || !strings.Contains(string(csv.Body), "time,who,role,key,kind,id,object,before,after\n") {
		t.Errorf("%d %s", csv.Status, csv.Body)
	}
	for _, query := range []string{"kind=wish", "limit=0", "from=x", "to=2026-01-01T00:00:00Z&from=2027-01-01T00:00:00Z"} {
		if got := a.api.Get(t, "/v1/audit?"+query, bearer(a.p.Token(t))...); got.Status != http.StatusBadRequest {
			t.Errorf("%s: %d", query, got.Status)
		}
	}
}

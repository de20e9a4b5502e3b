package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"nhip"
	"nhip/api/access"
	"nhip/api/quota"

	"github.com/go-chi/chi/v5"
)

// limitedAPI returns an api whose clients have 30 units at once.
func limitedAPI(t testing.TB, change ...func(*Options)) *API {
	t.Helper()
	return newAPI(t, append(change, func(o *Options) { o.Rates, o.Token = quota.Limits{Client: 1, Key: 2}, "s3cret" })...)
}

// askFrom requests a path as a client with an address.
func askFrom(a *API, from, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.RemoteAddr = from
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	a.server.Handler.ServeHTTP(w, r)
	return w
}

// TestRateLimitIsTold uses up the share of a client.
func TestRateLimitIsTold(t *testing.T) {
	a := limitedAPI(t)
	w := askFrom(a, "203.0.113.7:1000", "/v1/buses")
	if got := w.Header().Get("RateLimit"); w.Code != http.StatusOK || got != `"client";r=28;t=2` {
		t.Errorf("first request: %d %q", w.Code, got)
	}
	if got := w.Header().Get("RateLimit-Policy"); got != `"client";q=30;w=30` {
		t.Errorf("policy %q", got)
	}
	for range 14 {
		askFrom(a, "203.0.113.7:1000", "/v1/buses")
	}
	w = askFrom(a, "203.0.113.7:1000", "/v1/buses")
	var body struct {
		Type, Code string
		Status     int
		Violated   []string `json:"violated-policies"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatalf("%s: %v", w.Body, err)
	}
	if w.Code != http.StatusTooManyRequests || body.Status != w.Code || body.Code != "too_many" ||
		body.Type != "https://iana.org/assignments/http-problem-types#quota-exceeded" ||
		fmt.Sprint(body.Violated) != "[client]" {
		t.Errorf("%d %+v", w.Code, body)
	}
	told := regexp.MustCompile(`^"client";r=[01];t=([12])$`).FindStringSubmatch(w.Header().Get("RateLimit"))
	if told == nil || w.Header().Get("Retry-After") != told[1] {
		t.Errorf("%v", w.Header())
	}
	if w.Header().Get("Access-Control-Allow-Origin") != "*" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%v", w.Header())
	}
	for _, other := range []string{"203.0.113.7:1001", "203.0.113.8:1000"} {
		if w := askFrom(a, other, "/v1/buses"); w.Code != http.StatusOK {
			t.Errorf("%s: %d", other, w.Code)
		}
	}
	const line = `nhip_api_rate_limit_total{class="list",outcome="limited"} 1` + "\n"
	if text := askFrom(a, "203.0.113.9:1", "/metrics").Body.String(); !strings.Contains(text, line) {
		t.Errorf("%s is missing", line)
	}
}

// TestOperatorHasNoRateLimit asks more often than others may.
func TestOperatorHasNoRateLimit(t *testing.T) {
	a := limitedAPI(t)
	for range 50 {
		for _, path := range []string{"/v1/buses", "/tiles/air/1/1/1.mvt", "/v1/alerts"} {
			w := askFrom(a, "203.0.113.7:1000", path, "Authorization", "Bearer s3cret")
			if w.Code == http.StatusTooManyRequests || w.Header().Get("RateLimit") != "" {
				t.Fatalf("%s: %d %v", path, w.Code, w.Header())
			}
		}
	}
	if w := askFrom(a, "203.0.113.7:1000", "/v1/buses"); w.Code != http.StatusOK {
		t.Errorf("a public client at that address: %d", w.Code)
	}
}

// TestEveryRouteHasACost asks for every address of the router as a client whose share is used up.
func TestEveryRouteHasACost(t *testing.T) {
	a := newAPI(t, func(o *Options) { o.Rates = quota.Limits{Client: 1e-6} })
	const from = "203.0.113.7:1000"
	askFrom(a, from, "/v1/buses")
	free := []string{"/livez", "/readyz", "/metrics", "/in/"}
	err := chi.Walk(a.server.Handler.(chi.Routes), func(method, route string, _ http.Handler,
		_ ...func(http.Handler) http.Handler,
	) error {
		for _, f := range free {
			if strings.HasPrefix(route, f) {
				return nil
			}
		}
		path := strings.NewReplacer("{id}", "s", "{z}", "1", "{x}", "1", "{y}", "1", "{kind}", "k", "{date}",
			"2026-02-15", "*", "").Replace(route)
		r := httptest.NewRequest(method, path, nil)
		r.RemoteAddr = from
		w := httptest.NewRecorder()
		a.server.Handler.ServeHTTP(w, r)
		if w.Code != http.StatusTooManyRequests {
			t.Errorf("%s %s: %d", method, route, w.Code)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if w := askFrom(a, from, "/nowhere/at/all"); w.Code != http.StatusTooManyRequests {
		t.Errorf("an unknown address: %d", w.Code)
	}
}

// TestKeyInParameterCounts asks OneBusAway's API with a key of ours, which has limits of its own, and with one of
// another server, which is neither refused nor counted as a guess.
func TestKeyInParameterCounts(t *testing.T) {
	a := limitedAPI(t)
	secret := addKey(t, a, "app", nhip.RoleApp, nhip.Scope{})
	for key, want := range map[string]string{secret: `"key"`, "TEST": `"client"`, access.KeyPrefix + "x": `"client"`} {
		for _, path := range []string{"/api/where/current-time.json", "/siri/lite/stop-monitoring.json"} {
			w := askFrom(a, "203.0.113.7:1000", path+"?key="+key)
			if got := w.Header().Get("RateLimit"); !strings.HasPrefix(got, want) || w.Code == http.StatusUnauthorized {
				t.Errorf("%s with %q: %d %q", path, key, w.Code, got)
			}
		}
	}
	if text := askFrom(a, "203.0.113.9:1", "/metrics").Body.String(); !strings.Contains(text,
		`nhip_api_token_refused_total{outcome="wrong"} 0`) {
		t.Error("a key of another server counts as a guess")
	}
}

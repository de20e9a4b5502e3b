package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/access"
)

// TestOtherSitesWriteNothingWithASession sends each write of the contract with the cookie of a session, as pages of
// other sites make a browser send it.
func TestOtherSitesWriteNothingWithASession(t *testing.T) {
	a := newAPI(t)
	a.documents.Connected()
	a.documents.RetainedReceived()
	secret, id := access.NewSecret(access.SessionPrefix)
	receiveDocument(t, a, nhip.DocumentSession, id, 1, nhip.Session{
		Name: "Lan", Role: nhip.RoleAdmin, Way: nhip.SessionByLink, Created: noon, Expires: noon.Add(time.Hour),
	})
	send := func(method, path string, header ...string) (refused bool) {
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader("{}"))
		r.AddCookie(&http.Cookie{Name: access.SessionCookie, Value: secret})
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		a.server.Handler.ServeHTTP(w, r)
		return w.Code == http.StatusForbidden && strings.Contains(w.Body.String(), `"field":"Origin"`)
	}
	writes := 0
	for _, op := range roleOperations(t) {
		if op.method == http.MethodGet {
			continue
		}
		writes++
		path := strings.NewReplacer("{", "", "}", "").Replace(op.path)
		for _, header := range [][]string{
			nil,
			{"Origin", "null"},
			{"Origin", "https://evil.example"},
			{"Origin", "http://example.com.evil.example"},
			{"Origin", "http://example.com", "Sec-Fetch-Site", "cross-site"},
			{"Sec-Fetch-Site", "same-site"},
			{"Sec-Fetch-Site", "none"},
		} {
			if !send(op.method, path, header...) {
				t.Errorf("%s %s with %v is not refused", op.method, path, header)
			}
		}
	}
	if writes < 15 {
		t.Errorf("%d writes", writes)
	}
	if send(http.MethodPost, "/v1/alerts/a/ack", "Origin", "http://example.com", "Sec-Fetch-Site", "same-origin") {
		t.Error("a page of this site is refused")
	}
}

// TestCookiesOfSessionsAreForThisSiteOnly looks at the cookie with which signing out removes that of a session: both
// have the same attributes.
func TestCookiesOfSessionsAreForThisSiteOnly(t *testing.T) {
	for public, secure := range map[string]bool{"https://nhip.example": true, "": false} {
		a := newAPI(t, func(o *Options) { o.PublicURL = public })
		w := httptest.NewRecorder()
		a.server.Handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodDelete, "/v1/session", nil))
		cookies := w.Result().Cookies()
		if len(cookies) != 1 {
			t.Fatalf("%d %v", w.Code, w.Header())
		}
		c := cookies[0]
		if c.Name != access.SessionCookie || !c.HttpOnly || c.Secure != secure || c.SameSite != http.SameSiteStrictMode ||
			c.Path != "/" || c.Domain != "" || c.MaxAge >= 0 {
			t.Errorf("%q: %+v", public, c)
		}
	}
}

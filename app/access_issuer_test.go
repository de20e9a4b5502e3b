package app_test

import (
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
	"nhip/app/apptest"
	"nhip/internal/awaittest"
	"nhip/internal/openid/openidtest"
)

// issuerYAML returns the configuration of an issuer of tests, and further keys of access.oidc.
func issuerYAML(issuer *openidtest.Issuer, more string) string {
	return fmt.Sprintf("\noutgoing: {allow: [127.0.0.1]}\naccess: {oidc: {issuer: %q, client_id: %q, %s}}\n",
		issuer.URL, openidtest.ClientID, more)
}

// cookieOf returns the cookie that an answer sets, as browsers send it.
func cookieOf(a apitest.Answer) string {
	cookie, _, _ := strings.Cut(a.Header.Get("Set-Cookie"), ";")
	return cookie
}

// sessionCookie returns the cookie of the session that an answer begins, as browsers send it.
func sessionCookie(t *testing.T, a apitest.Answer) (cookie string) {
	t.Helper()
	for _, line := range a.Header.Values("Set-Cookie") {
		if strings.HasPrefix(line, "nhip_session=") {
			cookie, _, _ = strings.Cut(line, ";")
			if !strings.Contains(line, "HttpOnly") || !strings.Contains(line, "SameSite=Strict") {
				t.Errorf("the cookie %s", line)
			}
		}
	}
	return cookie
}

// goToIssuer begins to sign in. It returns the address at the issuer, the cookie, and the path with which the issuer
// sends the browser back.
func goToIssuer(t *testing.T, c *apitest.Client, to string) (at *url.URL, cookie, back string) {
	t.Helper()
	begun := c.Get(t, apitest.Query("/sign-in/oidc", "to", to))
	at, err := url.Parse(begun.Header.Get("Location"))
	if err != nil || begun.Status != http.StatusFound {
		t.Fatalf("%d %v %s", begun.Status, err, begun.Body)
	}
	browser := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := browser.Get(at.String())
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	address, err := resp.Location()
	if err != nil {
		t.Fatalf("%d %v", resp.StatusCode, err)
	}
	return at, cookieOf(begun), "/sign-in/oidc/callback?" + address.RawQuery
}

// testIssuer signs people in at an issuer whose rules the platform of TestPeopleHaveKeysAndSessions has.
func (a *access) testIssuer(t *testing.T) {
	a.checkRefusal(t, "/sign-in/oidc", "", http.StatusServiceUnavailable, "does not answer")
	a.issuer.Say(openidtest.Answers{Claims: map[string]any{"sub": "7", "name": "Hạnh", "groups": []string{"air"}}})
	awaittest.True(t, "the issuer is asked again", func() bool {
		return a.api.Get(t, "/sign-in/oidc").Status == http.StatusFound
	})
	_, state, back := goToIssuer(t, a.api, "/v1/session?x=/")
	signedIn := a.api.Get(t, back, "Cookie", state)
	if signedIn.Status != http.StatusSeeOther || signedIn.Header.Get("Location") != "/v1/session?x=/" {
		t.Fatalf("%d %v %s", signedIn.Status, signedIn.Header, signedIn.Body)
	}
	cookies := strings.Join(signedIn.Header.Values("Set-Cookie"), "\n")
	if !strings.Contains(cookies, "nhip_sign_in=; ") {
		t.Errorf("the state stays: %s", cookies)
	}
	cookie := sessionCookie(t, signedIn)
	got := a.session(t, cookie)
	if got == nil || got.Name != "Hạnh" || got.Role != nhip.RoleAnalyst || got.Scope.Count == nil ||
		*got.Scope.Count != 1 || time.Until(got.Expires) > 8*time.Hour || time.Until(got.Expires) < 7*time.Hour {
		t.Errorf("session %+v", got)
	}
	a.checkRefusal(t, back, state, http.StatusForbidden, "used already")
	if out := a.api.Delete(t, "/v1/session", "Cookie", cookie, "Origin", a.p.HTTP); out.Status != http.StatusOK ||
		a.session(t, cookie) != nil {
		t.Errorf("after the sign-out: %d", out.Status)
	}
	a.refusals(t)
	a.paths(t)
}

// refusals has people refused who must be.
func (a *access) refusals(t *testing.T) {
	t.Helper()
	_, state, back := goToIssuer(t, a.api, "/")
	a.checkRefusal(t, back, "", http.StatusBadRequest, "has expired")
	a.checkRefusal(t, back+"&state=x", "nhip_sign_in=x", http.StatusBadRequest, "has expired")
	for text, answers := range map[string]openidtest.Answers{
		"has no role here":  {Claims: map[string]any{"sub": "8", "groups": "cooks"}},
		"not valid":         {Claims: map[string]any{"sub": "7", "groups": "air"}, Nonce: "another"},
		"service has refus": {Error: "access_denied"},
		"administrator of":  {Claims: map[string]any{"sub": "7", "groups": "nowhere"}}, // whose zone does not exist
		"has expired or is": {Claims: map[string]any{"sub": "7", "groups": "air", "exp": time.Now().Unix() - 9}},
	} {
		a.issuer.Say(answers)
		_, state, back := goToIssuer(t, a.api, "/")
		a.checkRefusal(t, back, state, http.StatusForbidden, text)
	}
	a.issuer.Say(openidtest.Answers{Away: true})
	a.checkRefusal(t, back, state, http.StatusServiceUnavailable, "does not answer")
	metrics := apptest.Metric(t, a.api, "nhip_api_sign_ins_total")
	for _, line := range []string{
		`{outcome="signed-in"} 1`, `{outcome="no-rule"} 2`, `{outcome="denied"} 1`, `{outcome="state"} 2`,
	} {
		if !strings.Contains(metrics, line) {
			t.Errorf("%s is not in\n%s", line, metrics)
		}
	}
}

// checkRefusal comes back from the issuer and expects a page, in both languages.
func (a *access) checkRefusal(t *testing.T, back, cookie string, status int, text string) {
	t.Helper()
	got := a.api.Get(t, back, "Cookie", cookie)
	if got.Status != status || !strings.Contains(string(got.Body), text) ||
		!strings.Contains(string(got.Body), "Chưa đăng nhập được") ||
		strings.Contains(got.Header.Get("Set-Cookie"), "session") || got.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s: %d %v %s", text, got.Status, got.Header, got.Body)
	}
}

// paths asks for addresses to which a sign-in must not lead.
func (a *access) paths(t *testing.T) {
	t.Helper()
	for _, to := range []string{
		"//elsewhere.example", `/\elsewhere.example`, "https://elsewhere.example", "air", "/sign-in/oidc", "/tuyến", "/a b",
		"/" + strings.Repeat("a", 256), "/a\r\nb",
	} {
		got := a.api.Get(t, apitest.Query("/sign-in/oidc", "to", to))
		if got.Status != http.StatusBadRequest || !strings.Contains(string(got.Body), `"field":"to"`) {
			t.Errorf("%q: %d %s", to, got.Status, got.Body)
		}
	}
}

// checkIssuer checks the keys of the issuer on a platform: all but client_secret, which another one has.
func checkIssuer(t *testing.T, checked effects, c *apitest.Client, issuer *openidtest.Issuer) {
	t.Helper()
	issuer.Say(openidtest.Answers{Claims: map[string]any{"sub": "7", "groups": []string{"air", "yard"}}})
	at, state, back := goToIssuer(t, c, "/")
	q := at.Query()
	checked.check(t, "access.oidc.issuer", strings.HasPrefix(at.String(), issuer.URL+"/"))
	checked.check(t, "access.oidc.client_id", q.Get("client_id") == openidtest.ClientID)
	checked.check(t, "access.oidc.redirect", q.Get("redirect_uri") == "https://probe.example/back")
	checked.check(t, "access.oidc.scopes", q.Get("scope") == "openid groups")
	signedIn := c.Get(t, back, "Cookie", state)
	checked.check(t, "access.oidc.client_secret_file", signedIn.Status == http.StatusSeeOther)
	cookie := sessionCookie(t, signedIn)
	var got struct {
		Session struct {
			Role    nhip.Role
			Scope   nhip.Scope
			Expires time.Time
		}
	}
	apptest.Decode(t, c.Get(t, "/v1/session", "Cookie", cookie), &got)
	left := time.Until(got.Session.Expires)
	checked.check(t, "access.oidc.session", left > time.Minute && left < 7*time.Minute)
	checked.check(t, "access.oidc.rules[].role", got.Session.Role == nhip.RoleAnalyst)
	for key, names := range map[string][]string{
		"zones": got.Session.Scope.Zones, "areas": got.Session.Scope.Areas, "stations": got.Session.Scope.Stations,
		"agencies": got.Session.Scope.Agencies,
	} {
		want := map[string]string{"zones": "[yard/a]", "areas": "[yards]", "stations": "[s1]", "agencies": "[probed]"}[key]
		checked.check(t, "access.oidc.rules[]."+key, fmt.Sprint(names) == want)
	}
}

// probeIssuer returns the configuration that checkIssuer needs.
func probeIssuer(t *testing.T, issuer *openidtest.Issuer) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "oidc.secret")
	if err := os.WriteFile(file, []byte(openidtest.ClientSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return issuerYAML(issuer, fmt.Sprintf(`
  client_secret_file: %q, redirect: "https://probe.example/back", scopes: [groups], session: 7m, rules: [
    {claim: groups, value: cooks, role: admin},
    {claim: groups, value: yard, role: analyst, zones: [yard/a], areas: [yards], stations: [s1],
     agencies: [probed]}]`, file))
}

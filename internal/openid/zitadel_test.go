package openid_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"nhip"
	"nhip/internal/openid"
	"nhip/internal/openid/openidtest"
	"nhip/internal/outbound"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
)

// startZitadel starts an issuer that others wrote, with its form for name and password.
func startZitadel(t *testing.T) (address string) {
	t.Helper()
	var issuer http.Handler
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { issuer.ServeHTTP(w, r) }))
	t.Cleanup(s.Close)
	address = strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
	client := storage.WebClient(openidtest.ClientID, openidtest.ClientSecret, redirect)
	users := storage.NewStorageWithClients(storage.NewUserStore(address), map[string]*storage.Client{
		openidtest.ClientID: client,
	})
	issuer = exampleop.SetupServer(address, users, nil, false)
	return address
}

// enterPassword signs the first user in at the issuer, as a browser, and returns where the issuer sends the browser.
func enterPassword(t *testing.T, issuer, at string) *url.URL {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	var back *url.URL
	browser := http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), redirect) {
			back = r.URL
			return http.ErrUseLastResponse
		}
		return nil
	}}
	form, err := browser.Get(at)
	if err != nil {
		t.Fatal(err)
	}
	_ = form.Body.Close()
	done, err := browser.PostForm(issuer+"/login/username", url.Values{
		"id": {form.Request.URL.Query().Get("authRequestID")}, "username": {"test-user@localhost"},
		"password": {"verysecure"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer done.Body.Close()
	if back == nil {
		text, _ := io.ReadAll(done.Body)
		t.Fatalf("%s answers %d %s", done.Request.URL, done.StatusCode, text)
	}
	return back
}

// TestZitadel signs in at an issuer that others wrote. It tells the claims of a person in userinfo only.
func TestZitadel(t *testing.T) {
	issuer := startZitadel(t)
	client, err := openid.New(openid.Options{
		Issuer: issuer, ClientID: openidtest.ClientID, ClientSecret: openidtest.ClientSecret,
		Scopes: []string{"profile", "email"}, Clock: nhip.WallClock{}, Logger: slog.New(slog.DiscardHandler),
		Rules:    []openid.Rule{{Claim: "email", Value: "test-user@zitadel.ch", Role: nhip.RoleViewer}},
		Outgoing: outbound.Policy{Allow: []string{"127.0.0.1", "::1"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	address, cookie, err := client.Begin(t.Context(), redirect, "/air")
	if err != nil {
		t.Fatal(err)
	}
	back := enterPassword(t, issuer, address)
	who, to, err := client.Finish(t.Context(), redirect, cookie, back.Query())
	if err != nil || to != "/air" || who.Role != nhip.RoleViewer || who.Name != "Test User" {
		t.Errorf("%+v %q %v", who, to, err)
	}
	if _, _, err := client.Finish(t.Context(), redirect, cookie, back.Query()); err == nil {
		t.Error("a code is accepted twice")
	}
}

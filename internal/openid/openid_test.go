package openid_test

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/internal/openid"
	"nhip/internal/openid/openidtest"
	"nhip/internal/outbound"
)

const redirect = "https://nhip.example/sign-in/oidc/callback"

// shiftedClock is the wall clock, later by some time.
type shiftedClock struct{ by time.Duration }

func (c *shiftedClock) Now() time.Time { return time.Now().Add(c.by) }

// flow is a client of an issuer.
type flow struct {
	issuer *openidtest.Issuer
	clock  *shiftedClock
	client *openid.Client
}

func rules() []openid.Rule {
	return []openid.Rule{
		{Claim: "realm_access.roles", Value: "chief", Role: nhip.RoleAdmin},
		{Claim: "groups", Value: "ba-dinh", Role: nhip.RoleAnalyst, Scope: nhip.Scope{Areas: []string{"Ba Đình"}}},
		{Claim: "groups", Value: "bus", Role: nhip.RoleDispatcher, Scope: nhip.Scope{Agencies: []string{"hn"}}},
		{
			Claim: "groups", Value: "dong-da", Role: nhip.RoleAnalyst,
			Scope: nhip.Scope{Areas: []string{"Đống Đa"}, Stations: []string{"s1"}},
		},
		{Claim: "email", Value: "lan@city.example", Role: nhip.RoleViewer},
		{Claim: "staff", Value: "true", Role: nhip.RoleViewer, Scope: nhip.Scope{Areas: []string{"Ba Đình"}}},
	}
}

func newFlow(t *testing.T) *flow {
	t.Helper()
	f := &flow{issuer: openidtest.Start(t), clock: new(shiftedClock)}
	f.client = f.newClient(t, openidtest.ClientSecret)
	return f
}

func (f *flow) newClient(t *testing.T, secret string) *openid.Client {
	t.Helper()
	c, err := openid.New(openid.Options{
		Issuer: f.issuer.URL, ClientID: openidtest.ClientID, ClientSecret: secret, Scopes: []string{"profile"},
		Rules: rules(), Outgoing: outbound.Policy{Allow: []string{"127.0.0.1"}}, Clock: f.clock,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// begin goes to the issuer and returns the cookie and the parameters with which the issuer sends the browser back.
func (f *flow) begin(t *testing.T) (cookie string, back url.Values) {
	t.Helper()
	address, cookie, err := f.client.Begin(t.Context(), redirect, "/air")
	if err != nil {
		t.Fatal(err)
	}
	browser := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := browser.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	to, err := resp.Location()
	if err != nil || !strings.HasPrefix(to.String(), redirect+"?") {
		t.Fatalf("%d %v %v", resp.StatusCode, to, err)
	}
	return cookie, to.Query()
}

func (f *flow) finish(t *testing.T, cookie string, back url.Values) (openid.Person, openid.Reason) {
	t.Helper()
	who, to, err := f.client.Finish(t.Context(), redirect, cookie, back)
	var refusal *openid.Refusal
	switch {
	case errors.As(err, &refusal):
		if strings.Contains(err.Error(), openidtest.ClientSecret) {
			t.Errorf("the error tells the secret: %v", err)
		}
		return who, refusal.Reason
	case err != nil:
		t.Fatal(err)
	case to != "/air":
		t.Errorf("sent to %q", to)
	}
	return who, ""
}

// signIn signs somebody in whom the issuer describes.
func (f *flow) signIn(t *testing.T, a openidtest.Answers) (openid.Person, openid.Reason) {
	t.Helper()
	f.issuer.Say(a)
	cookie, back := f.begin(t)
	return f.finish(t, cookie, back)
}

// claimsOf returns claims of a person in some groups.
func claimsOf(groups ...any) map[string]any {
	return map[string]any{"sub": "1", "name": "Lan", "groups": groups}
}

func TestRulesGiveRoleAndScope(t *testing.T) {
	f := newFlow(t)
	for name, c := range map[string]struct {
		claims, info map[string]any
		role         nhip.Role // "": refused
		scope        nhip.Scope
	}{
		"first rule gives the role": {
			claims: claimsOf("bus", "ba-dinh"), role: nhip.RoleAnalyst, scope: nhip.Scope{Areas: []string{"Ba Đình"}},
		},
		"rules of one role unite": {
			claims: claimsOf("dong-da", "ba-dinh"), role: nhip.RoleAnalyst,
			scope: nhip.Scope{Areas: []string{"Ba Đình", "Đống Đa"}, Stations: []string{"s1"}},
		},
		"a path": {
			claims: map[string]any{"sub": "1", "realm_access": map[string]any{"roles": []string{"chief"}}},
			role:   nhip.RoleAdmin,
		},
		"one that sees everything": {
			claims: map[string]any{"sub": "1", "email": "lan@city.example", "staff": true}, role: nhip.RoleViewer,
		},
		"userinfo": {
			claims: map[string]any{"sub": "1"}, info: map[string]any{"groups": "bus"}, role: nhip.RoleDispatcher,
			scope: nhip.Scope{Agencies: []string{"hn"}},
		},
		"no verified email": {
			claims: map[string]any{"sub": "1", "email": "lan@city.example"}, info: map[string]any{"email_verified": false},
		},
		"part of a value":       {claims: claimsOf("bus ba-dinh")},
		"a value of other case": {claims: claimsOf("Bus")},
		"an object":             {claims: claimsOf(map[string]any{"bus": true}, 7, nil)},
		"nothing":               {claims: map[string]any{"sub": "1"}},
	} {
		who, reason := f.signIn(t, openidtest.Answers{Claims: c.claims, UserInfo: c.info})
		if c.role == "" {
			if reason != openid.NoRule {
				t.Errorf("%s: %+v %s", name, who, reason)
			}
			continue
		}
		if reason != "" || who.Role != c.role || !reflect.DeepEqual(who.Scope, c.scope) || len(who.Rules) == 0 {
			t.Errorf("%s: %+v %s", name, who, reason)
		}
	}
}

func TestNamesComeFromClaims(t *testing.T) {
	f := newFlow(t)
	for want, claims := range map[string]map[string]any{
		"Lan":              {"sub": "1", "name": " Lan ", "email": "lan@city.example"},
		"lan@city.example": {"sub": "1", "name": "La\nn", "email": "lan@city.example"},
		"s-1":              {"sub": "s-1", "email": "lan@city.example", "email_verified": "false"},
	} {
		claims["groups"] = "bus"
		if who, reason := f.signIn(t, openidtest.Answers{Claims: claims}); who.Name != want || reason != "" {
			t.Errorf("%q, want %q %s", who.Name, want, reason)
		}
	}
	one, _ := f.signIn(t, openidtest.Answers{Claims: claimsOf("bus")})
	again, _ := f.signIn(t, openidtest.Answers{Claims: claimsOf("ba-dinh")})
	other, _ := f.signIn(t, openidtest.Answers{Claims: map[string]any{"sub": "2", "name": "Lan", "groups": "bus"}})
	if one.Account != again.Account || one.Account == other.Account || strings.Contains(one.Account, "Lan") {
		t.Errorf("accounts %s %s %s", one.Account, again.Account, other.Account)
	}
}

// TestWrongAnswersAreRefused has the issuer, or somebody between, answer what does not hold.
func TestWrongAnswersAreRefused(t *testing.T) {
	f := newFlow(t)
	with := func(claim string, v any) openidtest.Answers {
		claims := claimsOf("bus")
		claims[claim] = v
		return openidtest.Answers{Claims: claims}
	}
	nonce := with("name", "Lan")
	nonce.Nonce = "another one"
	key := with("name", "Lan")
	key.Key = openidtest.NewKey(t)
	info := with("name", "Lan")
	info.UserInfo = map[string]any{"sub": "2"}
	for name, c := range map[string]struct {
		answers openidtest.Answers
		want    openid.Reason
	}{
		"nonce":           {nonce, openid.Invalid},
		"key":             {key, openid.Invalid},
		"userinfo":        {info, openid.Invalid},
		"expired":         {with("exp", time.Now().Add(-time.Minute).Unix()), openid.Invalid},
		"not yet valid":   {with("nbf", time.Now().Add(time.Hour).Unix()), openid.Invalid},
		"audience":        {with("aud", "another"), openid.Invalid},
		"authorized":      {with("azp", "another"), openid.Invalid},
		"issuer":          {with("iss", "https://other.example"), openid.Invalid},
		"access token":    {with("at_hash", "AAAA"), openid.Invalid},
		"nobody":          {with("sub", ""), openid.Invalid},
		"issuer's denial": {openidtest.Answers{Error: "access_denied"}, openid.Denied},
		"right":           {with("azp", openidtest.ClientID), ""},
	} {
		if who, reason := f.signIn(t, c.answers); reason != c.want {
			t.Errorf("%s: %+v %q, want %q", name, who, reason, c.want)
		}
	}
}

func TestWrongReturnsAreRefused(t *testing.T) {
	f := newFlow(t)
	f.issuer.Say(openidtest.Answers{Claims: claimsOf("bus")})
	cookie, back := f.begin(t)
	otherCookie, _ := f.begin(t)
	with := func(name, v string) url.Values {
		q := url.Values{"state": back["state"], "code": back["code"]}
		q.Set(name, v)
		return q
	}
	for name, c := range map[string]struct {
		cookie string
		back   url.Values
		want   openid.Reason
	}{
		"no cookie":           {"", back, openid.NoState},
		"another cookie":      {otherCookie, back, openid.NoState},
		"cookie made by hand": {"e30." + strings.Repeat("A", 43), back, openid.NoState},
		"changed cookie":      {"x" + cookie, back, openid.NoState},
		"endless cookie":      {strings.Repeat("a", 5000), back, openid.NoState},
		"another state":       {cookie, with("state", "x"), openid.NoState},
		"no state":            {cookie, with("state", ""), openid.NoState},
		"no code":             {cookie, with("code", ""), openid.Invalid},
		"another code":        {cookie, with("code", "x"), openid.Invalid},
		"another issuer":      {cookie, with("iss", "https://other.example"), openid.Invalid},
		"long error":          {cookie, with("error", strings.Repeat("e", 5000)), openid.Denied},
	} {
		if who, reason := f.finish(t, c.cookie, c.back); reason != c.want {
			t.Errorf("%s: %+v %q, want %q", name, who, reason, c.want)
		}
	}
	if who, reason := f.finish(t, cookie, back); reason != "" {
		t.Errorf("%+v %s", who, reason)
	}
	if who, reason := f.finish(t, cookie, back); reason != openid.Invalid {
		t.Errorf("a code that is used: %+v %q", who, reason)
	}
	cookie, back = f.begin(t)
	f.clock.by = openid.StateLife + time.Second
	if _, reason := f.finish(t, cookie, back); reason != openid.NoState {
		t.Errorf("an old state: %q", reason)
	}
}

func TestIssuerMayBeAway(t *testing.T) {
	f := newFlow(t)
	f.issuer.Say(openidtest.Answers{Away: true})
	var refusal *openid.Refusal
	for range 2 {
		_, _, err := f.client.Begin(t.Context(), redirect, "/")
		if !errors.As(err, &refusal) || refusal.Reason != openid.Away {
			t.Fatalf("away: %v", err)
		}
	}
	right := f.newClient(t, openidtest.ClientSecret) // one that need not wait
	f.issuer.Say(openidtest.Answers{Claims: claimsOf("bus")})
	f.client = right
	cookie, back := f.begin(t)
	f.issuer.Say(openidtest.Answers{Away: true})
	if _, reason := f.finish(t, cookie, back); reason != openid.Away {
		t.Errorf("away at the exchange: %q", reason)
	}
	f.issuer.Say(openidtest.Answers{Claims: claimsOf("bus")})
	f.client = f.newClient(t, "wrong")
	cookie, back = f.begin(t)
	if _, reason := f.finish(t, cookie, back); reason != openid.Away {
		t.Errorf("a wrong secret of the client: %q", reason)
	}
}

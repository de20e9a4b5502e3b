package access

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"nhip"

	"github.com/paulmach/orb"
	"github.com/prometheus/client_golang/prometheus"
)

var noon = time.Date(2026, 2, 16, 12, 0, 0, 0, time.UTC)

type testClock struct{ now time.Time }

func (c *testClock) Now() time.Time { return c.now }

// oneZone is the zone district/a until it is gone.
type oneZone struct{ gone bool }

func (z *oneZone) HasZone(name string) bool             { return !z.gone && name == "district/a" }
func (z *oneZone) InZone(name string, _ orb.Point) bool { return z.HasZone(name) }

type keyringTest struct {
	*Keyring
	clock *testClock
	zones *oneZone
}

func newKeyringTest() keyringTest {
	clock, zones := &testClock{noon}, new(oneZone)
	return keyringTest{
		NewKeyring(clock, zones, func() bool { return true }, slog.New(slog.DiscardHandler)), clock, zones,
	}
}

func (k keyringTest) set(t *testing.T, kind, id string, body any) {
	t.Helper()
	s := nhip.DocumentState{Kind: kind, ID: id, Version: 1, Time: noon}
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		s.Body = raw
	}
	k.Update(s)
}

// addKey adds a key and returns its secret.
func (k keyringTest) addKey(t *testing.T, id string, change func(*nhip.Key)) string {
	t.Helper()
	secret, hash := NewSecret(KeyPrefix)
	key := nhip.Key{Name: id, Role: nhip.RoleAnalyst, Hash: hash, Created: noon}
	if change != nil {
		change(&key)
	}
	k.set(t, nhip.DocumentKey, id, key)
	return secret
}

func TestKeysEnd(t *testing.T) {
	k := newKeyringTest()
	secret := k.addKey(t, "lan", func(key *nhip.Key) { key.Expires = noon.Add(time.Hour) })
	caller, outcome := k.Key(secret)
	if outcome != Allowed || caller.Name != "lan" || caller.Ended() {
		t.Fatalf("%+v %d", caller, outcome)
	}
	if k.LastUse("lan") != noon || len(k.Unpublished()) != 1 {
		t.Error("the use is not noted")
	}
	k.set(t, nhip.DocumentKeyUse, "lan", nhip.KeyUse{Time: noon})
	if len(k.Unpublished()) != 0 {
		t.Error("the use is published again")
	}
	k.clock.now = noon.Add(time.Hour)
	if _, outcome := k.Key(secret); outcome != Refused || !caller.Ended() {
		t.Error("an expired key is valid")
	}
	k.clock.now = noon
	rotated := k.addKey(t, "lan", nil)
	if _, outcome := k.Key(secret); outcome != Refused || !caller.Ended() {
		t.Error("a secret that was replaced is valid")
	}
	k.set(t, nhip.DocumentKey, "lan", nil)
	if _, outcome := k.Key(rotated); outcome != Refused {
		t.Error("a removed key is valid")
	}
	for _, wrong := range []string{"", KeyPrefix, "x" + rotated, rotated + "x", KeyPrefix + "!"} {
		if _, outcome := k.Key(wrong); outcome != Refused {
			t.Errorf("%q: %d", wrong, outcome)
		}
	}
}

func TestSessionsEndWithWhatTheyStandOn(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, k keyringTest){
		"time": func(_ *testing.T, k keyringTest) { k.clock.now = noon.Add(time.Hour) },
		"key":  func(t *testing.T, k keyringTest) { k.set(t, nhip.DocumentKey, "lan", nil) },
		"role": func(t *testing.T, k keyringTest) {
			k.addKey(t, "lan", func(key *nhip.Key) { key.Role = nhip.RoleViewer })
		},
		"rotated": func(t *testing.T, k keyringTest) {
			k.addKey(t, "lan", func(key *nhip.Key) { key.Rotated = noon.Add(2) })
		},
		"zone": func(_ *testing.T, k keyringTest) { k.zones.gone = true },
		"another key of the same id": func(t *testing.T, k keyringTest) {
			k.set(t, nhip.DocumentKey, "lan", nil)
			k.addKey(t, "lan", func(key *nhip.Key) { key.Created = noon.Add(2) })
		},
	} {
		k := newKeyringTest()
		k.addKey(t, "lan", nil)
		secret, id := NewSecret(SessionPrefix)
		k.set(t, nhip.DocumentSession, id, nhip.Session{
			Name: "Lan", Role: nhip.RoleAnalyst, Scope: nhip.Scope{Zones: []string{"district/a"}}, Key: "lan",
			Way: nhip.SessionByKey, Created: noon.Add(1), Expires: noon.Add(time.Hour),
		})
		caller, outcome := k.Session(secret)
		if outcome != Allowed || caller.Role != nhip.RoleAnalyst || caller.Key != "lan" || caller.Session != id {
			t.Fatalf("%s: %+v %d", name, caller, outcome)
		}
		end(t, k)
		if _, outcome := k.Session(secret); outcome != Refused || !caller.Ended() {
			t.Errorf("%s: the session goes on", name)
		}
	}
}

// TestKeysAreNotLockedOutByTheirNeighbours sends wrong keys from the address of a valid one, which was never used.
func TestKeysAreNotLockedOutByTheirNeighbours(t *testing.T) {
	k := newKeyringTest()
	secret := k.addKey(t, "lan", nil)
	g := NewGuard(NewToken("s3cret"), k.Keyring, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	send := func(secret string, cookie bool) Outcome {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = "198.51.100.1:1234"
		if cookie {
			r.AddCookie(&http.Cookie{Name: SessionCookie, Value: secret})
		} else {
			r.Header.Set("Authorization", "Bearer "+secret)
		}
		_, outcome := g.Authenticate(r)
		return outcome
	}
	wrong, _ := NewSecret(KeyPrefix)
	wrongSession, _ := NewSecret(SessionPrefix)
	for range guessBurst {
		send(wrong, false)
		send(wrongSession, true)
	}
	if send(wrong, false) != Slowed || send(wrongSession, true) != Slowed {
		t.Error("guesses are not slowed")
	}
	if got := send(secret, false); got != Allowed {
		t.Errorf("a valid key behind the same address: %d", got)
	}
}

func TestLinksWorkOnce(t *testing.T) {
	l := NewLinks()
	secret := l.New(nhip.RoleViewer, noon)
	if role, ok := l.Take(secret, false, noon); !ok || role != nhip.RoleViewer {
		t.Error("a preview fails")
	}
	if _, ok := l.Take(secret, true, noon); !ok {
		t.Error("a link does not work")
	}
	if _, ok := l.Take(secret, true, noon); ok {
		t.Error("a link works twice")
	}
	if _, ok := l.Take(l.New(nhip.RoleViewer, noon), true, noon.Add(linkLife)); ok {
		t.Error("an old link works")
	}
}

// TestSessionsOfAccountsEndWithTheirRules: a configuration that takes a role away takes the sessions, too.
func TestSessionsOfAccountsEndWithTheirRules(t *testing.T) {
	for name, rules := range map[string][]string{"no rules": nil, "one of two": {"a", "c"}, "another": {"c"}} {
		k := newKeyringTest()
		k.UseRules([]string{"a", "b"})
		secret, id := NewSecret(SessionPrefix)
		k.set(t, nhip.DocumentSession, id, nhip.Session{
			Name: "Lan", Role: nhip.RoleAnalyst, Way: nhip.SessionByAccount, Account: "account:1", Rules: []string{"a", "b"},
			Created: noon, Expires: noon.Add(time.Hour),
		})
		caller, outcome := k.Session(secret)
		if outcome != Allowed || caller.Key != "account:1" || len(k.SessionsOf("account:1")) != 1 {
			t.Fatalf("%s: %+v %d", name, caller, outcome)
		}
		k.UseRules(rules)
		if _, outcome := k.Session(secret); outcome != Refused || !caller.Ended() {
			t.Errorf("%s: the session goes on", name)
		}
	}
}

func TestSessionsOfAccountsNameTheirRules(t *testing.T) {
	base := nhip.Session{Name: "Lan", Role: nhip.RoleViewer, Created: noon, Expires: noon.Add(time.Hour)}
	for field, change := range map[string]func(s *nhip.Session){
		"rules":   func(s *nhip.Session) { s.Way, s.Account = nhip.SessionByAccount, "account:1" },
		"account": func(s *nhip.Session) { s.Way, s.Rules = nhip.SessionByAccount, []string{"a"} },
	} {
		s := base
		change(&s)
		if err := s.Validate(); err == nil || !strings.HasPrefix(err.Error(), field+": ") {
			t.Errorf("%s: %v", field, err)
		}
		s.Way = nhip.SessionByLink
		if err := s.Validate(); err == nil || !strings.HasPrefix(err.Error(), "account: ") {
			t.Errorf("a link with %s: %v", field, err)
		}
	}
}

package access

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// ask sends a token from an address, "" for none.
func ask(g *Guard, from, token string) Outcome {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = from + ":1234"
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	_, outcome := g.Authenticate(r)
	return outcome
}

func newTestGuard() (*Guard, *bytes.Buffer) {
	log := new(bytes.Buffer)
	return NewGuard(NewToken("s3cret"), nil, slog.New(slog.NewTextHandler(log, nil)), prometheus.NewRegistry()), log
}

func TestGuessesAreSlowedAndLogged(t *testing.T) {
	g, log := newTestGuard()
	const stranger, other = "203.0.113.7", "203.0.113.8"
	for i := range guessBurst {
		if got := ask(g, stranger, fmt.Sprint("guess-", i)); got != Refused {
			t.Fatalf("guess %d: %d", i, got)
		}
	}
	if got := ask(g, stranger, "guess"); got != Slowed {
		t.Errorf("a guess too many: %d", got)
	}
	if got := ask(g, stranger, "s3cret"); got != Slowed {
		t.Errorf("the token, guessed beyond the rate: %d", got)
	}
	if got := ask(g, stranger, ""); got != Refused {
		t.Errorf("no guess: %d", got)
	}
	if got := ask(g, other, "s3cret"); got != Allowed {
		t.Errorf("the operator elsewhere: %d", got)
	}
	if text := log.String(); strings.Count(text, "wrong token") != 1 || !strings.Contains(text, stranger) ||
		strings.Contains(text, "guess-") {
		t.Errorf("log: %s", text)
	}
}

func TestOperatorIsNotLockedOutByHisNeighbours(t *testing.T) {
	g, _ := newTestGuard()
	const shared = "198.51.100.1"
	if ask(g, shared, "s3cret") != Allowed {
		t.Fatal("the token is refused")
	}
	for range 5 * guessBurst {
		ask(g, shared, "guess")
	}
	if got := ask(g, shared, "guess"); got != Slowed {
		t.Errorf("a guess: %d", got)
	}
	if got := ask(g, shared, "s3cret"); got != Allowed {
		t.Errorf("the operator: %d", got)
	}
}

func TestGuessersAreForgotten(t *testing.T) {
	g, _ := newTestGuard()
	for i := range maxGuessers + 100 {
		ask(g, fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255), "guess")
	}
	if len(g.guessers) != maxGuessers {
		t.Errorf("%d addresses in memory", len(g.guessers))
	}
}

func TestNetworksOfIPv6CountAsOne(t *testing.T) {
	g, _ := newTestGuard()
	for i := range guessBurst {
		ask(g, fmt.Sprintf("[2001:db8::%d]", i+1), "guess")
	}
	if got := ask(g, "[2001:db8::ffff]", "guess"); got != Slowed {
		t.Errorf("from the same /64: %d", got)
	}
}

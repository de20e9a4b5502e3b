package access

import (
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"nhip"
	"nhip/internal/httpserver"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"
)

// Guesses of the operator's token that an address has: so many at once, then one a second.
const (
	guessBurst = 10
	guessRate  = 1

	// maxGuessers bounds the addresses in memory. Beyond it, any other address is forgotten for a new one.
	maxGuessers = 10_000

	trustFor = time.Hour       // after a right token, an address is not slowed
	logEvery = 1 * time.Minute // for each address
)

// Outcome is what a Guard decides about a request.
type Outcome int

// Outcomes.
const (
	Refused Outcome = iota // without a secret or with a wrong one
	Allowed                // with a secret that is known
	Slowed                 // beyond the guesses of the address; the operator's token was not looked at
	Loading                // with a secret that may be among those that are not received yet
)

// Guard finds callers by their secrets and slows an address that guesses. For the operator's token, which may be a
// short one that somebody wrote into its file, an address from which the right token came within the last hour is not
// slowed: a stranger behind the same address must not lock the operator out.
type Guard struct {
	token   *Token
	keyring *Keyring // nil: there are no keys
	log     *slog.Logger
	guesses prometheus.Counter
	slowed  prometheus.Counter

	mu       sync.Mutex
	guessers map[netip.Addr]*guesser
}

// guesser is an address that has sent a token.
type guesser struct {
	wrong   *rate.Limiter
	right   time.Time // of the last right token
	logged  time.Time
	refused int // wrong tokens since logged
}

// NewGuard returns a guard of the operator's token and of the keys and sessions of a keyring, which may be nil.
func NewGuard(token *Token, keyring *Keyring, log *slog.Logger, r prometheus.Registerer) *Guard {
	counter := func(outcome string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{
			Name: "nhip_api_token_refused_total",
			Help: "Requests with a wrong token, key or session, and those beyond the rate " +
				"of guesses, whose token was not looked at.", ConstLabels: prometheus.Labels{"outcome": outcome},
		})
	}
	g := &Guard{
		token: token, keyring: keyring, log: log, guesses: counter("wrong"), slowed: counter("slowed"),
		guessers: make(map[netip.Addr]*guesser),
	}
	r.MustRegister(g.guesses, g.slowed)
	return g
}

// OperatorName is the name and the key of the caller with the operator's token.
const OperatorName = "operator"

// Authenticate returns the caller of a request by its bearer token, which may be the operator's token or a key, or else
// by the cookie of its session.
func (g *Guard) Authenticate(r *http.Request) (Caller, Outcome) {
	at := httpserver.ShareAddr(r)
	if r.Header.Get("Authorization") != "" {
		return g.Identify(at, bearerOf(r))
	}
	secret := sessionOf(r)
	if secret == "" || g.keyring == nil {
		return Public, Refused
	}
	return g.unguessable(at, secret, g.keyring.Session)
}

// Identify returns the caller with the secret of a key or with the operator's token, however a request carries it.
func (g *Guard) Identify(at netip.Addr, secret string) (Caller, Outcome) {
	if g.keyring != nil && strings.HasPrefix(secret, KeyPrefix) {
		return g.unguessable(at, secret, g.keyring.Key)
	}
	switch outcome := g.check(at, secret); outcome {
	case Allowed:
		token := g.token
		return Caller{
			Name: OperatorName, Key: OperatorName, Role: nhip.RoleAdmin, ended: func() bool { return !token.is(secret) },
		}, Allowed
	default:
		return Public, outcome
	}
}

// unguessable finds the caller of a secret of 32 random bytes. It is looked at however many wrong ones an address has
// sent, so that nobody can lock out others behind the same address; those who send wrong ones are slowed all the same.
func (g *Guard) unguessable(
	at netip.Addr, secret string, find func(string) (Caller, Outcome),
) (Caller, Outcome) {
	caller, outcome := find(secret)
	if outcome != Refused {
		return caller, outcome
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return Public, g.wrong(at, time.Now())
}

// check decides about the operator's token.
func (g *Guard) check(at netip.Addr, secret string) Outcome {
	now := time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	one := g.guessers[at]
	trusted := one != nil && now.Sub(one.right) < trustFor
	if one != nil && !trusted && one.wrong.TokensAt(now) < 1 {
		g.slowed.Inc()
		g.report(one, at, now)
		return Slowed
	}
	if g.token.is(secret) {
		if one == nil {
			one = g.add(at)
		}
		one.right = now
		return Allowed
	}
	return g.wrong(at, now)
}

// wrong counts a wrong secret. The caller holds mu.
func (g *Guard) wrong(at netip.Addr, now time.Time) Outcome {
	one := g.guessers[at]
	if one == nil {
		one = g.add(at)
	}
	g.guesses.Inc()
	g.report(one, at, now)
	if !one.wrong.AllowN(now, 1) {
		g.slowed.Inc()
		return Slowed
	}
	return Refused
}

// add adds an address, in the place of any other if there are too many. The caller holds mu.
func (g *Guard) add(at netip.Addr) *guesser {
	if len(g.guessers) >= maxGuessers {
		for other := range g.guessers {
			delete(g.guessers, other)
			break
		}
	}
	one := &guesser{wrong: rate.NewLimiter(guessRate, guessBurst)}
	g.guessers[at] = one
	return one
}

// report logs that an address guesses, now and then. The caller holds mu.
func (g *Guard) report(one *guesser, at netip.Addr, now time.Time) {
	if one.refused++; now.Sub(one.logged) < logEvery {
		return
	}
	g.log.Warn("wrong token, key or session", "address", at, "requests", one.refused)
	one.logged, one.refused = now, 0
}

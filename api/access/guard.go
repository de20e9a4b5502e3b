package access

import (
	"log/slog"
	"net/http"
	"net/netip"
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
	Refused Outcome = iota // without the token or with a wrong one
	Allowed                // with the token
	Slowed                 // beyond the guesses of the address; its token was not looked at
)

// Guard checks the operator's token and slows an address that guesses it. An address from which the right token came
// within the last hour is not slowed: a stranger behind the same address must not lock the operator out.
type Guard struct {
	token   Token
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

// NewGuard returns a guard of a token.
func NewGuard(token Token, log *slog.Logger, r prometheus.Registerer) *Guard {
	counter := func(outcome string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{
			Name: "nhip_api_token_refused_total", Help: "Requests with a wrong operator's token, and those beyond the rate " +
				"of guesses, whose token was not looked at.", ConstLabels: prometheus.Labels{"outcome": outcome},
		})
	}
	g := &Guard{
		token: token, log: log, guesses: counter("wrong"), slowed: counter("slowed"),
		guessers: make(map[netip.Addr]*guesser),
	}
	r.MustRegister(g.guesses, g.slowed)
	return g
}

// Check decides about a request. A request without a token is refused and counts as no guess.
func (g *Guard) Check(r *http.Request) Outcome {
	if r.Header.Get("Authorization") == "" {
		return Refused
	}
	at, now := httpserver.ShareAddr(r), time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	one := g.guessers[at]
	trusted := one != nil && now.Sub(one.right) < trustFor
	if one != nil && !trusted && one.wrong.TokensAt(now) < 1 {
		g.slowed.Inc()
		g.report(one, at, now)
		return Slowed
	}
	if g.token.Allows(r) {
		if one == nil {
			one = g.add(at)
		}
		one.right = now
		return Allowed
	}
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

// operatorName is the name of the caller with the operator's token.
const operatorName = "operator"

// Authenticate returns an admin for a request with the token.
func (g *Guard) Authenticate(r *http.Request) (Caller, Outcome) {
	outcome := g.Check(r)
	if outcome != Allowed {
		return Public, outcome
	}
	return Caller{Name: operatorName, Key: operatorName, Role: nhip.RoleAdmin}, Allowed
}

// Allows reports whether a request carries the token, within the guesses of its address.
func (g *Guard) Allows(r *http.Request) bool { return g.Check(r) == Allowed }

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
	g.log.Warn("wrong operator's token", "address", at, "requests", one.refused)
	one.logged, one.refused = now, 0
}

// Package recovery keeps a panic that somebody's bytes cause from ending the process.
package recovery

import (
	"errors"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"
)

// Limits of the log lines: a stranger may cause a panic with every packet.
const (
	logEvery = time.Second
	logBurst = 10
)

// Guard recovers from panics, counts them and logs them with their stack. A nil Guard recovers and does neither.
type Guard struct {
	log   *slog.Logger
	total *prometheus.CounterVec // by part
	limit *rate.Limiter          // of log lines
}

// NewGuard returns a Guard that counts in nhip_panics_total. The guards of one registry share the counter; r may be
// nil.
func NewGuard(r prometheus.Registerer, log *slog.Logger) *Guard {
	g := &Guard{log: log, limit: rate.NewLimiter(rate.Every(logEvery), logBurst)}
	g.total = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "nhip_panics_total",
		Help: "Panics that ended one connection, request or message, by part. Each is a fault of nhip.",
	}, []string{"part"})
	if r == nil {
		return g
	}
	var other prometheus.AlreadyRegisteredError
	if err := r.Register(g.total); errors.As(err, &other) {
		g.total = other.ExistingCollector.(*prometheus.CounterVec)
	} else if err != nil {
		panic(err) // another metric has the name
	}
	return g
}

// Recover ends a panic; without one it does nothing. It must itself be deferred: defer g.Recover("mqtt", then). The
// function then is called after a panic; it may be nil.
func (g *Guard) Recover(part string, then func()) {
	p := recover()
	if p == nil {
		return
	}
	g.Note(part, p)
	if then != nil {
		then()
	}
}

// Note counts and logs a panic that the caller has recovered from.
func (g *Guard) Note(part string, p any) {
	if g == nil {
		return
	}
	g.total.WithLabelValues(part).Inc()
	if g.limit.Allow() {
		g.log.Error("panic; only what caused it is ended", "part", part, "panic", p, "stack", string(debug.Stack()))
	}
}

// Count returns the number of panics of a part so far.
func (g *Guard) Count(part string) prometheus.Counter { return g.total.WithLabelValues(part) }

package consume

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"nhip/internal/mqtt"
)

// sessionLog logs the beginnings and ends of a source's sessions and decides how long to pause before the next. It logs
// each cause once, so that a broker that is down all night makes one line. Only the source's run uses it.
type sessionLog struct {
	log       *slog.Logger
	client    string
	stable    time.Duration // a session that ends earlier counts as lost at once
	rejecting *atomic.Bool  // Source.rejecting

	logged     map[string]bool // causes that prevented a session, since the last that was up
	failed     bool            // log the next session that is up: it is the first, or a failure was logged before it
	shortLived int             // sessions in a row that were lost at once

	unreachable backoff
	lostAtOnce  backoff
	rejected    backoff
}

func newSessionLog(log *slog.Logger, client string, l limits, rejecting *atomic.Bool) *sessionLog {
	return &sessionLog{
		log: log, client: client, stable: l.stable, rejecting: rejecting, logged: make(map[string]bool), failed: true,
		unreachable: backoff{first: l.unreachable, limit: l.longest},
		lostAtOnce:  backoff{first: l.unreachable, limit: l.longest},
		rejected:    backoff{first: l.rejected, limit: l.longest},
	}
}

// backoff doubles a pause up to a limit.
type backoff struct{ first, limit, last time.Duration }

func (b *backoff) next() time.Duration {
	b.last = min(max(b.first, 2*b.last), b.limit)
	return b.last
}

func (b *backoff) reset() { b.last = 0 }

// up records that a session is connected and subscribed.
func (l *sessionLog) up() {
	clear(l.logged)
	l.unreachable.reset()
	if l.failed {
		l.log.Info("connected to the MQTT broker", "client", l.client)
	}
	l.failed = false
}

// ended records why a session ended, how long it was up (0: never) and whether the acceptor accepted any of its
// messages. It returns the pause before the next session.
func (l *sessionLog) ended(err error, lasted time.Duration, accepted bool) time.Duration {
	var rejected *rejectedError
	switch {
	case errors.As(err, &rejected):
		return l.messageRejected(rejected.cause, accepted)
	case lasted == 0:
		return l.neverUp(err)
	}
	return l.lost(lasted, err)
}

// messageRejected handles a full or failing disk. The broker keeps the messages; they are requested less and less often
// until the acceptor accepts one.
func (l *sessionLog) messageRejected(cause error, accepted bool) time.Duration {
	if accepted {
		l.rejected.reset()
	}
	if !l.rejecting.Swap(true) {
		l.log.Error("messages can't be stored and stay at the MQTT broker", "error", cause)
	}
	return l.rejected.next()
}

func (l *sessionLog) neverUp(err error) time.Duration {
	if !l.logged[err.Error()] {
		l.logged[err.Error()], l.failed = true, true
		level := slog.LevelWarn
		if mqtt.IsRefusal(err) {
			level = slog.LevelError
		}
		l.log.Log(context.Background(), level, "can't open a session at the MQTT broker", "error", err)
	}
	return l.unreachable.next()
}

// lost distinguishes a broken connection from a client id that two processes use: a broker closes the connection of the
// one when the other connects, and gives no reason.
func (l *sessionLog) lost(lasted time.Duration, err error) time.Duration {
	if lasted >= l.stable {
		l.shortLived = 0
		l.lostAtOnce.reset()
		l.logLost(err)
		return 0
	}
	switch l.shortLived++; l.shortLived {
	case 1:
		l.logLost(err)
	case 2:
		l.failed = true
		l.log.Warn("the MQTT broker ends each connection at once; another process may use the same client id",
			"client", l.client, "error", err)
	}
	return l.lostAtOnce.next()
}

func (l *sessionLog) logLost(err error) {
	l.failed = true
	l.log.Warn("lost the MQTT broker", "error", err)
}

package mqtt

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"
)

// diary knows how a source's sessions ended: it logs what is new, so that a broker that is away all
// night makes one line, and tells how long to wait. Only the source's own goroutine writes it.
type diary struct {
	log     *slog.Logger
	client  string
	moment  time.Duration
	failing *atomic.Bool // the source's: its door did not take a message, and none since

	told    map[string]bool // why no session came up, since the last that did
	trouble bool            // something was logged since a session came up
	brief   int             // sessions in a row that were lost within a moment
	away    backoff
	hasty   backoff // after such
	refused backoff
}

func newDiary(log *slog.Logger, client string, p pace, failing *atomic.Bool) *diary {
	return &diary{
		log: log, client: client, moment: p.moment, failing: failing, told: make(map[string]bool), trouble: true,
		away: backoff{first: p.away, most: p.longest}, hasty: backoff{first: p.away, most: p.longest},
		refused: backoff{first: p.refused, most: p.longest},
	}
}

// backoff doubles a pause up to a bound.
type backoff struct{ first, most, last time.Duration }

func (b *backoff) next() time.Duration {
	b.last = min(max(b.first, 2*b.last), b.most)
	return b.last
}

func (b *backoff) reset() { b.last = 0 }

// up notes that a session is connected and subscribed.
func (d *diary) up() {
	clear(d.told)
	d.away.reset()
	if d.trouble {
		d.log.Info("connected to the MQTT broker", "client", d.client)
	}
	d.trouble = false
}

// ended notes why a session ended, how long it was up (0 for never) and whether the door took any of
// it, and returns the pause before the next.
func (d *diary) ended(err error, lasted time.Duration, took bool) time.Duration {
	var refused *doorError
	switch {
	case errors.As(err, &refused):
		return d.doorRefused(refused.cause, took)
	case lasted == 0:
		return d.notUp(err)
	}
	return d.lost(lasted, err)
}

// doorRefused is for a disk that is full or failing: the messages are safe with the broker, and are
// asked for less and less often until the door takes one.
func (d *diary) doorRefused(cause error, took bool) time.Duration {
	if took {
		d.refused.reset()
	}
	if !d.failing.Swap(true) {
		d.log.Error("messages can't be put on disk and stay with the MQTT broker", "error", cause)
	}
	return d.refused.next()
}

func (d *diary) notUp(err error) time.Duration {
	if !d.told[err.Error()] {
		d.told[err.Error()], d.trouble = true, true
		level := slog.LevelWarn
		if isRefusal(err) {
			level = slog.LevelError
		}
		d.log.Log(context.Background(), level, "can't listen to the MQTT broker", "error", err)
	}
	return d.away.next()
}

// lost tells a line that broke from a client id that two processes use: a broker closes the
// connection of the one when the other comes, without a word.
func (d *diary) lost(lasted time.Duration, err error) time.Duration {
	if lasted >= d.moment {
		d.brief = 0
		d.hasty.reset()
		d.tellLost(err)
		return 0
	}
	switch d.brief++; d.brief {
	case 1:
		d.tellLost(err)
	case 2:
		d.trouble = true
		d.log.Warn("the MQTT broker ends each connection within a moment, another process may use the same client id",
			"client", d.client, "error", err)
	}
	return d.hasty.next()
}

func (d *diary) tellLost(err error) {
	d.trouble = true
	d.log.Warn("lost the MQTT broker", "error", err)
}

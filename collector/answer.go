package collector

import (
	"bytes"
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"nhip"
	"nhip/internal/ask"
	"nhip/internal/influx"
)

// answers lists the questions that a collector answers, see package ask.
func (c *Collector) answers() map[string]ask.Handler {
	return map[string]ask.Handler{
		ask.Ledger: handler(c.Ledger),
		ask.List:   handler(c.Letters),
		ask.Show:   handler(c.Letter),
		ask.Replay: handler(c.Replay),

		ask.Recompute: handler(c.Recompute),
		ask.Left:      handler(c.Left),
		ask.Retention: handler(c.Retention),
	}
}

// errNoAir is the answer of a collector that only takes readings in.
var errNoAir = nhip.Errorf(nhip.NotFound, "collector", "this one does not keep the air")

// Recompute has readings judged and summed up again. It answers at once with how much that is.
func (c *Collector) Recompute(_ context.Context, q nhip.RecomputeQuery) (nhip.Recomputing, error) {
	if c.air == nil {
		return nhip.Recomputing{}, errNoAir
	}
	left, err := c.air.Recompute(q)
	if err == nil {
		err = c.air.Save()
	}
	return left, err
}

// Left tells how much is still to be made of what was said.
func (c *Collector) Left(ctx context.Context, q nhip.LeftQuery) (nhip.Recomputing, error) {
	if c.air == nil {
		return nhip.Recomputing{}, errNoAir
	}
	if err := c.clerk.caughtUp(ctx, &c.clerk.done); err != nil {
		return nhip.Recomputing{}, nhip.Errorf(nhip.Unavailable, "collector", "%q has not judged all it has taken in yet; ask again", c.id)
	}
	return c.air.Left(q)
}

// handler reads the parameters of a question; one that is not known is an error.
func handler[P, A any](answer func(context.Context, P) (A, error)) ask.Handler {
	return func(ctx context.Context, params json.RawMessage) (any, error) {
		var p P
		d := json.NewDecoder(bytes.NewReader(params))
		d.DisallowUnknownFields()
		if err := d.Decode(&p); err != nil {
			return nil, nhip.Errorf(nhip.Invalid, "params", "can't be read: %v", err)
		}
		return answer(ctx, p)
	}
}

// Ledger returns a page of the ledger, in which everything is counted that was acknowledged before the
// question.
func (c *Collector) Ledger(ctx context.Context, q nhip.LedgerQuery) (nhip.LedgerPage, error) {
	if err := c.clerk.caughtUp(ctx, &c.clerk.judged); err != nil {
		return nhip.LedgerPage{}, nhip.Errorf(nhip.Unavailable, "collector", "%q has not judged all it has taken in yet; ask again", c.id)
	}
	return c.book.Page(q, c.id)
}

// lettersWithin is how long a question about dead letters waits for those that are on their way. A disk
// that is full may hold them up for good, and then what there is must be shown all the more.
const lettersWithin = time.Second

// Letters returns a page of the dead letters.
func (c *Collector) Letters(ctx context.Context, q nhip.LetterQuery) (nhip.LetterPage, error) {
	moment, cancel := context.WithTimeout(ctx, lettersWithin)
	defer cancel()
	if err := c.clerk.caughtUp(moment, &c.clerk.done); err != nil && ctx.Err() != nil {
		return nhip.LetterPage{}, err
	}
	return deadFiles{c.deadDir}.page(ctx, q)
}

// partBytes is how much of a payload one answer holds.
const partBytes = 16 << 10

// Letter returns a dead letter with a part of its payload.
func (c *Collector) Letter(_ context.Context, q nhip.LetterPart) (nhip.DeadLetter, error) {
	l, err := deadFiles{c.deadDir}.find(q.ID)
	if err != nil {
		return l, err
	}
	payload := payloadOf(&l)
	if q.Offset < 0 || q.Offset > len(payload) {
		return l, nhip.Errorf(nhip.Invalid, "offset", "must be between 0 and %d, got %d", len(payload), q.Offset)
	}
	l.Payload, l.PayloadB = "", payload[q.Offset:min(len(payload), q.Offset+partBytes)]
	return l, nil
}

// Replay runs dead letters through today's decoders and answers when their outcome is on disk. Letters
// of one message are one replay. Doing it again does no harm: what passed is a duplicate then.
func (c *Collector) Replay(ctx context.Context, q nhip.ReplayQuery) (nhip.ReplayPage, error) {
	if len(q.IDs) > nhip.MaxReplay {
		return nhip.ReplayPage{}, nhip.Errorf(nhip.Invalid, "ids", "must be at most %d, got %d", nhip.MaxReplay, len(q.IDs))
	}
	done := make(map[string]nhip.Replayed) // by message
	var page nhip.ReplayPage
	for _, id := range q.IDs {
		message, _, _ := strings.Cut(id, ".")
		if strings.Contains(id, refusedMark) { // each of those is a row of its own
			message = id
		}
		r, ok := done[message]
		if !ok {
			var err error
			if r, err = c.replay(ctx, id, q.IDs); err != nil {
				return page, err
			}
			done[message] = r
		}
		r.ID = id
		page.Replayed = append(page.Replayed, r)
	}
	return page, nil
}

// replay runs one letter's message, on behalf of all letters of it that were asked for.
func (c *Collector) replay(ctx context.Context, id string, all []string) (nhip.Replayed, error) {
	l, err := deadFiles{c.deadDir}.find(id)
	if code := nhip.ErrorCode(err); code == nhip.NotFound || code == nhip.Invalid {
		return nhip.Replayed{Code: code, Rule: err.Error()}, nil
	}
	if err != nil {
		return nhip.Replayed{}, err
	}
	w := new(scratch)
	if l.Line != "" {
		w.outcome = resubmission(&l)
	} else {
		c.read(nhip.Message{Topic: l.Topic, Payload: payloadOf(&l), Received: l.Received}, &w.outcome)
		w.outcome.replayOf = sameMessage(id, all)
	}
	return c.recordReplay(ctx, w)
}

// recordReplay puts a replay into the journal and waits for the disk.
func (c *Collector) recordReplay(ctx context.Context, w *scratch) (nhip.Replayed, error) {
	r := w.outcome.replayed(time.Time{})
	outcome := make(chan error, 1)
	c.record(w, func(err error) { outcome <- err })
	select {
	case err := <-outcome:
		if err != nil {
			return nhip.Replayed{}, nhip.Errorf(nhip.Unavailable, "", "can't put a replay on disk: %v", err)
		}
	case <-ctx.Done():
		return nhip.Replayed{}, ctx.Err()
	}
	return nhip.Replayed{Passed: r.Passed, Code: r.Code, Rule: r.Rule}, nil
}

// resubmission is a row that goes to the database once more.
func resubmission(l *nhip.DeadLetter) outcome {
	at, revised := rowOf(l.Line)
	return outcome{
		received: l.Received, replayOf: []string{l.ID},
		resubmit: &refusal{line: l.Line, device: l.Device, hour: hourOf(at), revised: revised},
	}
}

// rowOf returns the time of a row of line protocol, in ms, and whether it is a revision.
func rowOf(line string) (ms int64, revised bool) {
	digits := line[strings.LastIndexByte(line, ' ')+1:]
	ms, _ = strconv.ParseInt(digits, 10, 64) // it was written by us
	measurement, _, _ := strings.Cut(line, ",")
	return ms, measurement == influx.PositionRevision || measurement == influx.ReadingRevision
}

// sameMessage returns the ids among all that are letters of one's message.
func sameMessage(id string, all []string) []string {
	message, _, _ := strings.Cut(id, ".")
	var same []string
	for _, other := range all {
		if m, _, _ := strings.Cut(other, "."); m == message {
			same = append(same, other)
		}
	}
	return same
}

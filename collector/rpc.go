package collector

import (
	"context"
	"time"

	"nhip"
	"nhip/collector/deadletter"
	"nhip/collector/record"
	"nhip/internal/rpc"
)

// handlers returns the RPC handlers of the collector by method.
func (c *Collector) handlers() map[string]rpc.Handler {
	return map[string]rpc.Handler{
		rpc.MethodLedger:           rpc.HandlerOf(c.Ledger),
		rpc.MethodDeadLetterList:   rpc.HandlerOf(c.Letters),
		rpc.MethodDeadLetterShow:   rpc.HandlerOf(c.Letter),
		rpc.MethodDeadLetterReplay: rpc.HandlerOf(c.Replay),

		rpc.MethodRecompute:       rpc.HandlerOf(c.Recompute),
		rpc.MethodRecomputeStatus: rpc.HandlerOf(c.RecomputeStatus),
		rpc.MethodRetention:       rpc.HandlerOf(c.Retention),
		rpc.MethodStatus:          rpc.HandlerOf(status),

		rpc.MethodScheduleStates: rpc.HandlerOf(c.ScheduleStates),
		rpc.MethodScheduleSend:   rpc.HandlerOf(c.SendSchedule),

		rpc.MethodPhotoPut:    rpc.HandlerOf(c.photos.Put),
		rpc.MethodPhotoGet:    rpc.HandlerOf(c.photos.Get),
		rpc.MethodPhotoRemove: rpc.HandlerOf(c.photos.Remove),
	}
}

var errNoAir = nhip.Errorf(nhip.CodeNotFound, "collector", "this collector does not assess readings")

// Recompute starts to assess and aggregate readings again. It returns at once with the amount of pending work.
func (c *Collector) Recompute(_ context.Context, q nhip.RecomputeQuery) (nhip.RecomputeProgress, error) {
	if c.air == nil {
		return nhip.RecomputeProgress{}, errNoAir
	}
	left, err := c.air.Recompute(q)
	if err == nil {
		err = c.air.Save()
	}
	return left, err
}

// RecomputeStatus returns the amount of pending work on readings accepted before the call.
func (c *Collector) RecomputeStatus(
	ctx context.Context, q nhip.RecomputeStatusQuery,
) (nhip.RecomputeProgress, error) {
	if c.air == nil {
		return nhip.RecomputeProgress{}, errNoAir
	}
	if err := c.dedup.caughtUp(ctx, &c.dedup.done); err != nil {
		return nhip.RecomputeProgress{}, c.errBehind()
	}
	return c.air.Progress(q)
}

func (c *Collector) errBehind() error {
	return nhip.Errorf(nhip.CodeUnavailable, "collector",
		"%q has not processed all accepted messages yet; try again", c.id)
}

// Ledger returns a page of the ledger. It counts everything acknowledged before the call.
func (c *Collector) Ledger(ctx context.Context, q nhip.LedgerQuery) (nhip.LedgerPage, error) {
	if err := c.dedup.caughtUp(ctx, &c.dedup.classified); err != nil {
		return nhip.LedgerPage{}, c.errBehind()
	}
	return c.ledger.Page(q, c.id)
}

// Retention returns what the retention policy would delete and, if q.Apply is set, deletes it.
func (c *Collector) Retention(ctx context.Context, q nhip.RetentionQuery) ([]nhip.Retention, error) {
	return c.retention.apply(ctx, q)
}

// ScheduleStates returns what was and is to be sent of schedules.
func (c *Collector) ScheduleStates(ctx context.Context, q nhip.ScheduleQuery) (nhip.ScheduleStates, error) {
	if c.schedules == nil {
		return nhip.ScheduleStates{}, nil
	}
	return c.schedules.States(ctx, q)
}

// SendSchedule sends a scheduled report now.
func (c *Collector) SendSchedule(ctx context.Context, q nhip.ScheduleSend) (nhip.ScheduleState, error) {
	if c.schedules == nil {
		return nhip.ScheduleState{}, nhip.Errorf(nhip.CodeNotFound, "collector", "this collector sends no mail")
	}
	return c.schedules.Send(ctx, q)
}

// status answers that the collector is alive.
func status(context.Context, struct{}) (struct{}, error) { return struct{}{}, nil }

// lettersWithin is how long Letters waits for dead letters that are not stored yet. On a full disk they never are, and
// it is then all the more important to list the others.
const lettersWithin = time.Second

// Letters returns a page of the dead letters.
func (c *Collector) Letters(ctx context.Context, q nhip.DeadLetterQuery) (nhip.DeadLetterPage, error) {
	short, cancel := context.WithTimeout(ctx, lettersWithin)
	defer cancel()
	if err := c.dedup.caughtUp(short, &c.dedup.done); err != nil && ctx.Err() != nil {
		return nhip.DeadLetterPage{}, err
	}
	return deadletter.Page(ctx, c.deadDir, q)
}

// chunkBytes is the length of the part of a payload in one answer.
const chunkBytes = 16 << 10

// Letter returns a dead letter with a part of its payload.
func (c *Collector) Letter(_ context.Context, q nhip.DeadLetterChunk) (nhip.DeadLetter, error) {
	l, err := deadletter.Find(c.deadDir, q.ID)
	if err != nil {
		return l, err
	}
	payload := deadletter.Payload(&l)
	if q.Offset < 0 || q.Offset > len(payload) {
		return l, nhip.Errorf(nhip.CodeInvalid, "offset", "must be between 0 and %d, got %d", len(payload), q.Offset)
	}
	l.Payload, l.PayloadB = "", payload[q.Offset:min(len(payload), q.Offset+chunkBytes)]
	return l, nil
}

// Replay processes the messages of dead letters again with the current decoders and returns the results once they are
// on disk. The letters of one message are replayed together. Replaying a letter twice is harmless: its facts are
// duplicates then.
func (c *Collector) Replay(ctx context.Context, q nhip.ReplayQuery) (nhip.ReplayResults, error) {
	if len(q.IDs) > nhip.MaxReplay {
		return nhip.ReplayResults{}, nhip.Errorf(nhip.CodeInvalid, "ids",
			"must be at most %d, got %d", nhip.MaxReplay, len(q.IDs))
	}
	letters, err := c.finder.Find(q.IDs)
	if err != nil {
		return nhip.ReplayResults{}, err
	}
	done := make(map[string]nhip.ReplayResult) // by ReplayKey
	var results nhip.ReplayResults
	for _, id := range q.IDs {
		key := deadletter.ReplayKey(id)
		r, ok := done[key]
		if !ok {
			var err error
			if r, err = c.replay(ctx, id, letters, q.IDs); err != nil {
				return results, err
			}
			done[key] = r
		}
		r.ID = id
		results.Results = append(results.Results, r)
	}
	return results, nil
}

// replay processes the message of a letter for all requested letters of that message.
func (c *Collector) replay(
	ctx context.Context, id string, letters map[string]nhip.DeadLetter, requested []string,
) (nhip.ReplayResult, error) {
	l, ok := letters[id]
	if !ok {
		err := deadletter.Missing(id)
		return nhip.ReplayResult{Code: nhip.ErrorCode(err), Rule: err.Error()}, nil
	}
	if l.Code == nhip.CodeTooLarge {
		return nhip.ReplayResult{Code: l.Code, Rule: "only the beginning of the message was kept"}, nil
	}
	w := new(scratch)
	if l.LineProtocol != "" {
		w.outcome = resubmission(&l)
	} else {
		m := nhip.Message{Topic: l.Topic, Payload: deadletter.Payload(&l), Received: l.Received}
		c.evaluate(m, &w.outcome)
		c.budget.know(&w.outcome) // the operator wants them
		w.outcome.ReplayOf = deadletter.OfSameMessage(id, requested)
	}
	return c.appendReplay(ctx, w)
}

// appendReplay journals the outcome of a replay and waits until it is on disk.
func (c *Collector) appendReplay(ctx context.Context, w *scratch) (nhip.ReplayResult, error) {
	r := deadletter.Result(&w.outcome, time.Time{})
	done := make(chan error, 1)
	c.append(w, func(err error) { done <- err })
	select {
	case err := <-done:
		if err != nil {
			return nhip.ReplayResult{}, nhip.Errorf(nhip.CodeUnavailable, "", "can't journal the replay: %v", err)
		}
	case <-ctx.Done():
		return nhip.ReplayResult{}, ctx.Err()
	}
	return nhip.ReplayResult{Passed: r.Passed, Code: r.Code, Rule: r.Rule}, nil
}

// resubmission returns an outcome that writes the rejected row of a letter to the database again.
func resubmission(l *nhip.DeadLetter) record.Outcome {
	ms, revised := parseRow(l.LineProtocol)
	return record.Outcome{
		Received: l.Received, ReplayOf: []string{l.ID},
		Resubmission: &record.RejectedRow{Line: l.LineProtocol, Device: l.Device, Hour: hourOf(ms), Revised: revised},
	}
}

package api

import (
	"context"
	"strings"
	"time"

	"nhip"
	"nhip/internal/influx"
)

// said is what the collectors say of a device and hour together. Each row of the ledger is in the
// database once; but two collectors that hear the same devices write the same rows, so that the
// database must hold as many as the one that says most, and no more than all say together.
type said struct {
	least, most int64 // rows that must be there, and that may be
}

// verify counts the answer's rows in the database and compares. While devices speak, a row may be
// stored between the two; so the ledger is asked before the count and after it: what was stored before
// must be counted, and what is counted must have been on its way by then.
func (a *API) verify(ctx context.Context, q *ledgerQuestion, answer *ledgerAnswer) error {
	if len(answer.Rows) == 0 {
		return nil
	}
	from, to := answer.Rows[0].Hour, answer.Rows[len(answer.Rows)-1].Hour.Add(time.Hour)
	if len(answer.Silent) > 0 {
		return nhip.Errorf(nhip.Unavailable, "verify", "needs all collectors, and %q does not answer", answer.Silent)
	}
	counted, err := a.count(ctx, q, from, to)
	if err != nil {
		return err
	}
	after, err := a.ledgerAfter(ctx, q, answer, from, to)
	if err != nil {
		return err
	}
	stored, revised := make(map[influx.TallyKey]said), make(map[influx.TallyKey]said)
	for i := range answer.Rows {
		row := &answer.Rows[i].LedgerRow
		note(stored, row, row.Stored, 0)
		note(revised, row, row.Revised, 0)
	}
	for i := range after {
		row := &after[i]
		note(stored, row, 0, row.Stored+row.Pending)
		note(revised, row, 0, row.Revised+row.Pending)
	}
	for i := range answer.Rows {
		row := &answer.Rows[i]
		key := keyOf(&row.LedgerRow)
		tally := counted[key]
		row.Counted = &tally
		row.Differs = !stored[key].allows(tally.Stored) || !revised[key].allows(tally.Revised)
	}
	return nil
}

func (s said) allows(n int64) bool { return s.least <= n && n <= s.most }

func keyOf(r *nhip.LedgerRow) influx.TallyKey {
	return influx.TallyKey{Device: r.Device, Hour: r.Hour.UTC()}
}

func note(in map[influx.TallyKey]said, r *nhip.LedgerRow, least, most int64) {
	key := keyOf(r)
	s := in[key]
	s.least = max(s.least, least)
	s.most += most
	in[key] = s
}

// count asks the history; of all devices, unless one is named whole.
func (a *API) count(ctx context.Context, q *ledgerQuestion, from, to time.Time) (map[influx.TallyKey]influx.Tally, error) {
	if !a.mayAsk(ctx) {
		return nil, nhip.Errorf(nhip.Unavailable, "", "too many questions to the history are under way")
	}
	defer func() { <-a.questions }()
	whole := ""
	if strings.Contains(q.Device, "/") {
		whole = q.Device
	}
	counted, err := a.o.History.Tallies(ctx, whole, from, to)
	if nhip.ErrorCode(err) == nhip.Unavailable {
		a.log.Warn("the history does not answer", "error", err)
		err = errHistoryAway
	}
	return counted, err
}

// ledgerAfter reads the rows of an answer once more, and those of all other collectors too.
func (a *API) ledgerAfter(ctx context.Context, q *ledgerQuestion, answer *ledgerAnswer, from, to time.Time) ([]nhip.LedgerRow, error) {
	last := answer.Rows[len(answer.Rows)-1].Place()
	ask := nhip.LedgerQuery{Device: q.Device, From: from, To: to, After: q.After}
	var all []nhip.LedgerRow
	for {
		rows, next, silent, err := a.ledgerPage(ctx, a.city.collectors(), ask)
		if err == nil && len(silent) > 0 {
			err = nhip.Errorf(nhip.Unavailable, "verify", "needs all collectors, and %q does not answer", silent)
		}
		if err != nil {
			return nil, err
		}
		if all = append(all, rows...); next == "" || next >= last {
			return all, nil
		}
		ask.After = next
	}
}

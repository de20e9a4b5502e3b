package staff

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"nhip"
	"nhip/internal/influx"
)

// maxCounted bounds the devices and hours that one answer counts in the database, and so the memory for it.
const maxCounted = 500_000

// expectedRows bounds the number of rows of a device and hour in the database. Collectors that receive the same devices
// write the same rows. Therefore the database holds at least the largest count of one collector and at most the sum of
// all.
type expectedRows struct {
	least, most int64
}

// allow reports whether a count is within the bounds.
func (s expectedRows) allow(n int64) bool { return s.least <= n && n <= s.most }

// expectedCounts are the bounds of the stored and the revised rows of a device and hour.
type expectedCounts struct {
	stored, revised expectedRows
}

// allow reports whether the counts of the database are within the bounds.
func (e expectedCounts) allow(n influx.RowCount) bool {
	return e.stored.allow(n.Stored) && e.revised.allow(n.Revised)
}

// expectations are the expected counts of devices and hours.
type expectations map[influx.RowCountKey]expectedCounts

// before adds a collector's row that was read before the database was counted: its rows must be in the database.
func (e expectations) before(r *nhip.LedgerRow) {
	c := e[keyOf(r)]
	c.stored.least = max(c.stored.least, r.Stored)
	c.revised.least = max(c.revised.least, r.Revised)
	c.stored.most += r.Stored
	c.revised.most += r.Revised
	e[keyOf(r)] = c
}

// forget removes the upper bounds, which after gives anew.
func (e expectations) forget(key influx.RowCountKey) {
	c := e[key]
	c.stored.most, c.revised.most = 0, 0
	e[key] = c
}

// after adds a collector's row that was read after the database was counted: rows that were counted are stored or
// pending by then. Rows that count as lost may have been written before their outbox record was lost.
func (e expectations) after(r *nhip.LedgerRow) {
	c := e[keyOf(r)]
	c.stored.most += r.Stored + r.Pending + r.Lost
	c.revised.most += r.Revised + r.Pending + r.Lost
	e[keyOf(r)] = c
}

// keyOf returns the device and hour of a row.
func keyOf(r *nhip.LedgerRow) influx.RowCountKey {
	return influx.RowCountKey{Device: r.Device, Hour: r.Hour.UTC()}
}

// verification compares the rows of an answer with those in the database.
type verification struct {
	q        *ledgerQuery
	answer   *ledgerAnswer
	counted  *influx.RowCounts
	expected expectations
}

// verify compares the rows of an answer with those in the database, and adds a row for each device and hour that only
// the database has. Because rows may be stored meanwhile, the ledger is read before the count, and again after it for
// the hours in which the two differ.
func (h *Handler) verify(ctx context.Context, q *ledgerQuery, answer *ledgerAnswer) error {
	if len(answer.Silent) > 0 {
		return nhip.Errorf(nhip.CodeUnavailable, "verify", "needs all collectors, but %q did not answer", answer.Silent)
	}
	v := &verification{q: q, answer: answer, expected: make(expectations)}
	from, to, err := q.countedHours(answer)
	if err != nil || !from.Before(to) {
		return err
	}
	if v.counted, err = h.count(ctx, q, from, to); err != nil {
		return err
	}
	for i := range answer.Rows {
		v.expected.before(&answer.Rows[i].LedgerRow)
	}
	if from, to, differ := v.differingHours(); differ {
		for key := range v.expected {
			if !key.Hour.Before(from) && key.Hour.Before(to) {
				v.expected.forget(key)
			}
		}
		err := h.ledgerAgain(ctx, q, from, to, v.expected.after)
		if err != nil {
			return err
		}
	}
	v.markRows()
	v.addUnknown()
	return nil
}

// countedHours returns the hours of an answer, including those in which the ledger has no rows. A bound that is open is
// before or after every row.
func (q *ledgerQuery) countedHours(answer *ledgerAnswer) (from, to time.Time, err error) {
	from, to = firstCounted, lastCounted
	if !q.From.IsZero() {
		from = q.From.Add(time.Hour - time.Millisecond).Truncate(time.Hour)
	}
	if !q.To.IsZero() {
		to = q.To.Truncate(time.Hour)
	}
	if q.After != "" {
		hour, _, err := nhip.ParseLedgerCursor(q.After)
		if err != nil {
			return from, to, err
		}
		if hour.After(from) {
			from = hour
		}
	}
	if answer.Next != "" {
		hour, _, err := nhip.ParseLedgerCursor(answer.Next)
		if err != nil {
			return from, to, err
		}
		if end := hour.Add(time.Hour); end.Before(to) {
			to = end
		}
	}
	return from, to, nil
}

// The hours that an unbounded query counts.
var (
	firstCounted = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	lastCounted  = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// includes reports whether a device and hour belong to the answer.
func (v *verification) includes(key influx.RowCountKey) bool {
	row := nhip.LedgerRow{Device: key.Device, Hour: key.Hour}
	cursor := row.Cursor()
	return cursor > v.q.After && (v.answer.Next == "" || cursor <= v.answer.Next) && v.q.Selects(key.Device)
}

// differingHours returns the hours from the first to the last in which the database differs from the ledger as it was
// before the count.
func (v *verification) differingHours() (from, to time.Time, differ bool) {
	note := func(hour time.Time) {
		if !differ || hour.Before(from) {
			from = hour
		}
		if end := hour.Add(time.Hour); !differ || end.After(to) {
			to = end
		}
		differ = true
	}
	for key, expected := range v.expected {
		if !expected.allow(v.counted.Counts[key]) {
			note(key.Hour)
		}
	}
	for key := range v.counted.Counts {
		if _, known := v.expected[key]; !known && v.includes(key) {
			note(key.Hour)
		}
	}
	return from, to, differ
}

// markRows sets the results of the rows of the ledger.
func (v *verification) markRows() {
	for i := range v.answer.Rows {
		row := &v.answer.Rows[i]
		key := keyOf(&row.LedgerRow)
		count, expected := v.counted.Counts[key], v.expected[key]
		if v.counted.MayLack(key) {
			row.Deleted = count.Stored < expected.stored.least || count.Revised < expected.revised.least
			expected.stored.least, expected.revised.least = 0, 0
		}
		row.Counted = &count
		row.Differs = !expected.allow(count)
	}
}

// addUnknown adds a row for each device and hour of the answer that the database has and no collector, and ends the
// answer at its limit again.
func (v *verification) addUnknown() {
	n := len(v.answer.Rows)
	for key, count := range v.counted.Counts {
		if _, known := v.expected[key]; !known && v.includes(key) {
			v.answer.Rows = append(v.answer.Rows, ledgerRow{
				LedgerRow: nhip.LedgerRow{Device: key.Device, Hour: key.Hour, Rejected: map[nhip.Code]int64{}},
				Counted:   &count, Differs: true,
			})
		}
	}
	if len(v.answer.Rows) == n {
		return
	}
	slices.SortStableFunc(v.answer.Rows, func(x, y ledgerRow) int { return strings.Compare(x.Cursor(), y.Cursor()) })
	v.answer.cut(v.q.Limit)
}

// cut ends the answer after limit rows, or later, where the rows of a device and hour would be parted.
func (l *ledgerAnswer) cut(limit int) {
	for n := limit; n < len(l.Rows); n++ {
		if last := l.Rows[n-1].Cursor(); l.Rows[n].Cursor() != last {
			l.Rows, l.Next = l.Rows[:n], last
			return
		}
	}
}

// count counts the rows in the database; only those of the device if the query has its full name, otherwise of all
// devices.
func (h *Handler) count(ctx context.Context, q *ledgerQuery, from, to time.Time) (*influx.RowCounts, error) {
	release, err := h.Slots.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	device := ""
	if strings.Contains(q.Device, "/") {
		device = q.Device
	}
	counted, err := h.History.RowCounts(ctx, influx.RowCountQuery{
		Device: device, From: from, To: to, Now: h.Clock.Now(), Max: maxCounted,
	})
	if err != nil && nhip.ErrorCode(err) != nhip.CodeTooLarge {
		err = h.historyError("ledger", err) // a token that is refused is not the client's fault
	}
	return counted, err
}

// ledgerAgain reads the rows of hours again, from all collectors.
func (h *Handler) ledgerAgain(
	ctx context.Context, q *ledgerQuery, from, to time.Time, yield func(*nhip.LedgerRow),
) error {
	page := nhip.LedgerQuery{Device: q.Device, From: from, To: to, Limit: math.MaxInt}
	for {
		rows, next, silent, err := h.ledgerPage(ctx, h.Collectors.all(), page)
		if err == nil && len(silent) > 0 {
			err = nhip.Errorf(nhip.CodeUnavailable, "verify", "needs all collectors, but %q did not answer", silent)
		}
		if err != nil {
			return err
		}
		for i := range rows {
			yield(&rows[i])
		}
		if next == "" {
			return nil
		}
		page.After = next
	}
}

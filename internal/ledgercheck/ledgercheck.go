// Package ledgercheck compares the ledger of the collectors with the rows of another database than that of the api: a
// copy of the history, before the roles use it.
package ledgercheck

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"nhip"
	"nhip/client"
	"nhip/internal/influx"
)

// maxCompared bounds the devices and hours that are compared at once, and so the memory.
const maxCompared = 500_000

// Pages returns one page with all rows of pages, which q selects, each with the counts of a database. The ledger is
// read before the rows are counted, so that rows that are stored meanwhile are not missed.
func Pages(
	ctx context.Context, db influx.Options, q client.LedgerQuery, pages iter.Seq2[*client.LedgerPage, error],
) iter.Seq2[*client.LedgerPage, error] {
	return func(yield func(*client.LedgerPage, error) bool) {
		var all client.LedgerPage
		for page, err := range pages {
			if err == nil && len(all.Rows)+len(page.Rows) > maxCompared {
				err = fmt.Errorf("the ledger has more than %d rows: verify parts of it with --from and --to", maxCompared)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			all.Rows, all.Silent = append(all.Rows, page.Rows...), page.Silent
		}
		counts, err := count(ctx, db, &q)
		if err != nil {
			yield(nil, err)
			return
		}
		markCounted(&all, counts, q.Device)
		yield(&all, nil)
	}
}

// count counts the rows of the hours of a query.
func count(ctx context.Context, o influx.Options, q *client.LedgerQuery) (*influx.RowCounts, error) {
	db, err := influx.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	device := ""
	if strings.Contains(q.Device, "/") { // its full name
		device = q.Device
	}
	from, to := q.From.Truncate(time.Hour), q.To.Truncate(time.Hour)
	if q.From.After(from) {
		from = from.Add(time.Hour)
	}
	if q.From.IsZero() {
		from = time.Unix(0, 0)
	}
	if q.To.IsZero() {
		to = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return db.RowCounts(ctx, influx.RowCountQuery{
		Device: device, From: from, To: to, Now: time.Now(), Max: maxCompared,
	})
}

// markCounted sets the results of the rows, and adds a row for each device and hour that only the database has. Several
// collectors that receive the same device write the same rows: the database holds at least what one of them stored, and
// at most what all of them did.
func markCounted(page *client.LedgerPage, counts *influx.RowCounts, device string) {
	type bounds struct{ stored, storedMost, revised, revisedMost int64 }
	expected := make(map[influx.RowCountKey]bounds, len(page.Rows))
	for i := range page.Rows {
		r := &page.Rows[i]
		b, open := expected[rowKey(r)], r.Pending+r.Lost
		expected[rowKey(r)] = bounds{
			max(b.stored, r.Stored), b.storedMost + r.Stored + open, max(b.revised, r.Revised), b.revisedMost + r.Revised + open,
		}
	}
	for i := range page.Rows {
		r := &page.Rows[i]
		key := rowKey(r)
		n, b := counts.Counts[key], expected[key]
		lacks := n.Stored < b.stored || n.Revised < b.revised
		r.Counted = &client.RowCount{Stored: n.Stored, Revised: n.Revised}
		r.Deleted = lacks && counts.MayLack(key)
		r.Differs = lacks && !r.Deleted || n.Stored > b.storedMost || n.Revised > b.revisedMost
	}
	query := nhip.LedgerQuery{Device: device}
	for key, n := range counts.Counts {
		if _, known := expected[key]; !known && query.Selects(key.Device) {
			page.Rows = append(page.Rows, client.LedgerRow{
				LedgerRow: nhip.LedgerRow{Device: key.Device, Hour: key.Hour},
				Counted:   &client.RowCount{Stored: n.Stored, Revised: n.Revised}, Differs: true,
			})
		}
	}
	slices.SortStableFunc(page.Rows, func(x, y client.LedgerRow) int { return strings.Compare(x.Cursor(), y.Cursor()) })
}

func rowKey(r *client.LedgerRow) influx.RowCountKey {
	return influx.RowCountKey{Device: r.Device, Hour: r.Hour.UTC()}
}

package staff

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"nhip"
	"nhip/api/rest"
	"nhip/internal/influx"
	"nhip/internal/rpc"
)

// Limits of an answer from the ledger.
const (
	defaultRows = 1000
	maxRows     = 10_000
)

// ledgerAnswer is the answer of GET /v1/ledger.
type ledgerAnswer struct {
	Rows   []ledgerRow `json:"rows"`
	Next   string      `json:"next,omitempty"`
	Silent []string    `json:"silent,omitempty"` // collectors that did not answer
}

// ledgerRow is a row of the ledger with the results of its checks.
type ledgerRow struct {
	nhip.LedgerRow
	Unbalanced bool             `json:"unbalanced,omitempty"` // received differs from the sum of the outcomes
	Counted    *influx.RowCount `json:"counted,omitempty"`    // rows of the device and hour in the database
	Deleted    bool             `json:"deleted,omitempty"`    // rows are missing that a retention policy may have deleted
	Differs    bool             `json:"differs,omitempty"`    // Counted differs from the counts of the collectors
}

// ledgerQuery is a query of the ledger.
type ledgerQuery struct {
	nhip.LedgerQuery
	collectors []string
	verify     bool
	format     string // "": the client accepts no format
}

// getLedger answers GET /v1/ledger.
func (h *Handler) getLedger(w http.ResponseWriter, r *http.Request) error {
	q, err := h.ledgerQuery(r)
	if err != nil {
		return err
	}
	if q.format == "" {
		return rest.ErrNotAcceptable
	}
	answer, err := h.readLedger(r.Context(), q)
	if err == nil && q.verify {
		err = h.verify(r.Context(), q, answer)
	}
	switch {
	case err != nil:
		return err
	case q.format == rest.FormatCSV:
		h.CSV(w, "ledger", rest.NoStore, answer.csv())
		return nil
	default:
		return h.JSON(w, rest.NoStore, answer)
	}
}

// ledgerQuery reads the query of GET /v1/ledger.
func (h *Handler) ledgerQuery(r *http.Request) (*ledgerQuery, error) {
	q := rest.ReadQuery(r, "collector", "device", "from", "to", "verify", "limit", "after", "format")
	query := &ledgerQuery{
		LedgerQuery: nhip.LedgerQuery{
			Device: q.Text("device"), From: q.Time("from", time.Time{}), To: q.Time("to", time.Time{}),
			After: q.Text("after"), Limit: q.Integer("limit", defaultRows, 1, maxRows),
		},
		verify: q.Boolean("verify"), format: q.Format(r),
	}
	name := q.Text("collector")
	if q.Err != nil {
		return nil, q.Err
	}
	var err error
	query.collectors, err = h.Collectors.named(name)
	return query, err
}

// readLedger merges the pages of the collectors up to the limit, ordered by hour, device and collector. It never splits
// the rows of one hour and device over two answers.
func (h *Handler) readLedger(ctx context.Context, q *ledgerQuery) (*ledgerAnswer, error) {
	answer := &ledgerAnswer{Rows: []ledgerRow{}}
	page := q.LedgerQuery
	for {
		rows, next, silent, err := h.ledgerPage(ctx, q.collectors, page)
		if err != nil {
			return nil, err
		}
		answer.Silent = silent
		for _, row := range rows {
			if answer.endsBefore(&row, q) {
				answer.Next = answer.Rows[len(answer.Rows)-1].Cursor()
				return answer, nil
			}
			answer.Rows = append(answer.Rows, ledgerRow{LedgerRow: row, Unbalanced: !row.Balanced()})
		}
		if next == "" {
			return answer, nil
		}
		page.After = next
	}
}

// endsBefore reports whether the answer must end before a row, because of its limit.
func (l *ledgerAnswer) endsBefore(row *nhip.LedgerRow, q *ledgerQuery) bool {
	if len(l.Rows) == 0 {
		return false
	}
	last := &l.Rows[len(l.Rows)-1]
	return last.Cursor() != row.Cursor() && len(l.Rows) >= q.Limit
}

// ledgerPage merges one page of each collector, up to the cursor that all collectors have reached. next is that cursor,
// or "" if all have reached the end.
func (h *Handler) ledgerPage(
	ctx context.Context, collectors []string, q nhip.LedgerQuery,
) (rows []nhip.LedgerRow, next string, silent []string, err error) {
	pages, silent, err := fanOut[nhip.LedgerPage](ctx, h.Collectors, collectors, rpc.MethodLedger, q)
	if err != nil {
		return nil, "", nil, err
	}
	for _, p := range pages {
		if p.Next != "" && (next == "" || p.Next < next) {
			next = p.Next
		}
	}
	for _, c := range slices.Sorted(maps.Keys(pages)) {
		for _, row := range pages[c].Rows {
			if next == "" || row.Cursor() <= next {
				rows = append(rows, row)
			}
		}
	}
	slices.SortStableFunc(rows, func(x, y nhip.LedgerRow) int { return strings.Compare(x.Cursor(), y.Cursor()) })
	return rows, next, silent, nil
}

// ledgerColumns are the columns of the CSV answer.
const ledgerColumns = "collector,device,hour,received,stored,duplicate,revised,rejected,lost,pending,reasons," +
	"unbalanced," +
	"counted_stored,counted_revised,differs,deleted\n"

// csv encodes the answer as CSV.
func (l *ledgerAnswer) csv() []byte {
	b := []byte(rest.ByteOrderMark + ledgerColumns)
	for i := range l.Rows {
		b = l.Rows[i].appendCSV(b)
	}
	return b
}

// appendCSV appends the row as CSV.
func (l *ledgerRow) appendCSV(b []byte) []byte {
	r := rest.NewCSVRow(b)
	r.Text(l.Collector)
	r.Text(l.Device)
	r.Time(l.Hour)
	for _, n := range []int64{l.Received, l.Stored, l.Duplicate, l.Revised, l.TotalRejected(), l.Lost, l.Pending} {
		r.Integer(n)
	}
	var reasons []string
	for _, code := range slices.Sorted(maps.Keys(l.Rejected)) {
		reasons = append(reasons, string(code)+":"+strconv.FormatInt(l.Rejected[code], 10))
	}
	r.Text(strings.Join(reasons, " "))
	r.Raw(strconv.FormatBool(l.Unbalanced))
	if l.Counted == nil {
		for range 4 {
			r.Raw("")
		}
		return r.End()
	}
	r.Integer(l.Counted.Stored)
	r.Integer(l.Counted.Revised)
	r.Raw(strconv.FormatBool(l.Differs))
	r.Raw(strconv.FormatBool(l.Deleted))
	return r.End()
}

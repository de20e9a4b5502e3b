package api

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"nhip"
	"nhip/internal/ask"
	"nhip/internal/influx"
	"nhip/internal/problem"
)

// Bounds of an answer from the ledger.
const (
	defaultRows = 1000
	maxRows     = 10_000

	// maxVerified is the span of time whose rows are counted in the database for one answer, which ends
	// there.
	maxVerified = 48 * time.Hour
)

// ledgerAnswer is the answer of GET /v1/ledger.
type ledgerAnswer struct {
	Rows   []ledgerRow `json:"rows"`
	Next   string      `json:"next,omitempty"`
	Silent []string    `json:"silent,omitempty"` // collectors that did not answer
}

// ledgerRow is a row with what was found about it.
type ledgerRow struct {
	nhip.LedgerRow
	Unbalanced bool          `json:"unbalanced,omitempty"` // its sum does not hold
	Counted    *influx.Tally `json:"counted,omitempty"`    // by the database, of the device and hour
	Differs    bool          `json:"differs,omitempty"`    // from what the collectors say is stored
}

// ledgerQuestion is what is asked.
type ledgerQuestion struct {
	nhip.LedgerQuery
	collectors []string
	verify     bool
	form       string
}

// ledger answers GET /v1/ledger.
func (a *API) ledger(w http.ResponseWriter, r *http.Request) {
	q, err := a.ledgerQuestion(r)
	if err != nil {
		a.problem(w, r, err)
		return
	}
	if q.form == "" {
		noForm(w)
		return
	}
	answer, err := a.readLedger(r.Context(), q)
	if err == nil && q.verify {
		err = a.verify(r.Context(), q, answer)
	}
	switch {
	case err != nil:
		a.problem(w, r, err)
	case q.form == formCSV:
		startCSV(w.Header(), "ledger")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write(answer.csv()) // the client may be gone
	default:
		problem.WriteJSON(w, http.StatusOK, formJSON, answer)
	}
}

func (a *API) ledgerQuestion(r *http.Request) (*ledgerQuestion, error) {
	q := readQuery(r, "collector", "device", "from", "to", "verify", "limit", "after", "format")
	ask := &ledgerQuestion{
		LedgerQuery: nhip.LedgerQuery{
			Device: q.text("device"), From: q.time("from", time.Time{}), To: q.time("to", time.Time{}),
			After: q.text("after"), Limit: q.integer("limit", defaultRows, 1, maxRows),
		},
		verify: q.boolean("verify"), form: q.form(r),
	}
	name := q.text("collector")
	if q.err != nil {
		return nil, q.err
	}
	var err error
	ask.collectors, err = a.asked(name)
	return ask, err
}

// readLedger gathers the collectors' pages until there is enough, in the order of hour, then device,
// then collector. What several say of one hour and device is never divided over two answers.
func (a *API) readLedger(ctx context.Context, q *ledgerQuestion) (*ledgerAnswer, error) {
	answer := &ledgerAnswer{Rows: []ledgerRow{}}
	ask := q.LedgerQuery
	for {
		rows, next, silent, err := a.ledgerPage(ctx, q.collectors, ask)
		if err != nil {
			return nil, err
		}
		answer.Silent = silent
		for _, row := range rows {
			if answer.endsBefore(&row, q) {
				answer.Next = answer.Rows[len(answer.Rows)-1].Place()
				return answer, nil
			}
			answer.Rows = append(answer.Rows, ledgerRow{LedgerRow: row, Unbalanced: !row.Balanced()})
		}
		if next == "" {
			return answer, nil
		}
		ask.After = next
	}
}

// endsBefore reports whether an answer is complete without a row.
func (l *ledgerAnswer) endsBefore(row *nhip.LedgerRow, q *ledgerQuestion) bool {
	if len(l.Rows) == 0 {
		return false
	}
	first, last := &l.Rows[0], &l.Rows[len(l.Rows)-1]
	return last.Place() != row.Place() && len(l.Rows) >= q.Limit || q.verify && row.Hour.Sub(first.Hour) >= maxVerified
}

// ledgerPage merges a page of each collector, as far as all of them have looked; next is that place,
// "" when all have come to the end.
func (a *API) ledgerPage(ctx context.Context, collectors []string, q nhip.LedgerQuery) (rows []nhip.LedgerRow, next string, silent []string, err error) {
	pages, silent, err := answersOf[nhip.LedgerPage](ctx, a, collectors, ask.Ledger, q)
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
			if next == "" || row.Place() <= next {
				rows = append(rows, row)
			}
		}
	}
	slices.SortStableFunc(rows, func(x, y nhip.LedgerRow) int { return strings.Compare(x.Place(), y.Place()) })
	return rows, next, silent, nil
}

const ledgerColumns = "collector,device,hour,received,stored,duplicate,revised,rejected,pending,reasons,unbalanced,counted_stored,counted_revised,differs\n"

func (l *ledgerAnswer) csv() []byte {
	b := []byte(byteOrderMark + ledgerColumns)
	for i := range l.Rows {
		b = l.Rows[i].appendCSV(b)
	}
	return b
}

func (l *ledgerRow) appendCSV(b []byte) []byte {
	r := row{b}
	whole := func(n int64) { r.raw(strconv.FormatInt(n, 10)) }
	r.text(l.Collector)
	r.text(l.Device)
	r.time(l.Hour)
	for _, n := range []int64{l.Received, l.Stored, l.Duplicate, l.Revised, l.AllRejected(), l.Pending} {
		whole(n)
	}
	var reasons []string
	for _, code := range slices.Sorted(maps.Keys(l.Rejected)) {
		reasons = append(reasons, string(code)+":"+strconv.FormatInt(l.Rejected[code], 10))
	}
	r.text(strings.Join(reasons, " "))
	r.raw(strconv.FormatBool(l.Unbalanced))
	if l.Counted == nil {
		r.raw("")
		r.raw("")
		r.raw("")
		return r.end()
	}
	whole(l.Counted.Stored)
	whole(l.Counted.Revised)
	r.raw(strconv.FormatBool(l.Differs))
	return r.end()
}

package stafftext

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"nhip"
	"nhip/client"
)

// LedgerSum sums up rows. The zero LedgerSum has none.
type LedgerSum struct {
	rows                                                          int
	received, stored, duplicate, revised, rejected, lost, pending int64
	reasons                                                       map[nhip.Code]int64
	unbalanced, differ                                            int
}

// Add adds a row.
func (s *LedgerSum) Add(r *client.LedgerRow) {
	if s.reasons == nil {
		s.reasons = make(map[nhip.Code]int64)
	}
	s.rows++
	s.received += r.Received
	s.stored += r.Stored
	s.duplicate += r.Duplicate
	s.revised += r.Revised
	s.rejected += r.TotalRejected()
	s.lost += r.Lost
	s.pending += r.Pending
	for code, n := range r.Rejected {
		s.reasons[code] += n
	}
	if r.Unbalanced {
		s.unbalanced++
	}
	if r.Differs {
		s.differ++
	}
}

// Fault returns what is wrong with the ledger; nil if nothing is.
func (s *LedgerSum) Fault(verified bool) error {
	var errs []error
	if s.unbalanced > 0 {
		errs = append(errs, fmt.Errorf("%d of %d rows do not balance; this is a fault of nhip", s.unbalanced, s.rows))
	}
	if verified && s.differ > 0 {
		errs = append(errs, fmt.Errorf("%d of %d rows differ from the database", s.differ, s.rows))
	}
	return errors.Join(errs...)
}

// LedgerPrinter prints rows as they arrive, and their sum at the end.
type LedgerPrinter interface {
	Row(*client.LedgerRow) error
	End(*LedgerSum) error
}

// NewLedgerTable returns a printer of a table.
func NewLedgerTable(w io.Writer) LedgerPrinter {
	return &ledgerTable{w: tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
}

// NewLedgerJSON returns a printer of one JSON object, as /v1/ledger answers.
func NewLedgerJSON(w io.Writer) LedgerPrinter { return &ledgerJSON{w: w} }

// ledgerJSON prints one JSON object.
type ledgerJSON struct {
	w     io.Writer
	begun bool
}

// Row prints a row.
func (p *ledgerJSON) Row(r *client.LedgerRow) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return err
	}
	before := ",\n"
	if !p.begun {
		before, p.begun = "{\"rows\":[\n", true
	}
	_, err = fmt.Fprintf(p.w, "%s%s", before, raw)
	return err
}

// End prints the end of the object.
func (p *ledgerJSON) End(*LedgerSum) error {
	text := "\n]}\n"
	if !p.begun {
		text = "{\"rows\":[]}\n"
	}
	_, err := io.WriteString(p.w, text)
	return err
}

// ledgerTable prints a table. It flushes after every screenful, which may change the column widths.
type ledgerTable struct {
	w *tabwriter.Writer
	n int
}

const screenful = 500

// Row prints a row.
func (p *ledgerTable) Row(r *client.LedgerRow) error {
	if p.n%screenful == 0 {
		fmt.Fprintln(p.w, "HOUR\tDEVICE\tCOLLECTOR\tRECEIVED\tSTORED\tDUPLICATE\tREVISED\tREJECTED\tLOST\tPENDING\t")
	}
	p.n++
	fmt.Fprintf(p.w, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\n",
		r.Hour.Format("2006-01-02T15Z"), r.Device, r.Collector,
		r.Received, r.Stored, r.Duplicate, r.Revised, r.TotalRejected(), r.Lost, r.Pending, remarks(r))
	if p.n%screenful == 0 {
		return p.w.Flush()
	}
	return nil
}

// remarks lists why rows were rejected and what is wrong with the row.
func remarks(r *client.LedgerRow) string {
	all := formatReasons(r.Rejected)
	if r.Unbalanced {
		all = append(all, "DOES NOT BALANCE")
	}
	if r.Deleted {
		all = append(all, fmt.Sprintf("the database holds %d and %d revised: older rows were deleted",
			r.Counted.Stored, r.Counted.Revised))
	}
	if r.Differs {
		all = append(all, fmt.Sprintf("THE DATABASE HOLDS %d AND %d REVISED", r.Counted.Stored, r.Counted.Revised))
	}
	return strings.Join(all, ", ")
}

func formatReasons(rejected map[nhip.Code]int64) (all []string) {
	for _, code := range slices.Sorted(maps.Keys(rejected)) {
		all = append(all, fmt.Sprintf("%s %d", code, rejected[code]))
	}
	return all
}

// End prints the sum.
func (p *ledgerTable) End(s *LedgerSum) error {
	if s.rows == 0 {
		_, err := fmt.Fprintln(p.w, "no rows")
		return errors.Join(err, p.w.Flush())
	}
	fmt.Fprintf(p.w, "all\t%d rows\t\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\n", s.rows,
		s.received, s.stored, s.duplicate, s.revised, s.rejected, s.lost, s.pending,
		strings.Join(formatReasons(s.reasons), ", "))
	return p.w.Flush()
}

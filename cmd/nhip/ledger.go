package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"nhip"
	"nhip/client"
)

// ledgerCmd is nhip ledger.
type ledgerCmd struct {
	operatorFlags

	Collector string `help:"Only of this collector." placeholder:"ID"`
	Device    string `help:"${help_ledger_device}" placeholder:"DEVICE"`
	From      moment `help:"First hour of device time: 2026-02-16T15:00:00Z, or 2026-02-16." placeholder:"TIME"`
	To        moment `help:"End of the last hour." placeholder:"TIME"`
	JSON      bool   `help:"Print JSON, as /v1/ledger answers."`
	Verify    bool   `help:"Compare with the database's row counts, and exit with 1 if they differ."`

	otherDatabase
}

// Run prints the ledger and its sums. It fails if a row does not balance, if the database differs, or if a collector
// does not answer.
func (c *ledgerCmd) Run(e *env) error {
	o, err := c.connect()
	if err != nil {
		return err
	}
	q, err := c.query()
	if err != nil {
		return err
	}
	out := ledgerPrinter(&ledgerTable{w: tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)})
	if c.JSON {
		out = &ledgerJSON{w: e.stdout}
	}
	sum := &ledgerSum{reasons: make(map[nhip.Code]int64)}
	pages := o.LedgerPages(e.ctx, q)
	if c.In != "" {
		pages = c.compared(e, &q, pages)
	}
	for page, err := range pages {
		if err != nil {
			return err
		}
		for i := range page.Rows {
			sum.add(&page.Rows[i])
			if err := out.row(&page.Rows[i]); err != nil {
				return err
			}
		}
		sum.silent = page.Silent
	}
	if err := out.end(sum); err != nil {
		return err
	}
	return sum.fault(c.Verify)
}

func (c *ledgerCmd) query() (client.LedgerQuery, error) {
	from, errFrom := c.From.parse("from", time.Time{})
	to, errTo := c.To.parse("to", time.Time{})
	q := client.LedgerQuery{Collector: c.Collector, Device: c.Device, From: from, To: to, Verify: c.Verify && c.In == ""}
	if c.Verify {
		q.Limit = verifiedRows
	}
	return q, errors.Join(errFrom, errTo, c.check(c))
}

// verifiedRows is how many rows of the ledger one request verifies: the most that the API allows, because each request
// counts whole hours of all devices.
const verifiedRows = 10_000

// ledgerSum sums up all rows.
type ledgerSum struct {
	rows                                                          int
	received, stored, duplicate, revised, rejected, lost, pending int64
	reasons                                                       map[nhip.Code]int64
	unbalanced, differ                                            int
	silent                                                        []string
}

func (s *ledgerSum) add(r *client.LedgerRow) {
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

// fault returns what is wrong with the ledger; nil if nothing is.
func (s *ledgerSum) fault(verified bool) error {
	var errs []error
	if s.unbalanced > 0 {
		errs = append(errs, fmt.Errorf("%d of %d rows do not balance; this is a fault of nhip", s.unbalanced, s.rows))
	}
	if verified && s.differ > 0 {
		errs = append(errs, fmt.Errorf("%d of %d rows differ from the database", s.differ, s.rows))
	}
	return errors.Join(append(errs, errIncomplete(s.silent))...)
}

// ledgerPrinter prints rows as they arrive.
type ledgerPrinter interface {
	row(*client.LedgerRow) error
	end(*ledgerSum) error
}

// ledgerJSON prints one JSON object.
type ledgerJSON struct {
	w     io.Writer
	begun bool
}

func (p *ledgerJSON) row(r *client.LedgerRow) error {
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

func (p *ledgerJSON) end(*ledgerSum) error {
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

func (p *ledgerTable) row(r *client.LedgerRow) error {
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

func (p *ledgerTable) end(s *ledgerSum) error {
	if s.rows == 0 {
		_, err := fmt.Fprintln(p.w, "no rows")
		return errors.Join(err, p.w.Flush())
	}
	fmt.Fprintf(p.w, "all\t%d rows\t\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\n", s.rows,
		s.received, s.stored, s.duplicate, s.revised, s.rejected, s.lost, s.pending,
		strings.Join(formatReasons(s.reasons), ", "))
	return p.w.Flush()
}

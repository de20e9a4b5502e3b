package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"nhip"
)

// ledgerCmd is nhip ledger.
type ledgerCmd struct {
	operatorFlags

	Collector string `help:"Only this collector's." placeholder:"ID"`
	Device    string `help:"Only of this device: bus/<agency>/<vehicle>, air/<station>, or the last part alone." placeholder:"DEVICE"`
	From      moment `help:"First hour of device time: 2026-02-16T15:00:00Z, or 2026-02-16." placeholder:"TIME"`
	To        moment `help:"The hour after the last." placeholder:"TIME"`
	JSON      bool   `help:"Print JSON, as /v1/ledger answers."`
	Verify    bool   `help:"Let the database count its rows, too, and exit with 1 where they differ."`
}

// auditedRow is a row with what the api found about it.
type auditedRow struct {
	nhip.LedgerRow
	Unbalanced bool                             `json:"unbalanced,omitempty"`
	Counted    *struct{ Stored, Revised int64 } `json:"counted,omitempty"`
	Differs    bool                             `json:"differs,omitempty"`
}

// Run prints the ledger as it comes, and its sum. It fails when a row does not balance, when the
// database differs, and when a collector does not answer.
func (c *ledgerCmd) Run(e *env) error {
	o, err := c.connect(e)
	if err != nil {
		return err
	}
	out := ledgerPrinter(&ledgerTable{w: tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)})
	if c.JSON {
		out = &ledgerJSON{w: e.stdout}
	}
	sum, err := c.read(o, out)
	if err != nil {
		return err
	}
	if err := out.end(sum); err != nil {
		return err
	}
	return sum.fault(c.Verify)
}

// read goes through all pages.
func (c *ledgerCmd) read(o *operator, out ledgerPrinter) (*ledgerSum, error) {
	q, err := c.query()
	if err != nil {
		return nil, err
	}
	sum := &ledgerSum{reasons: make(map[nhip.Code]int64)}
	for {
		var page struct {
			Rows   []json.RawMessage
			Next   string
			Silent []string
		}
		if err := o.get("/v1/ledger", q, &page); err != nil {
			return nil, err
		}
		for _, raw := range page.Rows {
			var row auditedRow
			if err := json.Unmarshal(raw, &row); err != nil {
				return nil, fmt.Errorf("the api's answer can't be read: %w", err)
			}
			sum.add(&row)
			if err := out.row(raw, &row); err != nil {
				return nil, err
			}
		}
		if sum.silent = page.Silent; page.Next == "" {
			return sum, nil
		}
		q.Set("after", page.Next)
	}
}

func (c *ledgerCmd) query() (url.Values, error) {
	q := url.Values{}
	setText(q, "collector", c.Collector)
	setText(q, "device", c.Device)
	if c.Verify {
		q.Set("verify", "true")
	}
	return q, errors.Join(c.From.add(q, "from"), c.To.add(q, "to"))
}

// ledgerSum is the sum of all rows.
type ledgerSum struct {
	rows                                                    int
	received, stored, duplicate, revised, rejected, pending int64
	reasons                                                 map[nhip.Code]int64
	unbalanced, differ                                      int
	silent                                                  []string
}

func (s *ledgerSum) add(r *auditedRow) {
	s.rows++
	s.received += r.Received
	s.stored += r.Stored
	s.duplicate += r.Duplicate
	s.revised += r.Revised
	s.rejected += r.AllRejected()
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

// fault returns what is wrong, nil when nothing is.
func (s *ledgerSum) fault(verified bool) error {
	var errs []error
	if s.unbalanced > 0 {
		errs = append(errs, fmt.Errorf("%d of %d rows do not balance; this is a fault of nhip", s.unbalanced, s.rows))
	}
	if verified && s.differ > 0 {
		errs = append(errs, fmt.Errorf("in %d of %d rows the database holds something else than the ledger says", s.differ, s.rows))
	}
	if len(s.silent) > 0 {
		errs = append(errs, fmt.Errorf("what is shown is not all: no answer from %s", strings.Join(s.silent, ", ")))
	}
	return errors.Join(errs...)
}

// ledgerPrinter prints rows as they come.
type ledgerPrinter interface {
	row(raw json.RawMessage, r *auditedRow) error
	end(*ledgerSum) error
}

// ledgerJSON prints one object.
type ledgerJSON struct {
	w     io.Writer
	begun bool
}

func (p *ledgerJSON) row(raw json.RawMessage, _ *auditedRow) error {
	before := ",\n"
	if !p.begun {
		before, p.begun = "{\"rows\":[\n", true
	}
	_, err := fmt.Fprintf(p.w, "%s%s", before, raw)
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

// ledgerTable prints columns, whose widths it settles anew after a screenful.
type ledgerTable struct {
	w *tabwriter.Writer
	n int
}

const screenful = 500

func (p *ledgerTable) row(_ json.RawMessage, r *auditedRow) error {
	if p.n%screenful == 0 {
		fmt.Fprintln(p.w, "HOUR\tDEVICE\tCOLLECTOR\tRECEIVED\tSTORED\tDUPLICATE\tREVISED\tREJECTED\tPENDING\t")
	}
	p.n++
	fmt.Fprintf(p.w, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%s\n", r.Hour.Format("2006-01-02T15Z"), r.Device, r.Collector,
		r.Received, r.Stored, r.Duplicate, r.Revised, r.AllRejected(), r.Pending, remarks(r))
	if p.n%screenful == 0 {
		return p.w.Flush()
	}
	return nil
}

// remarks tells why rows were rejected, and what is wrong.
func remarks(r *auditedRow) string {
	all := reasonsOf(r.Rejected)
	if r.Unbalanced {
		all = append(all, "DOES NOT BALANCE")
	}
	if r.Differs {
		all = append(all, fmt.Sprintf("THE DATABASE HOLDS %d AND %d REVISED", r.Counted.Stored, r.Counted.Revised))
	}
	return strings.Join(all, ", ")
}

func reasonsOf(rejected map[nhip.Code]int64) (all []string) {
	for _, code := range slices.Sorted(maps.Keys(rejected)) {
		all = append(all, fmt.Sprintf("%s %d", code, rejected[code]))
	}
	return all
}

func (p *ledgerTable) end(s *ledgerSum) error {
	if s.rows == 0 {
		_, err := fmt.Fprintln(p.w, "nothing was received")
		return errors.Join(err, p.w.Flush())
	}
	fmt.Fprintf(p.w, "all\t%d rows\t\t%d\t%d\t%d\t%d\t%d\t%d\t%s\n", s.rows,
		s.received, s.stored, s.duplicate, s.revised, s.rejected, s.pending, strings.Join(reasonsOf(s.reasons), ", "))
	return p.w.Flush()
}

// stamp writes a time for people.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

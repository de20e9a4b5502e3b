package main

import (
	"errors"
	"time"

	"nhip/client"
	"nhip/internal/ledgercheck"
	"nhip/internal/stafftext"
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
	out := stafftext.NewLedgerTable(e.stdout)
	if c.JSON {
		out = stafftext.NewLedgerJSON(e.stdout)
	}
	var sum stafftext.LedgerSum
	var silent []string
	pages := o.LedgerPages(e.ctx, q)
	if c.In != "" {
		pages = ledgercheck.Pages(e.ctx, c.otherDatabase.options(e), q, pages)
	}
	for page, err := range pages {
		if err != nil {
			return err
		}
		for i := range page.Rows {
			sum.Add(&page.Rows[i])
			if err := out.Row(&page.Rows[i]); err != nil {
				return err
			}
		}
		silent = page.Silent
	}
	if err := out.End(&sum); err != nil {
		return err
	}
	return errors.Join(sum.Fault(c.Verify), errIncomplete(silent))
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

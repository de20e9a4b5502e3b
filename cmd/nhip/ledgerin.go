package main

import (
	"errors"

	"nhip/internal/influx"
)

// otherDatabase is an InfluxDB that the ledger is verified against, in place of the one of the api: a copy of the
// history, before the roles use it.
type otherDatabase struct {
	In       string `help:"${help_ledger_in}" placeholder:"URL"`
	InToken  string `help:"Token there, with the rights of an api." env:"INFLUX_TOKEN" placeholder:"TOKEN"`
	InOrg    string `help:"Organisation there, for InfluxDB 2.x." placeholder:"NAME"`
	InBucket string `help:"Bucket there." default:"nhip" placeholder:"NAME"`
}

func (d *otherDatabase) check(c *ledgerCmd) error {
	switch {
	case d.In == "":
		return nil
	case !c.Verify:
		return errors.New("--in: has no effect without --verify")
	case c.Collector != "":
		return errors.New("--in: can't be combined with --collector: the database does not know the collector of a row")
	}
	return nil
}

// options returns the database.
func (d *otherDatabase) options(e *env) influx.Options {
	return influx.Options{URL: d.In, Token: d.InToken, Org: d.InOrg, Bucket: d.InBucket, Logger: e.log}
}

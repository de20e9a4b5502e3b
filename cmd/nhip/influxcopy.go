package main

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"nhip/internal/influx"
)

// influxCopyCmd is nhip influx copy.
type influxCopyCmd struct {
	databaseFlags

	To       string `help:"InfluxDB to copy to." required:"" placeholder:"URL"`
	ToToken  string `help:"${help_copy_token}" env:"INFLUX_TOKEN" placeholder:"TOKEN"`
	ToOrg    string `help:"Organisation there, for InfluxDB 2.x." placeholder:"NAME"`
	ToBucket string `help:"Bucket there; default: the same name." placeholder:"NAME"`
	Since    moment `help:"${help_copy_since}" placeholder:"TIME"`
	Rate     int    `help:"Rows to read, write and compare a second; 0: no limit." default:"20000"`
	Progress string `help:"${help_copy_progress}" type:"path" placeholder:"FILE"`
}

// copyLogEvery is the interval of log entries about the progress of a copy, which may take days.
const copyLogEvery = 10 * time.Second

// Run copies the history and says how much was copied.
func (c *influxCopyCmd) Run(e *env) error {
	o, err := c.options(e)
	if err != nil {
		return err
	}
	last := time.Now()
	o.Notify = func(p influx.CopyProgress) {
		if time.Since(last) < copyLogEvery {
			return
		}
		last = time.Now()
		e.log.Info("copying", "measurement", p.Measurement, "until", p.End, "read", p.Read, "written", p.Written)
	}
	done, err := influx.Copy(e.ctx, o)
	if e.ctx.Err() != nil {
		return fmt.Errorf("interrupted after %d rows; the same command goes on from here", done.Read)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "%d rows are the same in both: %d written, %d spans with rows that are gone cleared\n",
		done.Read, done.Written, done.Deleted)
	return err
}

func (c *influxCopyCmd) options(e *env) (influx.CopyOptions, error) {
	if c.Rate < 0 {
		return influx.CopyOptions{}, errors.New("--rate: must not be negative")
	}
	from, err := c.database(e)
	if err != nil {
		return influx.CopyOptions{}, err
	}
	since, err := c.Since.parse("since", time.Time{})
	if err != nil {
		return influx.CopyOptions{}, err
	}
	to := influx.Options{
		URL: c.To, Token: c.ToToken, Org: c.ToOrg, Bucket: cmp.Or(c.ToBucket, from.Bucket), Logger: e.log,
	}
	return influx.CopyOptions{
		From: from, To: to, Since: since, Rate: c.Rate,
		Progress: cmp.Or(c.Progress, filepath.Join(c.DataDir, "influx-copy.jsonl")),
	}, nil
}

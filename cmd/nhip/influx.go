package main

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"nhip"
	"nhip/app"
	"nhip/internal/config"
	"nhip/internal/influx"
	"nhip/internal/running"
	"nhip/internal/settings"
)

// influxCmd is nhip influx.
type influxCmd struct {
	Serve influxServeCmd `cmd:"" help:"Run the embedded InfluxDB alone, for roles that run apart on one machine."`
	Setup influxSetupCmd `cmd:"" help:"Create the bucket, its mapping for InfluxQL, its retention and the roles' tokens."`
	Copy  influxCopyCmd  `cmd:"" help:"Copy the history to another InfluxDB, while the city runs."`
}

// influxServeCmd is nhip influx serve.
type influxServeCmd struct {
	Listen  string `help:"${help_influx_listen}" placeholder:"HOST:PORT"`
	Influxd string `help:"Program of the embedded InfluxDB; default: influxd beside nhip." type:"path" placeholder:"FILE"`
	DataDir string `help:"${help_data_dir}" default:"${data_dir}" env:"NHIP_DATA_DIR" type:"path"`
	Config  string `help:"${help_config}" type:"path" placeholder:"FILE"`
}

// defaultInfluxListen is InfluxDB's usual port.
const defaultInfluxListen = "127.0.0.1:8086"

func (c *influxServeCmd) flags() []config.Flag {
	return []config.Flag{{Name: "--listen", Key: "influx.listen", Value: c.Listen}}
}

// Run runs the database.
func (c *influxServeCmd) Run(e *env) error {
	o, err := e.roleOptions(c.Config, c.DataDir, "", c.flags())
	if err != nil {
		return err
	}
	o.Influxd = c.Influxd
	o.Config.Influx.Listen = cmp.Or(o.Config.Influx.Listen, defaultInfluxListen)
	return e.serve(app.Database(o), c.flags(), func(a app.Addresses) string {
		return fmt.Sprintf("ready influx=%s", a.Influx)
	})
}

// databaseFlags select a bucket of an InfluxDB: the configured one or, without influx.url, the embedded one that runs
// on a data folder.
type databaseFlags struct {
	URL     string `help:"${help_influx_at}" placeholder:"URL"`
	Org     string `help:"Organisation of InfluxDB 2.x (influx.org)." placeholder:"NAME"`
	Bucket  string `help:"Bucket, or database of InfluxDB 1.8 (influx.bucket)." placeholder:"NAME"`
	DataDir string `help:"${help_running_dir}" default:"${data_dir}" env:"NHIP_DATA_DIR" type:"path"`
	Config  string `help:"${help_config}" type:"path" placeholder:"FILE"`
}

// database returns the options of the selected bucket.
func (c *databaseFlags) database(e *env) (influx.Options, error) {
	flags := []config.Flag{
		{Name: "--url", Key: "influx.url", Value: c.URL},
		{Name: "--org", Key: "influx.org", Value: c.Org},
		{Name: "--bucket", Key: "influx.bucket", Value: c.Bucket},
	}
	o, err := e.roleOptions(c.Config, c.DataDir, "", flags)
	if err != nil {
		return influx.Options{}, err
	}
	at := o.Config.Influx
	db := influx.Options{URL: at.URL, Token: at.Token, Org: at.Org, Bucket: at.Bucket, Logger: e.log}
	if db.URL == "" {
		db.URL, db.Token, err = running.Database(c.DataDir)
	}
	return db, err
}

// influxSetupCmd is nhip influx setup.
type influxSetupCmd struct {
	databaseFlags

	AdminToken string `help:"${help_influx_admin_token}" env:"INFLUX_TOKEN" placeholder:"TOKEN"`
	Keep       string `help:"${help_influx_keep}" placeholder:"DAYS"`
	Renew      bool   `help:"Replace the tokens that exist by new ones. Roles with the old ones are denied."`
}

// Run sets the database up and prints what it made.
func (c *influxSetupCmd) Run(e *env) error {
	db, err := c.database(e)
	if err != nil {
		return err
	}
	db.Token = cmp.Or(c.AdminToken, db.Token)
	if db.Token == "" {
		return errors.New("--admin-token: is required, or INFLUX_TOKEN: the token of an administrator; for a new InfluxDB, " +
			"one that you choose")
	}
	keep, err := parseKeep(c.Keep)
	if err != nil {
		return err
	}
	made, err := influx.Setup(e.ctx, influx.SetupOptions{Options: db, Keep: keep, Renew: c.Renew})
	if made != nil {
		printSetup(e, made)
	}
	return err
}

func printSetup(e *env, made *influx.SetupResult) {
	for _, step := range made.Steps {
		fmt.Fprintln(e.stdout, step)
	}
	for _, warning := range made.Warnings {
		fmt.Fprintln(e.stderr, "warning:", warning)
	}
	for _, t := range []struct{ role, token string }{{"collector", made.Collector}, {"api", made.API}} {
		if t.token != "" {
			fmt.Fprintf(e.stdout, "token of the %s (influx.token), shown once: %s\n", t.role, t.token)
		}
	}
	if len(made.Steps) == 0 {
		fmt.Fprintf(e.stdout, "InfluxDB %s is set up already\n", made.Version)
	}
}

// longestKeep bounds --keep.
const longestKeep = 100 * 366 * 24 * time.Hour

// parseKeep parses a number of days, or a duration as in 12h. 0 is for ever.
func parseKeep(text string) (nhip.Opt[time.Duration], error) {
	if text == "" {
		return nhip.Opt[time.Duration]{}, nil
	}
	var keep time.Duration
	if err := settings.Days(&keep, 0, longestKeep).Set(text); err != nil {
		return nhip.Opt[time.Duration]{}, fmt.Errorf("--keep: %w", err)
	}
	return nhip.Some(keep), nil
}

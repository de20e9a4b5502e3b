package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"nhip"
	"nhip/internal/influx"
)

// influxAddress is where the history is.
type influxAddress struct {
	url   string
	token string
	renew func() // restarts the embedded one; nil for one elsewhere
}

// startHistory starts the embedded InfluxDB, unless another is configured, and opens it.
func (c *city) startHistory() error {
	if c.conf.Influx.URL != "" {
		c.influx = influxAddress{c.conf.Influx.URL, c.conf.Influx.Token, nil}
	} else if err := c.startInfluxd(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.ctx, connectTimeout)
	defer cancel()
	var err error
	c.db, err = influx.Open(ctx, influx.Options{
		URL: c.influx.url, Token: c.influx.token, Org: c.conf.Influx.Org, Bucket: c.conf.Influx.Bucket,
		Logger: c.log, Registerer: c.registry, Stuck: c.influx.renew,
	})
	if err != nil {
		return err
	}
	c.cleanup.Push("the database client", func(context.Context) error { c.db.Close(); return nil })
	return nil
}

func (c *city) startInfluxd() error {
	program, err := findInfluxd(c.cmd.Influxd)
	if err != nil {
		return err
	}
	child, err := influx.StartChild(c.ctx, influx.ChildOptions{
		Binary: program, Dir: c.dir.Path("influx"), AuthFile: c.dir.Path("influx.auth"),
		Logger: c.log, Registerer: c.registry,
	})
	if err != nil {
		return err
	}
	c.cleanup.Push("the database", child.Stop)
	c.influx = influxAddress{child.URL(), child.Token(), child.Renew}
	return nil
}

// findInfluxd looks beside this program.
func findInfluxd(given string) (string, error) {
	if given != "" {
		return given, nil
	}
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("can't find this program's own folder: %w", err)
	}
	beside := filepath.Join(filepath.Dir(self), "influxd")
	if _, err := os.Stat(beside); err == nil {
		return beside, nil
	}
	return "", errors.New("the embedded InfluxDB (influxd beside nhip) is missing: run `make build`, or name a database with --influx-url")
}

// history gives the api the database, which is opened after the api has its port.
type history city

// Fleet yields where each vehicle was last in a span.
func (h *history) Fleet(ctx context.Context, from, to time.Time, yield func(nhip.Position) error) error {
	return h.db.Fleet(ctx, from, to, yield)
}

// Arrivals yields all arrivals, oldest first.
func (h *history) Arrivals(ctx context.Context, from, to time.Time, yield func(nhip.Arrival) error) error {
	return h.db.Arrivals(ctx, from, to, yield)
}

// Readings yields a station's readings, oldest first.
func (h *history) Readings(ctx context.Context, q influx.ReadingQuery, yield func(nhip.Judged) error) error {
	return h.db.Readings(ctx, q, yield)
}

// Rollups yields hours, days or months, oldest first.
func (h *history) Rollups(ctx context.Context, q influx.RollupQuery, yield func(influx.Rolled) error) error {
	return h.db.Rollups(ctx, q, yield)
}

// Said returns all that a station said of a moment.
func (h *history) Said(ctx context.Context, station string, quantity nhip.Quantity, at time.Time) ([]influx.Said, error) {
	return h.db.Said(ctx, station, quantity, at)
}

// Reviews returns what people have decided about a station.
func (h *history) Reviews(ctx context.Context, station string, until time.Time) ([]nhip.Review, error) {
	return h.db.Reviews(ctx, station, until)
}

// Tallies counts the rows of devices by hour.
func (h *history) Tallies(ctx context.Context, device string, from, to time.Time) (map[influx.TallyKey]influx.Tally, error) {
	return h.db.Tallies(ctx, device, from, to)
}

// Ping tells whether the database answers.
func (h *history) Ping(ctx context.Context) error { return h.db.Ping(ctx) }

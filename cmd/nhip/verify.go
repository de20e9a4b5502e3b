package main

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"nhip"
	"nhip/client"
	"nhip/geo/aqi"
	"nhip/geo/audit"
	"nhip/geo/limits"
	"nhip/geo/report"
)

// verifyCmd is nhip verify.
type verifyCmd struct {
	Air verifyAirCmd `cmd:"" help:"Compute flags, roll-ups, indices and exceedances a second time from the raw values."`
}

// verifyAirCmd is nhip verify air.
type verifyAirCmd struct {
	operatorFlags
	Station      string        `help:"Station." required:"" placeholder:"ID"`
	From         string        `help:"First local day: 2026-02-16." required:"" placeholder:"DAY"`
	To           string        `help:"Last local day." required:"" placeholder:"DAY"`
	Zone         string        `help:"Zone of a station that has none in the fleet file." default:"Asia/Ho_Chi_Minh"`
	Interval     time.Duration `help:"Interval of reports, if longer than their period." placeholder:"DURATION"`
	Completeness float64       `help:"Share of values that a mean needs, as configured." default:"0.75"`
}

// Run prints every difference and fails if there is one.
func (c *verifyAirCmd) Run(e *env) error {
	o, err := c.connect()
	if err != nil {
		return err
	}
	s, err := c.station(e, o)
	if err != nil {
		return err
	}
	if err := c.read(e, o, s); err != nil {
		return err
	}
	r := audit.Run(s)
	for i := range r.Differences {
		if _, err := fmt.Fprintln(e.stdout, r.Differences[i].String()); err != nil {
			return err
		}
	}
	const summary = "compared: %d flags (%s, and the worst of all tests; the other checks as stored), " +
		"%d roll-ups, %d indices, %d exceedances\n"
	_, err = fmt.Fprintf(e.stdout, summary, r.Flags, strings.Join(audit.Checks, ", "), r.Rollups, r.Indices, r.Exceedances)
	if n := len(r.Differences); n > 0 {
		return errors.Join(err, fmt.Errorf("%d results differ", n))
	}
	if err == nil && r.Rollups == 0 {
		return fmt.Errorf("station %s has no readings in these days", c.Station)
	}
	return err
}

// station returns the station and the span to audit.
func (c *verifyAirCmd) station(e *env, o *client.Client) (*audit.Station, error) {
	known, err := o.Station(e.ctx, c.Station)
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(cmp.Or(known.Zone, c.Zone))
	if err != nil {
		return nil, fmt.Errorf("--zone: %w", err)
	}
	from, errFrom := time.ParseInLocation(time.DateOnly, c.From, zone)
	to, errTo := time.ParseInLocation(time.DateOnly, c.To, zone)
	if err := errors.Join(errFrom, errTo); err != nil {
		return nil, err
	}
	if to.Before(from) || to.Sub(from) > maxAudit {
		return nil, fmt.Errorf("--to must be from %s on, and at most a year later", c.From)
	}
	if to = to.AddDate(0, 0, 1); to.After(time.Now()) {
		return nil, fmt.Errorf("--to: the day %s has not ended", c.To)
	}
	return &audit.Station{
		Zone: zone, Reference: known.Kind == "reference", ReportEvery: c.Interval, Completeness: c.Completeness, From: from,
		To: to, Until: to.Add(time.Hour), // the hour around midnight of a zone on the half hour
	}, nil
}

// maxAudit is the longest time from the first day to the last one that is audited at once. The API gives raw readings
// of 366 days, and those around the span are needed, too.
const maxAudit = 363 * 24 * time.Hour

// read reads what the API serves.
func (c *verifyAirCmd) read(e *env, o *client.Client, s *audit.Station) error {
	if err := c.readReadings(e, o, s); err != nil {
		return err
	}
	for _, quality := range []nhip.Quality{nhip.QualityAutomatic, nhip.QualityReviewed} {
		served := audit.Served{Quality: quality}
		for name, period := range map[string]string{
			"hour": nhip.PeriodHour, "day": nhip.PeriodDay, "month": nhip.PeriodMonth,
		} {
			q := client.ReadingQuery{Station: c.Station, From: s.From, To: s.Until, Period: name, Quality: quality}
			for x, err := range o.Readings(e.ctx, q) {
				if err != nil {
					return err
				}
				served.Rollups = append(served.Rollups, nhip.Rollup{
					Quantity: x.Quantity, Period: period, Quality: quality, Time: x.Time,
					RollupStats: nhip.RollupStats{
						Mean: x.Mean.Or(0), Min: x.Min, Max: x.Max, P98: x.P98, Count: x.Count, Capture: x.Capture, Flag: x.Flag,
					},
				})
			}
		}
		for _, scale := range aqi.Scales() {
			for _, daily := range []bool{false, true} {
				of, err := o.Indices(e.ctx, client.IndexQuery{
					Station: c.Station, From: s.From, To: s.Until, Daily: daily, Scale: scale, Quality: quality,
				})
				if err != nil {
					return err
				}
				served.Indices = append(served.Indices, of...)
			}
		}
		rows, err := o.Exceedances(e.ctx, client.ExceedanceQuery{
			Station: c.Station, From: s.From, To: s.To, Quality: quality,
		})
		if err != nil {
			return err
		}
		for _, x := range rows {
			served.Exceedances = append(served.Exceedances, report.Exceedance{
				Quantity: x.Quantity, Average: limits.Average(x.Average), Limit: x.Limit, Number: x.Number,
				Evaluated: x.Evaluated, Capture: x.Capture, Hours: x.Hours, Longest: x.Longest, Max: x.Max, MaxTime: x.MaxTime,
			})
		}
		s.Served = append(s.Served, served)
	}
	return nil
}

// rawReadings yields the readings of the span at a quality, and those around it, in two requests: of a year they are
// more than one may ask for.
func (c *verifyAirCmd) rawReadings(e *env, o *client.Client, s *audit.Station, quality nhip.Quality,
) iter.Seq2[*client.ReadingRow, error] {
	return func(yield func(*client.ReadingRow, error) bool) {
		q := client.ReadingQuery{Station: c.Station, To: s.From.Add(-audit.Lookback), Period: "raw", Quality: quality}
		for _, to := range []time.Time{s.Until, s.To.Add(audit.Lookahead)} {
			q.From, q.To = q.To, to
			for row, err := range o.Readings(e.ctx, q) {
				if !yield(row, err) || err != nil {
					return
				}
			}
		}
	}
}

// readReadings reads the readings at each quality, and joins them.
func (c *verifyAirCmd) readReadings(e *env, o *client.Client, s *audit.Station) error {
	type key struct {
		quantity nhip.Quantity
		at       int64
		period   string
	}
	all := make(map[key]*audit.Reading)
	for _, quality := range []nhip.Quality{nhip.QualityRaw, nhip.QualityAutomatic, nhip.QualityReviewed} {
		for row, err := range c.rawReadings(e, o, s, quality) {
			if err != nil {
				return err
			}
			k := key{row.Quantity, row.Time.UnixMilli(), row.Period}
			x := all[k]
			if x == nil {
				period, err := nhip.ParsePeriod(row.Period)
				if err != nil {
					return err
				}
				x = &audit.Reading{Quantity: row.Quantity, Time: row.Time, Period: period}
				all[k] = x
			}
			switch quality {
			case nhip.QualityRaw:
				x.Raw, x.Device = row.Value.Or(0), row.Flag
			case nhip.QualityAutomatic:
				x.Corrected, x.Flag, x.Tests = row.Value, row.Flag, row.Tests
			default:
				x.Final, x.FinalFlag = row.Value, row.Flag
			}
		}
	}
	for _, x := range all {
		s.Readings = append(s.Readings, *x)
	}
	slices.SortFunc(s.Readings, func(a, b audit.Reading) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Quantity, b.Quantity), cmp.Compare(a.Period, b.Period))
	})
	return nil
}

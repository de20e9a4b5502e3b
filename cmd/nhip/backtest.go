package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"nhip"
	"nhip/app"
	"nhip/app/recorded"
	"nhip/collector/decode"
	"nhip/geo/backtest"
	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/internal/config"
)

// backtestCmd is nhip backtest.
type backtestCmd struct {
	ETA     backtestETACmd     `cmd:"" name:"eta" help:"Compare arrival predictions with the actual arrivals."`
	Surface backtestSurfaceCmd `cmd:"" help:"Estimate each monitor from the others, and compare with its readings."`
}

// recordingFlags select recordings.
type recordingFlags struct {
	Files  []string `arg:"" name:"rec" help:"${help_recordings}" type:"path"`
	JSON   bool     `help:"Print one JSON object."`
	Config string   `help:"Configuration file (YAML): topics of feeds, predict.lean." type:"path" placeholder:"FILE"`
}

// config returns the configuration, and the feeds by which recordings are decoded.
func (c *recordingFlags) config() (*config.Config, []decode.Feed, error) {
	set := app.LoadConfig(config.Sources{Path: c.Config, Environ: os.Environ()})
	return &set.Config, app.Feeds(&set.Config), set.Err()
}

// backtestETACmd is nhip backtest eta.
type backtestETACmd struct {
	recordingFlags

	GTFS  string   `required:"" help:"Timetable of the recorded day." type:"path" placeholder:"ZIP"`
	Truth []string `help:"Recordings of the same positions with the actual trips." type:"path" placeholder:"REC"`
}

// Run replays the recordings through the engine as fast as possible, without looking ahead.
func (c *backtestETACmd) Run(e *env) error {
	conf, feeds, err := c.config()
	if err != nil {
		return err
	}
	feed, err := gtfs.ReadFile(c.GTFS)
	if err != nil {
		return fmt.Errorf("can't read the timetable: %w", err)
	}
	positions, err := recorded.Positions(feeds, c.Files)
	if err != nil {
		return err
	}
	truth := positions
	if len(c.Truth) > 0 {
		if truth, err = recorded.Positions(feeds, c.Truth); err != nil {
			return err
		}
	}
	trips := recorded.TripsOf(truth)
	if !trips.Named() { // the engine's inferred trips can't be compared with themselves
		return errors.New("no position of the recording names a trip: --truth must give a recording that does")
	}
	test, missing := backtest.NewETA(network.New(feed), truth), 0
	test.UseLean(conf.Predict.Lean)
	for i := range positions {
		trip, known := trips.Of(&positions[i])
		if !known {
			missing++
			continue
		}
		test.Observe(&positions[i], trip)
	}
	report := test.Report()
	if n := test.UnknownTrips(); n > 0 {
		fmt.Fprintf(e.stderr, "nhip: %d positions name a trip that the timetable lacks\n", n)
	}
	if report.Predictions == 0 {
		return errors.New("no arrival to compare with: no bus names a trip of this timetable at three stops or more")
	}
	if missing > 0 {
		fmt.Fprintf(e.stderr, "nhip: %d positions skipped that --truth does not contain\n", missing)
	}
	return c.print(e.stdout, &report)
}

func (c *backtestETACmd) print(w io.Writer, r *backtest.Report) error {
	if c.JSON {
		return json.NewEncoder(w).Encode(r)
	}
	b := &r.BoardReport
	_, err := fmt.Fprintf(w, `ETA Accuracy Benchmark  %5.1f %%   0–3 min %.1f · 3–6 %.1f · 6–10 %.1f · 10–15 %.1f
MBTA                    %5.1f %%   0–3 min %.1f · 3–6 %.1f · 6–12 %.1f · 12–30 %.1f
mean absolute error     %s   by the benchmark's bins; on average %.0f s later than predicted
p10–p90 covers          %5.1f %%
predicted               %5.1f %%   of %d predictions, %d arrivals
route and direction     %5.1f %%   right, after 5 minutes
trip                    %5.1f %%   right, after 5 minutes

board                   %5.1f %%   %s: right at each minute of the last 15 before an arrival
`,
		r.Benchmark, r.BenchmarkBins[0], r.BenchmarkBins[1], r.BenchmarkBins[2], r.BenchmarkBins[3],
		r.MBTA, r.MBTABins[0], r.MBTABins[1], r.MBTABins[2], r.MBTABins[3],
		formatSeconds(r.MAE[:]), r.Bias, r.Cover, r.Predicted, r.Predictions, r.Arrivals, r.RouteDirection, r.Trip,
		b.Board, formatPercent(b.BoardBins[:]))
	if err != nil {
		return err
	}
	for _, part := range []struct {
		name   string
		detail *backtest.BoardPart
	}{
		{"live bus", &b.PartBins.Live},
		{"waiting at its start", &b.PartBins.Waiting},
		{"  or next trip", &b.PartBins.Next},
		{"timetable only", &b.PartBins.Timetable},
		{"nothing", &b.PartBins.Nothing},
	} {
		d := part.detail
		if _, err := fmt.Fprintf(w, "  %-21s %5.1f %% of the minutes (%s), right %.1f %% (%s)\n", part.name, d.Share,
			formatPercent(d.ShareBins[:]), d.Right, formatPercent(d.RightBins[:])); err != nil {
			return err
		}
	}
	g := &b.Ghosts
	if _, err := fmt.Fprintf(w, "  ghosts                %5.1f %% of %d promises: "+
		"live bus %.1f, waiting %.1f, next trip %.1f, no bus %.1f\n",
		g.Share, g.Promises, g.Live, g.Waiting, g.Next, g.Timetable); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, `
later than told         %s   by the benchmark's bins; than P50 %s
p10–p90 covers          %s %%
by real deviation       < −1 min, −1–1, 1–5, > 5 min: %s %% of the predictions
  later than told       %s
  p10–p90 covers        %s %%

yardsticks              as is, told early: ETA Accuracy Benchmark, %%
  timetable             %5.1f  %5.1f
  timetable + deviation %5.1f  %5.1f
  mean of the last 3    %5.1f  %5.1f
  mean of all earlier   %5.1f  %5.1f
`,
		formatSeconds(r.BiasBins[:]), formatSeconds(r.BiasP50[:]), formatPercent(r.CoverBins[:]),
		formatPercent(r.DeviationShares[:]), formatSeconds(r.BiasByDeviation[:]), formatPercent(r.CoverByDeviation[:]),
		r.Yardsticks.Timetable.AsIs, r.Yardsticks.Timetable.Early,
		r.Yardsticks.TimetableDeviation.AsIs, r.Yardsticks.TimetableDeviation.Early,
		r.Yardsticks.Last3.AsIs, r.Yardsticks.Last3.Early, r.Yardsticks.AllEarlier.AsIs, r.Yardsticks.AllEarlier.Early)
	return err
}

func formatPercent(all []float64) string {
	parts := make([]string, len(all))
	for i, x := range all {
		parts[i] = fmt.Sprintf("%.1f", x)
	}
	return strings.Join(parts, " · ")
}

func formatSeconds(all []float64) string {
	s := ""
	for i, x := range all {
		if i > 0 {
			s += " · "
		}
		s += nhip.FormatDuration(time.Duration(x) * time.Second)
	}
	return s
}

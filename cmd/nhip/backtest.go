package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"nhip"
	"nhip/collector"
	"nhip/geo/backtest"
	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/internal/mqtt"
	"nhip/internal/recording"
)

// backtestCmd is nhip backtest.
type backtestCmd struct {
	ETA     backtestETACmd     `cmd:"" name:"eta" help:"Hold arrival predictions against what happened."`
	Surface backtestSurfaceCmd `cmd:"" help:"Leave each monitor out and estimate it from the others."`
}

// backtestETACmd is nhip backtest eta.
type backtestETACmd struct {
	GTFS   string   `required:"" help:"The timetable of the recorded day." type:"path" placeholder:"ZIP"`
	Files  []string `arg:"" name:"rec" help:"Recordings, plain or gzip; several are merged by their stamps." type:"path"`
	Truth  []string `help:"Recordings of the same fixes with the trips that were really run." type:"path" placeholder:"REC"`
	JSON   bool     `help:"Print one JSON object."`
	Config string   `help:"Configuration file (YAML): which topics are which feed's." type:"path" placeholder:"FILE"`
}

// Run replays the recordings through the engine as fast as it goes, without looking ahead.
func (c *backtestETACmd) Run(e *env) error {
	p := newProcess(e)
	if err := p.configure(c.Config, nil, ""); err != nil {
		return err
	}
	feed, err := gtfs.ReadFile(c.GTFS)
	if err != nil {
		return fmt.Errorf("can't read the timetable: %w", err)
	}
	heard, err := p.recordedFixes(c.Files)
	if err != nil {
		return err
	}
	truth := heard
	if len(c.Truth) > 0 {
		if truth, err = p.recordedFixes(c.Truth); err != nil {
			return err
		}
	}
	real, named := make(map[fixKey]*nhip.Position, len(truth)), false
	for i := range truth {
		real[keyOf(&truth[i])] = &truth[i]
		named = named || truth[i].Trip != ""
	}
	if !named { // what the engine infers can't be held against itself
		return errors.New("no bus says its trip in the recording: --truth must give one that does")
	}
	test, unknown := backtest.NewETA(network.New(feed)), 0
	for i := range heard {
		at := real[keyOf(&heard[i])]
		if at == nil {
			unknown++
			continue
		}
		test.Fix(&heard[i], at)
	}
	report := test.Report()
	if report.Arrivals == 0 {
		return errors.New("no bus arrived anywhere: the recording names no trips of this timetable")
	}
	if unknown > 0 {
		fmt.Fprintf(e.stderr, "nhip: left out %d fixes that --truth does not hold\n", unknown)
	}
	return c.tell(e.stdout, &report)
}

// fixKey is what a fix of two recordings is recognised by.
type fixKey struct {
	vehicle string
	time    int64
}

func keyOf(p *nhip.Position) fixKey { return fixKey{p.Vehicle, p.Time.UnixMilli()} }

// recordedFixes decodes the positions of recordings.
func (p *process) recordedFixes(paths []string) ([]nhip.Position, error) {
	var all []nhip.Position
	err := p.recorded(paths, func(f *nhip.Facts) {
		for _, fix := range f.Positions {
			if fix.Moves() {
				all = append(all, fix)
			}
		}
	})
	return all, err
}

// recorded decodes recordings as the collector would.
func (p *process) recorded(paths []string, yield func(*nhip.Facts)) error {
	in, err := recording.OpenAll(paths)
	if err != nil {
		return err
	}
	defer in.Close()
	feeds := p.feeds()
	for {
		m, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, f := range feeds {
			if !mqtt.Match(f.Topic, m.Topic) {
				continue
			}
			said, err := collector.Decode(f, nhip.Message{Topic: m.Topic, Payload: m.Payload, Received: m.Time}, stoppedClock(m.Time), anyAge)
			if err != nil {
				return err
			}
			yield(&said.Facts)
			break
		}
	}
}

func (c *backtestETACmd) tell(w io.Writer, r *backtest.Report) error {
	if c.JSON {
		return json.NewEncoder(w).Encode(r)
	}
	_, err := fmt.Fprintf(w, `ETA Accuracy Benchmark  %5.1f %%   0–3 min %.1f · 3–6 %.1f · 6–10 %.1f · 10–15 %.1f
MBTA                    %5.1f %%   0–3 min %.1f · 3–6 %.1f · 6–12 %.1f · 12–30 %.1f
mean absolute error     %s   by the benchmark's bins; on average %.0f s later than told
p10–p90 covers          %5.1f %%
predicted               %5.1f %%   of %d predictions, %d arrivals
route and direction     %5.1f %%   right, after 5 minutes
trip                    %5.1f %%   right, after 5 minutes
`,
		r.Benchmark, r.BenchmarkBins[0], r.BenchmarkBins[1], r.BenchmarkBins[2], r.BenchmarkBins[3],
		r.MBTA, r.MBTABins[0], r.MBTABins[1], r.MBTABins[2], r.MBTABins[3],
		secondsOf(r.MAE[:]), r.Bias, r.Cover, r.Predicted, r.Predictions, r.Arrivals, r.RouteDirection, r.Trip)
	return err
}

func secondsOf(all []float64) string {
	s := ""
	for i, x := range all {
		if i > 0 {
			s += " · "
		}
		s += (time.Duration(x) * time.Second).String()
	}
	return s
}

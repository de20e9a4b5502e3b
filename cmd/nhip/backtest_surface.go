package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"nhip"
	"nhip/geo/backtest"
	"nhip/geo/surface"
	"nhip/internal/settings"
)

// backtestSurfaceCmd is nhip backtest surface.
type backtestSurfaceCmd struct {
	Files    []string `arg:"" name:"rec" help:"Recordings, plain or gzip; several are merged by their stamps." type:"path"`
	Quantity string   `help:"What is estimated." default:"pm25"`
	JSON     bool     `help:"Print one JSON object."`
	Config   string   `help:"Configuration file (YAML): which topics are which feed's." type:"path" placeholder:"FILE"`
}

// Run makes hours of what the monitors said and holds each monitor against the others.
func (c *backtestSurfaceCmd) Run(e *env) error {
	q, known := nhip.ParseQuantity(c.Quantity)
	if !known {
		return fmt.Errorf("--quantity: there is no %s", settings.Shown(c.Quantity))
	}
	p := newProcess(e)
	if err := p.configure(c.Config, nil, ""); err != nil {
		return err
	}
	hours := recordedHours{quantity: q, by: make(map[time.Time]map[string]*recordedHour)}
	if err := p.recorded(c.Files, hours.take); err != nil {
		return err
	}
	var test backtest.Surface
	for _, end := range slices.SortedFunc(maps.Keys(hours.by), time.Time.Compare) {
		test.Round(hours.round(end))
	}
	report := test.Report()
	if report["kriging"].Count == 0 {
		return errors.New("no hour has three monitors that say where they are and measure " + string(q))
	}
	return c.tell(e.stdout, report)
}

// recordedHours are the means of what placed monitors said.
type recordedHours struct {
	quantity nhip.Quantity
	by       map[time.Time]map[string]*recordedHour // by end and station
}

type recordedHour struct {
	site  surface.Site
	sum   float64
	count int
}

func (h *recordedHours) take(f *nhip.Facts) {
	for i := range f.Readings {
		r := &f.Readings[i]
		at, placed := r.Point.Get()
		if !placed || r.Quantity != h.quantity || r.Period > time.Hour || r.Flag == nhip.Fail || r.Flag == nhip.MissingValue {
			continue
		}
		end := r.Time.Add(time.Hour - time.Millisecond).Truncate(time.Hour)
		if h.by[end] == nil {
			h.by[end] = make(map[string]*recordedHour)
		}
		hour := h.by[end][r.Station]
		if hour == nil {
			hour = &recordedHour{site: surface.Site{Point: at}}
			h.by[end][r.Station] = hour
		}
		hour.sum += r.Value
		hour.count++
	}
}

func (h *recordedHours) round(end time.Time) surface.Round {
	r := surface.Round{Time: end}
	for _, id := range slices.Sorted(maps.Keys(h.by[end])) {
		hour := h.by[end][id]
		r.Sites, r.Values = append(r.Sites, hour.site), append(r.Values, hour.sum/float64(hour.count))
	}
	return r
}

func (c *backtestSurfaceCmd) tell(w io.Writer, report map[string]backtest.SurfaceReport) error {
	if c.JSON {
		return json.NewEncoder(w).Encode(report)
	}
	if _, err := fmt.Fprintln(w, "method      RMSE     MAE    bias     R²   skill   sd of z, and by thirds of the city's mean"); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(report)) {
		r := report[name]
		honest := ""
		if r.ZSD != nil {
			honest = fmt.Sprintf("   %.2f   %.2f %.2f %.2f", *r.ZSD, r.Third[0], r.Third[1], r.Third[2])
		}
		if _, err := fmt.Fprintf(w, "%-8s %7.2f %7.2f %7.2f %6.3f %7.3f%s\n", name, r.RMSE, r.MAE, r.Bias, r.R2, r.Skill, honest); err != nil {
			return err
		}
	}
	return nil
}

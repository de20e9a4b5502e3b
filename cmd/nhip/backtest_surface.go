package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"nhip"
	"nhip/app/recorded"
	"nhip/geo/backtest"
	"nhip/internal/settings"
)

// backtestSurfaceCmd is nhip backtest surface.
type backtestSurfaceCmd struct {
	recordingFlags

	Quantity []string `help:"Quantities to estimate." default:"pm25"`
}

// Run averages the readings by hour and compares each monitor with the estimate from the others.
func (c *backtestSurfaceCmd) Run(e *env) error {
	quantities := make([]nhip.Quantity, len(c.Quantity))
	for i, name := range c.Quantity {
		q, known := nhip.ParseQuantity(name)
		if !known {
			return fmt.Errorf("--quantity: there is no %s", settings.Shown(name))
		}
		quantities[i] = q
	}
	_, feeds, err := c.config()
	if err != nil {
		return err
	}
	hours := make(map[nhip.Quantity]*recorded.Hours)
	for _, q := range quantities {
		hours[q] = recorded.NewHours(q)
	}
	if err := recorded.Facts(feeds, c.Files, func(f *nhip.Facts) {
		for _, h := range hours {
			h.Add(f)
		}
	}); err != nil {
		return err
	}
	reports := make(map[nhip.Quantity]map[string]backtest.SurfaceReport)
	for q, h := range hours {
		if reports[q] = surfaceReport(h); reports[q]["kriging"].Count == 0 {
			return errors.New("no hour has three monitors with a position that measure " + string(q))
		}
	}
	if c.JSON && len(quantities) == 1 {
		return json.NewEncoder(e.stdout).Encode(reports[quantities[0]])
	}
	if c.JSON {
		return json.NewEncoder(e.stdout).Encode(reports)
	}
	return printSurfaces(e.stdout, reports)
}

// surfaceReport returns the scores of all methods.
func surfaceReport(h *recorded.Hours) map[string]backtest.SurfaceReport {
	var test backtest.Surface
	for o := range h.Observations() {
		test.Observe(o)
	}
	return test.Report()
}

// printSurfaces prints a table for each quantity and number of nearest monitors that are left out, too.
func printSurfaces(w io.Writer, reports map[nhip.Quantity]map[string]backtest.SurfaceReport) error {
	for _, q := range slices.Sorted(maps.Keys(reports)) {
		for _, part := range []struct {
			title string
			score func(backtest.SurfaceReport) *backtest.SurfaceScore
		}{
			{"each monitor from all others", func(r backtest.SurfaceReport) *backtest.SurfaceScore { return &r.SurfaceScore }},
			{"without the two nearest", func(r backtest.SurfaceReport) *backtest.SurfaceScore { return r.Without2 }},
			{"without the four nearest", func(r backtest.SurfaceReport) *backtest.SurfaceScore { return r.Without4 }},
		} {
			if err := printSurface(w, string(q)+", "+part.title, reports[q], part.score); err != nil {
				return err
			}
		}
	}
	return nil
}

func printSurface(w io.Writer, title string, report map[string]backtest.SurfaceReport,
	score func(backtest.SurfaceReport) *backtest.SurfaceScore,
) error {
	const header = "method      RMSE     MAE    bias     R²   skill   sd of z, by thirds of the city's mean" +
		"   % in the 80 % range"
	if _, err := fmt.Fprintf(w, "%s\n%s\n", title, header); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(report)) {
		r, spread := score(report[name]), ""
		if r == nil {
			continue // too few monitors
		}
		if r.ZSD != nil {
			spread = fmt.Sprintf("   %.2f   %.2f %.2f %.2f   %.1f %.1f %.1f", *r.ZSD, r.Third[0], r.Third[1], r.Third[2],
				r.Cover[0], r.Cover[1], r.Cover[2])
		}
		if _, err := fmt.Fprintf(w, "%-8s %7.2f %7.2f %7.2f %6.3f %7.3f%s\n",
			name, r.RMSE, r.MAE, r.Bias, r.R2, r.Skill, spread); err != nil {
			return err
		}
	}
	return nil
}

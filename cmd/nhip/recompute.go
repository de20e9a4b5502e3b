package main

import (
	"fmt"
	"net/url"
	"time"

	"nhip"
	"nhip/internal/pause"

	"github.com/schollz/progressbar/v3"
)

// recomputeCmd is nhip recompute.
type recomputeCmd struct {
	operatorFlags
	Station string `help:"The station; default: all." placeholder:"ID"`
	From    moment `help:"First moment, exclusive." required:"" placeholder:"TIME"`
	To      moment `help:"Last moment, inclusive; default: now." placeholder:"TIME"`
}

// recomputePoll is how often it is asked how much is left.
const recomputePoll = 500 * time.Millisecond

// Run orders it and shows how it goes. Interrupted, the work goes on; the same command again shows the rest.
func (c *recomputeCmd) Run(e *env) error {
	o, err := c.connect(e)
	if err != nil {
		return err
	}
	from, err := c.From.or(time.Time{})
	if err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	to, err := c.To.or(time.Now())
	if err != nil {
		return fmt.Errorf("--to: %w", err)
	}
	var left nhip.Recomputing
	if err := o.post("/v1/recompute", nhip.RecomputeQuery{Station: c.Station, From: from, To: to}, &left); err != nil {
		return err
	}
	total := left.Hours
	bar := progressbar.NewOptions64(max(total, 1), progressbar.OptionSetWriter(e.stderr), progressbar.OptionSetDescription("hours"),
		progressbar.OptionThrottle(barEvery), progressbar.OptionClearOnFinish(), progressbar.OptionShowCount())
	query := url.Values{}
	setText(query, "station", c.Station)
	for left.Hours+left.Days > 0 {
		if !pause.For(e.ctx, recomputePoll) {
			return fmt.Errorf("no longer watched; %d hours are left, and go on in the collector", left.Hours)
		}
		if err := o.get("/v1/recompute", query, &left); err != nil {
			return err
		}
		_ = bar.Set64(max(total-left.Hours, 0)) // only draws
	}
	_ = bar.Finish() // only draws
	_, err = fmt.Fprintf(e.stdout, "%d hours of stations are judged and summed up again\n", total)
	return err
}

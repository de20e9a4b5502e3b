package main

import (
	"fmt"
	"time"

	"nhip"
	"nhip/internal/wait"

	"github.com/schollz/progressbar/v3"
)

// recomputeCmd is nhip recompute.
type recomputeCmd struct {
	operatorFlags
	Station string `help:"Station; default: all." placeholder:"ID"`
	From    moment `help:"Begin, exclusive." required:"" placeholder:"TIME"`
	To      moment `help:"End, inclusive; default: now." placeholder:"TIME"`
}

// recomputePoll is the interval between two requests for the progress.
const recomputePoll = 500 * time.Millisecond

// Run starts the recomputation and shows its progress. An interrupt ends the display only: the same command shows the
// rest.
func (c *recomputeCmd) Run(e *env) error {
	o, err := c.connect()
	if err != nil {
		return err
	}
	from, err := c.From.parse("from", time.Time{})
	if err != nil {
		return err
	}
	to, err := c.To.parse("to", time.Now())
	if err != nil {
		return err
	}
	left, err := o.Recompute(e.ctx, nhip.RecomputeQuery{Station: c.Station, From: from, To: to})
	if err != nil {
		return err
	}
	total := left.Hours
	bar := progressbar.NewOptions64(max(total, 1), progressbar.OptionSetWriter(e.stderr),
		progressbar.OptionSetDescription("hours"), progressbar.OptionThrottle(barInterval),
		progressbar.OptionClearOnFinish(), progressbar.OptionShowCount())
	for left.Hours+left.Days > 0 {
		if wait.Sleep(e.ctx, recomputePoll) != nil {
			return fmt.Errorf("display interrupted; the collector continues with the %d hours that are left", left.Hours)
		}
		if left, err = o.RecomputeProgress(e.ctx, c.Station); err != nil {
			return err
		}
		_ = bar.Set64(max(total-left.Hours, 0)) // only draws
	}
	_ = bar.Finish() // only draws
	_, err = fmt.Fprintf(e.stdout, "%d station hours are assessed and aggregated again\n", total)
	return err
}

package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"nhip"
)

// retentionCmd is nhip retention.
type retentionCmd struct {
	Plan  retentionPlanCmd  `cmd:"" help:"Show which rows are older than the policy keeps and would be deleted."`
	Apply retentionApplyCmd `cmd:"" help:"Delete rows older than the policy keeps. Readings must be aggregated first."`
}

// retentionPlanCmd is nhip retention plan.
type retentionPlanCmd struct{ operatorFlags }

// Run prints the plan.
func (c *retentionPlanCmd) Run(e *env) error {
	o, err := c.connect()
	if err != nil {
		return err
	}
	streams, err := o.Retention(e.ctx)
	if err != nil {
		return err
	}
	return printRetention(e, streams)
}

// retentionApplyCmd is nhip retention apply.
type retentionApplyCmd struct{ operatorFlags }

// Run deletes rows and prints which. It fails if some of the rows are held.
func (c *retentionApplyCmd) Run(e *env) error {
	o, err := c.connect()
	if err != nil {
		return err
	}
	streams, err := o.ApplyRetention(e.ctx)
	if err != nil {
		return err
	}
	if err := printRetention(e, streams); err != nil {
		return err
	}
	for i := range streams {
		if streams[i].Held != "" {
			return errRejected
		}
	}
	return nil
}

func printRetention(e *env, streams []nhip.Retention) error {
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "STREAM\tKEPT\tOLDEST\tROWS TO DELETE\tUP TO\tSTATE")
	for i := range streams {
		s := &streams[i]
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\n",
			s.Stream, formatKeep(s.Keep), formatDay(s.Oldest), s.Rows, formatDay(s.Until), retentionState(s))
	}
	return w.Flush()
}

func formatKeep(days float64) string {
	if days == 0 {
		return "forever"
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", days), ".0") + " days"
}

func formatDay(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.DateOnly)
}

func retentionState(s *nhip.Retention) string {
	switch {
	case s.Deleted:
		return "deleted"
	case s.Held != "":
		return "held: " + s.Held
	case s.Rows > 0:
		return "deleted by nhip retention apply"
	case !s.Next.IsZero():
		return "nothing before " + formatDay(s.Next)
	}
	return "nothing"
}

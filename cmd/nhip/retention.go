package main

import (
	"fmt"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"nhip"
)

// retentionCmd is nhip retention.
type retentionCmd struct {
	Plan  retentionPlanCmd  `cmd:"" help:"Show what is older than the policy keeps, and what would go."`
	Apply retentionApplyCmd `cmd:"" help:"Delete what is older than the policy keeps. Readings go only when they are summed up."`
}

// retentionPlanCmd is nhip retention plan.
type retentionPlanCmd struct{ operatorFlags }

// Run prints the plan.
func (c *retentionPlanCmd) Run(e *env) error { return retain(e, &c.operatorFlags, http.MethodGet) }

// retentionApplyCmd is nhip retention apply.
type retentionApplyCmd struct{ operatorFlags }

// Run deletes, and prints what went.
func (c *retentionApplyCmd) Run(e *env) error { return retain(e, &c.operatorFlags, http.MethodPost) }

func retain(e *env, flags *operatorFlags, method string) error {
	o, err := flags.connect(e)
	if err != nil {
		return err
	}
	var answer struct{ Streams []nhip.Retention }
	if err := o.ask(method, "/v1/retention", nil, &answer); err != nil {
		return err
	}
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "STREAM\tKEPT\tOLDEST\tROWS TO GO\tUP TO\tWHAT HAPPENS")
	held := false
	for _, s := range answer.Streams {
		held = held || s.Held != ""
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\n", s.Stream, kept(s.Keep), day(s.Oldest), s.Rows, day(s.Until), fate(&s))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if held && method == http.MethodPost {
		return errTurnedAway
	}
	return nil
}

func kept(days float64) string {
	if days == 0 {
		return "for ever"
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", days), ".0") + " days"
}

func day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.DateOnly)
}

func fate(s *nhip.Retention) string {
	switch {
	case s.Deleted:
		return "deleted"
	case s.Held != "":
		return "held: " + s.Held
	case s.Rows > 0:
		return "goes with nhip retention apply"
	case !s.Next.IsZero():
		return "nothing before " + day(s.Next)
	}
	return "nothing"
}

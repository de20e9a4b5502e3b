package main

import "nhip/internal/stafftext"

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
	return stafftext.Retention(e.stdout, streams)
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
	if err := stafftext.Retention(e.stdout, streams); err != nil {
		return err
	}
	for i := range streams {
		if streams[i].Held != "" {
			return errRejected
		}
	}
	return nil
}

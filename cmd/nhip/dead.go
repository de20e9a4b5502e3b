package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"nhip"
	"nhip/client"
	"nhip/internal/stafftext"
)

// deadCmd is nhip dead.
type deadCmd struct {
	List   deadListCmd   `cmd:"" help:"List dead letters, the newest first."`
	Show   deadShowCmd   `cmd:"" help:"Show one dead letter with its whole payload."`
	Replay deadReplayCmd `cmd:"" help:"Run dead letters through today's decoders."`
}

// letterFilter selects dead letters.
type letterFilter struct {
	Collector string `help:"Only of this collector." placeholder:"ID"`
	Device    string `help:"${help_letter_device}" placeholder:"DEVICE"`
	Code      string `help:"Only with this reason, as in malformed or out_of_range." placeholder:"CODE"`
	From      moment `help:"Arrival, inclusive: 2026-02-16T15:00:00Z, or 2026-02-16." placeholder:"TIME"`
	To        moment `help:"Arrival, exclusive." placeholder:"TIME"`
}

func (f *letterFilter) query() (client.DeadLetterQuery, error) {
	from, errFrom := f.From.parse("from", time.Time{})
	to, errTo := f.To.parse("to", time.Time{})
	return client.DeadLetterQuery{
		Collector: f.Collector, Device: f.Device, Code: nhip.Code(f.Code), From: from, To: to,
	}, errors.Join(errFrom, errTo)
}

func (f *letterFilter) empty() bool { return *f == letterFilter{} }

// deadListCmd is nhip dead list.
type deadListCmd struct {
	operatorFlags
	letterFilter

	Limit int  `help:"Number of dead letters at most; 0 is all." default:"50"`
	JSON  bool `help:"Print a JSON object on each line."`
}

// Run prints a line for each dead letter.
func (c *deadListCmd) Run(e *env) error {
	if c.Limit < 0 {
		return fmt.Errorf("--limit: must not be negative, got %d", c.Limit)
	}
	o, err := c.connect()
	if err != nil {
		return err
	}
	q, err := c.query()
	if err != nil {
		return err
	}
	print := stafftext.DeadLetters
	if c.JSON {
		print = encodeLetters
	}
	letters, err := c.read(e, o, q)
	return errors.Join(print(e.stdout, letters), err)
}

// read returns the newest letters, at most c.Limit. Beside an error it returns those that it has read.
func (c *deadListCmd) read(e *env, o *client.Client, q client.DeadLetterQuery) (all []nhip.DeadLetter, err error) {
	if c.Limit > 0 {
		q.Limit = min(c.Limit, nhip.MaxReplay)
	}
	for page, err := range o.DeadLetterPages(e.ctx, q) {
		if err != nil {
			return all, err
		}
		if all = append(all, page.Letters...); c.Limit > 0 && len(all) >= c.Limit {
			return all[:c.Limit], errIncomplete(page.Silent)
		}
		if err := errIncomplete(page.Silent); err != nil {
			return all, err
		}
	}
	return all, nil
}

func encodeLetters(w io.Writer, letters []nhip.DeadLetter) error {
	lines := json.NewEncoder(w)
	for i := range letters {
		if err := lines.Encode(&letters[i]); err != nil {
			return err
		}
	}
	return nil
}

// deadShowCmd is nhip dead show.
type deadShowCmd struct {
	operatorFlags

	ID  string `arg:"" help:"Dead letter, as nhip dead list prints it."`
	Raw bool   `help:"Print only the payload, byte for byte."`
}

// Run prints a letter.
func (c *deadShowCmd) Run(e *env) error {
	o, err := c.connect()
	if err != nil {
		return err
	}
	collector, id := client.ParseDeadLetterName(c.ID)
	l, err := o.DeadLetter(e.ctx, collector, id)
	if err != nil {
		return err
	}
	payload := l.PayloadB
	if payload == nil {
		payload = []byte(l.Payload)
	}
	if c.Raw {
		_, err := e.stdout.Write(payload)
		return err
	}
	if err := stafftext.DeadLetter(e.stdout, l); err != nil || len(payload) == 0 {
		return err
	}
	format := "\n%s\n"
	if l.PayloadB != nil {
		format = "\n%q\n"
	}
	_, err = fmt.Fprintf(e.stdout, format, payload)
	return err
}

// deadReplayCmd is nhip dead replay.
type deadReplayCmd struct {
	operatorFlags
	letterFilter

	IDs []string `arg:"" optional:"" name:"id" help:"${help_letter_ids}"`
	All bool     `help:"All dead letters."`
}

// Run replays letters. It fails if some of them are rejected again.
func (c *deadReplayCmd) Run(e *env) error {
	if named, filtered := len(c.IDs) > 0, c.All || !c.empty(); named == filtered {
		return errors.New("give either dead letters, or flags that select some, or --all")
	}
	o, err := c.connect()
	if err != nil {
		return err
	}
	r := &replayer{env: e, api: o}
	if len(c.IDs) > 0 {
		err = r.replay(c.IDs)
	} else {
		err = c.replaySelected(r)
	}
	fmt.Fprintf(e.stdout, "%d letters replayed, %d passed\n", r.all, r.passed)
	if err == nil && r.passed < r.all {
		err = fmt.Errorf("%d letters are still rejected", r.all-r.passed)
	}
	return err
}

// replaySelected replays the letters that the flags select, a page at a time.
func (c *deadReplayCmd) replaySelected(r *replayer) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	q.Limit = nhip.MaxReplay
	for page, err := range r.api.DeadLetterPages(r.ctx, q) {
		if err != nil {
			return err
		}
		names := make([]string, len(page.Letters))
		for i := range page.Letters {
			names[i] = client.DeadLetterName(&page.Letters[i])
		}
		if err := errors.Join(r.replay(names), errIncomplete(page.Silent)); err != nil {
			return err
		}
	}
	return nil
}

// replayer replays letters and counts the results.
type replayer struct {
	*env
	api         *client.Client
	all, passed int
}

// replay replays letters and prints the results.
func (r *replayer) replay(names []string) error {
	for result, err := range r.api.ReplayNamed(r.ctx, names) {
		if err != nil {
			return err
		}
		r.all++
		if result.Code == "" {
			r.passed++
			fmt.Fprintf(r.stdout, "%s: %d rows pass\n", result.Name, result.Passed)
			continue
		}
		fmt.Fprintf(r.stdout, "%s: %s: %s\n", result.Name, result.Code, result.Rule)
	}
	return nil
}

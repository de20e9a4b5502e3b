package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"nhip"
	"nhip/client"
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

// letterName is the name of a dead letter on the command line.
func letterName(l *nhip.DeadLetter) string { return l.Collector + "/" + l.ID }

// parseLetterName parses a name; without a collector it is a letter of "main", the default one.
func parseLetterName(name string) (collector, id string) {
	if collector, id, ok := strings.Cut(name, "/"); ok {
		return collector, id
	}
	return "main", name
}

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
	print := printLetters
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

func printLetters(w io.Writer, letters []nhip.DeadLetter) error {
	if len(letters) == 0 {
		_, err := fmt.Fprintln(w, "no dead letters")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tRECEIVED\tDEVICE\tCODE\tWHY\tREPLAYED")
	for i := range letters {
		l := &letters[i]
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n",
			letterName(l), stamp(l.Received), l.Device, l.Code, letterReason(l), replayState(l))
	}
	return table.Flush()
}

func letterReason(l *nhip.DeadLetter) string {
	return (&nhip.Error{Field: l.Field, Rule: l.Rule}).Error()
}

// replayState describes the last replay of a letter.
func replayState(l *nhip.DeadLetter) string {
	switch r := l.Replay; {
	case r == nil:
		return ""
	case r.Code == "":
		return "passed " + stamp(r.Time)
	default:
		return fmt.Sprintf("%s again %s", r.Code, stamp(r.Time))
	}
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
	collector, id := parseLetterName(c.ID)
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
	if err := printLetter(e.stdout, l); err != nil || len(payload) == 0 {
		return err
	}
	format := "\n%s\n"
	if l.PayloadB != nil {
		format = "\n%q\n"
	}
	_, err = fmt.Fprintf(e.stdout, format, payload)
	return err
}

// printLetter prints what is known of a letter, a line for each value.
func printLetter(to io.Writer, l *nhip.DeadLetter) error {
	unkept := ""
	if l.Unkept > 0 {
		unkept = strconv.Itoa(l.Unkept)
	}
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	for _, line := range [][2]string{
		{"id", letterName(l)},
		{"received", stamp(l.Received)},
		{"topic", l.Topic},
		{"device", l.Device},
		{"code", string(l.Code)},
		{"why", letterReason(l)},
		{"rows", strconv.Itoa(l.Rows)},
		{"decoder", l.Decoder},
		{"bytes", strconv.Itoa(l.Size)},
		{"not kept before", unkept},
		{"replayed", replayState(l)},
		{"row", l.LineProtocol},
	} {
		if line[1] != "" {
			fmt.Fprintf(w, "%s\t%s\n", line[0], line[1])
		}
	}
	return w.Flush()
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
			names[i] = letterName(&page.Letters[i])
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

// replay replays letters, as many of one collector as a request may hold.
func (r *replayer) replay(names []string) error {
	for len(names) > 0 {
		collector, id := parseLetterName(names[0])
		ids := []string{id}
		for _, name := range names[1:] {
			c, id := parseLetterName(name)
			if c != collector || len(ids) == nhip.MaxReplay {
				break
			}
			ids = append(ids, id)
		}
		results, err := r.api.ReplayDeadLetters(r.ctx, collector, ids)
		if err != nil {
			return err
		}
		r.print(collector, results)
		names = names[len(ids):]
	}
	return nil
}

func (r *replayer) print(collector string, results []nhip.ReplayResult) {
	for i := range results {
		result := &results[i]
		r.all++
		name := collector + "/" + result.ID
		if result.Code == "" {
			r.passed++
			fmt.Fprintf(r.stdout, "%s: %d rows pass\n", name, result.Passed)
			continue
		}
		fmt.Fprintf(r.stdout, "%s: %s: %s\n", name, result.Code, result.Rule)
	}
}

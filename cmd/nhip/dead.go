package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"

	"nhip"
)

// deadCmd is nhip dead.
type deadCmd struct {
	List   deadListCmd   `cmd:"" help:"List what was turned away, the newest first."`
	Show   deadShowCmd   `cmd:"" help:"Show one dead letter with its whole payload."`
	Replay deadReplayCmd `cmd:"" help:"Run dead letters through today's decoders."`
}

// letterFilter picks dead letters.
type letterFilter struct {
	Collector string `help:"Only this collector's." placeholder:"ID"`
	Device    string `help:"Only of this device: bus/<agency>/<vehicle>, air/<station>, topic/<topic>, or the last part alone." placeholder:"DEVICE"`
	Code      string `help:"Only with this reason, as in malformed or out_of_range." placeholder:"CODE"`
	From      moment `help:"Arrival, inclusive: 2026-02-16T15:00:00Z, or 2026-02-16." placeholder:"TIME"`
	To        moment `help:"Arrival, exclusive." placeholder:"TIME"`
}

func (f *letterFilter) query() (url.Values, error) {
	q := url.Values{}
	setText(q, "collector", f.Collector)
	setText(q, "device", f.Device)
	setText(q, "code", f.Code)
	return q, errors.Join(f.From.add(q, "from"), f.To.add(q, "to"))
}

func (f *letterFilter) empty() bool { return *f == letterFilter{} }

// letterName is how the command line calls a letter: as nhip dead list prints it.
func letterName(l *nhip.DeadLetter) string { return l.Collector + "/" + l.ID }

// parseLetterName reads a name; without a collector it is one of "main", the usual one.
func parseLetterName(name string) (collector, id string) {
	if collector, id, ok := strings.Cut(name, "/"); ok {
		return collector, id
	}
	return "main", name
}

// eachLetter calls f for each page of letters, up to most; 0 is all.
func eachLetter(o *operator, q url.Values, most int, f func([]nhip.DeadLetter) error) error {
	for got := 0; ; {
		if most > 0 {
			q.Set("limit", strconv.Itoa(min(most-got, nhip.MaxReplay)))
		}
		var page struct {
			Letters []nhip.DeadLetter
			Next    string
			Silent  []string
		}
		if err := o.get("/v1/dead", q, &page); err != nil {
			return err
		}
		if err := f(page.Letters); err != nil {
			return err
		}
		if len(page.Silent) > 0 {
			return fmt.Errorf("what is shown is not all: no answer from %s", strings.Join(page.Silent, ", "))
		}
		if got += len(page.Letters); page.Next == "" || most > 0 && got >= most {
			return nil
		}
		q.Set("after", page.Next)
	}
}

// deadListCmd is nhip dead list.
type deadListCmd struct {
	operatorFlags
	letterFilter

	Limit int  `help:"How many at the most; 0 is all." default:"50"`
	JSON  bool `help:"Print a JSON object on each line."`
}

// Run prints a line for each letter.
func (c *deadListCmd) Run(e *env) error {
	if c.Limit < 0 {
		return fmt.Errorf("--limit: must not be negative, got %d", c.Limit)
	}
	o, err := c.connect(e)
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
	var all []nhip.DeadLetter
	err = eachLetter(o, q, c.Limit, func(letters []nhip.DeadLetter) error {
		all = append(all, letters...)
		return nil
	})
	return errors.Join(print(e.stdout, all), err)
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
		_, err := fmt.Fprintln(w, "nothing was turned away")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tRECEIVED\tDEVICE\tCODE\tWHY\tREPLAYED")
	for i := range letters {
		l := &letters[i]
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", letterName(l), stamp(l.Received), l.Device, l.Code, reasonOf(l.Field, l.Rule), replayOf(l))
	}
	return table.Flush()
}

func reasonOf(field, rule string) string {
	return (&nhip.Error{Field: field, Rule: rule}).Error()
}

// replayOf tells what came of a letter's last replay.
func replayOf(l *nhip.DeadLetter) string {
	switch r := l.Replay; {
	case r == nil:
		return ""
	case r.Code == "":
		return fmt.Sprintf("passed %s", stamp(r.Time))
	default:
		return fmt.Sprintf("%s again %s", r.Code, stamp(r.Time))
	}
}

// deadShowCmd is nhip dead show.
type deadShowCmd struct {
	operatorFlags

	ID  string `arg:"" help:"The letter, as nhip dead list prints it."`
	Raw bool   `help:"Print the payload alone, byte for byte."`
}

// Run prints a letter.
func (c *deadShowCmd) Run(e *env) error {
	o, err := c.connect(e)
	if err != nil {
		return err
	}
	collector, id := parseLetterName(c.ID)
	var l nhip.DeadLetter
	if err := o.get("/v1/dead/"+url.PathEscape(collector)+"/"+url.PathEscape(id), nil, &l); err != nil {
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
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	for _, line := range [][2]string{
		{"id", letterName(&l)},
		{"received", stamp(l.Received)},
		{"topic", l.Topic},
		{"device", l.Device},
		{"code", string(l.Code)},
		{"why", reasonOf(l.Field, l.Rule)},
		{"rows", strconv.Itoa(l.Rows)},
		{"decoder", l.Decoder},
		{"bytes", strconv.Itoa(l.Size)},
		{"not kept before", unkeptOf(&l)},
		{"replayed", replayOf(&l)},
		{"row", l.Line},
	} {
		if line[1] != "" {
			fmt.Fprintf(w, "%s\t%s\n", line[0], line[1])
		}
	}
	if err := w.Flush(); err != nil || len(payload) == 0 {
		return err
	}
	format := "\n%s\n"
	if l.PayloadB != nil {
		format = "\n%q\n"
	}
	_, err = fmt.Fprintf(e.stdout, format, payload)
	return err
}

func unkeptOf(l *nhip.DeadLetter) string {
	if l.Unkept == 0 {
		return ""
	}
	return strconv.Itoa(l.Unkept)
}

// deadReplayCmd is nhip dead replay.
type deadReplayCmd struct {
	operatorFlags
	letterFilter

	IDs []string `arg:"" optional:"" name:"id" help:"Letters, as nhip dead list prints them; without any, those that the flags pick."`
	All bool     `help:"All there are."`
}

// Run replays letters and fails when some are still turned away.
func (c *deadReplayCmd) Run(e *env) error {
	if named, picked := len(c.IDs) > 0, c.All || !c.empty(); named == picked {
		return errors.New("name either letters, or flags that pick some, or --all")
	}
	o, err := c.connect(e)
	if err != nil {
		return err
	}
	r := &replayer{env: e, operator: o}
	if len(c.IDs) > 0 {
		err = r.replayNamed(c.IDs)
	} else {
		err = c.replayPicked(r)
	}
	fmt.Fprintf(e.stdout, "%d letters replayed, %d passed\n", r.all, r.passed)
	if err == nil && r.passed < r.all {
		err = fmt.Errorf("%d letters are still turned away", r.all-r.passed)
	}
	return err
}

// replayPicked replays the letters that the flags pick, a page at a time.
func (c *deadReplayCmd) replayPicked(r *replayer) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	q.Set("limit", strconv.Itoa(nhip.MaxReplay))
	return eachLetter(r.operator, q, 0, func(letters []nhip.DeadLetter) error {
		names := make([]string, len(letters))
		for i := range letters {
			names[i] = letterName(&letters[i])
		}
		return r.replayNamed(names)
	})
}

// replayer replays letters and counts what comes of it.
type replayer struct {
	*env
	*operator
	all, passed int
}

// replayNamed replays letters, as many in a question as one may hold.
func (r *replayer) replayNamed(names []string) error {
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
		if err := r.replayOf(collector, ids); err != nil {
			return err
		}
		names = names[len(ids):]
	}
	return nil
}

func (r *replayer) replayOf(collector string, ids []string) error {
	var page nhip.ReplayPage
	if err := r.post("/v1/dead/replay", map[string]any{"collector": collector, "ids": ids}, &page); err != nil {
		return err
	}
	for _, done := range page.Replayed {
		r.all++
		name := collector + "/" + done.ID
		if done.Code == "" {
			r.passed++
			fmt.Fprintf(r.stdout, "%s: %d rows pass\n", name, done.Passed)
			continue
		}
		fmt.Fprintf(r.stdout, "%s: %s: %s\n", name, done.Code, done.Rule)
	}
	return nil
}

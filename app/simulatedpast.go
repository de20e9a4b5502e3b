package app

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"time"

	"nhip"
	"nhip/internal/durable"
	"nhip/internal/mqtt/publish"
	"nhip/internal/sim"
	"nhip/internal/wait"
)

// DefaultPast is the past that nhip up --simulate makes.
const DefaultPast = 48 * time.Hour

// MaxPast is the maximum of Options.Past: older positions give no arrivals.
const MaxPast = 72 * time.Hour

// simulatedPastFile is the file in the data folder that says which past was made, and how far.
const simulatedPastFile = "simulated-past.json"

// maxPastFile bounds its size.
const maxPastFile = 4096

// The past is published beside the present, which must not wait for it: two days of 300 buses take about five minutes.
const (
	pastRate        = 3000 // messages a second
	pastConnections = 2
	pastSavedEvery  = time.Hour // of the past
	pastPoll        = 10 * time.Millisecond
)

// simulatedPast is the past of a simulated city. It is made once for a data folder.
type simulatedPast struct {
	From    time.Time `json:"from"`
	Until   time.Time `json:"until"`   // exclusive; the lead of the buses begins there
	Through time.Time `json:"through"` // what is before it was published and acknowledged
	fresh   bool      // begun by this process
}

// complete reports whether nothing is left to publish.
func (p *simulatedPast) complete() bool { return p == nil || !p.Through.Before(p.Until) }

// lead returns how long before the present the buses begin to run. Only a folder without facts has room for it.
func (p *simulatedPast) lead() time.Duration {
	if p == nil || !p.fresh {
		return 0
	}
	return sim.MaxLead
}

// planPast decides which past is still to be made: nil for none. It must be called before a collector uses the folder:
// one that already has facts and no past gets none, because its buses can't have been in two places.
func (r *runtime) planPast() (*simulatedPast, error) {
	span := r.options.Past
	if span < 0 || span > MaxPast || span > 0 && span <= sim.MaxLead {
		return nil, nhip.Errorf(nhip.CodeOutOfRange, "past", "must be 0, or above %s and at most %s, got %s",
			nhip.FormatDuration(sim.MaxLead), nhip.FormatDuration(MaxPast), nhip.FormatDuration(span))
	}
	if !r.options.Simulate || span == 0 {
		return nil, nil
	}
	path := r.dir.Path(simulatedPastFile)
	p, err := readPast(path)
	switch {
	case err == nil && r.clock.Now().Sub(p.From) > 2*MaxPast:
		return nil, nil // what is missing of it is too old to be of use
	case err == nil:
		return p, nil
	case !errors.Is(err, fs.ErrNotExist):
		r.damaged.SetAside(path, err)
		return nil, nil
	}
	if _, err := os.Stat(r.dir.Path("collector")); err == nil {
		return nil, nil
	}
	now := r.clock.Now()
	p = &simulatedPast{From: now.Add(-span), Until: now.Add(-sim.MaxLead), fresh: true}
	p.Through = p.From
	if err := p.save(path); err != nil {
		r.log.Error("no simulated past: it can't be noted", "error", err)
		return nil, nil
	}
	return p, nil
}

func readPast(path string) (*simulatedPast, error) {
	raw, err := readUpTo(path, maxPastFile)
	if err != nil {
		return nil, err
	}
	p := new(simulatedPast)
	if err := json.Unmarshal(raw, p); err != nil {
		return nil, err
	}
	if p.Until.Sub(p.From) > MaxPast || p.Until.Before(p.From) {
		return nil, errors.New("until must be after from, by at most the longest past")
	}
	return p, nil
}

func (p *simulatedPast) save(path string) error {
	raw, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return durable.WriteFile(path, raw)
}

// pastWriter publishes the past of the buses.
type pastWriter struct {
	past    *simulatedPast
	path    string
	devices *publish.Pool
	sent    int64
}

// run publishes what is missing, oldest first. The past that was interrupted is simulated again from its beginning,
// because only then it is the same.
func (w *pastWriter) run(ctx context.Context, buses *sim.Past) error {
	saved := w.past.Through
	for {
		list, begin, ok := buses.Next()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if ok && begin.Before(w.past.Through) {
			continue
		}
		if !ok || begin.Sub(saved) >= pastSavedEvery {
			if err := w.note(ctx, begin); err != nil || !ok {
				return err
			}
			saved = begin
		}
		for _, m := range list {
			if err := w.devices.Publish(ctx, m.Topic, m.Payload); err != nil {
				return err
			}
			w.sent++
		}
		if err := wait.Sleep(ctx, time.Second*time.Duration(len(list))/pastRate); err != nil {
			return err
		}
	}
}

// note saves how far the past is, once all of it is acknowledged.
func (w *pastWriter) note(ctx context.Context, through time.Time) error {
	for w.devices.Acked() < w.sent {
		if err := wait.Sleep(ctx, pastPoll); err != nil {
			return err
		}
	}
	w.past.Through = through
	return w.past.save(w.path)
}

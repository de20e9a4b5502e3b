package air

import (
	"context"
	"errors"
	"fmt"
	"time"

	"nhip"
	"nhip/geo/qc"
	"nhip/internal/influx"
)

// maxChunkReadings is the number of readings after which a chunk is cut: what a station with twelve quantities sends
// each minute in a month, with some room.
const maxChunkReadings = 800_000

// backfillChunk is a range of old hours of one station that is processed at once.
type backfillChunk struct {
	station *station
	view
	span
	compared spans // hours of it that are processed because of the comparison only
}

// errChunkFull ends the reading of a chunk.
var errChunkFull = errors.New("the chunk is full")

// backfill processes one chunk of old hours from the database: hours with late or imported readings, or with readings
// that a review or a calibration changed. Without such hours it does nothing.
func (p *Processor) backfill(ctx context.Context) error {
	c, ok := p.takeChunk()
	if !ok {
		return nil
	}
	var err error
	p.guard("old readings", c.id, func() { err = p.fillChunk(ctx, &c) }, func() { c.station.refilling = nil })
	return err
}

// fillChunk reads a chunk and processes it.
func (p *Processor) fillChunk(ctx context.Context, c *backfillChunk) error {
	w, stored, err := p.readChunk(ctx, c)
	if err != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		c.station.dirty, c.station.refilling = c.station.dirty.addAll(c.station.refilling), nil
		return fmt.Errorf("can't read the old readings of station %s: %w", c.id, err)
	}
	p.processChunk(c, w, stored)
	return nil
}

// readChunk reads the readings of a chunk, with a margin, and the stored results of the checks against
// other monitors. It shortens a chunk that has too many readings.
func (p *Processor) readChunk(ctx context.Context, c *backfillChunk) (*window, map[quantityHour]qc.Result, error) {
	from := time.UnixMilli(startOf(c.From - chunkMargin)).UTC()
	to := time.UnixMilli(endOf(c.To - 1 + chunkMargin)).UTC()
	w := new(window)
	rq := influx.ReadingQuery{Station: c.id, From: from, To: to}
	hour := int64(0)
	err := p.o.History.Readings(ctx, rq, func(r nhip.AssessedReading) error {
		h := hourOf(r.Time.UnixMilli())
		if h > hour && h > c.From+chunkMargin+1 {
			if w.settle(); w.samples() > maxChunkReadings {
				c.To = min(c.To, h-1-chunkMargin) // the readings of hour h-1 and before are complete
				return errChunkFull
			}
		}
		hour = h
		w.put(&r.Reading, r.Assessment)
		return nil
	})
	if errors.Is(err, errChunkFull) {
		err = nil
	}
	w.settle()
	network := make(map[quantityHour]qc.Result)
	if err != nil {
		return w, network, err
	}
	hq := influx.RollupQuery{
		Station: c.id, Period: nhip.PeriodHour, Quality: nhip.QualityRaw, From: from, To: to,
	}
	err = p.o.History.Rollups(ctx, hq, func(r influx.RollupRow) error {
		if r.Network.Tests != "" {
			network[quantityHour{r.Quantity, hourOf(r.Time.UnixMilli())}] = networkResult(r.Network.Tests)
		}
		return nil
	})
	return w, network, err
}

// takeChunk takes the next chunk to process, once all observed readings are in the database.
func (p *Processor) takeChunk() (backfillChunk, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.o.Stored(p.lastRecord) {
		return backfillChunk{}, false
	}
	first := p.recentHour()
	for _, s := range p.stations { // in random order, so that none waits for a long import of another
		if x := s.dirty.within(0, first); len(x) > 0 {
			hours := span{x[0].From, min(x[0].To, x[0].From+chunkHours)}
			c := backfillChunk{s, s.view(), hours, s.compared.within(hours.From, hours.To)}
			s.compared = s.compared.remove(hours.From, hours.To)
			s.dirty, s.refilling = s.dirty.remove(c.From, c.To), spans{c.span}
			return c, true
		}
	}
	return backfillChunk{}, false
}

// processChunk assesses and sums up the hours of a chunk. The lock is not held while it computes.
func (p *Processor) processChunk(c *backfillChunk, w *window, stored map[quantityHour]qc.Result) {
	s := c.station
	recent := p.recentHour()
	r := results{view: c.view, now: p.o.Clock.Now(), compared: c.compared}
	network := func(n quantityHour) qc.Result {
		if f, ok := c.networkResults[n]; ok {
			return f
		}
		return stored[n]
	}
	// A reading may change the assessment of later ones up to chunkMargin, which w includes. Recent readings are
	// assessed from memory.
	last := min(c.To+chunkMargin-1, recent)
	earliest := c.From - chunkMargin + 1
	p.assess(&r, w, startOf(earliest), startOf(c.From), startOf(last), network)
	for _, x := range r.changed.add(c.From, c.To).within(earliest, last) {
		for h := x.From; h < x.To; h++ {
			p.sumHour(&r, w, h, network)
		}
	}
	p.countDropped(w)

	p.mu.Lock()
	defer p.mu.Unlock()
	p.keep(s, &r)
	first := p.windowHour() // of the hours that are also assessed from memory
	for n, f := range c.networkResults {
		if n.hour >= c.From && n.hour < min(c.To, first) && s.networkResults[n] == f {
			delete(s.networkResults, n) // now stored with the hour
		}
	}
	s.dirty, s.refilling = s.dirty.addAll(s.refilling.without(spans{c.span})), nil // the rest of a chunk that was cut
	s.republish = s.republish || c.To > recent-liveHours
	wake(p.wakeRecent)
	wake(p.wakeCompare)
}

package air

import (
	"context"
	"fmt"
	"slices"
	"time"

	"nhip"
	"nhip/internal/influx"
)

// Verify checks whether all readings up to a time are assessed and summed up, so that they may be deleted. It returns
// the reason if they may not, and "" if deletion is allowed. It reads all of these readings from the database.
func (p *Processor) Verify(ctx context.Context, until time.Time) (string, error) {
	last := hourOf(until.UnixMilli())
	p.mu.Lock()
	var ids []string
	first := make(map[string]int64)
	for id, s := range p.stations {
		if left := s.open().addAll(s.days).addAll(s.summing.days).within(0, last+1); len(left) > 0 {
			p.mu.Unlock()
			return fmt.Sprintf("station %s has hours that are not assessed and summed up yet", id), nil
		}
		if s.first != 0 && s.first <= last {
			ids = append(ids, id)
			first[id] = s.first
		}
	}
	p.mu.Unlock()
	slices.Sort(ids)
	for _, id := range ids {
		from := time.UnixMilli(startOf(first[id])).UTC()
		for ; from.Before(until); from = from.Add(chunkHours * time.Hour) {
			to := from.Add(chunkHours * time.Hour)
			if to.After(until) {
				to = until
			}
			if reason, err := p.verifyChunk(ctx, id, from, to); reason != "" || err != nil {
				return reason, err
			}
		}
	}
	return "", nil
}

// verifyChunk checks that every hour with readings has a roll-up.
func (p *Processor) verifyChunk(ctx context.Context, id string, from, to time.Time) (reason string, err error) {
	counts := make(map[quantityHour]int)
	hq := influx.RollupQuery{Station: id, Period: nhip.PeriodHour, Quality: nhip.QualityRaw, From: from, To: to}
	err = p.o.History.Rollups(ctx, hq, func(r influx.RollupRow) error {
		counts[quantityHour{r.Quantity, hourOf(r.Time.UnixMilli())}] = r.Count
		return nil
	})
	if err != nil {
		return "", err
	}
	rq := influx.ReadingQuery{Station: id, From: from, To: to}
	err = p.o.History.Readings(ctx, rq, func(r nhip.AssessedReading) error {
		h := quantityHour{r.Quantity, hourOf(r.Time.UnixMilli())}
		if r.Period <= time.Hour && counts[h] == 0 && reason == "" {
			end := time.UnixMilli(endOf(h.hour)).UTC().Format(time.RFC3339)
			reason = fmt.Sprintf("station %s has no roll-up of %s for the hour that ends at %s; run nhip recompute",
				id, r.Quantity, end)
		}
		return nil
	})
	return reason, err
}

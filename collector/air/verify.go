package air

import (
	"context"
	"fmt"
	"slices"
	"time"

	"nhip"
	"nhip/internal/influx"
)

// Verify tells why the readings up to a time may not be deleted yet: because something of them is still to be made, or
// an hour that they are of has no roll-up in the database. "" is that nothing stands against it. It reads all of
// them.
func (k *Keeper) Verify(ctx context.Context, until time.Time) (string, error) {
	last := hourOf(until.UnixMilli())
	k.mu.Lock()
	var ids []string
	first := make(map[string]int64)
	for id, s := range k.stations {
		if left := s.dirty.addAll(s.sending).addAll(s.days).within(0, last+1); len(left) > 0 {
			k.mu.Unlock()
			return fmt.Sprintf("station %s has hours that are not judged and summed up yet", id), nil
		}
		if s.first != 0 && s.first <= last {
			ids = append(ids, id)
			first[id] = s.first
		}
	}
	k.mu.Unlock()
	slices.Sort(ids)
	for _, id := range ids {
		for from := time.UnixMilli(startOf(first[id])).UTC(); from.Before(until); from = from.Add(chunkHours * time.Hour) {
			to := from.Add(chunkHours * time.Hour)
			if to.After(until) {
				to = until
			}
			if why, err := k.verifyChunk(ctx, id, from, to); why != "" || err != nil {
				return why, err
			}
		}
	}
	return "", nil
}

func (k *Keeper) verifyChunk(ctx context.Context, id string, from, to time.Time) (string, error) {
	summed := make(map[nearHour]int)
	q := influx.RollupQuery{Station: id, Period: nhip.HourPeriod, Quality: nhip.Raw, From: from, To: to}
	err := k.o.History.Rollups(ctx, q, func(r influx.Rolled) error {
		summed[nearHour{r.Quantity, hourOf(r.Time.UnixMilli())}] = r.Count
		return nil
	})
	if err != nil {
		return "", err
	}
	why := ""
	err = k.o.History.Readings(ctx, influx.ReadingQuery{Station: id, From: from, To: to}, func(r nhip.Judged) error {
		h := nearHour{r.Quantity, hourOf(r.Time.UnixMilli())}
		if r.Period <= time.Hour && summed[h] == 0 && why == "" {
			why = fmt.Sprintf("station %s has no roll-up of %s for the hour that ends at %s; run nhip recompute", id, r.Quantity,
				time.UnixMilli(endOf(h.hour)).UTC().Format(time.RFC3339))
		}
		return nil
	})
	return why, err
}

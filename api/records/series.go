package records

import (
	"context"
	"time"

	"nhip"
	"nhip/geo/report"
	"nhip/internal/influx"
)

// series reads the complete hours and days of a station, of all quantities for "". It starts eight hours before from,
// for running means, and ends an hour after to: the hour around midnight of a zone on the half hour belongs to the day
// before.
func (h *Handler) series(ctx context.Context, station string, quantity nhip.Quantity, quality nhip.Quality, from,
	to time.Time,
) (map[nhip.Quantity]*report.Series, error) {
	out := make(map[nhip.Quantity]*report.Series)
	for _, period := range []string{nhip.PeriodHour, nhip.PeriodDay} {
		q := influx.RollupQuery{
			Station: station, Quantity: quantity, Period: period, Quality: quality, From: from.Add(-8 * time.Hour),
			To: to.Add(time.Hour), Brief: true,
		}
		err := h.History.Rollups(ctx, q, func(r influx.RollupRow) error {
			if !r.Complete() {
				return nil
			}
			s := out[r.Quantity]
			if s == nil {
				s = new(report.Series)
				out[r.Quantity] = s
			}
			if period == nhip.PeriodHour {
				s.Hours = append(s.Hours, report.Mean{End: r.Time, Value: r.Mean})
			} else {
				s.Days = append(s.Days, report.Mean{End: r.Time, Value: r.Mean})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

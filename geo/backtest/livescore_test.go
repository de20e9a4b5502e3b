package backtest

import (
	"testing"
	"time"

	"nhip/geo/geotest"
	"nhip/geo/network"
	"nhip/geo/predict"
)

// TestPendingPredictionsAreBounded has a bus that stands for two days, and arrives.
func TestPendingPredictionsAreBounded(t *testing.T) {
	n := network.New(geotest.Line(10, 10*time.Minute))
	start := time.Date(2026, 3, 2, 6, 0, 0, 0, geotest.TimeZone)
	l := NewLiveScore(start)
	now := start
	for range 2 * 24 * 60 {
		now = now.Add(time.Minute)
		l.Predicted("bus", &predict.Bus{Pattern: n.Patterns[0], Time: now}, []predict.StopPrediction{
			{Index: 5, P50: now.Add(5 * time.Minute), Expected: now.Add(5 * time.Minute)},
		})
	}
	if got := len(l.journeys["bus"].pending); got > 121 {
		t.Errorf("%d pending predictions", got)
	}
	l.Arrived(&predict.Arrival{Vehicle: "bus", Pattern: n.Patterns[0], Stop: 5, Arrived: now.Add(5 * time.Minute)})
	if r := l.Total(); r.Arrivals != 1 || r.Predictions == 0 || len(l.journeys["bus"].pending) > 0 {
		t.Errorf("%d arrivals, %d predictions, %d pending", r.Arrivals, r.Predictions, len(l.journeys["bus"].pending))
	}
}

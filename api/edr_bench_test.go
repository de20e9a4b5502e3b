package api

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"testing"
	"time"

	"nhip"
	"nhip/api/livetest"
	"nhip/internal/influx"

	"github.com/paulmach/orb"
)

// cityMonitors are the monitors of the benchmarks; each measures all quantities of VN_AQI.
const cityMonitors = 100

var indexQuantities = []nhip.Quantity{nhip.PM25, nhip.PM10, nhip.O3, nhip.NO2, nhip.SO2, nhip.CO}

// cityPast is the history of the monitors, from memory.
type cityPast struct{ absentHistory }

func cityMean(i int, q nhip.Quantity, end time.Time) float64 {
	return 50 + float64(len(q)) + 10*math.Sin(float64(i)+end.Sub(noon).Hours()/5)
}

func (cityPast) Rollups(_ context.Context, q influx.RollupQuery, yield func(influx.RollupRow) error) error {
	for end := q.From.Truncate(time.Hour).Add(time.Hour); !end.After(q.To); end = end.Add(time.Hour) {
		for i := range cityMonitors {
			for _, quantity := range indexQuantities {
				mean := cityMean(i, quantity, end)
				r := influx.RollupRow{Rollup: nhip.Rollup{
					Station: livetest.MonitorID(i), Quantity: quantity, Period: nhip.PeriodHour, Time: end,
					RollupStats: nhip.RollupStats{Mean: mean, Count: 12, Capture: 100, Flag: nhip.FlagGood},
				}}
				if err := yield(r); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (cityPast) Readings(context.Context, influx.ReadingQuery, func(nhip.AssessedReading) error) error {
	return nil
}

// withCity returns an api with 100 monitors of six quantities.
func withCity(b *testing.B) *API {
	b.Helper()
	a := newAPI(b, func(o *Options) { o.History, o.airInterval = cityPast{}, time.Hour })
	for i := range cityMonitors {
		s := livetest.Monitor(i, noon, 0)
		sin, cos := math.Sincos(float64(i) * 2.4)
		at := orb.Point{105.852 + 0.012*math.Sqrt(float64(i))*cos, 21.028 + 0.012*math.Sqrt(float64(i))*sin}
		s.Lon, s.Lat = nhip.Some(at[0]), nhip.Some(at[1])
		for _, q := range indexQuantities {
			means := make([]nhip.Opt[float64], 24)
			for back := range means {
				means[back] = nhip.Some(cityMean(i, q, noon.Add(-time.Duration(back)*time.Hour)))
			}
			s.Values[q] = nhip.LiveValue{Value: 50, Time: noon, Period: 3600, Flag: nhip.FlagGood}
			s.Hours.Means[q] = means
		}
		livetest.ReceiveStation(b, a.live, s)
	}
	return a
}

// BenchmarkEDR asks for a day at one place after the other, whose hours are in memory, for the last day of a station,
// and for areas of 10,000 cells with the index and its range, and with all parameters. cells is the number of cells.
func BenchmarkEDR(b *testing.B) {
	a := withCity(b)
	send := func(b *testing.B, path string) {
		b.Helper()
		if w := get(b, a, path, "Accept-Encoding", "identity"); w.Code != http.StatusOK {
			b.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	b.Run("position-day", func(b *testing.B) {
		path := edrQuery("air/position", "coords", edrPlace, "datetime", edrDay)
		for range 10 { // until the weeks before have been learned from
			if get(b, a, path).Code == http.StatusOK {
				break
			}
		}
		b.ResetTimer()
		for k := 0; b.Loop(); k++ {
			at := fmt.Sprintf("POINT(%f 21.028)", 105.85+float64(k%100)/1000)
			send(b, edrQuery("air/position", "coords", at, "datetime", edrDay))
		}
	})
	b.Run("station-day", func(b *testing.B) {
		for b.Loop() {
			send(b, edrQuery("stations/position", "coords", edrPlace))
		}
	})
	// 100 × 100 nodes of the lattice, which are 0.0027° of longitude apart
	square := func(k int) string {
		west, south, side := 105.70+float64(k%10)/1000, 20.90, 0.2733
		return fmt.Sprintf("POLYGON((%[1]f %[2]f,%[3]f %[2]f,%[3]f %[4]f,%[1]f %[4]f,%[1]f %[2]f))", west, south, west+side,
			south+side*0.933)
	}
	cells := func(b *testing.B) {
		b.Helper()
		var c covJSON
		w := get(b, a, edrQuery("air/area", "coords", square(0), "parameter-name", "vn_aqi"))
		if err := json.Unmarshal(w.Body.Bytes(), &c); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(knownValues(&c, "vn_aqi")), "cells")
	}
	b.Run("area-index", func(b *testing.B) {
		for k := 0; b.Loop(); k++ {
			send(b, edrQuery("air/area", "coords", square(k), "parameter-name", "vn_aqi,vn_aqi_low,vn_aqi_high"))
		}
		cells(b)
	})
	b.Run("area-all", func(b *testing.B) {
		for k := 0; b.Loop(); k++ {
			send(b, edrQuery("air/area", "coords", square(k)))
		}
		cells(b)
	})
}

package qc

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"nhip"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

// device is one sensor device of the archive: its site and its series.
type device struct {
	id     string
	site   Site
	series []Series
}

func (b *device) point() orb.Point { return orb.Point{b.site.Lon, b.site.Lat} }

// archive reads one day of all devices with one type of sensor.
func archive(t *testing.T, kind string, columns map[string]nhip.Quantity) []device {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(testdata(t), "sensor_community_aberdeen", "*_"+kind+"_*.csv"))
	if err != nil || len(files) == 0 {
		t.Fatal(err, "no files")
	}
	var out []device
	for _, path := range files {
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		r := csv.NewReader(file)
		r.Comma = ';'
		rows, err := r.ReadAll()
		if err != nil {
			t.Fatal(path, err)
		}
		_ = file.Close()
		out = append(out, readDevice(rows, columns))
	}
	return out
}

func readDevice(rows [][]string, columns map[string]nhip.Quantity) device {
	var b device
	for i, name := range rows[0] {
		q, ok := columns[name]
		if !ok {
			continue
		}
		s := Series{Quantity: q, Period: 150 * time.Second}
		for _, row := range rows[1:] {
			b.id = row[0]
			lat, _ := strconv.ParseFloat(row[3], 64)
			lon, _ := strconv.ParseFloat(row[4], 64)
			b.site = Site{lat, lon, unset}
			at, err1 := time.Parse("2006-01-02T15:04:05", row[5])
			v, err2 := strconv.ParseFloat(row[i], 64)
			if err1 == nil && err2 == nil && !math.IsNaN(v) {
				s.Samples = append(s.Samples, Sample{At: at.UnixMilli(), Value: v})
			}
		}
		b.series = append(b.series, s)
	}
	return b
}

// hourly returns the hourly means of PM2.5 by device, of the samples for which use returns true.
func hourly(devices []device, use func(box, series, sample int) bool) [][24]float64 {
	out := make([][24]float64, len(devices))
	for i := range devices {
		var sum, n [24]float64
		for k, s := range devices[i].series {
			if s.Quantity != nhip.PM25 {
				continue
			}
			for j, x := range s.Samples {
				if use(i, k, j) {
					h := time.UnixMilli(x.At).UTC().Hour()
					sum[h] += x.Value
					n[h]++
				}
			}
		}
		for h := range 24 {
			out[i][h] = sum[h] / n[h] // NaN without samples
		}
	}
	return out
}

// leaveOneOut returns the RMSE of estimating each device from all others by inverse distance weighting (power 2).
func leaveOneOut(devices []device, means [][24]float64) (rmse float64, n int) {
	squares := 0.0
	for h := range 24 {
		for i := range devices {
			sum, weights := 0.0, 0.0
			for j := range devices {
				if i == j || math.IsNaN(means[j][h]) || math.IsNaN(means[i][h]) {
					continue
				}
				w := 1 / math.Pow(max(geo.DistanceHaversine(devices[i].point(), devices[j].point()), 1), 2)
				sum += w * means[j][h]
				weights += w
			}
			if weights > 0 {
				d := sum/weights - means[i][h]
				squares += d * d
				n++
			}
		}
	}
	return math.Sqrt(squares / float64(n)), n
}

// control runs all checks over the day: those of single stations, then those of the network for each hour.
func control(devices []device) (results [][][]Result) {
	r := NewRules()
	results = make([][][]Result, len(devices))
	for i := range devices {
		for _, s := range devices[i].series {
			results[i] = append(results[i], make([]Result, len(s.Samples)))
		}
		r.EvaluateStation(ClassLowCost, nhip.Opt[orb.Point]{}, devices[i].series, 0, func(k, j int, v Result) {
			results[i][k][j] = v
		})
	}
	sites := make([]Site, len(devices))
	for i := range devices {
		sites[i] = devices[i].site
	}
	network := r.Neighbourhood(nhip.PM25, sites)
	for h := range 24 {
		medians := make([]float64, len(devices))
		for i := range devices {
			medians[i] = medianOf(&devices[i], results[i], h)
		}
		around, beside := network.Compare(medians), network.CompareCollocated(medians)
		for i := range devices {
			for k, s := range devices[i].series {
				for j, x := range s.Samples {
					if s.Quantity == nhip.PM25 && time.UnixMilli(x.At).UTC().Hour() == h {
						results[i][k][j].Add(CheckNeighbours, around[i])
						results[i][k][j].Add(CheckChannels, beside[i])
					}
				}
			}
		}
	}
	return results
}

func medianOf(b *device, results [][]Result, h int) float64 {
	var values []float64
	for k, s := range b.series {
		for j, x := range s.Samples {
			if s.Quantity == nhip.PM25 && results[k][j].Flag != nhip.FlagFail && time.UnixMilli(x.At).UTC().Hour() == h {
				values = append(values, x.Value)
			}
		}
	}
	if len(values) == 0 {
		return unset
	}
	sort.Float64s(values)
	return values[len(values)/2]
}

func TestRecordedDayInAberdeen(t *testing.T) {
	devices := archive(t, "sds011", map[string]nhip.Quantity{"P1": nhip.PM10, "P2": nhip.PM25})
	results := control(devices)
	raw, n := leaveOneOut(devices, hourly(devices, func(int, int, int) bool { return true }))
	clean, m := leaveOneOut(devices, hourly(devices, func(i, k, j int) bool {
		return results[i][k][j].Flag == nhip.FlagGood
	}))
	t.Logf("RMSE %.2f over %d hours, %.2f over %d unflagged hours", raw, n, clean, m)
	if raw < 8 || clean > 6.5 || float64(m) < 0.8*float64(n) {
		t.Errorf("RMSE %.2f over %d hours, %.2f over %d unflagged hours; want at most 6.5 over at least 80 %%", raw, n, clean,
			m)
	}
	found := make(map[string]map[string]bool) // checks by device
	for i := range devices {
		found[devices[i].id] = make(map[string]bool)
		for k := range results[i] {
			for j := range results[i][k] {
				for name := range strings.SplitSeq(results[i][k][j].Tests(), ",") {
					if name != "" && devices[i].series[k].Quantity == nhip.PM25 {
						found[devices[i].id][name] = true
					}
				}
			}
		}
	}
	for _, fault := range []struct{ device, check string }{
		{"16422", "spike=4"},      // 300.8 among values of 16
		{"22523", "neighbours=4"}, // 3.8 where others read 12 to 15
		{"23628", "neighbours=4"},
		{"25095", "channels=3"}, // collocated sensors
		{"25555", "channels=3"},
	} {
		if !found[fault.device][fault.check] {
			t.Errorf("%s is missing at %s: %v", fault.check, fault.device, found[fault.device])
		}
		delete(found, fault.device)
	}
	for id, tests := range found {
		for name := range tests {
			if !strings.HasPrefix(name, "spike") {
				t.Errorf("unexpected %s at %s", name, id)
			}
		}
	}
}

func TestStuckHygrometers(t *testing.T) {
	devices := archive(t, "dht22", map[string]nhip.Quantity{"temperature": nhip.Temperature, "humidity": nhip.Humidity})
	results := control(devices)
	stuck := 0
	for i := range devices {
		wet, all, failed := 0, 0, 0
		for k, s := range devices[i].series {
			for j, x := range s.Samples {
				if s.Quantity != nhip.Humidity {
					continue
				}
				all++
				if x.Value >= 99.9 {
					wet++
				}
				if results[i][k][j].Flag == nhip.FlagFail {
					failed++
				}
			}
		}
		switch {
		case wet == all: // detected from noon on
			stuck++
			if failed < all/3 {
				t.Errorf("%s reports 99.9 %% all day, but only %d of %d values fail", devices[i].id, failed, all)
			}
		case failed > 0:
			t.Errorf("%s varies, but %d of %d values fail", devices[i].id, failed, all)
		}
	}
	if stuck != 10 {
		t.Errorf("%d stuck hygrometers, want 10", stuck)
	}
}

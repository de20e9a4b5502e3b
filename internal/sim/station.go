package sim

import (
	"fmt"
	"math"
	"time"

	"nhip"

	"github.com/paulmach/orb"
)

// reportPeriod is the averaging period of a report, which ends at a multiple of it.
const reportPeriod = 5 * time.Minute

// maxReportDelay is the maximum time from a period's end to its report. The stations' delays are spread over it.
const maxReportDelay = 2 * time.Minute

// station is an air station that reports.
type station struct {
	stationSpec
	topic string
	seed  uint64
	delay time.Duration // from the period's end to the report
}

// newStations returns n stations: those of the table first, and then generated ones.
func newStations(n int, seed uint64) []*station {
	list := make([]*station, n)
	for i := range list {
		m := extraStation(i, seed)
		if i < len(stationSpecs) {
			m = stationSpecs[i]
		}
		list[i] = &station{
			stationSpec: m, topic: "nhip/in/reading/" + m.id, seed: mix(seed, int64(i)+1),
			delay: maxReportDelay * time.Duration(i) / time.Duration(n),
		}
	}
	return list
}

// extraStation generates a low-cost station within 12 km of the city's centre.
func extraStation(i int, seed uint64) stationSpec {
	angle := 2 * math.Pi * unitFloat(mix(seed, int64(i), 1))
	away := 12_000 * math.Sqrt(unitFloat(mix(seed, int64(i), 2)))
	p := newPlane(cityCenter).toWGS84(orb.Point{away * math.Cos(angle), away * math.Sin(angle)})
	return stationSpec{id: fmt.Sprintf("hn-extra-%03d", i+1), name: fmt.Sprint("Điểm đo ", i+1), point: rounded(p)}
}

// decimals returns the number of decimal places of a quantity.
func decimals(q nhip.Quantity) int {
	if q == nhip.CO { // values are in the thousands of µg/m³
		return 0
	}
	return 1
}

// report returns the payload for the period that ends at end, or nil for no report. It depends only on its arguments.
func (s *station) report(sky *airField, end time.Time) []byte {
	if s.fault == intermittent && s.inGap(end) {
		return nil
	}
	values := s.measure(sky, end)
	p := make([]byte, 0, 320) // the longest has 290 bytes
	p = appendTime(append(p, '{'), end)
	p = appendText(p, "period", nhip.FormatPeriod(reportPeriod))
	p = appendNumber(p, "lat", s.point.Lat(), 6)
	p = appendNumber(p, "lon", s.point.Lon(), 6)
	p = append(appendKey(p, "values"), '{')
	for _, q := range quantities {
		p = appendNumber(p, string(q), values[q], decimals(q))
	}
	p = appendText(append(p, '}'), "origin", string(nhip.OriginSimulated))
	return append(p, '}')
}

// measure returns the monitor's measurement of the air in the middle of the period.
func (s *station) measure(sky *airField, end time.Time) airValues {
	truth := sky.at(s.point, end.Add(-reportPeriod/2))
	values := airValues{}
	for i, q := range quantities {
		values[q] = s.instrument(q, truth[q], truth[nhip.Humidity], mix(s.seed, end.Unix(), int64(i)))
	}
	switch s.fault {
	case frozen:
		s.freeze(sky, end, values)
	case saturated:
		values[nhip.Humidity] = 99.9
	case spiky:
		if unitFloat(mix(s.seed, end.Unix(), 99)) < 1.0/40 { // about seven a day
			values[nhip.PM25] *= 10
			values[nhip.PM10] *= 10
		}
	}
	return values
}

// precision has the errors of each grade of monitor, as standard deviations.
var precision = [...]struct {
	value   float64 // fraction of a concentration
	bias    float64 // fraction of a concentration, constant over time
	degrees float64 // °C
	percent float64 // relative humidity
}{
	lowCost:   {0.06, 0.10, 0.3, 1.5},
	reference: {0.015, 0.02, 0.1, 0.5},
}

// instrument returns a true value with the monitor's error.
func (s *station) instrument(q nhip.Quantity, v, humidity float64, h uint64) float64 {
	e := precision[s.grade]
	switch q {
	case nhip.Temperature:
		return v + e.degrees*gauss(h)
	case nhip.Humidity:
		return min(max(v+e.percent*gauss(h), 1), 100)
	}
	v *= 1 + e.bias*gauss(mix(s.seed, int64(len(q)), int64(q[0])))
	if excess := humidity - 80; s.grade == lowCost && excess > 0 && (q == nhip.PM25 || q == nhip.PM10) {
		v *= 1 + 0.012*excess // an optical sensor also counts droplets
	}
	return max(v*(1+e.value*gauss(h)), 0)
}

// freeze repeats the day's first particle values.
func (s *station) freeze(sky *airField, end time.Time, values airValues) {
	stuck := sky.at(s.point, end.Truncate(24*time.Hour))
	values[nhip.PM25], values[nhip.PM10] = stuck[nhip.PM25], stuck[nhip.PM10]
}

// inGap reports whether end is in the three hours without reports of each nine.
func (s *station) inGap(end time.Time) bool {
	const cycle, gap = 9 * time.Hour, 3 * time.Hour
	offset := time.Duration(unitFloat(s.seed) * float64(cycle))
	return time.Duration(end.UnixNano()+int64(offset))%cycle < gap
}

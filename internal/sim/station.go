package sim

import (
	"fmt"
	"math"
	"time"

	"github.com/paulmach/orb"

	"nhip"
)

// period is how long a monitor averages; its reports end on whole periods of clock time.
const period = 5 * time.Minute

// lateBy is the longest that a monitor takes to send a finished period. Monitors spread over it.
const lateBy = 2 * time.Minute

// station is a monitor that reports.
type station struct {
	monitor
	topic string
	seed  uint64
	delay time.Duration // from a period's end to the report
}

// newStations takes the first n monitors of the table and makes up what is missing.
func newStations(n int, seed uint64) []*station {
	list := make([]*station, n)
	for i := range list {
		m := extraMonitor(i, seed)
		if i < len(monitors) {
			m = monitors[i]
		}
		list[i] = &station{
			monitor: m, topic: "nhip/in/reading/" + m.id, seed: mix(seed, int64(i)+1),
			delay: lateBy * time.Duration(i) / time.Duration(n),
		}
	}
	return list
}

// extraMonitor makes up a low-cost monitor within 12 km of the middle of the city.
func extraMonitor(i int, seed uint64) monitor {
	angle := 2 * math.Pi * share(mix(seed, int64(i), 1))
	away := 12_000 * math.Sqrt(share(mix(seed, int64(i), 2)))
	p := newPlane(oldQuarter).globe(orb.Point{away * math.Cos(angle), away * math.Sin(angle)})
	return monitor{id: fmt.Sprintf("hn-extra-%03d", i+1), name: fmt.Sprint("Điểm đo ", i+1), point: rounded(p)}
}

// decimals is how finely a quantity is told.
func decimals(q nhip.Quantity) int {
	if q == nhip.CO { // µg/m³ by the thousand
		return 0
	}
	return 1
}

// report returns the payload for the period that ends at end, or nil when the monitor says nothing.
// It depends on nothing but its arguments.
func (s *station) report(sky *sky, end time.Time) []byte {
	if s.fault == absent && s.isAway(end) {
		return nil
	}
	values := s.measure(sky, end)
	p := make([]byte, 0, 320) // the longest has 290 bytes
	p = appendTime(append(p, '{'), end)
	p = appendText(p, "period", nhip.FormatPeriod(period))
	p = appendNumber(p, "lat", s.point.Lat(), 6)
	p = appendNumber(p, "lon", s.point.Lon(), 6)
	p = append(appendKey(p, "values"), '{')
	for _, q := range quantities {
		p = appendNumber(p, string(q), values[q], decimals(q))
	}
	p = appendText(append(p, '}'), "origin", string(nhip.Simulated))
	return append(p, '}')
}

// measure returns what the monitor makes of the air in the middle of the period.
func (s *station) measure(sky *sky, end time.Time) air {
	truth := sky.at(s.point, end.Add(-period/2))
	values := air{}
	for i, q := range quantities {
		values[q] = s.instrument(q, truth[q], truth[nhip.Humidity], mix(s.seed, end.Unix(), int64(i)))
	}
	switch s.fault {
	case frozen:
		s.freeze(sky, end, values)
	case wet:
		values[nhip.Humidity] = 99.9
	case spiky:
		if share(mix(s.seed, end.Unix(), 99)) < 1.0/40 { // seven or so a day
			values[nhip.PM25] *= 10
			values[nhip.PM10] *= 10
		}
	}
	return values
}

// precision is how far off the monitors of each grade are, one deviation each.
var precision = [...]struct {
	value   float64 // share of a concentration
	bias    float64 // share of a concentration, the same all the time
	degrees float64 // °C
	percent float64 // relative humidity
}{
	lowCost:   {0.06, 0.10, 0.3, 1.5},
	reference: {0.015, 0.02, 0.1, 0.5},
}

// instrument adds a monitor's own error to a true value.
func (s *station) instrument(q nhip.Quantity, v, humidity float64, h uint64) float64 {
	e := precision[s.grade]
	switch q {
	case nhip.Temperature:
		return v + e.degrees*gauss(h)
	case nhip.Humidity:
		return min(max(v+e.percent*gauss(h), 1), 100)
	}
	v *= 1 + e.bias*gauss(mix(s.seed, int64(len(q)), int64(q[0])))
	if damp := humidity - 80; s.grade == lowCost && damp > 0 && (q == nhip.PM25 || q == nhip.PM10) {
		v *= 1 + 0.012*damp // a laser counts droplets too
	}
	return max(v*(1+e.value*gauss(h)), 0)
}

// freeze repeats the day's first particle values.
func (s *station) freeze(sky *sky, end time.Time, values air) {
	stuck := sky.at(s.point, end.Truncate(24*time.Hour))
	values[nhip.PM25], values[nhip.PM10] = stuck[nhip.PM25], stuck[nhip.PM10]
}

// isAway reports whether end is in the silent three hours of its nine.
func (s *station) isAway(end time.Time) bool {
	const cycle, silence = 9 * time.Hour, 3 * time.Hour
	begins := time.Duration(share(s.seed) * float64(cycle))
	return time.Duration(end.UnixNano()+int64(begins))%cycle < silence
}

package predict

import "math"

// How long observations of a segment count.
const (
	maxCount       = 1000    // buses; with more of them older ones lose weight: two weeks of a line, a day of a main road
	maxHourlyCount = 100     // buses of one hour of the day: some weeks of a line
	expectedWeight = 0.5     // of the expected time among them, in buses
	recentTime     = 5400.0  // s after which the weight of a recent bus has fallen to 1/e
	lineTime       = 5400.0  // s, the same for the ratio of a line's times to its timetable
	cityTime       = 7200.0  // s, the same for all lines together
	cityPrior      = 4 * 60  // weight of the timetable in the ratio of all lines together, in s driven
	linePrior      = 90 * 60 // weight of all lines together in the ratio of one line, in s driven
	maxRatio       = 4.0     // of an observation to the expected time; more is a breakdown
)

// segment holds the observed times in s from one stop to the next, of all lines that drive it.
type segment struct {
	count     float64      // buses
	all, free float64      // mean times, as driven and without holding
	recent    decayingMean // times without holding
	hours     *[24]hourly  // by the hour of the day, without holding; nil before the first observation
	holds     [holdClasses]*holding
}

// hourly is the mean of one hour of the day.
type hourly struct{ mean, count float32 }

// add adds the time that a bus took, as driven and without holding.
func (s *segment) add(took, free, now float64) {
	s.count = min(s.count+1, maxCount)
	s.all += (took - s.all) / s.count
	s.free += (free - s.free) / s.count
	s.recent.add(free, 1, now, recentTime)
	if s.hours == nil {
		s.hours = new([24]hourly)
	}
	h := &s.hours[hourOf(now)]
	h.count = min(h.count+1, maxHourlyCount)
	h.mean += (float32(free) - h.mean) / h.count
}

// means returns the means of all buses and of the expected time.
func (s *segment) means(expected float64) (all, free float64) {
	n := s.count + expectedWeight
	return (s.all*s.count + expectedWeight*expected) / n, (s.free*s.count + expectedWeight*expected) / n
}

// present returns the mean of the recent buses. The mean of the same hour of the day, of which free is a part, stands
// for one more.
func (s *segment) present(free, now float64) float64 {
	if s.hours != nil {
		h := &s.hours[hourOf(now)]
		free = (float64(h.mean)*float64(h.count) + free) / (float64(h.count) + 1)
	}
	return s.recent.shrunk(free, 1, now, recentTime)
}

// hourOf returns the hour of the day in UTC, 0 to 23. Any fixed time zone would do.
func hourOf(now float64) int {
	h := int(math.Floor(now/3600)) % 24
	if h < 0 { // before 1970
		h += 24
	}
	return h
}

// share returns the share of its earliness that a bus is held before a segment; line is that of its line.
func (s *segment) share(class int, line float64) float64 {
	h := s.holds[class]
	if h == nil {
		return line
	}
	return h.share(line, holdEvidence)
}

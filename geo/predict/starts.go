package predict

// Starts holds how late the latest buses of a line were at their second stop, in s: at the first one, many vehicles
// report no departure.
type Starts struct {
	late recentMedian
}

// Bounds of what is learned about the beginning of trips.
const (
	startsPrior   = 3.0  // weight of the timetable, in buses
	earliestStart = -300 // s; what is beyond is another trip, or a bus that broke down
	latestStart   = 1200 // s
)

// Add adds a bus that was so many seconds late at its second stop.
func (s *Starts) Add(late float64) {
	s.late.add(min(max(late, earliestStart), latestStart))
}

// Early returns how late buses usually are at their second stop if they are early there, in s, at most 0. How late they
// are is not promised: any of them may be in time.
func (s *Starts) Early() float64 {
	n := s.late.count()
	return min(s.late.median, 0) * n / (n + startsPrior)
}

package predict

import "slices"

// Starts holds how late the latest buses of a line were at their second stop, in s: at the first one, many vehicles
// report no departure.
type Starts struct {
	late   []float32 // in a ring
	next   int
	median float64
}

// Bounds of what is learned about the beginning of trips.
const (
	maxStarts     = 60   // buses: some hours of a line
	startsPrior   = 3.0  // weight of the timetable, in buses
	earliestStart = -300 // s; what is beyond is another trip, or a bus that broke down
	latestStart   = 1200 // s
)

// Add adds a bus that was so many seconds late at its second stop.
func (s *Starts) Add(late float64) {
	x := float32(min(max(late, earliestStart), latestStart))
	if len(s.late) < maxStarts {
		s.late = append(s.late, x)
	} else {
		s.late[s.next] = x
		s.next = (s.next + 1) % maxStarts
	}
	var sorted [maxStarts]float32
	n := copy(sorted[:], s.late)
	slices.Sort(sorted[:n])
	s.median = float64(sorted[n/2]+sorted[(n-1)/2]) / 2
}

// Early returns how late buses usually are at their second stop if they are early there, in s, at most 0. How late they
// are is not promised: any of them may be in time.
func (s *Starts) Early() float64 {
	n := float64(len(s.late))
	return min(s.median, 0) * n / (n + startsPrior)
}

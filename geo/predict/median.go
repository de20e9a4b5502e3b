package predict

import "slices"

// maxSamples is how many samples a recentMedian has: some hours of a line.
const maxSamples = 60

// recentMedian is the median of the latest samples.
type recentMedian struct {
	values []float32 // in a ring
	next   int
	median float64
}

func (m *recentMedian) add(x float64) {
	if len(m.values) < maxSamples {
		m.values = append(m.values, float32(x))
	} else {
		m.values[m.next] = float32(x)
		m.next = (m.next + 1) % maxSamples
	}
	var sorted [maxSamples]float32
	n := copy(sorted[:], m.values)
	slices.Sort(sorted[:n])
	m.median = float64(sorted[n/2]+sorted[(n-1)/2]) / 2
}

// count returns the number of samples.
func (m *recentMedian) count() float64 { return float64(len(m.values)) }

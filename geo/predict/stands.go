package predict

import "slices"

// stands holds how long buses that should have left their first stop stood there yet, by how long they had stood: the
// longer one has stood, the longer it is likely to stand.
type stands struct {
	rests [standBins]struct {
		values []float32 // s, in a ring
		next   int
		median float64
	}
}

// Bounds of what is learned about standing.
const (
	standBins  = 3
	maxStands  = 60   // samples of one bin
	standPrior = 3.0  // weight of standRest, in samples
	standRest  = 60.0 // s that a bus stands yet of which nothing is known
	maxRest    = 1200 // s
)

// standEdges end the bins of how long a bus has stood, in s.
var standEdges = [standBins - 1]float64{120, 300}

func standBin(stood float64) int {
	for i, e := range standEdges {
		if stood < e {
			return i
		}
	}
	return len(standEdges)
}

func (s *stands) add(bin int, rest float64) {
	b := &s.rests[bin]
	x := float32(min(max(rest, 0), maxRest))
	if len(b.values) < maxStands {
		b.values = append(b.values, x)
	} else {
		b.values[b.next] = x
		b.next = (b.next + 1) % maxStands
	}
	var sorted [maxStands]float32
	n := copy(sorted[:], b.values)
	slices.Sort(sorted[:n])
	b.median = float64(sorted[n/2]+sorted[(n-1)/2]) / 2
}

// rest returns how long a bus that has stood for some s stands yet, in s.
func (s *stands) rest(stood float64) float64 {
	b := &s.rests[standBin(stood)]
	n := float64(len(b.values))
	return (b.median*n + standRest*standPrior) / (n + standPrior)
}

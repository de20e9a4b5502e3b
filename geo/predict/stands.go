package predict

// stands holds how long buses that should have left their first stop stood there yet, by how long they had stood: the
// longer one has stood, the longer it is likely to stand.
type stands struct {
	rests [standBins]recentMedian // s
}

// Bounds of what is learned about standing.
const (
	standBins  = 3
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
	s.rests[bin].add(min(max(rest, 0), maxRest))
}

// rest returns how long a bus that has stood for some s stands yet, in s.
func (s *stands) rest(stood float64) float64 {
	b := &s.rests[standBin(stood)]
	n := b.count()
	return (b.median*n + standRest*standPrior) / (n + standPrior)
}

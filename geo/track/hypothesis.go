package track

import "nhip/geo/network"

// noise is the standard deviation of a position from the line in a street lined with buildings, in metres.
const noise = 20.0

// hypothesis is one place where a bus may be, with the logarithm of its likelihood relative to the best
// hypothesis. The hypotheses form a hidden Markov model: positions are observed, (pattern, metres along it) is
// hidden; cf. Newson and Krumm, "Hidden Markov map matching through noise and sparseness", 2009.
type hypothesis struct {
	pattern *network.Pattern
	along   float64
	score   float64
	fixes   int // number of positions that it explains
}

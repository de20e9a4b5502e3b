package predict

import "math"

// decayingMean is a weighted mean in which old observations lose weight.
type decayingMean struct {
	weight, sum, at float64
}

// decay returns the share of its weight that an observation keeps from the latest one to now, both in Unix s; after
// tau s it is 1/e.
func (m *decayingMean) decay(now, tau float64) float64 {
	if m.weight == 0 || now <= m.at {
		return 1
	}
	return math.Exp((m.at - now) / tau)
}

func (m *decayingMean) add(x, weight, now, tau float64) {
	f := m.decay(now, tau)
	m.weight, m.sum, m.at = m.weight*f+weight, m.sum*f+x*weight, max(m.at, now)
}

// shrunk returns the mean shrunk towards a value that has the given weight.
func (m *decayingMean) shrunk(value, weight, now, tau float64) float64 {
	f := m.decay(now, tau)
	return (m.sum*f + value*weight) / (m.weight*f + weight)
}

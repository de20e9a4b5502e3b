package predict

// Lean is the default share of the tolerance for late arrivals by which a time for riders is told before the middle of
// the predictions: a rider who gets a late time misses the bus, one who gets an early time only waits. Measured on
// recordings of three cities, 0.65 to 0.75 is the best compromise between the ETA Accuracy Benchmark, which rewards
// early times, and the MBTA's measure, which doesn't.
const Lean = 0.7

// leanPoints are tolerances in s by lead in s: half the width of the ETA Accuracy Benchmark's windows around their
// middle, at the middle of its bins. Between them the tolerance is linear.
var leanPoints = [...]struct{ lead, tolerance float64 }{{90, 30}, {270, 45}, {480, 75}, {750, 90}}

// TellEarly returns the lead to tell riders for a predicted lead, both in s: less by lean times the tolerance, but not
// in the past unless the lead is.
func TellEarly(lead, lean float64) float64 {
	return min(lead, max(lead-lean*toleranceAt(lead), 0))
}

func toleranceAt(lead float64) float64 {
	before := leanPoints[0]
	for _, p := range leanPoints {
		if lead < p.lead {
			if p.lead == before.lead {
				break
			}
			part := (lead - before.lead) / (p.lead - before.lead)
			return before.tolerance + part*(p.tolerance-before.tolerance)
		}
		before = p
	}
	return before.tolerance
}

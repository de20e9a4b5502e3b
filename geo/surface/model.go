package surface

import (
	"encoding/binary"
	"math"
	"slices"
	"time"
)

// Model is what was learned of a quantity.
type Model struct {
	Variogram
	Level  Level     `json:"level"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Rounds int       `json:"rounds"`
	RMSE   float64   `json:"rmse"`  // of each monitor from the others, by which the form was chosen
	Drift  float64   `json:"drift"` // semivariance of the air of one place an hour apart, in scale²
}

// Level says how the scale² of an hour goes with the mean of the city, and how far to believe that beside what the
// hour's own values say.
type Level struct {
	Base      float64 `json:"base"`      // ln scale² = Base + Slope · ln mean
	Slope     float64 `json:"slope"`     //
	Freedom   float64 `json:"freedom"`   // as many values of the hour itself weigh as much
	Inflation float64 `json:"inflation"` // how far errors went beyond the variance, in squares
}

// cleanest is the mean below which all air counts as equally clean, in the quantity's unit.
const cleanest = 1

// Scale2 returns the scale² of a moment with a mean: learned, and drawn towards what its own values say with so many
// degrees of freedom.
func (l *Level) Scale2(mean, own float64, freedom int) float64 {
	learned := math.Exp(l.Base + l.Slope*math.Log(max(mean, cleanest)))
	return l.Inflation * (l.Freedom*learned + float64(freedom)*own) / (l.Freedom + float64(freedom))
}

// check holds the model against rounds, and learns from that how the scale goes and what the error is. It is false
// where no round could be worked out.
func (m *Model) check(rounds []*Round) bool {
	m.Level = Level{Inflation: 1}
	type checked struct {
		round *Round
		field *Field
	}
	var all []checked
	nets := networks{}
	for _, r := range rounds {
		if n := nets.of(m.Variogram, r.Sites); n != nil {
			all = append(all, checked{r, n.Field(r.Values)})
		}
	}
	if len(all) < leastRounds/2 {
		return false
	}
	means, scales := make([]float64, len(all)), make([]float64, len(all))
	for i, c := range all {
		means[i] = math.Log(max(meanOf(c.round.Values), cleanest))
		scales[i] = math.Log(max(c.field.Scale2(), 1e-9))
	}
	m.Level.learn(means, scales, len(rounds[0].Sites)-1)
	errors, misses, count := 0.0, 0.0, 0
	for _, c := range all {
		for i, left := range c.field.LeaveOneOut(c.round.Values) {
			miss := c.round.Values[i] - max(0, left.Value)
			errors += miss * miss
			misses += miss * miss / (left.Variance * m.Level.Scale2(othersMean(c.round.Values, i), left.Scale2, len(c.round.Values)-2))
			count++
		}
	}
	m.RMSE = math.Sqrt(errors / float64(count))
	m.Level.Inflation = misses / float64(count)
	return m.Level.Inflation > 0
}

// othersMean is the mean of all values but one.
func othersMean(values []float64, but int) float64 {
	n := float64(len(values))
	return (meanOf(values)*n - values[but]) / (n - 1)
}

// learn fits the line, and makes of how far rounds lie from it how much it is worth.
func (l *Level) learn(means, scales []float64, freedom int) {
	n := float64(len(means))
	mx, my := meanOf(means), meanOf(scales)
	var xx, xy float64
	for i := range means {
		xx += (means[i] - mx) * (means[i] - mx)
		xy += (means[i] - mx) * (scales[i] - my)
	}
	if xx > 0 {
		l.Slope = min(max(xy/xx, -steepest), steepest)
	}
	var rest float64
	for i := range means {
		d := scales[i] - my - l.Slope*(means[i]-mx)
		rest += d * d
	}
	// The logarithm of χ²/ν has a mean of about −1/ν and a variance of about 2/ν; what is over belongs to the
	// rounds themselves, and an inverse gamma of that variance is worth 2/variance values.
	own := 2 / float64(freedom)
	l.Base = my - l.Slope*mx + 1/float64(freedom)
	l.Freedom = min(max(2/max(rest/n-own, 1e-9), leastFreedom), mostFreedom)
}

const (
	steepest                  = 3.0 // deviations go with the mean to the power of ±1.5 at most: ozone varies most where there is least
	leastFreedom, mostFreedom = 1.0, 100.0
)

// networks keeps what was worked out for sets of sites, which repeat.
type networks map[string]*Network

func (c networks) of(v Variogram, sites []Site) *Network {
	key := keyOf(sites)
	if n, known := c[key]; known {
		return n
	}
	n, err := NewNetwork(v, slices.Clone(sites))
	if err != nil {
		n = nil
	}
	c[key] = n
	return n
}

// keyOf tells sets of sites apart.
func keyOf(sites []Site) string {
	b := make([]byte, 0, len(sites)*25)
	for i := range sites {
		s := &sites[i]
		for _, v := range [...]float64{s.Point[0], s.Point[1], s.Extra} {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		}
		b = append(b, byte(s.Class))
	}
	return string(b)
}

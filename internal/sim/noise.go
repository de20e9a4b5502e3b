package sim

import "math"

// mix scatters its arguments over 64 bits, so that whatever is drawn for a place and a moment
// depends on the seed and on nothing that was drawn before (the finaliser of SplitMix64).
func mix(seed uint64, keys ...int64) uint64 {
	h := seed
	for _, k := range keys {
		h += uint64(k)*0x9e3779b97f4a7c15 + 0x9e3779b97f4a7c15
		h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
		h = (h ^ h>>27) * 0x94d049bb133111eb
		h ^= h >> 31
	}
	return h
}

// share returns a number of [0, 1) from mixed bits.
func share(h uint64) float64 { return float64(h>>11) / (1 << 53) }

// gauss returns a number of mean 0 and deviation 1, from -3.5 to 3.5, from mixed bits: the sum of
// four even shares is near enough to a bell.
func gauss(h uint64) float64 {
	sum := 0.0
	for i := range 4 {
		sum += float64(h >> (16 * i) & 0xffff)
	}
	return (sum/0xffff - 2) * math.Sqrt(3)
}

// smooth1 is noise of -1 to 1 along one axis that changes over about one unit of x.
func smooth1(seed uint64, x float64) float64 {
	i, f := math.Floor(x), x-math.Floor(x)
	return blend(corner(seed, int64(i), 0, 0), corner(seed, int64(i)+1, 0, 0), ease(f))
}

// smooth3 is noise of -1 to 1 that changes over about one unit in each direction.
func smooth3(seed uint64, x, y, z float64) float64 {
	xi, yi, zi := math.Floor(x), math.Floor(y), math.Floor(z)
	fx, fy, fz := ease(x-xi), ease(y-yi), ease(z-zi)
	i, j, k := int64(xi), int64(yi), int64(zi)
	layer := func(k int64) float64 {
		near := blend(corner(seed, i, j, k), corner(seed, i+1, j, k), fx)
		far := blend(corner(seed, i, j+1, k), corner(seed, i+1, j+1, k), fx)
		return blend(near, far, fy)
	}
	return blend(layer(k), layer(k+1), fz)
}

func corner(seed uint64, i, j, k int64) float64 { return 2*share(mix(seed, i, j, k)) - 1 }

// ease is 0 at 0 and 1 at 1 with level ends.
func ease(t float64) float64 { return t * t * (3 - 2*t) }

func blend(a, b, t float64) float64 { return a + (b-a)*t }

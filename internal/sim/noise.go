package sim

import "math"

// mix hashes its arguments to 64 bits (with the finaliser of SplitMix64), so that random values for a place and time
// depend on the seed only and not on previous values.
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

// unitFloat returns a number in [0, 1) from hashed bits.
func unitFloat(h uint64) float64 { return float64(h>>11) / (1 << 53) }

// gauss returns a number from -3.5 to 3.5 with mean 0 and standard deviation 1 from hashed bits. The sum of four
// uniform numbers approximates the normal distribution.
func gauss(h uint64) float64 {
	sum := 0.0
	for i := range 4 {
		sum += float64(h >> (16 * i) & 0xffff)
	}
	return (sum/0xffff - 2) * math.Sqrt(3)
}

// smooth1 returns noise from -1 to 1 along one axis that changes over about one unit of x.
func smooth1(seed uint64, x float64) float64 {
	i, f := math.Floor(x), x-math.Floor(x)
	return lerp(latticeValue(seed, int64(i), 0, 0), latticeValue(seed, int64(i)+1, 0, 0), smoothstep(f))
}

// smooth3 returns noise from -1 to 1 that changes over about one unit in each direction.
func smooth3(seed uint64, x, y, z float64) float64 {
	xi, yi, zi := math.Floor(x), math.Floor(y), math.Floor(z)
	fx, fy, fz := smoothstep(x-xi), smoothstep(y-yi), smoothstep(z-zi)
	i, j, k := int64(xi), int64(yi), int64(zi)
	layer := func(k int64) float64 {
		near := lerp(latticeValue(seed, i, j, k), latticeValue(seed, i+1, j, k), fx)
		far := lerp(latticeValue(seed, i, j+1, k), latticeValue(seed, i+1, j+1, k), fx)
		return lerp(near, far, fy)
	}
	return lerp(layer(k), layer(k+1), fz)
}

func latticeValue(seed uint64, i, j, k int64) float64 { return 2*unitFloat(mix(seed, i, j, k)) - 1 }

// smoothstep rises from 0 at 0 to 1 at 1, with slope 0 at both.
func smoothstep(t float64) float64 { return t * t * (3 - 2*t) }

func lerp(a, b, t float64) float64 { return a + (b-a)*t }

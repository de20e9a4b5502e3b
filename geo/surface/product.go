package surface

// multiply returns the product of a square matrix, row by row, and a vector in out. It sums up four rows at a time,
// because an addition has to wait for the one before it in the same sum.
func multiply(matrix, vector, out []float64) []float64 {
	n, i := len(vector), 0
	for ; i+4 <= n; i += 4 {
		a, b, c, d := matrix[i*n:][:n], matrix[(i+1)*n:][:n], matrix[(i+2)*n:][:n], matrix[(i+3)*n:][:n]
		var sums [4]float64
		for j, v := range vector {
			sums[0] += a[j] * v
			sums[1] += b[j] * v
			sums[2] += c[j] * v
			sums[3] += d[j] * v
		}
		copy(out[i:], sums[:])
	}
	for ; i < n; i++ {
		out[i] = 0
		for j, q := range matrix[i*n:][:n] {
			out[i] += q * vector[j]
		}
	}
	return out
}

// sumOf returns the sum of values.
func sumOf(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum
}

//go:build !(linux || darwin || freebsd)

package journal

import "math"

// free returns the maximum, because free space can't be determined on this system: Options.MinFree has no effect.
func (osFS) free(string) (int64, error) { return math.MaxInt64, nil }

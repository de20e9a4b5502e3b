package influx

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"time"

	"nhip"
)

// AppendRollupHours appends a day's roll-up as AppendRollup does, with the means of its hours: oldest first, NaN for
// those that are not complete. A report about a year then reads a row for each day instead of one for each hour.
// Without any, as of a month, it does the same as AppendRollup.
func AppendRollupHours(dst []byte, r *nhip.Rollup, hours []float64, computed time.Time) []byte {
	packed := make([]byte, 0, 8*len(hours))
	for _, mean := range hours {
		packed = binary.LittleEndian.AppendUint64(packed, math.Float64bits(mean))
	}
	return appendRollup(dst, r, NetworkHour{}, base64.StdEncoding.EncodeToString(packed), computed)
}

const hourMS = 3_600_000

// unpackHours appends the means of the hours of a day that ends at END. ok is false if text is empty or no list of
// hours. In a zone that is off by part of an hour, the last hour begins in the day and ends after it.
func unpackHours(dst []MeanAt, text string, end int64) (out []MeanAt, ok bool) {
	packed, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(packed) == 0 || len(packed)%8 != 0 {
		return dst, false
	}
	last := (end + hourMS - 1) / hourMS * hourMS
	n := len(packed) / 8
	for i := range n {
		mean := math.Float64frombits(binary.LittleEndian.Uint64(packed[8*i:]))
		dst = append(dst, MeanAt{last - int64(n-1-i)*hourMS, mean})
	}
	return dst, true
}

package stationfile

import (
	"time"

	"nhip"
	"nhip/collector/decode"
)

// stamp is the format of a time.
const stamp = "yyyyMMddHHmmss"

// time parses the local time at which a cycle ends. Most lines of a file have the same time.
func (f *file) time(text []byte) (time.Time, error) {
	if !isStamp(text) {
		return time.Time{}, nhip.Errorf(nhip.CodeMalformed, "time", "must be %s, got %q", stamp, decode.Clip(string(text)))
	}
	if string(f.stamp[:]) == string(text) {
		return f.end, nil
	}
	end, err := decode.LocalTime(dashed(text), f.zone)
	if nhip.ErrorCode(err) == nhip.CodeMalformed {
		return end, nhip.Errorf(nhip.CodeMalformed, "time", "is not a valid date and time: %s", text)
	}
	if err != nil {
		return end, decode.InRow("time", err)
	}
	f.end = end
	copy(f.stamp[:], text)
	return end, nil
}

func isStamp(text []byte) bool {
	rest, ok := digits(text)
	return ok && len(rest) == 0 && len(text) == len(stamp)
}

// dashed formats a time for decode.LocalTime.
func dashed(text []byte) string {
	out := []byte("yyyy-MM-ddTHH:mm:ss")
	at := 0
	for _, c := range text {
		if out[at] == '-' || out[at] == 'T' || out[at] == ':' {
			at++
		}
		out[at] = c
		at++
	}
	return string(out)
}

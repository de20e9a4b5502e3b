package nhip

import (
	"math"

	"github.com/paulmach/orb"
)

// CheckID checks that an id is not empty and can stand in topics, tags and URLs.
func CheckID(field, id string) error {
	if id == "" {
		return Errorf(CodeMissing, field, "is required")
	}
	return CheckText(field, id)
}

// MaxText is the maximum length of a text field of a fact, in bytes.
const MaxText = 256

// CheckText rejects text that is too long or contains control characters, which break the formats downstream.
func CheckText(field, s string) error { return checkPrintable(field, s, MaxText) }

func checkPrintable(field, s string, most int) error {
	if len(s) > most {
		return Errorf(CodeOutOfRange, field, "must be at most %d bytes, got %d", most, len(s))
	}
	for _, r := range s {
		if r < 0x20 || r == 0x7f || r == '\uFFFD' {
			return Errorf(CodeOutOfRange, field, "must be printable UTF-8, got %q", s)
		}
	}
	return nil
}

// nullIsland is the distance from 0,0, in degrees (1.1 km), within which a fix means that the receiver has none.
const nullIsland = 0.01

// CheckPoint rejects coordinates outside WGS84 and those of a receiver without a fix. The *Error names lat or lon.
func CheckPoint(p orb.Point) error {
	switch lon, lat := p.Lon(), p.Lat(); {
	case !(lat >= -90 && lat <= 90): // written so that NaN fails
		return Errorf(CodeOutOfRange, "lat", "must be between -90 and 90, got %v", lat)
	case !(lon >= -180 && lon <= 180):
		return Errorf(CodeOutOfRange, "lon", "must be between -180 and 180, got %v", lon)
	case math.Abs(lat) < nullIsland && math.Abs(lon) < nullIsland:
		return Errorf(CodeNullIsland, "lat", "0,0 is what a receiver without a fix says")
	}
	return nil
}

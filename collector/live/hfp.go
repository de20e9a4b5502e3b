package live

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"nhip"
	"nhip/internal/topics"
)

// hfpEncoder encodes buses as messages of HSL's High-Frequency Positioning (HFP) version 2, so that clients of
// Digitransit's brokers work with ours. They are published on nhip/live/hfp/v2/…, which the gateway's public listener
// exposes as /hfp/v2/….
//
// A topic contains the position, digit by digit, and a geohash level: how far the bus has moved since its last
// message. A client that shows a map section subscribes to that section and to the levels visible at its zoom.
//
// Source: digitransit.fi, Realtime API, vehicle positions.
type hfpEncoder struct {
	last map[string]hfpPosition // by live topic
}

// hfpPosition is what determines the geohash level of the next message.
type hfpPosition struct {
	lat, lon              [1 + hfpDigits]int // see decimalDigits
	route, trip, nextStop string
}

// hfpDigits is the number of decimal digits of a coordinate that count.
const hfpDigits = 5

func newHFPEncoder() *hfpEncoder { return &hfpEncoder{last: make(map[string]hfpPosition)} }

// message returns the topic and payload for a bus.
func (e *hfpEncoder) message(liveTopic string, b *nhip.Bus) (topic string, payload []byte) {
	now := hfpPosition{
		lat: decimalDigits(b.Lat), lon: decimalDigits(b.Lon),
		route: b.Route, trip: b.Trip + b.StartTime + b.StartDate, nextStop: b.NextStop,
	}
	level := 0
	if before, known := e.last[liveTopic]; known {
		level = now.geohashLevel(before)
	}
	e.last[liveTopic] = now
	return hfpTopic(b, now, level), hfpPayload(b)
}

// forget removes an expired bus.
func (e *hfpEncoder) forget(liveTopic string) { delete(e.last, liveTopic) }

// geohashLevel returns the index of the first decimal digit that has changed, at most 5. It returns 0 also if the
// route, trip or next stop has changed.
func (p hfpPosition) geohashLevel(before hfpPosition) int {
	if p.route != before.route || p.trip != before.trip || p.nextStop != before.nextStop {
		return 0
	}
	for level := range p.lat {
		if p.lat[level] != before.lat[level] || p.lon[level] != before.lon[level] {
			return level
		}
	}
	return hfpDigits
}

// decimalDigits returns the whole degrees and the decimal digits of a coordinate.
func decimalDigits(degrees float64) (d [1 + hfpDigits]int) {
	scaled := int(math.Round(math.Abs(degrees) * 1e5))
	for i := hfpDigits; i > 0; i-- {
		d[i] = scaled % 10
		scaled /= 10
	}
	if d[0] = scaled; degrees < 0 {
		d[0] = -scaled
	}
	return d
}

func hfpTopic(b *nhip.Bus, at hfpPosition, level int) string {
	operator, vehicle := hfpVehicle(b)
	direction := ""
	if d, ok := b.Direction.Get(); ok {
		direction = strconv.Itoa(d + 1)
	}
	t := []string{
		operator, vehicle, b.Route, direction, b.Headsign, hfpStart(b.StartTime), b.NextStop, strconv.Itoa(level),
		strconv.Itoa(at.lat[0]) + ";" + strconv.Itoa(at.lon[0]),
	}
	for i := 1; i <= 3; i++ { // the topic contains three decimal digits, although the level counts five
		t = append(t, strconv.Itoa(at.lat[i])+strconv.Itoa(at.lon[i]))
	}
	return topics.HFPTopic(append(t, "")...)
}

// hfpVehicle returns the operator and vehicle number, which form the id of a bus that itself reports by HFP.
func hfpVehicle(b *nhip.Bus) (operator, vehicle string) {
	if operator, vehicle, ok := strings.Cut(b.ID, "/"); ok {
		return operator, vehicle
	}
	return b.Agency, b.ID
}

// hfpStart returns a trip's start time as HH:MM within 24 hours; GTFS times may exceed 24:00. It returns "" for what is
// no time.
func hfpStart(s string) string {
	h, m, ok := nhip.ParseStartTime(s)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%02d:%02d", h%24, m)
}

// hfpValues is the payload of a VP message, in the order of HSL's documentation. Unknown values are null.
type hfpValues struct {
	Desi  *string  `json:"desi"`
	Dir   *string  `json:"dir"`
	Oper  any      `json:"oper"`
	Veh   any      `json:"veh"`
	TST   string   `json:"tst"`
	TSI   int64    `json:"tsi"`
	Spd   *float64 `json:"spd"`
	Hdg   *int     `json:"hdg"`
	Lat   float64  `json:"lat"`
	Long  float64  `json:"long"`
	DL    *int     `json:"dl"` // seconds ahead of the timetable
	Drst  *int     `json:"drst"`
	Oday  *string  `json:"oday"`
	Start *string  `json:"start"`
	Loc   string   `json:"loc"`
	Stop  *string  `json:"stop"`
	Route *string  `json:"route"`
	Occu  *int     `json:"occu"`
}

func hfpPayload(b *nhip.Bus) []byte {
	operator, vehicle := hfpVehicle(b)
	v := hfpValues{
		Desi: textOrNull(b.Line), Oper: hfpNumber(operator), Veh: hfpNumber(vehicle),
		TST: b.Time.UTC().Format("2006-01-02T15:04:05.000Z"), TSI: b.Time.Unix(),
		Lat: b.Lat, Long: b.Lon, Oday: textOrNull(hfpDate(b.StartDate)), Start: textOrNull(hfpStart(b.StartTime)),
		Loc: "GPS", Stop: textOrNull(b.Stop), Route: textOrNull(b.Route), Occu: hfpOccupancy(b.Occupancy),
	}
	if b.Estimated {
		v.Loc = "DR" // dead reckoning
	}
	if d, ok := b.Direction.Get(); ok {
		v.Dir = textOrNull(strconv.Itoa(d + 1))
	}
	if s, ok := b.Speed.Get(); ok {
		v.Spd = &s
	}
	if h, ok := b.Bearing.Get(); ok {
		whole := int(math.Round(h)) % 360
		v.Hdg = &whole
	}
	if d, ok := b.Delay.Get(); ok {
		ahead := -d
		v.DL = &ahead
	}
	if open, ok := b.DoorsOpen.Get(); ok {
		state := 0
		if open {
			state = 1
		}
		v.Drst = &state
	}
	return encode(map[string]hfpValues{"VP": v})
}

func textOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// hfpNumber returns an id as the number that HFP requires, without leading zeros, or as text if it is not a number.
func hfpNumber(s string) any {
	if n, err := strconv.Atoi(s); err == nil {
		return n
	}
	return s
}

// hfpDate converts a GTFS date to YYYY-MM-DD, or "" if it is invalid.
func hfpDate(date string) string {
	t, err := time.Parse("20060102", date)
	if err != nil {
		return ""
	}
	return t.Format(time.DateOnly)
}

// hfpOccupancy returns the occupancy in percent, or nil if unknown.
func hfpOccupancy(o nhip.Occupancy) *int {
	percent, known := map[nhip.Occupancy]int{
		nhip.OccupancyEmpty: 0, nhip.OccupancyManySeats: 20, nhip.OccupancyFewSeats: 50,
		nhip.OccupancyStanding: 70, nhip.OccupancyCrushed: 90, nhip.OccupancyFull: 100,
	}[o]
	if !known {
		return nil
	}
	return &percent
}

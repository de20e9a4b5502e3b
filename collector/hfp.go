package collector

import (
	"math"
	"strconv"
	"strings"
	"time"

	"nhip"
	"nhip/internal/mqtt"
)

// hfpFeed tells of buses a second time, as HSL's High-Frequency Positioning (version 2) does, so that clients
// made for Digitransit's brokers understand: on nhip/live/hfp/v2/…, which a gateway's public listener shows as
// /hfp/v2/…. Its topics hold the place, digit by digit, and how far the bus has come since its last message:
// whoever draws a box of the map at some zoom subscribes to that box and to the levels that move at that zoom.
//
// Source: digitransit.fi, Realtime API, vehicle positions.
type hfpFeed struct {
	last map[string]hfpPlace // by live topic
}

// hfpPlace is what a message's level is told from.
type hfpPlace struct {
	lat, lon              [1 + hfpDigits]int
	route, trip, nextStop string
}

// hfpDigits is how many decimal digits of a place count.
const hfpDigits = 5

func newHFPFeed() *hfpFeed { return &hfpFeed{last: make(map[string]hfpPlace)} }

// message returns topic and payload for a bus.
func (f *hfpFeed) message(topic string, b *nhip.Bus) (string, []byte) {
	now := hfpPlace{lat: digits(b.Lat), lon: digits(b.Lon), route: b.Route, trip: b.Trip + b.StartTime + b.StartDate, nextStop: b.NextStop}
	level := 0
	if before, known := f.last[topic]; known {
		level = now.since(before)
	}
	f.last[topic] = now
	return hfpTopic(b, now, level), hfpPayload(b)
}

// forget is called when a bus has left.
func (f *hfpFeed) forget(topic string) { delete(f.last, topic) }

// since returns the geohash level: the first decimal digit that has changed, at most 5; 0 also when the bus has
// another line, journey or next stop.
func (p hfpPlace) since(before hfpPlace) int {
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

// digits are the whole degrees and the decimal digits of a coordinate.
func digits(v float64) (d [1 + hfpDigits]int) {
	scaled := int(math.Round(math.Abs(v) * 1e5))
	for i := hfpDigits; i > 0; i-- {
		d[i] = scaled % 10
		scaled /= 10
	}
	if d[0] = scaled; v < 0 {
		d[0] = -scaled
	}
	return d
}

func hfpTopic(b *nhip.Bus, at hfpPlace, level int) string {
	operator, vehicle := hfpVehicle(b)
	direction := ""
	if d, ok := b.Direction.Get(); ok {
		direction = strconv.Itoa(d + 1)
	}
	t := []string{
		mqtt.LiveHFP + "journey/ongoing/vp/bus", mqtt.Escape(operator), mqtt.Escape(vehicle), mqtt.Escape(b.Route), direction,
		mqtt.Escape(b.Headsign), hfpStart(b.StartTime), mqtt.Escape(b.NextStop), strconv.Itoa(level),
		strconv.Itoa(at.lat[0]) + ";" + strconv.Itoa(at.lon[0]),
	}
	for i := 1; i <= 3; i++ { // the topic holds three digits, the level counts five
		t = append(t, strconv.Itoa(at.lat[i])+strconv.Itoa(at.lon[i]))
	}
	return strings.Join(append(t, ""), "/")
}

// hfpVehicle returns operator and number: those of a bus that speaks HFP are its id.
func hfpVehicle(b *nhip.Bus) (operator, vehicle string) {
	if operator, vehicle, ok := strings.Cut(b.ID, "/"); ok {
		return operator, vehicle
	}
	return b.Agency, b.ID
}

// hfpStart is when a journey begins, in hours of one day: GTFS counts on past midnight.
func hfpStart(s string) string {
	hours, rest, ok := strings.Cut(s, ":")
	h, err := strconv.Atoi(hours)
	if !ok || err != nil || len(rest) < 2 {
		return ""
	}
	return strconv.Itoa(h%24/10) + strconv.Itoa(h%24%10) + ":" + rest[:2]
}

// hfpValues is the payload of a VP, in the order of HSL's documentation. What is not known is null.
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
	DL    *int     `json:"dl"` // seconds AHEAD of the timetable
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
		Desi: text(b.Line), Oper: hfpNumber(operator), Veh: hfpNumber(vehicle),
		TST: b.Time.UTC().Format("2006-01-02T15:04:05.000Z"), TSI: b.Time.Unix(),
		Lat: b.Lat, Long: b.Lon, Oday: text(oday(b.StartDate)), Start: text(hfpStart(b.StartTime)), Loc: "GPS",
		Stop: text(b.Stop), Route: text(b.Route), Occu: hfpOccupancy(b.Occupancy),
	}
	if b.Estimated {
		v.Loc = "DR"
	}
	if d, ok := b.Direction.Get(); ok {
		v.Dir = text(strconv.Itoa(d + 1))
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
	return encodeState(map[string]hfpValues{"VP": v})
}

func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// hfpNumber is an id as HFP writes it where it is one: without the zeros before it.
func hfpNumber(s string) any {
	if n, err := strconv.Atoi(s); err == nil {
		return n
	}
	return s
}

func oday(date string) string {
	t, err := time.Parse("20060102", date)
	if err != nil {
		return ""
	}
	return t.Format(time.DateOnly)
}

// hfpOccupancy is how full a bus is, in percent; null where it was not said.
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

package nhip

import (
	"time"

	"github.com/paulmach/orb"
)

// Quantity is what a monitor measures.
type Quantity string

// The quantities the platform knows, with one unit each inside (see Unit).
const (
	PM1         Quantity = "pm1"
	PM25        Quantity = "pm25"
	PM10        Quantity = "pm10"
	TSP         Quantity = "tsp"
	SO2         Quantity = "so2"
	NO          Quantity = "no"
	NO2         Quantity = "no2"
	CO          Quantity = "co"
	O3          Quantity = "o3"
	Temperature Quantity = "temperature"
	Humidity    Quantity = "humidity"
	Pressure    Quantity = "pressure"
)

// quantityRule holds a quantity's unit and the span outside which a number is no measurement at
// all. What is merely unlikely is kept and flagged, never turned away: instruments near zero say
// small negatives, and a fire says thousands.
type quantityRule struct {
	unit      string
	low, high float64
}

var quantityRules = map[Quantity]quantityRule{
	PM1:         {"µg/m³", -50, 10_000},
	PM25:        {"µg/m³", -50, 10_000},
	PM10:        {"µg/m³", -50, 10_000},
	TSP:         {"µg/m³", -50, 20_000},
	SO2:         {"µg/m³", -100, 50_000},
	NO:          {"µg/m³", -100, 50_000},
	NO2:         {"µg/m³", -100, 50_000},
	CO:          {"µg/m³", -2_000, 1_000_000},
	O3:          {"µg/m³", -100, 10_000},
	Temperature: {"°C", -60, 80},
	Humidity:    {"%", 0, 100},
	Pressure:    {"Pa", 50_000, 115_000},
}

// quantities are the known quantities by their names.
var quantities = func() map[string]Quantity {
	all := make(map[string]Quantity)
	for q := range quantityRules {
		all[string(q)] = q
	}
	return all
}()

// ParseQuantity returns the quantity of a name. It shares no memory with the name.
func ParseQuantity(name string) (Quantity, bool) {
	q, ok := quantities[name]
	return q, ok
}

// Known reports whether the platform knows q.
func (q Quantity) Known() bool { _, ok := quantityRules[q]; return ok }

// Unit returns q's unit inside the platform: µg/m³ at 25 °C and 1 atm, °C, %, Pa; "" when unknown.
func (q Quantity) Unit() string { return quantityRules[q].unit }

// Flag is a QARTOD quality flag.
type Flag int

// QARTOD's flags (US IOOS, Manual for Real-Time Quality Control).
const (
	Good         Flag = 1
	NotEvaluated Flag = 2
	Suspect      Flag = 3
	Fail         Flag = 4
	MissingValue Flag = 9
)

// Reading is one measured value of one quantity over one averaging period. Its identity is
// (station, quantity, period, time).
type Reading struct {
	Station  string         `json:"station"`
	Quantity Quantity       `json:"quantity"`
	Time     time.Time      `json:"time"`   // END of the period, UTC, whole milliseconds
	Period   time.Duration  `json:"period"` // averaging period, > 0, in nanoseconds
	Value    float64        `json:"value"`  // in Quantity.Unit
	Flag     Flag           `json:"flag"`
	Point    Opt[orb.Point] `json:"point,omitzero"` // where it was taken, when the device says so
	Origin   Origin         `json:"origin,omitempty"`

	// Channels are the values of both sensors of a monitor that has two; Value is what it makes of them.
	Channels Opt[[2]float64] `json:"channels,omitzero"`
}

// MaxPeriod is the longest averaging period a monitor may report.
const MaxPeriod = 366 * 24 * time.Hour

// Validate checks r against the rules at the door and returns an *Error naming the field.
func (r *Reading) Validate(now time.Time) error { return r.ValidateIn(WindowAt(now)) }

// ValidateIn is Validate with a window that is not the usual one.
func (r *Reading) ValidateIn(w Window) error {
	if err := CheckID("station", r.Station); err != nil {
		return err
	}
	if err := w.check(r.Time); err != nil {
		return err
	}
	if r.Period <= 0 || r.Period > MaxPeriod {
		return Errorf(OutOfRange, "period", "must be longer than 0 and at most 366 days, got %s", r.Period)
	}
	if pt, ok := r.Point.Get(); ok {
		if err := CheckPoint(pt); err != nil {
			return err
		}
	}
	rule, ok := quantityRules[r.Quantity]
	if !ok {
		return Errorf(UnknownField, "values."+string(r.Quantity), "is not a known quantity")
	}
	if !(r.Value >= rule.low && r.Value <= rule.high) {
		return Errorf(OutOfRange, "values."+string(r.Quantity), "must be between %v and %v %s, got %v",
			rule.low, rule.high, rule.unit, r.Value)
	}
	return nil
}

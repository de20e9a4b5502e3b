package nhip

import (
	"slices"
	"time"

	"github.com/paulmach/orb"
)

// Quantity is a measured quantity.
type Quantity string

// The known quantities. Each has one unit inside the platform, see Unit.
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

	WindSpeed     Quantity = "wind_speed"
	WindDirection Quantity = "wind_direction" // from which the wind blows, clockwise from true north
)

// quantityNames are the names of the quantities, the Vietnamese ones as QCVN 05:2023 has them.
var quantityNames = map[Quantity]LocalizedText{
	PM1:         {Vi: "Bụi PM1", En: "Particles PM1"},
	PM25:        {Vi: "Bụi mịn PM2.5", En: "Fine particles PM2.5"},
	PM10:        {Vi: "Bụi PM10", En: "Particles PM10"},
	TSP:         {Vi: "Tổng bụi lơ lửng (TSP)", En: "Total suspended particles (TSP)"},
	SO2:         {Vi: "Lưu huỳnh đioxit (SO₂)", En: "Sulphur dioxide (SO₂)"},
	NO:          {Vi: "Nitơ monoxit (NO)", En: "Nitrogen monoxide (NO)"},
	NO2:         {Vi: "Nitơ đioxit (NO₂)", En: "Nitrogen dioxide (NO₂)"},
	CO:          {Vi: "Cacbon monoxit (CO)", En: "Carbon monoxide (CO)"},
	O3:          {Vi: "Ozon (O₃)", En: "Ozone (O₃)"},
	Temperature: {Vi: "Nhiệt độ", En: "Temperature"},
	Humidity:    {Vi: "Độ ẩm", En: "Relative humidity"},
	Pressure:    {Vi: "Áp suất khí quyển", En: "Air pressure"},

	WindSpeed:     {Vi: "Tốc độ gió", En: "Wind speed"},
	WindDirection: {Vi: "Hướng gió", En: "Wind direction"},
}

// Name returns the display name; empty for an unknown quantity.
func (q Quantity) Name() LocalizedText { return quantityNames[q] }

// quantityRule holds a quantity's unit and the range outside which a value is rejected. Merely unlikely values are kept
// and flagged: instruments report small negatives near zero, and thousands near a fire.
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

	WindSpeed:     {"m/s", 0, 75}, // the range of anemometers; the strongest gust of a typhoon in Hanoi was 31 m/s
	WindDirection: {"°", 0, 360},
}

// quantities maps names to the known quantities.
var quantities = func() map[string]Quantity {
	all := make(map[string]Quantity)
	for q := range quantityRules {
		all[string(q)] = q
	}
	return all
}()

// ParseQuantity returns the quantity with the given name. The result shares no memory with name.
func ParseQuantity(name string) (Quantity, bool) {
	q, ok := quantities[name]
	return q, ok
}

// Known reports whether q is a known quantity.
func (q Quantity) Known() bool { _, ok := quantityRules[q]; return ok }

// Circular reports whether values of q are angles. They have no arithmetic mean (that of 350° and 10° would be south),
// so they are neither summed up nor corrected; direction and speed of each reading stay.
func (q Quantity) Circular() bool { return q == WindDirection }

// Unit returns q's unit inside the platform: µg/m³ at 25 °C and 1 atm, °C, %, Pa, m/s, °; "" where q is unknown.
func (q Quantity) Unit() string { return quantityRules[q].unit }

// noValues are the numbers that instruments and agencies write where they have no value. No concentration is so far
// below zero, and no other quantity accepts them.
var noValues = [...]float64{-99, -99.9, -99.99, -999, -999.9, -999.99, -9999, -9999.9, -9999.99, -99999}

// IsNoValue reports whether a number stands for "no value", as -999 does, in whatever unit. It must be asked before
// the unit of the number is converted.
func IsNoValue(v float64) bool { return v <= -99 && slices.Contains(noValues[:], v) }

// Flag is a QARTOD quality flag.
type Flag int

// QARTOD's flags (US IOOS, Manual for Real-Time Quality Control).
const (
	FlagGood         Flag = 1
	FlagNotEvaluated Flag = 2
	FlagSuspect      Flag = 3
	FlagFail         Flag = 4
	FlagMissing      Flag = 9
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
	Point    Opt[orb.Point] `json:"point,omitzero"` // where it was measured, if reported
	Origin   Origin         `json:"origin,omitempty"`

	// Channels are the values of the two sensors of a dual-sensor monitor; Value is the value that the monitor derives.
	Channels Opt[[2]float64] `json:"channels,omitzero"`
}

// DropInvalid removes an invalid place, which a value can do without: a receiver without a fix says 0,0, and a fixed
// station's place is in the fleet file anyway. It calls drop with the fault.
func (r *Reading) DropInvalid(drop func(*Error)) {
	pt, known := r.Point.Get()
	if !known {
		return
	}
	if err, invalid := CheckPoint(pt).(*Error); invalid {
		r.Point = Opt[orb.Point]{}
		drop(err)
	}
}

// Validate checks r against the rules of acceptance with the default window. It returns an *Error that names the field.
func (r *Reading) Validate(now time.Time) error { return r.ValidateIn(WindowAt(now)) }

// ValidateIn is Validate with another window.
func (r *Reading) ValidateIn(w Window) error {
	if err := CheckID("station", r.Station); err != nil {
		return err
	}
	if err := w.check(r.Time); err != nil {
		return err
	}
	if r.Period <= 0 || r.Period > MaxPeriod {
		return Errorf(CodeOutOfRange, "period", "must be longer than 0 and at most 366 days, got %s",
			FormatDuration(r.Period))
	}
	if pt, ok := r.Point.Get(); ok {
		if err := CheckPoint(pt); err != nil {
			return err
		}
	}
	rule, ok := quantityRules[r.Quantity]
	if !ok {
		return Errorf(CodeUnknownField, "values."+string(r.Quantity), "is not a known quantity")
	}
	if IsNoValue(r.Value) {
		return Errorf(CodeOutOfRange, "values."+string(r.Quantity), "%v stands for no value", r.Value)
	}
	if !(r.Value >= rule.low && r.Value <= rule.high) {
		return Errorf(CodeOutOfRange, "values."+string(r.Quantity), "must be between %v and %v %s, got %v",
			rule.low, rule.high, rule.unit, r.Value)
	}
	return nil
}

package nhip

import (
	"testing"

	"github.com/paulmach/orb"
)

func TestPositionMoves(t *testing.T) {
	here := Some(orb.Point{105.85, 21.03})
	for _, c := range []struct {
		name string
		p    Position
		want bool
	}{
		{"a fix", Position{Event: EventPosition, Point: here}, true},
		{"an event", Position{Event: "doo", Point: here}, true},
		{"an estimate", Position{Event: EventPosition, Point: here, Estimated: true}, true},
		{"no point", Position{Event: EventPosition}, false},
		{"deadrun", Position{Event: EventPosition, Point: here, Deadrun: true}, false},
		{"event of the next trip", Position{Event: EventUpcomingPrefix + EventPosition, Point: here}, false},
		{"passenger count", Position{Event: EventPassengers, Point: here}, false},
		{"partial passenger count", Position{Event: EventPassengersPartial, Point: here}, false},
	} {
		if got := c.p.Moves(); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestPositionLimits(t *testing.T) {
	for _, c := range []struct {
		field string
		p     Position
	}{
		{"", Position{Passengers: Some(0), Boarded: Some(MaxPassengers), Alighted: Some(0), Delay: Some(-MaxDelay)}},
		{"", Position{Delay: Some(MaxDelay), Stop: "S6"}},
		{"passengers", Position{Passengers: Some(-1)}},
		{"boarded", Position{Boarded: Some(MaxPassengers + 1)}},
		{"alighted", Position{Alighted: Some(-1)}},
		{"delay", Position{Delay: Some(MaxDelay + 1)}},
		{"delay", Position{Delay: Some(-MaxDelay - 1)}},
		{"stop", Position{Stop: "S\x006"}},
	} {
		c.p.Vehicle, c.p.Time = "1", noon
		err := c.p.Validate(noon)
		e, _ := err.(*Error)
		if (err == nil) != (c.field == "") || e != nil && (e.Field != c.field || e.Code != CodeOutOfRange) {
			t.Errorf("%+v: %v, want an error for %q", c.p, err, c.field)
		}
	}
}

func TestParseQuantity(t *testing.T) {
	for _, q := range []Quantity{PM1, PM25, PM10, TSP, SO2, NO, NO2, CO, O3, Temperature, Humidity, Pressure} {
		if got, ok := ParseQuantity(string(q)); got != q || !ok {
			t.Errorf("%s: %q, %v", q, got, ok)
		}
	}
	if q, ok := ParseQuantity("pm2.5"); q != "" || ok {
		t.Errorf("pm2.5 parsed as %q", q)
	}
}

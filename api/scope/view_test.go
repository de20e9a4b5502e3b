package scope

import (
	"testing"

	"nhip"

	"github.com/paulmach/orb"
)

// west contains the points west of 106° E, and no zone else does.
type west struct{}

func (west) HasZone(zone string) bool { return zone == "district/west" }

func (west) InZone(zone string, p orb.Point) bool { return zone == "district/west" && p.Lon() < 106 }

func station(id, area string, lon float64) *nhip.Station {
	return &nhip.Station{ID: id, Area: area, Lat: nhip.Some(21.0), Lon: nhip.Some(lon)}
}

func TestViewShowsWhatAnyListNames(t *testing.T) {
	v := New(nhip.Scope{Zones: []string{"district/west"}, Areas: []string{"Ba Đình"}, Stations: []string{"s1"}}, west{})
	for _, c := range []struct {
		of   *nhip.Station
		want bool
	}{
		{station("s1", "", 107), true},
		{station("s2", "Ba Đình", 107), true},
		{station("s3", "", 105), true},
		{station("s4", "", 107), false},
		{&nhip.Station{ID: "s5"}, false}, // its position is not known
		{&nhip.Station{ID: "s1"}, true},
	} {
		if got := v.Station(c.of); got != c.want {
			t.Errorf("%s in scope: %v", c.of.ID, got)
		}
	}
	if !v.Agency("any") {
		t.Error("stations limit agencies")
	}
}

func TestViewLimitsAgencies(t *testing.T) {
	v := New(nhip.Scope{Agencies: []string{"transerco"}}, nil)
	if !v.Agency("transerco") || v.Agency("other") || v.Agency("") {
		t.Error("agencies are not limited to those named")
	}
	if !v.Station(station("s1", "", 107)) {
		t.Error("agencies limit stations")
	}
}

func TestZeroViewShowsEverything(t *testing.T) {
	var v View
	if !v.Station(&nhip.Station{}) || !v.Agency("") {
		t.Error("the public does not see everything that is public")
	}
	if New(nhip.Scope{Zones: []string{"district/west"}}, nil).Station(station("s", "", 105)) {
		t.Error("a zone without areas of the map shows a station")
	}
}

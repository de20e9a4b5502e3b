package stream

import (
	"testing"

	"nhip"
	"nhip/api/scope"
)

func TestObjectsAreInScopeByAgencyAndStation(t *testing.T) {
	one := scope.New(nhip.Scope{Agencies: []string{"one"}, Stations: []string{"s1"}}, nil)
	for _, c := range []struct {
		o    object
		want bool
	}{
		{object{kind: kindBus, agency: "one"}, true},
		{object{kind: kindBus, agency: "two"}, false},
		{object{kind: kindAir, station: &nhip.Station{ID: "s1"}}, true},
		{object{kind: kindAir, station: &nhip.Station{ID: "s2"}}, false},
	} {
		if got := c.o.in(one); got != c.want || !c.o.in(scope.View{}) {
			t.Errorf("%s %s: %t", c.o.kind, c.o.agency, got)
		}
	}
}

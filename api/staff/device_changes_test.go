package staff

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"nhip"
	"nhip/api/access"
	"nhip/api/live"
	"nhip/api/scope"
)

func TestDispatchersUseTheBusesOfTheirAgency(t *testing.T) {
	state := live.New(live.Options{Clock: fixedClock{}, Logger: discard, LineOf: func(string) string { return "" }})
	t.Cleanup(state.Close)
	h := &Handler{Collectors: Collectors{Live: state}}
	for _, c := range []struct {
		role    nhip.Role
		scope   nhip.Scope
		agency  string
		allowed bool
	}{
		{nhip.RoleDispatcher, nhip.Scope{Agencies: []string{"hanoi"}}, "hanoi", true},
		{nhip.RoleDispatcher, nhip.Scope{Agencies: []string{"hanoi"}}, "other", false},
		{nhip.RoleDispatcher, nhip.Scope{}, "hanoi", true},
		{nhip.RoleDispatcher, nhip.Scope{}, "", false}, // a monitor
		{nhip.RoleOperator, nhip.Scope{}, "", true},
		{nhip.RoleOperator, nhip.Scope{Agencies: []string{"hanoi"}}, "other", false},
		{nhip.RoleOperator, nhip.Scope{Areas: []string{"Ba Đình"}}, "", false},
		{nhip.RoleOperator, nhip.Scope{Stations: []string{"d"}}, "", true},
		{nhip.RoleAdmin, nhip.Scope{}, "", true},
	} {
		caller := access.Caller{Name: "Lan", Role: c.role, View: scope.New(c.scope, nil)}
		r := access.WithCaller(httptest.NewRequest(http.MethodGet, "/", nil), caller, access.Allowed)
		if got := h.mayUseDevice(r, &nhip.DeviceState{ID: "d", Agency: c.agency}); got != c.allowed {
			t.Errorf("%+v: %t", c, got)
		}
	}
}

// TestSecretsOfDevicesWithTopicsNeedTheWholeFleet: such a device publishes for others.
func TestSecretsOfDevicesWithTopicsNeedTheWholeFleet(t *testing.T) {
	for _, c := range []struct {
		role    nhip.Role
		scope   nhip.Scope
		allowed bool
	}{
		{nhip.RoleOperator, nhip.Scope{}, true},
		{nhip.RoleOperator, nhip.Scope{Stations: []string{"d"}}, false},
		{nhip.RoleAdmin, nhip.Scope{Agencies: []string{"hanoi"}}, false},
		{nhip.RoleDispatcher, nhip.Scope{}, false},
	} {
		caller := access.Caller{Name: "Lan", Role: c.role, View: scope.New(c.scope, nil)}
		r := access.WithCaller(httptest.NewRequest(http.MethodPost, "/", nil), caller, access.Allowed)
		if err := mayPublishForOthers(r); (err == nil) != c.allowed ||
			err != nil && nhip.ErrorCode(err) != nhip.CodeForbidden {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

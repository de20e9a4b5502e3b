package nhip

import "testing"

func TestRolesHaveTheirPermissions(t *testing.T) {
	all := []Permission{
		MayReadAir, MayReadAlerts, MayReadReports, MayScheduleReports, MayReview, MayAckAlerts, MayEditAlertRules,
		MayHandleEnvironment,
		MayHandleTransport, MayAlertRiders, MayReadAccuracy, MayUseDevices, MayUseAllDevices, MayCalibrate, MayReadLedger,
		MayReplay, MaySetRetention, MayRecompute, MayManageKeys, MayReadAudit,
	}
	if len(all) != len(grants) {
		t.Errorf("%d permissions are tested, %d are granted", len(all), len(grants))
	}
	for _, p := range all {
		if !RoleAdmin.May(p) {
			t.Errorf("the admin lacks %s", p)
		}
		if RolePublic.May(p) || RoleApp.May(p) || Role("root").May(p) {
			t.Errorf("%s is granted to others than staff", p)
		}
	}
	if RoleAdmin.May("anything") {
		t.Error("the admin has a permission that does not exist")
	}
	for _, c := range []struct {
		role Role
		may  Permission
		want bool
	}{
		{RoleViewer, MayReadAir, true},
		{RoleViewer, MayReview, false},
		{RoleAnalyst, MayReview, true},
		{RoleAnalyst, MayScheduleReports, true},
		{RoleViewer, MayScheduleReports, false},
		{RoleAnalyst, MayAlertRiders, false},
		{RoleDispatcher, MayAlertRiders, true},
		{RoleDispatcher, MayReadAir, false},
		{RoleOperator, MayRecompute, true},
		{RoleOperator, MayReview, false},
		{RoleOperator, MayManageKeys, false},
	} {
		if got := c.role.May(c.may); got != c.want {
			t.Errorf("%s may %s: %v", c.role, c.may, got)
		}
	}
}

package nhip

import (
	"maps"
	"slices"
)

// Role is what a caller of the API is. What each role may do stands in the table of grants.
type Role string

// Roles. Public callers have no key; apps have a key for their limits and no further rights; the others are staff.
const (
	RolePublic     Role = "public"
	RoleApp        Role = "app"
	RoleViewer     Role = "viewer"
	RoleAnalyst    Role = "analyst"
	RoleDispatcher Role = "dispatcher"
	RoleOperator   Role = "operator"
	RoleAdmin      Role = "admin"
)

// Roles are all roles, those with fewer rights first.
var Roles = []Role{
	RolePublic, RoleApp, RoleViewer, RoleAnalyst, RoleDispatcher, RoleOperator, RoleAdmin,
}

// Known reports whether r is a role.
func (r Role) Known() bool { return slices.Contains(Roles, r) }

// Staff reports whether r is a role of the agencies' staff.
func (r Role) Staff() bool { return r.Known() && r != RolePublic && r != RoleApp }

// May reports whether callers with the role have a permission. The admin has all.
func (r Role) May(p Permission) bool {
	return slices.Contains(grants[p], r) || r == RoleAdmin && p.Known()
}

// Permission is the right to use a group of the API's operations.
type Permission string

// Permissions of staff. What everybody may do needs none.
const (
	MayReadAir           Permission = "air.read"            // raw values, single values, reviews, status with its tests
	MayReadAlerts        Permission = "alerts.read"         //
	MayReadReports       Permission = "reports.read"        // monthly reports and exceedances with their review
	MayScheduleReports   Permission = "schedules.write"     // mailed reports
	MayReview            Permission = "reviews.write"       // reviews and their preview
	MayAckAlerts         Permission = "alerts.ack"          //
	MayEditAlertRules    Permission = "alert-rules.write"   //
	MayHandleEnvironment Permission = "queue.environment"   // citizens' reports on the environment
	MayHandleTransport   Permission = "queue.transport"     // citizens' reports on buses
	MayAlertRiders       Permission = "service-alerts.edit" // service alerts
	MayReadAccuracy      Permission = "accuracy.read"       // accuracy of arrivals, problem reports
	MayUseDevices        Permission = "devices.own"         // devices of the caller's agency
	MayUseAllDevices     Permission = "devices.all"         // devices of buses and monitors
	MayCalibrate         Permission = "calibrations.write"  //
	MayReadLedger        Permission = "ledger.read"         // the ledger and the metrics
	MayReplay            Permission = "dead.replay"         // dead letters
	MaySetRetention      Permission = "retention.write"     //
	MayRecompute         Permission = "recompute"           //
	MayManageKeys        Permission = "keys"                // keys and roles
	MayReadAudit         Permission = "audit.read"          //
)

// Permissions returns all permissions, sorted.
func Permissions() []Permission { return slices.Sorted(maps.Keys(grants)) }

// Known reports whether p is a permission.
func (p Permission) Known() bool { _, known := grants[p]; return known }

// grants are the roles besides the admin that have a permission.
var grants = map[Permission][]Role{
	MayReadAir:           {RoleViewer, RoleAnalyst, RoleOperator},
	MayReadAlerts:        {RoleViewer, RoleAnalyst, RoleOperator},
	MayReadReports:       {RoleViewer, RoleAnalyst},
	MayScheduleReports:   {RoleAnalyst},
	MayReview:            {RoleAnalyst},
	MayAckAlerts:         {RoleAnalyst},
	MayEditAlertRules:    {RoleAnalyst},
	MayHandleEnvironment: {RoleAnalyst},
	MayHandleTransport:   {RoleDispatcher},
	MayAlertRiders:       {RoleDispatcher},
	MayReadAccuracy:      {RoleViewer, RoleAnalyst, RoleDispatcher, RoleOperator},
	MayUseDevices:        {RoleDispatcher, RoleOperator},
	MayUseAllDevices:     {RoleOperator},
	MayCalibrate:         {RoleOperator},
	MayReadLedger:        {RoleOperator},
	MayReplay:            {RoleOperator},
	MaySetRetention:      {RoleOperator},
	MayRecompute:         {RoleOperator},
	MayManageKeys:        {},
	MayReadAudit:         {},
}

// Scope limits a caller to some stations and agencies. Zones, areas and stations limit the stations: one is in scope if
// any of them names it. Agencies limit buses and their devices. What no list limits is in scope.
type Scope struct {
	Zones    []string `json:"zones,omitempty"`    // as kind/id, as in district/ba-dinh
	Areas    []string `json:"areas,omitempty"`    // administrative areas of the fleet
	Stations []string `json:"stations,omitempty"` // ids
	Agencies []string `json:"agencies,omitempty"` // ids
}

// LimitsStations reports whether some stations are out of scope.
func (s Scope) LimitsStations() bool { return len(s.Zones)+len(s.Areas)+len(s.Stations) > 0 }

// LimitsAgencies reports whether some agencies are out of scope.
func (s Scope) LimitsAgencies() bool { return len(s.Agencies) > 0 }

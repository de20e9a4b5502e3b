package track

import (
	"math"
	"slices"
	"time"
)

// A vehicle rarely changes its line: on a recorded day of Austin, 1,112 of 1,168 changes of trip stay on the route, and
// 146 of 158 buses serve one route all day. Therefore a tracker remembers for how long each vehicle has served which
// route. The constants were chosen on Austin, Washington and Be'er Sheva together; foreignRoute may lie between 0.002
// and 0.02 with about the same result.
const (
	membershipMemory = 10 * time.Hour  // after which an hour of service counts 1/e
	membershipPrior  = 20.0            // minutes of service that outweigh not knowing the vehicle
	foreignRoute     = 0.01            // share of its time in which a vehicle serves any given other route
	maxServiceGap    = 5 * time.Minute // the longest time between two positions that counts as service
	maxMemberships   = 8               // routes that are remembered of a vehicle
	minMembership    = 1 / 60.0        // minutes; less is forgotten
)

// RouteService is for how long a vehicle has served a route lately.
type RouteService struct {
	Route   string  `json:"route"` // route_id, which outlives the timetable in use
	Minutes float64 `json:"min"`   // decayed, see membershipMemory
}

// memberships are the routes that one vehicle has served.
type memberships struct {
	of   []RouteService // the longest first
	sum  float64        // minutes
	when time.Time      // up to which time they have decayed
}

// decay ages the memberships, and returns for how many minutes the vehicle has been in service since the last call.
func (m *memberships) decay(now time.Time) float64 {
	passed := now.Sub(m.when)
	if m.when.IsZero() || passed <= 0 {
		m.when = now
		return 0
	}
	m.when = now
	factor := math.Exp(-passed.Seconds() / membershipMemory.Seconds())
	m.sum *= factor
	for i := range m.of {
		m.of[i].Minutes *= factor
	}
	return min(passed, maxServiceGap).Minutes()
}

// add adds minutes of service on a route.
func (m *memberships) add(route string, minutes float64) {
	i := slices.IndexFunc(m.of, func(x RouteService) bool { return x.Route == route })
	if i < 0 {
		if minutes < minMembership {
			return
		}
		i = len(m.of)
		m.of = append(m.of, RouteService{Route: route})
	}
	m.of[i].Minutes += minutes
	m.sum += minutes
	for ; i > 0 && m.of[i].Minutes > m.of[i-1].Minutes; i-- {
		m.of[i], m.of[i-1] = m.of[i-1], m.of[i]
	}
	if len(m.of) > maxMemberships {
		m.sum -= m.of[maxMemberships].Minutes
		m.of = m.of[:maxMemberships]
	}
}

// score returns the log likelihood of serving a route, relative to any other one of which nothing is known: 0 for a
// vehicle without memberships.
func (m *memberships) score(route string) float64 {
	if m.sum <= 0 {
		return 0
	}
	own := 0.0
	for i := range m.of {
		if m.of[i].Route == route {
			own = m.of[i].Minutes
			break
		}
	}
	return math.Log((own + membershipPrior*foreignRoute) / ((m.sum + membershipPrior) * foreignRoute))
}

// remember adds the time since the previous position to the routes that the vehicle may serve, by their probabilities.
func (v *vehicle) remember(now time.Time) {
	minutes := v.serves.decay(now)
	if minutes == 0 || len(v.hypotheses) == 0 {
		return
	}
	all := math.Exp(v.noPattern)
	for i := range v.hypotheses {
		all += math.Exp(v.hypotheses[i].score)
	}
	for i := range v.hypotheses {
		h := &v.hypotheses[i]
		v.serves.add(h.pattern.Route.ID, minutes*math.Exp(h.score)/all)
	}
}

// rememberSignOn adds the time since the previous position to the route of the trip that the vehicle reports.
func (v *vehicle) rememberSignOn(now time.Time) {
	minutes := v.serves.decay(now)
	if minutes > 0 && !v.offLine && v.pattern != nil {
		v.serves.add(v.pattern.Route.ID, minutes)
	}
}

// Served returns for how long a bus has served each route lately, the longest first.
func (t *Tracker) Served(id string) []RouteService {
	if v := t.vehicles[id]; v != nil {
		return slices.Clone(v.serves.of)
	}
	return nil
}

// RestoreServed restores what Served returned, after Restore. It ignores what can't be.
func (t *Tracker) RestoreServed(id string, served []RouteService) {
	v := t.vehicles[id]
	if v == nil {
		return
	}
	v.serves = memberships{when: v.time}
	for _, s := range served[:min(len(served), maxMemberships)] {
		if s.Minutes >= minMembership && s.Minutes <= membershipMemory.Minutes() {
			v.serves.add(s.Route, s.Minutes)
		}
	}
}

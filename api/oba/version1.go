package oba

import "nhip"

// The first version of the API has no references: an element holds those that it refers to. Only the methods that old
// programs use have that form, as in the reference server.

type coverage1 struct {
	Agency  agencyElement `json:"agency"`
	Lat     float64       `json:"lat"`
	Lon     float64       `json:"lon"`
	LatSpan float64       `json:"latSpan"`
	LonSpan float64       `json:"lonSpan"`
}

type route1 struct {
	routeElement

	Agency *agencyElement `json:"agency"`
}

type stop1 struct {
	stopElement

	Routes []route1 `json:"routes"`
}

// firstVersion returns the data of an answer in the form of the first version.
func (q *request) firstVersion(data any) (any, error) {
	switch x := data.(type) {
	case entry:
		return q.entry1(x.Entry)
	case list:
		return q.list1(x)
	}
	return data, nil
}

func (q *request) entry1(x any) (any, error) {
	switch x := x.(type) {
	case agencyElement, currentTime, polyline:
		return x, nil
	case routeElement:
		return q.route1(x), nil
	case stopElement:
		return q.stop1(x), nil
	case stopArrivals:
		return struct {
			Stop     stop1     `json:"stop"`
			Arrivals []arrival `json:"arrivalsAndDepartures"`
			Nearby   []stop1   `json:"nearbyStops"`
		}{q.stopOf1(x.StopID), x.Arrivals, mapped(x.NearbyStops, q.stopOf1)}, nil
	}
	return nil, errUnknownVersion
}

func (q *request) list1(x list) (any, error) {
	switch all := x.List.(type) {
	case []coverage:
		return mapped(all, func(c coverage) coverage1 {
			return coverage1{*q.agencyOf1(c.AgencyID), c.Lat, c.Lon, c.LatSpan, c.LonSpan}
		}), nil
	case []routeElement:
		return struct {
			LimitExceeded bool     `json:"limitExceeded"`
			Routes        []route1 `json:"routes"`
		}{x.LimitExceeded, mapped(all, q.route1)}, nil
	case []stopElement:
		return struct {
			LimitExceeded bool    `json:"limitExceeded"`
			Stops         []stop1 `json:"stops"`
		}{x.LimitExceeded, mapped(all, q.stop1)}, nil
	case []string:
		return struct {
			LimitExceeded bool     `json:"limitExceeded"`
			List          []string `json:"list"`
		}{x.LimitExceeded, all}, nil
	}
	return nil, errUnknownVersion
}

// errUnknownVersion is that of a method that the first version does not have.
var errUnknownVersion = nhip.Errorf(nhip.CodeInvalid, "version", "must be 2 here: unknown version: 1")

func mapped[A, B any](all []A, f func(A) B) []B {
	out := make([]B, len(all))
	for i := range all {
		out[i] = f(all[i])
	}
	return out
}

// referred returns the reference with an id, the zero element if it is missing.
func referred[T interface{ id() string }](all []T, id string) (none T) {
	for _, x := range all {
		if x.id() == id {
			return x
		}
	}
	return none
}

func (e agencyElement) id() string { return e.ID }
func (e routeElement) id() string  { return e.ID }
func (e stopElement) id() string   { return e.ID }

func (q *request) agencyOf1(id string) *agencyElement {
	a := referred(q.refs.Agencies, id)
	return &a
}

func (q *request) route1(r routeElement) route1 { return route1{r, q.agencyOf1(r.AgencyID)} }

func (q *request) stopOf1(id string) stop1 { return q.stop1(referred(q.refs.Stops, id)) }

func (q *request) stop1(s stopElement) stop1 {
	return stop1{s, mapped(s.RouteIDs, func(id string) route1 { return q.route1(referred(q.refs.Routes, id)) })}
}

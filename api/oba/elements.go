package oba

import (
	"math"
	"slices"
	"strconv"

	"nhip"
	"nhip/api/transit"
	"nhip/geo/gtfs"
)

// The fields of elements are those of the contract. The iOS app fails where one is missing, so that unknown texts are
// empty and not left out.

type agencyElement struct {
	ID             string `json:"id"`
	Name           string `json:"name"`
	URL            string `json:"url"`
	Timezone       string `json:"timezone"`
	Lang           string `json:"lang"`
	Phone          string `json:"phone"`
	Email          string `json:"email"`
	FareURL        string `json:"fareUrl"`
	Disclaimer     string `json:"disclaimer"`
	PrivateService bool   `json:"privateService"`
}

// newAgency returns an agency. Its URL must be one: the iOS app fails otherwise.
func (q *request) newAgency(a *gtfs.Agency) agencyElement {
	e := agencyElement{
		ID: transit.AgencyID(a), Name: a.Name, URL: a.URL, Timezone: a.Location.String(), Lang: a.Language,
		Phone: a.Phone, Email: a.Email, FareURL: a.FareURL,
	}
	if e.URL == "" {
		e.URL = q.baseURL
	}
	return e
}

type routeElement struct {
	ID                string `json:"id"`
	AgencyID          string `json:"agencyId"`
	ShortName         string `json:"shortName"`
	LongName          string `json:"longName"`
	NullSafeShortName string `json:"nullSafeShortName"`
	Description       string `json:"description"`
	Type              int    `json:"type"`
	Color             string `json:"color"`
	TextColor         string `json:"textColor"`
	URL               string `json:"url"`
}

func newRoute(r *gtfs.Route) routeElement {
	return routeElement{
		ID: transit.QualifiedRoute(r), AgencyID: transit.AgencyID(r.Agency), ShortName: r.ShortName, LongName: r.LongName,
		NullSafeShortName: transit.LineOf(r), Type: r.Type, Color: r.Color, TextColor: r.TextColor,
		Description: r.Description, URL: r.URL,
	}
}

type stopElement struct {
	ID                 string   `json:"id"`
	Code               string   `json:"code"`
	Name               string   `json:"name"`
	Lat                float64  `json:"lat"`
	Lon                float64  `json:"lon"`
	Direction          string   `json:"direction"` // in which buses leave it: N, NE, …
	LocationType       int      `json:"locationType"`
	Parent             string   `json:"parent"`
	WheelchairBoarding string   `json:"wheelchairBoarding"`
	RouteIDs           []string `json:"routeIds"`
	StaticRouteIDs     []string `json:"staticRouteIds"`
}

// wheelchair are the words for GTFS's wheelchair_boarding.
var wheelchair = [...]string{"UNKNOWN", "ACCESSIBLE", "NOT_ACCESSIBLE"}

func (q *request) newStop(s *gtfs.Stop) stopElement {
	e := stopElement{
		ID: q.t.QualifiedStop(s), Code: s.Code, Name: s.Name, Lat: s.Point.Lat(), Lon: s.Point.Lon(),
		LocationType: int(s.LocationType), WheelchairBoarding: wheelchair[min(int(s.Wheelchair), 2)],
		RouteIDs: []string{}, Direction: q.directionAt(s),
	}
	if e.Code == "" {
		e.Code = s.ID // riders search by it
	}
	if parent := q.feed().Stop(s.Parent); parent != nil {
		e.Parent = q.t.QualifiedStop(parent)
	}
	for _, c := range q.t.Network.CallsAt(s) {
		if id := transit.QualifiedRoute(c.Pattern.Route); !slices.Contains(e.RouteIDs, id) {
			e.RouteIDs = append(e.RouteIDs, id)
		}
	}
	slices.Sort(e.RouteIDs)
	e.StaticRouteIDs = e.RouteIDs
	return e
}

// compass are the eight points of the compass, clockwise from north.
var compass = [...]string{"N", "NE", "E", "SE", "S", "SW", "W", "NW"}

// directionAt returns in which direction buses leave a stop, "" if they leave it in several.
func (q *request) directionAt(s *gtfs.Stop) string {
	var x, y float64
	n := 0
	for _, c := range q.t.Network.CallsAt(s) {
		if c.At == c.Pattern.Last() {
			continue
		}
		_, bearing := c.Pattern.At(c.Pattern.Along[c.At])
		sin, cos := math.Sincos(bearing * math.Pi / 180)
		x, y, n = x+sin, y+cos, n+1
	}
	if n == 0 || math.Hypot(x, y) < 0.7*float64(n) {
		return ""
	}
	degrees := math.Mod(math.Atan2(x, y)*180/math.Pi+360, 360)
	return compass[int(math.Round(degrees/45))%len(compass)]
}

type tripElement struct {
	ID             string `json:"id"`
	RouteID        string `json:"routeId"`
	RouteShortName string `json:"routeShortName"`
	ServiceID      string `json:"serviceId"`
	BlockID        string `json:"blockId"`
	ShapeID        string `json:"shapeId"`
	DirectionID    string `json:"directionId"`
	TripHeadsign   string `json:"tripHeadsign"`
	TripShortName  string `json:"tripShortName"`
	PeakOffpeak    int    `json:"peakOffpeak"`
	TimeZone       string `json:"timeZone"`
}

func (q *request) newTrip(t *gtfs.Trip) tripElement {
	agency := transit.AgencyID(t.Route.Agency)
	e := tripElement{
		ID: transit.QualifiedTrip(t), RouteID: transit.QualifiedRoute(t.Route), RouteShortName: t.Route.ShortName,
		ServiceID: transit.QualifiedID(agency, t.Service.ID),
		BlockID:   transit.QualifiedID(agency, t.Block), TripHeadsign: transit.TripHeadsign(t), TripShortName: t.ShortName,
		TimeZone: t.Route.Agency.Location.String(),
	}
	if t.Shape != nil {
		e.ShapeID = transit.QualifiedID(agency, t.Shape.ID)
	}
	if d, known := t.Direction.Get(); known {
		e.DirectionID = strconv.Itoa(d)
	}
	return e
}

// text is a text in one language.
type text struct {
	Lang  string `json:"lang"`
	Value string `json:"value"`
}

type timeWindow struct {
	From int64 `json:"from"` // Unix ms
	To   int64 `json:"to"`
}

type affected struct {
	AgencyID      string `json:"agencyId"`
	ApplicationID string `json:"applicationId"`
	DirectionID   string `json:"directionId"`
	RouteID       string `json:"routeId"`
	StopID        string `json:"stopId"`
	TripID        string `json:"tripId"`
}

type consequence struct {
	Condition string `json:"condition"`
}

type situationElement struct {
	ID                 string        `json:"id"`
	CreationTime       int64         `json:"creationTime"` // Unix ms
	Reason             string        `json:"reason"`
	Severity           string        `json:"severity"`
	Summary            *text         `json:"summary,omitempty"`
	Description        *text         `json:"description,omitempty"`
	URL                *text         `json:"url,omitempty"`
	ActiveWindows      []timeWindow  `json:"activeWindows"`
	PublicationWindows []timeWindow  `json:"publicationWindows"`
	AllAffects         []affected    `json:"allAffects"`
	Consequences       []consequence `json:"consequences"`
	ConsequenceMessage string        `json:"consequenceMessage"`
}

// severities are the words for the severities of GTFS-realtime.
var severities = map[string]string{"INFO": "noImpact", "WARNING": "normal", "SEVERE": "severe"}

func (q *request) newSituation(a *nhip.ServiceAlert) situationElement {
	e := situationElement{
		ID: transit.QualifiedID(q.t.KnownAgency(a.Agency), a.Feed+"_"+a.ID), CreationTime: a.Time.UnixMilli(),
		Reason:   a.Cause,
		Severity: severities[a.Severity], Summary: q.translated(a.Header), Description: q.translated(a.Description),
		URL: q.translated(a.URL), ActiveWindows: []timeWindow{}, PublicationWindows: []timeWindow{},
		AllAffects: []affected{}, Consequences: []consequence{},
	}
	if a.Time.IsZero() {
		e.CreationTime = 0
	}
	if e.Severity == "" {
		e.Severity = "unknown"
	}
	if a.Effect != "" {
		e.Consequences = append(e.Consequences, consequence{a.Effect})
	}
	for _, p := range a.Periods {
		w := timeWindow{}
		if !p.From.IsZero() {
			w.From = p.From.UnixMilli()
		}
		if !p.To.IsZero() {
			w.To = p.To.UnixMilli()
		}
		e.ActiveWindows = append(e.ActiveWindows, w)
	}
	for i := range a.Informed {
		e.AllAffects = append(e.AllAffects, q.newAffected(&a.Informed[i]))
	}
	return e
}

func (q *request) newAffected(i *nhip.InformedEntity) affected {
	x := affected{AgencyID: i.Agency}
	if r := q.feed().Route(i.Route); r != nil {
		x.RouteID, x.AgencyID = transit.QualifiedRoute(r), transit.AgencyID(r.Agency)
	}
	if s := q.feed().Stop(i.Stop); s != nil {
		x.StopID = q.t.QualifiedStop(s)
	}
	if t := q.feed().Trip(i.Trip); t != nil {
		x.TripID = transit.QualifiedTrip(t)
	}
	if d, known := i.Direction.Get(); known {
		x.DirectionID = strconv.Itoa(d)
	}
	return x
}

// translated returns a text in the language of the timetable, or else in its first one; nil if there is none.
func (q *request) translated(all []nhip.Translation) *text {
	if len(all) == 0 {
		return nil
	}
	want, best := q.feed().Agencies[0].Language, all[0]
	for _, t := range all {
		if t.Language == want {
			best = t
			break
		}
	}
	return &text{Lang: best.Language, Value: best.Text}
}

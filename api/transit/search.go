package transit

import (
	"nhip"
	"nhip/api/encode"
)

// SearchHit is something that matches a search; the field of its kind is set.
type SearchHit struct {
	Kind     string            `json:"kind"`
	Route    *Route            `json:"route,omitempty"`
	Stop     *StopRef          `json:"stop,omitempty"`
	Place    *NamedRef         `json:"place,omitempty"`
	Station  *NamedRef         `json:"station,omitempty"`
	Distance nhip.Opt[float64] `json:"distance_m,omitzero"`
}

// NamedRef identifies a place or a station.
type NamedRef struct {
	ID     string            `json:"id"`
	Name   string            `json:"name,omitempty"`
	NameEn string            `json:"name_en,omitempty"`
	Type   string            `json:"type,omitempty"`
	Zone   string            `json:"zone,omitempty"` // kind/id of a place that is a zone
	Lat    nhip.Opt[float64] `json:"lat,omitzero"`   // Lat and Lon are missing if the position is private or not known
	Lon    nhip.Opt[float64] `json:"lon,omitzero"`
}

func (n *Named) ref() *NamedRef {
	r := &NamedRef{ID: n.ID, Name: n.Name.In("vi"), Type: n.Type, Zone: n.Zone}
	if n.Name.En != r.Name {
		r.NameEn = n.Name.En
	}
	if n.Placed {
		r.Lat = nhip.Some(encode.Round(n.Point.Lat(), encode.DegreeSteps))
		r.Lon = nhip.Some(encode.Round(n.Point.Lon(), encode.DegreeSteps))
	}
	return r
}

// Search returns what matches a query, the best match first: routes and stops of the timetable, and what the indexes
// have. Without a timetable it returns an error, unless the query asks for neither.
func (m *Model) Search(q SearchQuery, indexes ...*NameIndex) ([]SearchHit, error) {
	t := m.inUse.Load()
	if t.Network == nil && (q.wants(KindRoute) || q.wants(KindStop)) {
		return nil, errNoTimetable
	}
	return t.Search(q, indexes...), nil
}

// Search returns what matches a query in the timetable and in indexes, the best match first.
func (t *Timetable) Search(q SearchQuery, indexes ...*NameIndex) []SearchHit {
	x := t.names
	x.named = indexes
	found := x.find(q)
	hits := []SearchHit{}
	for i := range found[:min(q.Limit, len(found))] {
		hits = append(hits, t.hit(&found[i]))
	}
	return hits
}

func (t *Timetable) hit(f *foundItem) SearchHit {
	hit := SearchHit{Kind: f.kind}
	if m, known := f.metres.Get(); known {
		hit.Distance = nhip.Some(encode.Round(m, 1))
	}
	switch {
	case f.route != nil:
		route := t.Route(f.route)
		hit.Route = &route
	case f.stop != nil:
		ref := t.StopRef(f.stop)
		hit.Stop = &ref
	case f.kind == KindPlace:
		hit.Place = f.named.ref()
	default:
		hit.Station = f.named.ref()
	}
	return hit
}

package transit

// SearchHit is a route or a stop that matches a search.
type SearchHit struct {
	Kind  string   `json:"kind"` // "route" or "stop"
	Route *Route   `json:"route,omitempty"`
	Stop  *StopRef `json:"stop,omitempty"`
}

// Search returns at most limit routes and stops that match a text, the best match first.
func (t *Timetable) Search(text SearchText, limit int) []SearchHit {
	found := t.names.find(text)
	hits := []SearchHit{}
	for _, f := range found[:min(limit, len(found))] {
		hit := SearchHit{Kind: f.kind}
		if f.route != nil {
			route := t.Route(f.route)
			hit.Route = &route
		} else {
			ref := t.StopRef(f.stop)
			hit.Stop = &ref
		}
		hits = append(hits, hit)
	}
	return hits
}

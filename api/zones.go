package api

import (
	"math"
	"net/http"
	"sync"
	"time"

	"nhip"
	"nhip/geo/air"
	"nhip/geo/aqi"
	"nhip/geo/surface"
	"nhip/geo/tile"
	"nhip/geo/zone"

	"github.com/paulmach/orb"
)

// zoneAir is what is worked out of the zones for one hour on one scale.
type zoneAir struct {
	zones []*zone.Zone
	drawn *tile.Zones
	rows  []zoneRow // one for each zone
}

// zoneRow is a zone and its air.
type zoneRow struct {
	Kind     string       `json:"kind"`
	ID       string       `json:"id"`
	Name     nhip.Name    `json:"name"`
	SquareKm float64      `json:"area_km2"`
	Stations []string     `json:"stations"` // that stand in it
	Air      *zoneIndex   `json:"air"`      // null where nothing is known
	Exceed   *exceedHours `json:"exceedance_hours,omitempty"`
	level    nhip.Level
	index    nhip.Opt[float64]
}

// zoneIndex is the air of an area, by the surface.
type zoneIndex struct {
	AQI      float64       `json:"aqi"`     // of the mean air
	Max      float64       `json:"max_aqi"` // anywhere in it
	Level    nhip.Level    `json:"level"`
	Dominant nhip.Quantity `json:"dominant"`
	Known    float64       `json:"known_pct"` // of the area
	Parts    []zonePart    `json:"quantities"`
}

type zonePart struct {
	Quantity nhip.Quantity `json:"quantity"`
	Average  string        `json:"average"`
	Mean     float64       `json:"mean"`
	Max      float64       `json:"max"`
	Unit     string        `json:"unit"`
}

// exceedHours counts the hours of the last day in which a monitor in the zone had an index above a limit.
type exceedHours struct {
	Hours int     `json:"hours"`
	Known int     `json:"known"` // hours of which there was an index
	Above float64 `json:"above"`
}

// exceedSpan is how many hours are looked back.
const exceedSpan = 24

// exceedAbove is the index beyond which an hour is counted: unhealthy for some; more than the guideline.
func exceedAbove(scale nhip.Scale) float64 {
	if scale == nhip.WHO {
		return 1
	}
	return 100
}

// zoneDrawings keeps what is worked out for sets of zones and lattices.
type zoneDrawings struct {
	mu    sync.Mutex
	drawn map[string]*tile.Zones
	nodes map[nodesKey][]int32
}

type nodesKey struct {
	grid surface.Grid
	zone *zone.Zone
}

// mostNodeSets is how many zones' nodes are kept: of two kinds, on a few lattices.
const mostNodeSets = 2000

func (d *zoneDrawings) nodesOf(g surface.Grid, z *zone.Zone) []int32 {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := nodesKey{g, z}
	nodes, known := d.nodes[key]
	if !known {
		if len(d.nodes) >= mostNodeSets || d.nodes == nil {
			d.nodes = make(map[nodesKey][]int32)
		}
		nodes = air.NodesIn(g, z.Bound(), z.Contains)
		d.nodes[key] = nodes
	}
	return nodes
}

// mostDrawn is how many sets of zones are kept ready for drawing: one for each time in which they changed.
const mostDrawn = 8

func (d *zoneDrawings) tiles(zones []*zone.Zone) *tile.Zones {
	key := ""
	for _, z := range zones {
		key += z.Kind + "/" + z.ID + "/" + z.From.Format(time.RFC3339) + "\n"
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	drawn := d.drawn[key]
	if drawn == nil {
		all := make([]tile.Zone, len(zones))
		for i, z := range zones {
			all[i] = tile.Zone{ID: z.ID, Kind: z.Kind, Name: z.Name, Area: z.Area}
		}
		if drawn = tile.NewZones(all); len(d.drawn) >= mostDrawn || d.drawn == nil {
			d.drawn = make(map[string]*tile.Zones)
		}
		d.drawn[key] = drawn
	}
	return drawn
}

// zoned returns the zones of an hour and their air on a scale, worked out once.
func (s *sky) zoned(h *hour, scale nhip.Scale) *zoneAir {
	c := h.on(scale)
	h.mu.Lock()
	defer h.mu.Unlock()
	if known := h.zones[scale]; known != nil {
		return known
	}
	z := &zoneAir{zones: s.zones.All(h.End)}
	z.drawn = s.drawn.tiles(z.zones)
	exceeded := h.exceeded(scale)
	for _, of := range z.zones {
		row := zoneRow{Kind: of.Kind, ID: of.ID, Name: of.Name, SquareKm: roundTo(of.SquareKm(), 100), Stations: []string{}}
		for i := range h.stations {
			if p, placed := h.stations[i].Point(); placed && !h.stations[i].Mobile && of.Contains(p) {
				row.Stations = append(row.Stations, h.stations[i].ID)
			}
		}
		row.Exceed = exceedIn(exceeded, row.Stations, exceedAbove(scale))
		if a, ok := c.Over(s.drawn.nodesOf(c.Grid, of)); ok {
			row.Air = newZoneIndex(&a)
			row.level, row.index = a.Level, nhip.Some(a.Index)
		}
		z.rows = append(z.rows, row)
	}
	h.zones[scale] = z
	return z
}

func newZoneIndex(a *air.Area) *zoneIndex {
	z := &zoneIndex{AQI: a.Index, Max: a.Max, Level: a.Level, Dominant: a.Dominant, Known: math.Round(1000*a.Known) / 10, Parts: []zonePart{}}
	for _, p := range a.Parts {
		z.Parts = append(z.Parts, zonePart{p.Average.Quantity, p.Average.Name, roundTo(p.Mean, 10), roundTo(p.Max, 10), p.Average.Quantity.Unit()})
	}
	return z
}

// exceeded returns of each monitor, for each of the last hours, whether its index was above the limit: 1, 0, or −1
// where there was none.
func (h *hour) exceeded(scale nhip.Scale) map[string][exceedSpan]int8 {
	out := make(map[string][exceedSpan]int8, len(h.Monitors))
	for i := range h.Monitors {
		m := &h.Monitors[i]
		var above [exceedSpan]int8
		for back := range above {
			above[back] = -1
			then := make(aqi.Hours, len(m.Hours))
			for q, of := range m.Hours {
				then[q] = of[min(back, len(of)):]
			}
			if index, ok := aqi.At(scale, h.End, then); ok {
				above[back] = 0
				if index.Value > exceedAbove(scale) {
					above[back] = 1
				}
			}
		}
		out[m.ID] = above
	}
	return out
}

// exceedIn brings together the monitors of a zone; nil where none has an index.
func exceedIn(all map[string][exceedSpan]int8, stations []string, above float64) *exceedHours {
	out := &exceedHours{Above: above}
	for back := range exceedSpan {
		worst := int8(-1)
		for _, id := range stations {
			if of, known := all[id]; known {
				worst = max(worst, of[back])
			}
		}
		if worst >= 0 {
			out.Known++
			out.Hours += int(worst)
		}
	}
	if out.Known == 0 {
		return nil
	}
	return out
}

// listZones answers GET /v1/zones and /v1/zones.geojson.
func (a *API) listZones(w http.ResponseWriter, r *http.Request) {
	q := readQuery(r, "kind", "at", "index", "time")
	scale, kind := q.scale("index"), q.text("kind")
	at, here := q.point("at")
	h, err := a.hour(r.Context(), q)
	if err != nil {
		a.problem(w, r, err)
		return
	}
	z := a.sky.zoned(h, scale)
	var chosen []int
	for i, of := range z.zones {
		if (kind == "" || of.Kind == kind) && (!here || of.Contains(at)) {
			chosen = append(chosen, i)
		}
	}
	w.Header().Set("Cache-Control", h.caching("public, max-age=30"))
	if r.URL.Path == "/v1/zones" {
		rows := []zoneRow{}
		for _, i := range chosen {
			rows = append(rows, z.rows[i])
		}
		sendJSON(w, struct {
			Time  time.Time  `json:"time"`
			State nhip.State `json:"state"`
			Scale nhip.Scale `json:"scale"`
			Zones []zoneRow  `json:"zones"`
		}{h.End, h.state(), scale, rows})
		return
	}
	sendZoneFeatures(w, h, scale, z, chosen)
}

// zoneFeature is a zone as GeoJSON.
type zoneFeature struct {
	Type       string       `json:"type"`
	ID         string       `json:"id"`
	Geometry   zoneGeometry `json:"geometry"`
	Properties zoneRow      `json:"properties"`
}

type zoneGeometry struct {
	Type        string           `json:"type"`
	Coordinates orb.MultiPolygon `json:"coordinates"`
}

func sendZoneFeatures(w http.ResponseWriter, h *hour, scale nhip.Scale, z *zoneAir, chosen []int) {
	features := []zoneFeature{}
	for _, i := range chosen {
		of := z.zones[i]
		features = append(features, zoneFeature{"Feature", of.Kind + "/" + of.ID, zoneGeometry{"MultiPolygon", of.Area}, z.rows[i]})
	}
	sendAs(w, geoJSON, struct {
		Type     string        `json:"type"`
		Time     time.Time     `json:"time"`
		State    nhip.State    `json:"state"`
		Scale    nhip.Scale    `json:"scale"`
		Returned int           `json:"numberReturned"`
		Features []zoneFeature `json:"features"`
	}{"FeatureCollection", h.End, h.state(), scale, len(features), features})
}

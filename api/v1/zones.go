package v1

import (
	"context"
	"net/http"
	"time"

	"nhip"
	"nhip/api/air"
	"nhip/api/geojson"
	"nhip/api/rest"
)

// listZones answers GET /v1/zones and /v1/zones.geojson.
func (h *Handler) listZones(w http.ResponseWriter, r *http.Request) error {
	q := rest.ReadQuery(r, "kind", "at", "index", "time")
	scale, kind := q.Scale("index"), q.Text("kind")
	place, given := q.Point("at")
	s, err := h.snapshot(r.Context(), q)
	if err != nil {
		return err
	}
	z := h.Air.Zones(s, scale)
	var chosen []int
	for i, zone := range z.Zones {
		if (kind == "" || zone.Kind == kind) && (!given || zone.Contains(place)) {
			chosen = append(chosen, i)
		}
	}
	if r.URL.Path != "/v1/zones" {
		return h.JSONAs(w, geojson.ContentType, cachePolicy(s), h.zoneFeatures(r.Context(), s, scale, z, chosen))
	}
	rows := []air.ZoneRow{}
	for _, i := range chosen {
		rows = append(rows, h.seenRow(r.Context(), z, i))
	}
	return h.JSON(w, cachePolicy(s), struct {
		Time  time.Time     `json:"time"`
		State nhip.State    `json:"state"`
		Scale nhip.Scale    `json:"scale"`
		Zones []air.ZoneRow `json:"zones"`
	}{s.End, s.State(), scale, rows})
}

// zoneCollection is a GeoJSON feature collection of zones.
type zoneCollection struct {
	Type     string        `json:"type"`
	Time     time.Time     `json:"time"`
	State    nhip.State    `json:"state"`
	Scale    nhip.Scale    `json:"scale"`
	Returned int           `json:"numberReturned"`
	Features []zoneFeature `json:"features"`
}

type zoneFeature struct {
	Type       string           `json:"type"`
	ID         string           `json:"id"`
	Geometry   geojson.Geometry `json:"geometry"`
	Properties air.ZoneRow      `json:"properties"`
}

// seenRow returns a row as the caller sees it.
func (h *Handler) seenRow(ctx context.Context, z *air.ZoneAQI, i int) air.ZoneRow {
	return z.Row(i, func(station string) bool { return h.Stations.Sees(ctx, station) })
}

func (h *Handler) zoneFeatures(
	ctx context.Context, s *air.Snapshot, scale nhip.Scale, z *air.ZoneAQI, chosen []int,
) zoneCollection {
	features := []zoneFeature{}
	for _, i := range chosen {
		zone := z.Zones[i]
		id := zone.Kind + "/" + zone.ID
		features = append(features, zoneFeature{"Feature", id, geojson.Geometry{Geometry: zone.Area}, h.seenRow(ctx, z, i)})
	}
	return zoneCollection{"FeatureCollection", s.End, s.State(), scale, len(features), features}
}

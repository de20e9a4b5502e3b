package air

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"nhip"
	"nhip/api/scope"

	"github.com/cespare/xxhash/v2"
	"github.com/paulmach/orb"
)

// ZoneSource makes the air of zones for streams, on the scale VN_AQI. Zones are named kind/id.
type ZoneSource struct{ Model *Model }

// Check returns an error with nhip.CodeNotFound if there is no such zone.
func (z ZoneSource) Check(id string) error {
	m := z.Model
	for _, area := range m.o.Zones.All(m.o.Clock.Now()) {
		if area.Kind+"/"+area.ID == id {
			return nil
		}
	}
	return nhip.Errorf(nhip.CodeNotFound, "", "there is no zone %q", id)
}

// streamedZone is the air of a zone at an hour.
type streamedZone struct {
	ID    string     `json:"id"` // kind/id
	Time  time.Time  `json:"time"`
	State nhip.State `json:"state"`
	Scale nhip.Scale `json:"scale"`
	Zone  ZoneRow    `json:"zone"`
}

// Content returns the air of a zone now, with the stations that are in scope. Data are nil if they are those of last.
func (z ZoneSource) Content(id string, sees scope.View, last any) (data []byte, state any, found bool) {
	s := z.Model.Current()
	kind, name, _ := strings.Cut(id, "/")
	zones := z.Model.Zones(s, nhip.ScaleVNAQI)
	at := slices.IndexFunc(zones.Rows, func(r ZoneRow) bool { return r.Kind == kind && r.ID == name })
	if at < 0 {
		return nil, nil, false
	}
	row := zones.Row(at, func(id string) bool {
		station, ok := z.Model.o.State.Station(id)
		return ok && sees.Station(station)
	})
	data, err := json.Marshal(streamedZone{id, s.End, s.State(), nhip.ScaleVNAQI, row})
	if shown, ok := last.([]byte); ok && bytes.Equal(shown, data) {
		return nil, shown, true
	}
	return data, data, err == nil
}

// ZonesAt returns the zones, as kind/id, that hold a point now.
func (m *Model) ZonesAt(p orb.Point) (zones []string) {
	for _, area := range m.o.Zones.All(m.o.Clock.Now()) {
		if area.Contains(p) {
			zones = append(zones, area.Kind+"/"+area.ID)
		}
	}
	return zones
}

// TileVersions returns texts that change when the pictures of the current air and the zones do.
func (m *Model) TileVersions() (fields, zones string) {
	d := xxhash.New()
	for _, area := range m.o.Zones.All(m.o.Clock.Now()) {
		_, _ = d.WriteString(area.Kind + "/" + area.ID + area.From.String() + "\n") // never fails
	}
	return version(m.Current().FieldVersion), version(d.Sum64())
}

func version(n uint64) string { return hex.EncodeToString(binary.BigEndian.AppendUint64(nil, n)) }

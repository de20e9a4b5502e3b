package api

import (
	"encoding/json"
	"strconv"
	"time"

	"nhip"
	"nhip/api/air"
	"nhip/api/stream"
	"nhip/api/transit"
)

// watch is what live streams show beside the live state.
func (a *API) watch() stream.Watch {
	started := strconv.FormatInt(time.Now().UnixNano(), 36) // versions of timetables count from the start
	return stream.Watch{
		Stops: transit.StopSource{Model: a.transit}, Zones: air.ZoneSource{Model: a.air}, ZonesAt: a.air.ZonesAt,
		Alerts: a.activeAlerts,
		Tiles: func() []byte {
			fields, zones := a.air.TileVersions()
			_, timetable := a.transit.Map()
			raw, _ := json.Marshal(map[string]string{ // never fails
				"air": fields, "zones": zones, "transit": started + "-" + strconv.FormatUint(timetable, 10),
			})
			return raw
		},
	}
}

// activeAlerts returns the service alerts that are active now, for live streams.
func (a *API) activeAlerts() []stream.ServiceAlert {
	_, timetable := a.transit.Map()
	active := a.transit.ServiceAlerts(transit.Everything, false)
	out := make([]stream.ServiceAlert, len(active))
	for i, one := range active {
		out[i] = stream.ServiceAlert{
			Feed: one.Feed, ID: one.ID, Version: alertVersion{one.ServiceAlert, timetable},
			Content: func() ([]byte, stream.AlertReach) {
				raw, _ := json.Marshal(one) // never fails: texts, times and numbers
				return raw, a.transit.Reach(one.ServiceAlert)
			},
		}
	}
	return out
}

// alertVersion is what the event of an alert depends on.
type alertVersion struct {
	alert     *nhip.ServiceAlert
	timetable uint64
}

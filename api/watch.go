package api

import (
	"encoding/json"
	"strconv"
	"time"

	"nhip/api/air"
	"nhip/api/stream"
	"nhip/api/transit"
)

// watch is what live streams show beside the live state.
func (a *API) watch() stream.Watch {
	started := strconv.FormatInt(time.Now().UnixNano(), 36) // versions of timetables count from the start
	return stream.Watch{
		Stops: transit.StopSource{Model: a.transit}, Zones: air.ZoneSource{Model: a.air}, ZonesAt: a.air.ZonesAt,
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

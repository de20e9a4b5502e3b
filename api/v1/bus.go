package v1

import (
	"encoding/json"
	"net/http"
	"slices"

	"nhip/api/geojson"
	"nhip/api/live"
	"nhip/api/rest"
	"nhip/internal/topics"
)

// getBus answers GET /v1/buses/{agency}/{id} with one bus and the stops ahead of it.
func (h *Handler) getBus(w http.ResponseWriter, r *http.Request) error {
	agency, err := rest.PathID(r, "agency")
	if err != nil {
		return err
	}
	id, err := rest.PathID(r, "id")
	if err == nil {
		err = rest.ReadQuery(r).Err
	}
	if err != nil {
		return err
	}
	topic, now := topics.LiveBusTopic(agency, id), h.Clock.Now()
	bus, ok := h.Live.Bus(topic)
	if !ok || bus.Expired(now) || !rest.ScopeOf(r).Agency(bus.Agency) {
		return live.UnknownBus(agency, id)
	}
	ahead, err := json.Marshal(h.Transit.Ahead(topic))
	if err != nil {
		return err
	}
	body := geojson.AppendBusOpen(nil, bus, now, -1)
	body = slices.Concat(body, []byte{','}, ahead[1:len(ahead)-1], []byte("}}\n")) // as further properties
	h.Bytes(w, geojson.ContentType, rest.CacheLive, body)
	return nil
}

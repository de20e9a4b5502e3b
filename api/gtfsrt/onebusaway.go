package gtfsrt

import (
	"net/http"
	"strings"

	"nhip"
	"nhip/api/rest"

	"google.golang.org/protobuf/proto"
)

// OneBusAway's servers have the feeds of one agency at /api/gtfs_realtime/<feed>-for-agency/<agency id>.pb. Its apps
// ask for them there, with the agency ids of its REST API, and pass over alerts whose first agency is not that one.

// serveAgency answers with a feed of the agency of the path. Other parameters are ignored: apps add keys and versions.
func (h *Handler) serveAgency(w http.ResponseWriter, r *http.Request, s *source) error {
	id, err := rest.PathID(r, "id")
	if err != nil {
		return err
	}
	form := formPB
	id, found := strings.CutSuffix(id, ".pb")
	if !found {
		form = formJSON
		id, found = strings.CutSuffix(id, ".json")
	}
	t, err := h.Transit.Timetable()
	if err != nil {
		return err
	}
	a := t.Agency(id)
	if !found || a == nil {
		return nhip.Errorf(nhip.CodeNotFound, "id", "there is no such agency; the address ends in .pb or .json")
	}
	f, err := s.feed()
	if err != nil {
		return err
	}
	of := selection{agency: a.ID, form: form, as: id}
	if len(t.Network.Feed.Agencies) == 1 {
		of.agency = "" // an agency of buses or alerts may have another name than the timetable's only one
	}
	body, err := f.encoded(of)
	if err != nil {
		return err
	}
	body.serve(w, r)
	return nil
}

// named returns the entity with an agency in each selector of its alert that has none; "" leaves it as it is.
func (e entity) named(agency string) entity {
	if agency == "" || e.Alert == nil {
		return e
	}
	out := proto.CloneOf(e.FeedEntity)
	for _, s := range out.Alert.InformedEntity {
		if s.AgencyId == nil {
			s.AgencyId = &agency
		}
	}
	e.FeedEntity, e.raw = out, nil
	return e
}

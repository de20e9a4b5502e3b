package staff

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"
	"time"

	"nhip"
	"nhip/api/rest"
	"nhip/api/scope"
	"nhip/internal/rpc"
)

// scheduleBody is the body of requests that make or change a schedule.
type scheduleBody struct {
	Name       string         `json:"name"`
	Report     string         `json:"report"`
	Station    string         `json:"station"`
	Area       string         `json:"area"`
	Lang       string         `json:"lang"` // "": vi
	Recipients []string       `json:"recipients"`
	Every      string         `json:"every"`
	Day        int            `json:"day"`
	At         string         `json:"at"`
	Active     nhip.Opt[bool] `json:"active"` // unknown: true
}

// apply sets what the body says.
func (b *scheduleBody) apply(s *nhip.Schedule) {
	s.Name, s.Report, s.Station, s.Area, s.Lang = b.Name, b.Report, b.Station, b.Area, b.Lang
	s.Recipients, s.Every, s.Day, s.At, s.Active = b.Recipients, b.Every, b.Day, b.At, b.Active.Or(true)
	if s.Lang == "" {
		s.Lang = "vi"
	}
}

// scheduleActor returns who makes or changes a schedule.
func scheduleActor(r *http.Request) (*nhip.Actor, error) {
	actor := rest.ActorOf(r)
	if actor == nil {
		return nil, nhip.Errorf(nhip.CodeUnauthorized, "Authorization", "must name who makes the schedule")
	}
	return actor, nil
}

// postSchedule answers POST /v1/schedules.
func (h *Handler) postSchedule(w http.ResponseWriter, r *http.Request) error {
	var body scheduleBody
	if err := rest.DecodeBody(w, r, &body); err != nil {
		return err
	}
	actor, err := scheduleActor(r)
	if err != nil {
		return err
	}
	mine, err := h.mySchedules(r)
	if err != nil {
		return err
	}
	own := 0
	for i := range mine {
		if isOwner(r, &mine[i].Schedule) {
			own++
		}
	}
	if own >= nhip.MaxOwnSchedules {
		return nhip.Errorf(nhip.CodeConflict, "", "there are %d schedules of yours already, the maximum; remove some", own)
	}
	s := &schedule{doc: nhip.DocumentState{ID: strings.ToLower(rand.Text()[:12])}}
	body.apply(&s.Schedule)
	s.Owner, s.Scope = *actor, rest.ScopeOf(r).Limits()
	s.Created = h.Clock.Now().UTC().Truncate(time.Millisecond)
	if err := h.setSchedule(r, s); err != nil {
		return err
	}
	return h.Created(w, h.showSchedules(r, []schedule{*s})[0])
}

// putSchedule answers PUT /v1/schedules/{id}. The owner stays; what the owner sees is what they see now if they change
// it themselves.
func (h *Handler) putSchedule(w http.ResponseWriter, r *http.Request) error {
	s, err := h.mySchedule(r)
	if err != nil {
		return err
	}
	var body scheduleBody
	if err := rest.DecodeBody(w, r, &body); err != nil {
		return err
	}
	body.apply(&s.Schedule)
	if actor := rest.ActorOf(r); actor != nil && isOwner(r, &s.Schedule) {
		s.Owner, s.Scope = *actor, rest.ScopeOf(r).Limits()
	}
	if err := h.setSchedule(r, s); err != nil {
		return err
	}
	return h.JSON(w, rest.NoStore, h.showSchedules(r, []schedule{*s})[0])
}

// change returns the change of the document of a schedule from the version that it has.
func (s *schedule) change() nhip.Document {
	return nhip.Document{
		Kind: nhip.DocumentSchedule, ID: s.doc.ID, Object: "schedule/" + s.doc.ID, IfVersion: nhip.Some(s.doc.Version),
	}
}

// setSchedule checks and stores a schedule, and updates it with its document.
func (h *Handler) setSchedule(r *http.Request, s *schedule) error {
	if err := s.Validate(); err != nil {
		return rest.AsInvalid(err)
	}
	if err := h.checkReported(r.Context(), &s.Schedule); err != nil {
		return err
	}
	actor, err := scheduleActor(r)
	if err != nil {
		return err
	}
	made, err := h.Fleet.Actions.SetJSON(r.Context(), s.change(), s.Schedule, *actor)
	if err == nil {
		s.doc.Version, s.doc.Time = made.Version, made.Time
	}
	return err
}

// checkReported returns an error if neither the caller nor the owner sees a station that the schedule reports.
func (h *Handler) checkReported(ctx context.Context, s *nhip.Schedule) error {
	if s.Station == "" && s.Area == "" {
		return nil
	}
	all, err := h.Stations.Stations(ctx)
	if err != nil {
		return err
	}
	view := scope.Of(ctx)
	for _, station := range all {
		if view.Station(station) && (station.ID == s.Station || s.Area != "" && station.Area == s.Area) {
			return nil
		}
	}
	if s.Station != "" {
		return nhip.Errorf(nhip.CodeInvalid, "station", "there is no station %q", s.Station)
	}
	return nhip.Errorf(nhip.CodeInvalid, "area", "no station is in the area %q", s.Area)
}

// deleteSchedule answers DELETE /v1/schedules/{id}.
func (h *Handler) deleteSchedule(w http.ResponseWriter, r *http.Request) error {
	if err := rest.ReadQuery(r).Err; err != nil {
		return err
	}
	s, err := h.mySchedule(r)
	if err != nil {
		return err
	}
	actor, err := scheduleActor(r)
	if err != nil {
		return err
	}
	if _, err := h.Fleet.Actions.Set(r.Context(), s.change(), *actor); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// sendSchedule answers POST /v1/schedules/{id}/send: the report is sent now to the recipients.
func (h *Handler) sendSchedule(w http.ResponseWriter, r *http.Request) error {
	if err := rest.ReadQuery(r).Err; err != nil {
		return err
	}
	s, err := h.mySchedule(r)
	if err != nil {
		return err
	}
	collector, err := h.mailingCollector(r.Context())
	if err != nil {
		return err
	}
	q := nhip.ScheduleSend{ID: s.doc.ID}
	var state nhip.ScheduleState
	if err := h.Collectors.call(r.Context(), collector, rpc.MethodScheduleSend, q, &state); err != nil {
		return err
	}
	h.Logger.Info("scheduled report sent on request", "schedule", s.doc.ID, "by", rest.CallerOf(r).Name)
	return h.JSON(w, rest.NoStore, h.showSchedules(r, []schedule{*s})[0])
}

// mailingCollector returns the name of the collector that has a mail server.
func (h *Handler) mailingCollector(ctx context.Context) (string, error) {
	answers, _, err := fanOut[nhip.ScheduleStates](ctx, h.Collectors, h.Collectors.all(), rpc.MethodScheduleStates,
		nhip.ScheduleQuery{})
	if err != nil {
		return "", err
	}
	for name, a := range answers {
		if a.Mails {
			return name, nil
		}
	}
	return "", nhip.Errorf(nhip.CodeConflict, "", "no collector has a mail server (air.mail.host)")
}

package staff

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"nhip"
	"nhip/api/rest"
	"nhip/internal/rpc"
)

// shownSchedule is a schedule as the API tells it.
type shownSchedule struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	Report     string    `json:"report"`
	Station    string    `json:"station,omitempty"`
	Area       string    `json:"area,omitempty"`
	Lang       string    `json:"lang"`
	Recipients []string  `json:"recipients"`
	Every      string    `json:"every"`
	Day        int       `json:"day,omitempty"`
	At         string    `json:"at"`
	Active     bool      `json:"active"`
	Owner      string    `json:"owner"` // name
	Mine       bool      `json:"mine"`
	Created    time.Time `json:"created"`
	Changed    time.Time `json:"changed"`

	nhip.ScheduleState
}

// schedule is a schedule with its document.
type schedule struct {
	nhip.Schedule
	doc nhip.DocumentState
}

// mySchedules returns the schedules that the caller may see and change, by id: their own, and for an admin without a
// scope those of all.
func (h *Handler) mySchedules(r *http.Request) ([]schedule, error) {
	if !h.Fleet.Documents.Complete() {
		return nil, rest.ErrNotReady
	}
	var out []schedule
	for _, doc := range h.Fleet.Documents.List(nhip.DocumentSchedule) {
		s := schedule{doc: doc}
		if json.Unmarshal(doc.Body, &s.Schedule) == nil && mayChange(r, &s.Schedule) {
			out = append(out, s)
		}
	}
	return out, nil
}

// mayChange reports whether a schedule is the caller's own, or the caller an admin without a scope.
func mayChange(r *http.Request, s *nhip.Schedule) bool {
	caller := rest.CallerOf(r)
	return isOwner(r, s) || caller.Role == nhip.RoleAdmin && caller.View.Unlimited()
}

func isOwner(r *http.Request, s *nhip.Schedule) bool {
	key := rest.CallerOf(r).Key
	return key != "" && s.Owner.Key == key
}

// mySchedule returns the schedule of the path. One that is not the caller's is not found.
func (h *Handler) mySchedule(r *http.Request) (*schedule, error) {
	id, err := rest.PathID(r, "id")
	if err != nil {
		return nil, err
	}
	all, err := h.mySchedules(r)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(all, func(s schedule) bool { return s.doc.ID == id }); i >= 0 {
		return &all[i], nil
	}
	return nil, nhip.Errorf(nhip.CodeNotFound, "id", "there is no schedule %q", id)
}

// showSchedules returns schedules with what the collectors know of them.
func (h *Handler) showSchedules(r *http.Request, all []schedule) []shownSchedule {
	states := h.scheduleStates(r.Context(), all)
	out := make([]shownSchedule, len(all))
	for i := range all {
		s := &all[i]
		out[i] = shownSchedule{
			ID: s.doc.ID, Name: s.Name, Report: s.Report, Station: s.Station, Area: s.Area, Lang: s.Lang,
			Recipients: s.Recipients, Every: s.Every, Day: s.Day, At: s.At, Active: s.Active, Owner: s.Owner.Name,
			Mine: isOwner(r, &s.Schedule), Created: s.Created, Changed: s.doc.Time, ScheduleState: states(s.doc.ID),
		}
	}
	return out
}

// scheduleStates asks the collectors for the states of schedules, and returns the state of one by its id.
func (h *Handler) scheduleStates(ctx context.Context, all []schedule) func(id string) nhip.ScheduleState {
	known := make(map[string]nhip.ScheduleState)
	other := nhip.ScheduleNoMail
	collectors := h.Collectors.all()
	for part := range slices.Chunk(all, nhip.MaxScheduleQuery) {
		q := nhip.ScheduleQuery{}
		for i := range part {
			q.IDs = append(q.IDs, part[i].doc.ID)
		}
		answers, silent, err := fanOut[nhip.ScheduleStates](ctx, h.Collectors, collectors, rpc.MethodScheduleStates, q)
		if err != nil || len(silent) > 0 {
			other = nhip.ScheduleUnknown
		}
		for _, a := range answers {
			for id, state := range a.States {
				known[id] = state
			}
			if a.Mails {
				other = nhip.ScheduleUnknown // the collector has not heard of it yet
			}
		}
	}
	return func(id string) nhip.ScheduleState {
		if state, ok := known[id]; ok {
			return state
		}
		return nhip.ScheduleState{State: other}
	}
}

// listSchedules answers GET /v1/schedules.
func (h *Handler) listSchedules(w http.ResponseWriter, r *http.Request) error {
	if err := rest.ReadQuery(r).Err; err != nil {
		return err
	}
	all, err := h.mySchedules(r)
	if err != nil {
		return err
	}
	return h.JSON(w, rest.NoStore, struct {
		Schedules []shownSchedule `json:"schedules"`
	}{h.showSchedules(r, all)})
}

// getSchedule answers GET /v1/schedules/{id}.
func (h *Handler) getSchedule(w http.ResponseWriter, r *http.Request) error {
	if err := rest.ReadQuery(r).Err; err != nil {
		return err
	}
	s, err := h.mySchedule(r)
	if err != nil {
		return err
	}
	return h.JSON(w, rest.NoStore, h.showSchedules(r, []schedule{*s})[0])
}

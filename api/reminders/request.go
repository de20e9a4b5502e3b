package reminders

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"nhip"
	"nhip/api/access"
	"nhip/api/rest"
	"nhip/api/transit"
	"nhip/internal/topics"
)

// newReminder is the body of a request.
type newReminder struct {
	Kind      nhip.ReminderKind              `json:"kind"`
	Stop      nhip.Opt[string]               `json:"stop"`
	Line      nhip.Opt[string]               `json:"line"`
	Direction nhip.Opt[int]                  `json:"direction"`
	Headsign  nhip.Opt[string]               `json:"headsign"`
	Agency    nhip.Opt[string]               `json:"agency"`
	Vehicle   nhip.Opt[string]               `json:"vehicle"`
	Trip      nhip.Opt[string]               `json:"trip"`
	Minutes   nhip.Opt[int]                  `json:"minutes"`
	Stops     nhip.Opt[int]                  `json:"stops"`
	Walk      nhip.Opt[int]                  `json:"walk_s"`
	Station   nhip.Opt[string]               `json:"station"`
	Place     nhip.Opt[nhip.ReminderPlace]   `json:"place"`
	Index     nhip.Opt[string]               `json:"index"`
	Quantity  nhip.Opt[string]               `json:"quantity"`
	Above     nhip.Opt[float64]              `json:"above"`
	Expires   time.Time                      `json:"expires"`
	Lang      nhip.Opt[string]               `json:"lang"`
	Updates   bool                           `json:"updates"`
	Webhook   nhip.Opt[nhip.ReminderWebhook] `json:"webhook"`
	FormToken nhip.Opt[string]               `json:"form_token"`
}

// Defaults of a reminder.
const (
	defaultMinutes  = 5
	defaultStops    = 1
	defaultBus      = 2 * time.Hour
	defaultStanding = 24 * time.Hour
)

// placeholder stands for the hash of a token while a reminder is checked.
var placeholder = hashOf("")

// checkTexts refuses texts that are given and empty, which is not the same as missing, or that no id can be.
func (in *newReminder) checkTexts() error {
	for _, f := range []struct {
		name string
		text nhip.Opt[string]
	}{
		{"stop", in.Stop},
		{"line", in.Line},
		{"headsign", in.Headsign},
		{"agency", in.Agency},
		{"vehicle", in.Vehicle},
		{"trip", in.Trip},
		{"station", in.Station},
		{"index", in.Index},
		{"quantity", in.Quantity},
		{"form_token", in.FormToken},
	} {
		text, given := f.text.Get()
		if given && text == "" {
			return nhip.Errorf(nhip.CodeInvalid, f.name, "must be missing or have at least one character")
		}
		if err := nhip.CheckText(f.name, text); err != nil {
			return rest.AsInvalid(err)
		}
	}
	return nil
}

// resolve returns the reminder of a request, checked against the rules and against what there is.
func (h *Handler) resolve(ctx context.Context, in *newReminder, caller access.Caller) (*nhip.Reminder, error) {
	if err := in.Kind.Validate(); err != nil {
		return nil, rest.AsInvalid(err)
	}
	if err := in.checkTexts(); err != nil {
		return nil, err
	}
	r := &nhip.Reminder{
		Kind: in.Kind, State: nhip.ReminderWaiting, Created: h.now(), Token: placeholder, Owner: caller.Key,
		Lang: in.Lang.Or("vi"), Updates: in.Updates, Stop: in.Stop.Or(""), Route: in.Line.Or(""), Direction: in.Direction,
		Headsign: in.Headsign.Or(""), Agency: in.Agency.Or(""), Vehicle: in.Vehicle.Or(""), Trip: in.Trip.Or(""),
		Station: in.Station.Or(""), Scale: nhip.Scale(in.Index.Or("")),
		Quantity: nhip.Quantity(in.Quantity.Or("")),
	}
	if err := in.numbers(r); err != nil {
		return nil, err
	}
	if place, given := in.Place.Get(); given {
		rounded := place.Rounded()
		r.Place = &rounded
	}
	if hook, given := in.Webhook.Get(); given {
		r.Webhook = &hook
	}
	if r.Kind == nhip.ReminderAir && r.Quantity == "" {
		r.Scale = cmp.Or(r.Scale, nhip.ScaleVNAQI)
	}
	if err := in.setExpiry(r); err != nil {
		return nil, err
	}
	if err := r.Validate(); err != nil {
		return nil, rest.AsInvalid(err)
	}
	if err := h.checkWebhook(r.Webhook, caller.Role); err != nil {
		return nil, err
	}
	return r, h.checkExists(ctx, r)
}

// numbers sets the numbers, with their defaults. One that is given and 0 is not one that is missing.
func (in *newReminder) numbers(r *nhip.Reminder) error {
	for _, f := range []struct {
		name   string
		value  nhip.Opt[int]
		kinds  []nhip.ReminderKind
		lowest int
		into   *int
	}{
		{"minutes", in.Minutes, []nhip.ReminderKind{nhip.ReminderBus, nhip.ReminderGetOff}, 1, &r.Minutes},
		{"stops", in.Stops, []nhip.ReminderKind{nhip.ReminderGetOff}, 1, &r.Stops},
		{"walk_s", in.Walk, []nhip.ReminderKind{nhip.ReminderLeave}, 0, &r.Walk},
	} {
		v, given := f.value.Get()
		switch {
		case given && !slices.Contains(f.kinds, r.Kind):
			return nhip.Errorf(nhip.CodeInvalid, f.name, "must be missing in a reminder of the kind %.20q", string(r.Kind))
		case given && v < f.lowest:
			return nhip.Errorf(nhip.CodeInvalid, f.name, "must be at least %d, got %d", f.lowest, v)
		}
		*f.into = v
	}
	above, given := in.Above.Get()
	switch {
	case given != (r.Kind == nhip.ReminderAir):
		return nhip.Errorf(nhip.CodeInvalid, "above", "must be given in a reminder of the kind air, and in no other")
	case r.Kind == nhip.ReminderLeave && !in.Walk.Known():
		return nhip.Errorf(nhip.CodeInvalid, "walk_s", "is required: the seconds that the walk to the stop takes")
	case r.Kind == nhip.ReminderBus:
		r.Minutes = cmp.Or(r.Minutes, defaultMinutes)
	case r.Kind == nhip.ReminderGetOff && r.Minutes == 0:
		r.Stops = cmp.Or(r.Stops, defaultStops)
	}
	r.Above = above
	return nil
}

func (in *newReminder) setExpiry(r *nhip.Reminder) error {
	r.Expires = in.Expires.UTC().Truncate(time.Millisecond)
	if in.Expires.IsZero() {
		r.Expires = r.Created.Add(defaultBus)
		if r.Kind.MaxFor() == nhip.MaxStandingReminder {
			r.Expires = r.Created.Add(defaultStanding)
		}
	}
	if !r.Expires.After(r.Created) {
		return nhip.Errorf(nhip.CodeInvalid, "expires", "must be in the future")
	}
	return nil
}

// checkWebhook accepts web hooks of apps, at the hosts that the operator allows.
func (h *Handler) checkWebhook(hook *nhip.ReminderWebhook, role nhip.Role) error {
	if hook == nil {
		return nil
	}
	if role != nhip.RoleApp {
		return nhip.Errorf(nhip.CodeForbidden, "webhook", "is for keys of apps")
	}
	u, err := url.Parse(hook.URL)
	switch {
	case err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "":
		return nhip.Errorf(nhip.CodeInvalid, "webhook.url", "must be an https address without a name, a password and a #")
	case !slices.Contains(h.Hosts, strings.ToLower(u.Host)):
		return nhip.Errorf(nhip.CodeForbidden, "webhook.url", "must be at a host that the operator allows")
	}
	return nil
}

// checkExists accepts a reminder about what there is, and sets its route.
func (h *Handler) checkExists(ctx context.Context, r *nhip.Reminder) error {
	if r.Station != "" {
		if _, err := h.Stations.Station(ctx, r.Station); err != nil {
			return rest.InField(err, "station")
		}
		return nil
	}
	if r.Place != nil {
		return nil
	}
	t, err := h.Transit.Timetable()
	if err != nil {
		return err
	}
	if r.Stop != "" && t.FindStop(r.Stop) == nil {
		return nhip.Errorf(nhip.CodeNotFound, "stop", "there is no stop %q", r.Stop)
	}
	if err := checkLine(t, r); err != nil {
		return err
	}
	return h.checkBus(r)
}

// checkLine sets the route of the line that is named.
func checkLine(t *transit.Timetable, r *nhip.Reminder) error {
	if r.Route == "" {
		return nil
	}
	ids := t.RoutesNamed(r.Route, r.Stop, r.Direction)
	switch {
	case len(ids) == 1:
		r.Route = ids[0]
	case len(ids) > 1:
		return nhip.Errorf(nhip.CodeInvalid, "line", "names several routes; give the route_id: %s",
			strings.Join(ids[:min(len(ids), 5)], ", "))
	case len(t.RoutesNamed(r.Route, "", nhip.Opt[int]{})) == 0:
		return nhip.Errorf(nhip.CodeNotFound, "line", "there is no line %q", r.Route)
	default:
		return nhip.Errorf(nhip.CodeInvalid, "line", "must call at the stop for riders to get on, in this direction")
	}
	if r.Trip != "" && t.Network.Feed.Trip(r.Trip) == nil {
		return nhip.Errorf(nhip.CodeNotFound, "trip", "there is no trip %q", r.Trip)
	}
	return nil
}

// checkBus accepts a bus that is on the map and, if the rider is on it, has the stop ahead.
func (h *Handler) checkBus(r *nhip.Reminder) error {
	if r.Vehicle == "" {
		return nil
	}
	b := h.Transit.Tracked(topics.LiveBusTopic(r.Agency, r.Vehicle))
	switch {
	case b == nil:
		return nhip.Errorf(nhip.CodeNotFound, "vehicle", "there is no bus %q of the agency %q now", r.Vehicle, r.Agency)
	case r.Kind != nhip.ReminderGetOff:
		return nil
	}
	ahead, known := b.CallsAhead(r.Stop)
	switch {
	case !known:
		return nhip.Errorf(nhip.CodeInvalid, "vehicle", "must be on a known trip; its line is not known now")
	case !ahead:
		return nhip.Errorf(nhip.CodeInvalid, "stop", "must be ahead of the bus on its trip")
	}
	return nil
}

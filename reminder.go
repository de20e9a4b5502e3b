package nhip

import (
	"encoding/hex"
	"encoding/json"
	"math"
	"time"
)

// ReminderKind is what a Reminder is about.
type ReminderKind string

// Kinds of reminders.
const (
	ReminderBus    ReminderKind = "bus"     // a bus of a line will be at a stop in some minutes
	ReminderLeave  ReminderKind = "leave"   // it is time to walk to the stop
	ReminderGetOff ReminderKind = "get_off" // the rider's bus is near a stop
	ReminderLine   ReminderKind = "line"    // a service alert is about a line
	ReminderAir    ReminderKind = "air"     // an index or a concentration is above a value
)

// ReminderState is how far a reminder is.
type ReminderState string

// States of reminders.
const (
	ReminderWaiting ReminderState = "waiting"
	ReminderFired   ReminderState = "fired"
	ReminderEnded   ReminderState = "ended" // it will not fire: its bus is gone
)

// Reminder is what a rider wants to be told once. It holds no position of a rider: a Place is rounded to
// ReminderPlaceStep, and of a walk only the seconds are known.
type Reminder struct {
	Kind    ReminderKind  `json:"kind"`
	State   ReminderState `json:"state"`
	Created time.Time     `json:"created"`
	Expires time.Time     `json:"expires"`         // when the document is removed; before it fires, also until when it may
	Token   string        `json:"token"`           // SHA-256 of the secret by which it is read and removed, lower-case hex
	Owner   string        `json:"owner,omitempty"` // id of the key that made it; "" without one
	Lang    string        `json:"lang"`            // vi or en
	Updates bool          `json:"updates,omitempty"`

	Stop      string   `json:"stop,omitempty"`  // GTFS stop_id
	Route     string   `json:"route,omitempty"` // GTFS route_id
	Direction Opt[int] `json:"direction,omitzero"`
	Headsign  string   `json:"headsign,omitempty"`
	Agency    string   `json:"agency,omitempty"`
	Vehicle   string   `json:"vehicle,omitempty"`
	Trip      string   `json:"trip,omitempty"` // GTFS trip_id
	Minutes   int      `json:"minutes,omitempty"`
	Stops     int      `json:"stops,omitempty"`
	Walk      int      `json:"walk_s,omitempty"` // s

	Station  string         `json:"station,omitempty"`
	Place    *ReminderPlace `json:"place,omitempty"`
	Scale    Scale          `json:"index,omitempty"`
	Quantity Quantity       `json:"quantity,omitempty"`
	Above    float64        `json:"above,omitempty"` // of the scale, or µg/m³

	Webhook *ReminderWebhook `json:"webhook,omitempty"`

	// Outcome is what was told once it fired or ended.
	Outcome *ReminderNotification `json:"outcome,omitempty"`
	// Delivered says that nothing of the outcome is left to deliver.
	Delivered bool `json:"delivered,omitempty"`
}

// ReminderPlace is a place in WGS84 degrees.
type ReminderPlace struct {
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}

// ReminderWebhook is where an app's server takes notifications.
type ReminderWebhook struct {
	URL    string `json:"url"`              // https
	Device string `json:"device,omitempty"` // what that server knows the device by
}

// ReminderNotification is what is told of a reminder, as JSON in at most MaxNotification bytes.
type ReminderNotification struct {
	ID    string        `json:"id"`    // of the reminder
	Event string        `json:"event"` // the same for each attempt and each channel
	Kind  ReminderKind  `json:"kind"`
	State ReminderState `json:"state"`
	Time  time.Time     `json:"time"` // of the decision
	Title string        `json:"title"`
	Body  string        `json:"body"`

	Device   string       `json:"device,omitempty"` // to web hooks only
	Stop     string       `json:"stop,omitempty"`
	StopName string       `json:"stop_name,omitempty"`
	Line     string       `json:"line,omitempty"` // public number
	Headsign string       `json:"headsign,omitempty"`
	Agency   string       `json:"agency,omitempty"`
	Vehicle  string       `json:"vehicle,omitempty"`
	Expected time.Time    `json:"expected,omitzero"`
	Early    time.Time    `json:"early,omitzero"`
	Late     time.Time    `json:"late,omitzero"`
	Minutes  Opt[int]     `json:"minutes,omitzero"` // until Early, rounded down
	Leave    time.Time    `json:"leave,omitzero"`   // when to go at the latest
	Left     Opt[int]     `json:"stops_left,omitzero"`
	Alert    string       `json:"alert,omitempty"` // feed and id of a service alert
	Value    Opt[float64] `json:"value,omitzero"`
	Above    Opt[float64] `json:"above,omitzero"`
	Reason   string       `json:"reason,omitempty"` // ReminderReason…
}

// Reasons of notifications.
const (
	ReminderReasonGone   = "bus_gone"  // the bus of the reminder left the map
	ReminderReasonOver   = "trip_over" // the bus or the trip of the reminder does not come to the stop any more
	ReminderReasonPassed = "passed"    // the bus is past the stop
)

// Bounds of reminders.
const (
	MaxReminders        = 20_000
	MaxNotification     = 4 << 10 // bytes
	MaxReminderWalk     = 3600    // s
	MaxReminderMinutes  = 30
	MaxReminderStops    = 10
	MaxReminderAbove    = 100_000
	MaxReminderURL      = 1024           // bytes
	MaxReminderDevice   = 512            // bytes
	MaxBusReminder      = 12 * time.Hour // from Created to Expires: bus, leave, get_off
	MaxStandingReminder = 7 * 24 * time.Hour
	ReminderPlaceStep   = 0.005 // degrees, about 500 m
	ReminderKept        = time.Hour
)

// MaxFor returns how long after it was made a reminder of a kind may fire.
func (k ReminderKind) MaxFor() time.Duration {
	if k == ReminderLine || k == ReminderAir {
		return MaxStandingReminder
	}
	return MaxBusReminder
}

// Rounded returns the place at the nearest node of a lattice of ReminderPlaceStep.
func (p ReminderPlace) Rounded() ReminderPlace {
	round := func(v float64) float64 {
		return math.Round(math.Round(v/ReminderPlaceStep)*ReminderPlaceStep*1000) / 1000
	}
	return ReminderPlace{round(p.Lat), round(p.Lon)}
}

// Validate checks r. It returns an *Error that names the field.
func (r *Reminder) Validate() error {
	steps := []func() error{
		r.Kind.Validate, r.checkState, r.checkTexts, r.checkFields, r.checkBus, r.checkAir, r.checkHook,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reminder) checkState() error {
	_, err := hex.DecodeString(r.Token)
	limit := r.Kind.MaxFor()
	if r.State != ReminderWaiting {
		limit += ReminderKept
	}
	switch {
	case r.State != ReminderWaiting && r.State != ReminderFired && r.State != ReminderEnded:
		return Errorf(CodeOutOfRange, "state", "must be waiting, fired or ended, got %q", string(r.State))
	case (r.State == ReminderWaiting) != (r.Outcome == nil):
		return Errorf(CodeInvalid, "outcome", "must be given once the reminder does not wait any more")
	case r.Created.IsZero():
		return Errorf(CodeMissing, "created", "is required")
	case !r.Expires.After(r.Created) || r.Expires.Sub(r.Created) > limit:
		return Errorf(CodeOutOfRange, "expires", "must be at most %s after it was made", r.Kind.MaxFor())
	case err != nil || len(r.Token) != hashHexBytes:
		return Errorf(CodeMalformed, "token", "must be the SHA-256 of the secret in lower-case hex")
	case r.Lang != "vi" && r.Lang != "en":
		return Errorf(CodeOutOfRange, "lang", "must be vi or en, got %.40q", r.Lang)
	}
	return nil
}

func (r *Reminder) checkTexts() error {
	for _, text := range []struct{ field, value string }{
		{"owner", r.Owner},
		{"stop", r.Stop},
		{"line", r.Route},
		{"headsign", r.Headsign},
		{"agency", r.Agency},
		{"vehicle", r.Vehicle},
		{"trip", r.Trip},
		{"station", r.Station},
	} {
		if text.value == "" {
			continue
		}
		if err := CheckID(text.field, text.value); err != nil {
			return err
		}
	}
	if direction, known := r.Direction.Get(); known && direction != 0 && direction != 1 {
		return Errorf(CodeOutOfRange, "direction", "must be 0 or 1, got %d", direction)
	}
	return nil
}

// reminderFields are the fields of each kind besides those that all have.
var reminderFields = map[ReminderKind][]string{
	ReminderBus:    {"stop", "line", "direction", "headsign", "agency", "vehicle", "trip", "minutes", "updates"},
	ReminderLeave:  {"stop", "line", "direction", "headsign", "agency", "vehicle", "trip", "walk_s", "updates"},
	ReminderGetOff: {"stop", "agency", "vehicle", "minutes", "stops", "updates"},
	ReminderLine:   {"line", "direction"},
	ReminderAir:    {"stop", "station", "place", "index", "quantity", "above"},
}

// Validate accepts the kinds that there are. Its error names the field kind.
func (k ReminderKind) Validate() error {
	if _, known := reminderFields[k]; !known {
		return Errorf(CodeOutOfRange, "kind", "must be bus, leave, get_off, line or air, got %.40q", string(k))
	}
	return nil
}

// checkFields refuses fields that the kind does not have.
func (r *Reminder) checkFields() error {
	fields := reminderFields[r.Kind]
	allowed := make(map[string]bool, len(fields))
	for _, f := range fields {
		allowed[f] = true
	}
	for _, f := range []struct {
		name  string
		given bool
	}{
		{"stop", r.Stop != ""},
		{"line", r.Route != ""},
		{"direction", r.Direction.Known()},
		{"headsign", r.Headsign != ""},
		{"agency", r.Agency != ""},
		{"vehicle", r.Vehicle != ""},
		{"trip", r.Trip != ""},
		{"minutes", r.Minutes != 0},
		{"stops", r.Stops != 0},
		{"walk_s", r.Walk != 0},
		{"updates", r.Updates},
		{"station", r.Station != ""},
		{"place", r.Place != nil},
		{"index", r.Scale != ""},
		{"quantity", r.Quantity != ""},
		{"above", r.Above != 0},
	} {
		if f.given && !allowed[f.name] {
			return Errorf(CodeInvalid, f.name, "must be missing in a reminder of the kind %s", r.Kind)
		}
	}
	return nil
}

func (r *Reminder) checkBus() error {
	bus := r.Kind == ReminderBus || r.Kind == ReminderLeave
	switch {
	case r.Stop == "" && (bus || r.Kind == ReminderGetOff):
		return Errorf(CodeMissing, "stop", "is required")
	case r.Route == "" && (bus || r.Kind == ReminderLine):
		return Errorf(CodeMissing, "line", "is required")
	case r.Vehicle == "" && (r.Kind == ReminderGetOff || r.Agency != ""):
		return Errorf(CodeMissing, "vehicle", "is required")
	case r.Agency == "" && r.Vehicle != "":
		return Errorf(CodeMissing, "agency", "is required with vehicle")
	case r.Walk < 0 || r.Walk > MaxReminderWalk:
		return Errorf(CodeOutOfRange, "walk_s", "must be 0 to %d, got %d", MaxReminderWalk, r.Walk)
	case r.Minutes < 0 || r.Minutes > MaxReminderMinutes || r.Kind == ReminderBus && r.Minutes == 0:
		return Errorf(CodeOutOfRange, "minutes", "must be 1 to %d, got %d", MaxReminderMinutes, r.Minutes)
	case r.Stops < 0 || r.Stops > MaxReminderStops:
		return Errorf(CodeOutOfRange, "stops", "must be 1 to %d, got %d", MaxReminderStops, r.Stops)
	case r.Kind == ReminderGetOff && (r.Stops == 0) == (r.Minutes == 0):
		return Errorf(CodeInvalid, "stops", "must be given, or minutes, and not both")
	}
	return nil
}

func (r *Reminder) checkAir() error {
	if r.Kind != ReminderAir {
		return nil
	}
	places := 0
	for _, given := range []bool{r.Stop != "", r.Station != "", r.Place != nil} {
		if given {
			places++
		}
	}
	_, knownQuantity := ParseQuantity(string(r.Quantity))
	switch {
	case places != 1:
		return Errorf(CodeInvalid, "station", "must be given, or stop, or place, and only one of them")
	case math.IsNaN(r.Above) || r.Above < 0 || r.Above > MaxReminderAbove:
		return Errorf(CodeOutOfRange, "above", "must be 0 to %d", MaxReminderAbove)
	case (r.Scale == "") == (r.Quantity == ""):
		return Errorf(CodeInvalid, "index", "must be given, or quantity, and not both")
	case r.Scale != "" && r.Scale != ScaleVNAQI && r.Scale != ScaleUSEPA:
		return Errorf(CodeOutOfRange, "index", "must be %s or %s, got %.40q", ScaleVNAQI, ScaleUSEPA, string(r.Scale))
	case r.Quantity != "" && !knownQuantity:
		return Errorf(CodeOutOfRange, "quantity", "must be a quantity as in pm25, got %.40q", string(r.Quantity))
	case r.Quantity != "" && r.Station == "":
		return Errorf(CodeInvalid, "quantity", "needs a station")
	}
	return r.Place.check()
}

// check checks a place; nil is none. What is finer than the lattice must not be kept.
func (p *ReminderPlace) check() error {
	switch {
	case p == nil:
		return nil
	case !(p.Lat >= -90 && p.Lat <= 90):
		return Errorf(CodeOutOfRange, "place.lat", "must be -90 to 90")
	case !(p.Lon >= -180 && p.Lon <= 180):
		return Errorf(CodeOutOfRange, "place.lon", "must be -180 to 180")
	case *p != p.Rounded():
		return Errorf(CodeInvalid, "place", "must be rounded to %v degrees", ReminderPlaceStep)
	}
	return nil
}

func (r *Reminder) checkHook() error {
	switch {
	case r.Webhook == nil:
		return nil
	case r.Owner == "":
		return Errorf(CodeInvalid, "webhook", "needs the key of an app")
	case r.Webhook.URL == "":
		return Errorf(CodeMissing, "webhook.url", "is required")
	}
	if err := checkPrintable("webhook.url", r.Webhook.URL, MaxReminderURL); err != nil {
		return err
	}
	return checkPrintable("webhook.device", r.Webhook.Device, MaxReminderDevice)
}

func validateReminder(_ string, body json.RawMessage) error {
	var r Reminder
	if err := DecodeStrict(body, &r); err != nil {
		return err
	}
	return r.Validate()
}

// redactReminder keeps what says nothing of a rider.
func redactReminder(body json.RawMessage) json.RawMessage {
	var r Reminder
	if json.Unmarshal(body, &r) != nil {
		return nil
	}
	raw, err := json.Marshal(struct {
		Kind  ReminderKind  `json:"kind"`
		State ReminderState `json:"state"`
	}{r.Kind, r.State})
	if err != nil {
		return nil
	}
	return raw
}

// reminderExpiry returns when a reminder is removed.
func reminderExpiry(body json.RawMessage) time.Time {
	var r Reminder
	_ = json.Unmarshal(body, &r) // it was validated
	return r.Expires
}

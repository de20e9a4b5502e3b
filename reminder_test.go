package nhip

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

var reminderMade = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// waitingReminder returns a valid reminder of each kind.
func waitingReminder(kind ReminderKind) Reminder {
	r := Reminder{
		Kind: kind, State: ReminderWaiting, Created: reminderMade, Expires: reminderMade.Add(time.Hour),
		Token: strings.Repeat("0", 64), Lang: "vi",
	}
	switch kind {
	case ReminderBus:
		r.Stop, r.Route, r.Minutes = "S1", "32", 5
	case ReminderLeave:
		r.Stop, r.Route, r.Walk = "S1", "32", 300
	case ReminderGetOff:
		r.Stop, r.Agency, r.Vehicle, r.Stops = "S1", "hanoi", "29B", 1
	case ReminderLine:
		r.Route = "32"
	case ReminderAir:
		r.Place, r.Scale, r.Above = &ReminderPlace{Lat: 21.03, Lon: 105.85}, ScaleVNAQI, 100
	}
	return r
}

func TestValidReminders(t *testing.T) {
	for _, kind := range []ReminderKind{ReminderBus, ReminderLeave, ReminderGetOff, ReminderLine, ReminderAir} {
		r := waitingReminder(kind)
		if err := r.Validate(); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestInvalidRemindersNameTheField(t *testing.T) {
	for field, c := range map[string]struct {
		kind   ReminderKind
		change func(*Reminder)
	}{
		"kind":        {ReminderBus, func(r *Reminder) { r.Kind = "tram" }},
		"state":       {ReminderBus, func(r *Reminder) { r.State = "asleep" }},
		"outcome":     {ReminderBus, func(r *Reminder) { r.State = ReminderFired }},
		"expires":     {ReminderBus, func(r *Reminder) { r.Expires = reminderMade.Add(13 * time.Hour) }},
		"token":       {ReminderBus, func(r *Reminder) { r.Token = "short" }},
		"lang":        {ReminderBus, func(r *Reminder) { r.Lang = "fr" }},
		"stop":        {ReminderBus, func(r *Reminder) { r.Stop = "" }},
		"line":        {ReminderLeave, func(r *Reminder) { r.Route = "" }},
		"vehicle":     {ReminderGetOff, func(r *Reminder) { r.Vehicle = "" }},
		"agency":      {ReminderBus, func(r *Reminder) { r.Vehicle = "29B" }},
		"minutes":     {ReminderBus, func(r *Reminder) { r.Minutes = 31 }},
		"stops":       {ReminderGetOff, func(r *Reminder) { r.Minutes = 3 }},
		"walk_s":      {ReminderLeave, func(r *Reminder) { r.Walk = 3601 }},
		"direction":   {ReminderLine, func(r *Reminder) { r.Direction = Some(2) }},
		"headsign":    {ReminderLine, func(r *Reminder) { r.Headsign = "x" }},
		"station":     {ReminderAir, func(r *Reminder) { r.Station = "s" }},
		"place":       {ReminderAir, func(r *Reminder) { r.Place.Lat = 21.0312 }},
		"place.lat":   {ReminderAir, func(r *Reminder) { r.Place.Lat = 91 }},
		"index":       {ReminderAir, func(r *Reminder) { r.Scale = "WHO" }},
		"quantity":    {ReminderAir, func(r *Reminder) { r.Scale, r.Quantity = "", PM25 }},
		"above":       {ReminderAir, func(r *Reminder) { r.Above = -1 }},
		"webhook":     {ReminderBus, func(r *Reminder) { r.Webhook = &ReminderWebhook{URL: "https://x"} }},
		"webhook.url": {ReminderBus, func(r *Reminder) { r.Owner, r.Webhook = "k", &ReminderWebhook{} }},
		"webhook.device": {ReminderBus, func(r *Reminder) {
			r.Owner, r.Webhook = "k", &ReminderWebhook{URL: "https://x", Device: strings.Repeat("x", 513)}
		}},
	} {
		r := waitingReminder(c.kind)
		c.change(&r)
		var e *Error
		if err := r.Validate(); !errors.As(err, &e) || e.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// TestPlacesAreRounded: what is rounded once stays as it is.
func TestPlacesAreRounded(t *testing.T) {
	for _, p := range []ReminderPlace{{21.03141, 105.85237}, {-21.0026, -105.8524}, {90, 180}, {0.0024, 0.0026}} {
		r := p.Rounded()
		if r != r.Rounded() || r.check() != nil || p.Lat-r.Lat > 0.00251 || r.Lat-p.Lat > 0.00251 {
			t.Errorf("%v is rounded to %v: %v", p, r, r.check())
		}
	}
}

func TestAuditOfRemindersSaysNothingOfRiders(t *testing.T) {
	r := waitingReminder(ReminderAir)
	body, _ := json.Marshal(r)
	if got := string(redactReminder(body)); got != `{"kind":"air","state":"waiting"}` {
		t.Error(got)
	}
}

// FuzzReminder: a body is refused or is a valid document that stays valid.
func FuzzReminder(f *testing.F) {
	for _, kind := range []ReminderKind{ReminderBus, ReminderLeave, ReminderGetOff, ReminderLine, ReminderAir} {
		raw, _ := json.Marshal(waitingReminder(kind))
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if validateReminder("x", body) != nil {
			return
		}
		var r Reminder
		if err := json.Unmarshal(body, &r); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(r)
		if err != nil || validateReminder("x", again) != nil {
			t.Errorf("%s becomes %s: %v", body, again, err)
		}
	})
}

package nhip

import "time"

// ScheduleQuery asks a collector for the states of schedules.
type ScheduleQuery struct {
	IDs []string `json:"ids"` // at most MaxScheduleQuery
}

// MaxScheduleQuery is the most schedules of a query: the answer must fit into a message.
const MaxScheduleQuery = 50

// ScheduleStates is the answer to a ScheduleQuery.
type ScheduleStates struct {
	Mails  bool                     `json:"mails"` // the collector has a mail server; if not, it knows no states
	States map[string]ScheduleState `json:"states,omitempty"`
}

// ScheduleSend asks a collector to send a report now.
type ScheduleSend struct {
	ID string `json:"id"`
}

// States of schedules.
const (
	ScheduleWaiting  = "waiting"
	ScheduleSending  = "sending"  // something is due, or is tried again
	ScheduleInactive = "inactive" // its owner has switched it off
	ScheduleStopped  = "stopped"  // its owner may not have it any more
	ScheduleNoMail   = "no_mail"  // no collector has a mail server
	ScheduleUnknown  = "unknown"  // a collector does not answer, or has not heard of it yet
)

// ScheduleState is what was and is to be sent of a schedule.
type ScheduleState struct {
	State      string    `json:"state"`
	Reason     string    `json:"reason,omitempty"`     // why it is stopped
	Next       time.Time `json:"next,omitzero"`        // the next time, or the next attempt of one that was due
	LastSent   time.Time `json:"last_sent,omitzero"`   // to at least one recipient
	LastError  string    `json:"last_error,omitempty"` // of an attempt
	ErrorTime  time.Time `json:"error_time,omitzero"`  // of LastError
	Left       int       `json:"left,omitempty"`       // recipients who have not got what is due
	GivenUp    int       `json:"given_up,omitempty"`   // mails that could not be sent, since the schedule was made
	Missed     int       `json:"missed,omitempty"`     // times that were more than a day ago when the collector came back
	LastMissed time.Time `json:"last_missed,omitzero"` //
}

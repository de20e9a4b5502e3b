package schedule

import (
	"context"

	"nhip"
)

// States returns what was and is to be sent of schedules. Those that are not known are left out.
func (s *Sender) States(_ context.Context, q nhip.ScheduleQuery) (nhip.ScheduleStates, error) {
	if len(q.IDs) > nhip.MaxScheduleQuery {
		return nhip.ScheduleStates{}, nhip.Errorf(nhip.CodeInvalid, "ids", "must be at most %d, got %d",
			nhip.MaxScheduleQuery, len(q.IDs))
	}
	out := nhip.ScheduleStates{Mails: true, States: make(map[string]nhip.ScheduleState)}
	for _, id := range q.IDs {
		one, err := s.find(id)
		if err != nil {
			continue
		}
		out.States[id] = s.state(one)
	}
	return out, nil
}

// find returns a schedule.
func (s *Sender) find(id string) (*scheduled, error) {
	doc, known := s.o.Documents.Find(nhip.DocumentSchedule, id)
	if !known || !doc.Exists() {
		return nil, nhip.Errorf(nhip.CodeNotFound, "id", "there is no schedule %q", id)
	}
	return parse(&doc)
}

func (s *Sender) state(one *scheduled) nhip.ScheduleState {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entry(one)
	out := nhip.ScheduleState{
		State: nhip.ScheduleWaiting, LastSent: e.LastSent, LastError: e.LastError, ErrorTime: e.ErrorTime, GivenUp: e.GivenUp,
		Missed: e.Missed, LastMissed: e.LastMissed,
	}
	switch changed := e.Version != one.version; {
	case !one.Active:
		out.State = nhip.ScheduleInactive
	case e.Stopped != "" && !changed:
		out.State, out.Reason = nhip.ScheduleStopped, e.Stopped
	case e.Job != nil:
		out.State, out.Next, out.Left = nhip.ScheduleSending, e.Job.Next.UTC(), len(e.Job.Left)
		if e.Job.Next.IsZero() {
			out.Next = e.Job.Due.UTC()
		}
	default:
		out.Next = one.Next(s.now(), s.o.Zone).UTC()
	}
	return out
}

// Send makes a report due now. It returns once that is on disk.
func (s *Sender) Send(_ context.Context, q nhip.ScheduleSend) (nhip.ScheduleState, error) {
	one, err := s.find(q.ID)
	if err != nil {
		return nhip.ScheduleState{}, err
	}
	if err := s.makeDue(one); err != nil {
		return nhip.ScheduleState{}, err
	}
	if err := s.save(); err != nil {
		return nhip.ScheduleState{}, nhip.Errorf(nhip.CodeUnavailable, "", "what is due can't be saved: %v", err)
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return s.state(one), nil
}

func (s *Sender) makeDue(one *scheduled) error {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entry(one)
	switch {
	case !one.Active:
		return nhip.Errorf(nhip.CodeConflict, "id", "the schedule is not active")
	case e.Stopped != "" && e.Version == one.version:
		return nhip.Errorf(nhip.CodeConflict, "id", "the schedule has stopped: %s", e.Stopped)
	case e.Job != nil:
		return nhip.Errorf(nhip.CodeConflict, "id", "the report is being sent already")
	case now.Sub(e.Manual) < manualPause:
		return nhip.Errorf(nhip.CodeConflict, "id", "the report was sent on request less than %s ago",
			nhip.FormatDuration(manualPause))
	}
	e.Manual, e.dirty = now, true
	e.Job = &job{Due: now, Left: append([]string(nil), one.Recipients...), Manual: true}
	return nil
}

package live

import (
	"time"

	"nhip"
)

// clockSlack is the difference between two clocks that is left alone, and the delay within which two messages of a
// device may overtake each other.
const clockSlack = 10 * time.Second

// stamp is the time of a fact in a live state. The clock of a device may be ahead of ours, by up to
// nhip.FutureTolerance. Such a fact is taken for as old as its arrival: otherwise it would look fresh for too long, and
// the facts that follow it would look older than it once the clock is right again.
type stamp struct {
	device  int64 // time that the device reported, Unix ms
	arrived int64 // Unix ms
	time    int64 // device, or an estimate where device is ahead of arrived by more than clockSlack; Unix ms
}

func newStamp(device, arrived time.Time) stamp {
	s := stamp{device: device.UnixMilli(), arrived: arrived.UnixMilli()}
	s.time = s.device
	if s.device > s.arrived+clockSlack.Milliseconds() {
		s.time = s.arrived
	}
	return s
}

// ahead returns by how much the device's clock was ahead, in ms.
func (s stamp) ahead() int64 { return s.device - s.time }

// succeed returns s with an estimate of its time that takes the previous fact of the device into account. ok is false
// if s is older than that fact or repeats it. now is in Unix ms.
func (s stamp) succeed(before stamp, now int64) (_ stamp, ok bool) {
	slack := clockSlack.Milliseconds()
	if before.time > max(now, s.arrived)+slack {
		return s, true // our own clock was set back
	}
	if s.device <= before.device && !s.corrects(before) {
		return s, false
	}
	// The distances between facts of a clock that is ahead by a constant are those between their arrivals, without the
	// delays of the network.
	if t := s.device - before.ahead(); s.ahead() > 0 && before.ahead() > 0 && t <= s.arrived && t >= s.arrived-slack {
		s.time = t
	}
	s.time = max(s.time, before.time)
	return s, true
}

// corrects reports whether s has an earlier time than the fact before because that was ahead of the clock, and not
// because s was overtaken by it.
func (s stamp) corrects(before stamp) bool {
	slack := clockSlack.Milliseconds()
	delayed := before.device - s.device + s.arrived - before.arrived // if both times are of the same clock
	return before.device > before.arrived+slack && s.device != before.device &&
		s.device > min(before.time, before.arrived) && delayed > slack
}

// gap returns the time between two facts: by the device's clock, unless that was set in between.
func (s stamp) gap(before stamp) time.Duration {
	ms := s.device - before.device
	if d := s.ahead() - before.ahead(); ms <= 0 || max(d, -d) > clockSlack.Milliseconds() {
		ms = s.time - before.time
	}
	return time.Duration(ms) * time.Millisecond
}

// restoreStamp returns the stamp of a fact from a snapshot. Snapshots of older versions have only the device's time.
func restoreStamp(device time.Time, at, arrived int64, now time.Time) stamp {
	if at != 0 {
		return stamp{device: device.UnixMilli(), arrived: arrived, time: at}
	}
	if device.After(now.Add(nhip.FutureTolerance)) {
		now = device // State.dropAhead removes it
	}
	return newStamp(device, now)
}

// valueStamp returns the stamp of a value. The time of arrival is not kept with it: where it matters, the clock is
// ahead, and the time is that of the arrival.
func valueStamp(v *nhip.LiveValue) stamp {
	at := v.Time.UnixMilli()
	return stamp{device: v.ByDevice().UnixMilli(), arrived: at, time: at}
}

// setTime sets the time of a value, and the device's time if it differs.
func setTime(v *nhip.LiveValue, s stamp) {
	v.Time, v.DeviceTime = time.UnixMilli(s.time).UTC(), time.Time{}
	if s.device != s.time {
		v.DeviceTime = time.UnixMilli(s.device).UTC()
	}
}

package nhip

import (
	"testing"
	"time"
)

func TestMergeOfDeviceStates(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 2, 16, 12, minute, 0, 0, time.UTC) }
	old := DeviceState{
		ID: "a", Feed: "old", Disabled: true, Heard: at(1), ConnectedSince: at(1), Gateway: "west",
		Refused: &DeviceEvent{Time: at(5), Reason: RefusedDisabled},
	}
	now := DeviceState{
		ID: "a", Feed: "position", Connected: true, Heard: at(3), ConnectedSince: at(2), Gateway: "east",
		Refused: &DeviceEvent{Time: at(2), Reason: RefusedCredentials}, Limited: &DeviceEvent{Time: at(4), Reason: "packet"},
	}
	for _, got := range []DeviceState{old.Merge(now), now.Merge(old)} {
		if got.Disabled || !got.Connected || got.Feed != "position" || got.Gateway != "east" || got.Heard != at(3) ||
			got.ConnectedSince != at(2) || got.Refused.Reason != RefusedDisabled || got.Limited.Reason != "packet" {
			t.Errorf("%+v", got)
		}
	}
	// The gateway that has the connection is the device's, also if another one heard it last.
	now.Heard = at(0)
	if got := old.Merge(now); got.Gateway != "east" || got.Heard != at(1) {
		t.Errorf("%+v", got)
	}
}

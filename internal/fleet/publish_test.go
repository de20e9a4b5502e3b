package fleet

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPublisherSendsChanges(t *testing.T) {
	var sent []string
	p := NewPublisher(func(topic string, payload []byte) { sent = append(sent, topic+" "+string(payload)) })
	check := func(want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, sent); diff != "" {
			t.Error(diff)
		}
		sent = nil
	}
	f := &Fleet{
		Stations: []Station{{ID: "a/b", Kind: LowCost, Position: Public}},
		Vehicles: []Vehicle{{ID: "1", Plate: "29B"}},
		Devices:  []Device{{ID: "1", Secrets: []string{digestOfA}}},
	}
	p.Publish(f)
	station := `nhip/fleet/station/a%2Fb {"id":"a/b","kind":"low-cost","position":"public"}`
	vehicle := `nhip/fleet/vehicle/1 {"id":"1","plate":"29B"}`
	for _, s := range sent {
		if strings.Contains(s, "sha256") {
			t.Error("a secret is published")
		}
	}
	check(station, vehicle)
	p.Publish(f)
	check()
	p.Republish(f)
	check(station, vehicle)
	p.Publish(&Fleet{Vehicles: []Vehicle{{ID: "1", Plate: "30B"}}})
	check("nhip/fleet/station/a%2Fb ", `nhip/fleet/vehicle/1 {"id":"1","plate":"30B"}`)
	p.Republish(&Fleet{})
	check("nhip/fleet/vehicle/1 ")
}

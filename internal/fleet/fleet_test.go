package fleet

import (
	"strings"
	"testing"
	"time"

	"nhip"

	"github.com/google/go-cmp/cmp"
)

var feeds = Feeds{
	"position": {Topic: "nhip/in/position/+"}, "tasmota": {Topic: "tele/+/SENSOR"}, "tts": {Topic: "v3/+/devices/+/up"},
	"hfp": {Topic: "/hfp/v2/#"},
}

const digestOfA = "sha256-ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"

func TestReadAllKeys(t *testing.T) {
	got, err := Read("fleet.yaml", []byte(`
stations:
  - id: trung-yen-3
    name: {vi: Trung Yên 3, en: Trung Yen 3}
    at: [105.7999, 21.0151]
    owner: Sở Nông nghiệp và Môi trường
    kind: reference
    position: private
    period: 1h
    zone: Asia/Ho_Chi_Minh
    quantities:
      - name: pm25
        calibration:
          - {from: 2026-01-01, slope: 0.92, offset: 1.5}
          - {from: 2026-03-01T12:00:00+07:00, slope: 0.95}
      - name: o3
vehicles:
  - {id: 29B-12345, plate: 29B-123.45, agency: transerco, line: "32", interval: 10s}
devices:
  - id: 29B-12345
    feed: position
    secrets: [`+digestOfA+`]
  - id: bridge
    feed: hfp
    topics: [/hfp/v2/journey/#]
    disabled: true
`), feeds)
	if err != nil {
		t.Fatal(err)
	}
	want := &Fleet{
		Stations: []Station{{
			ID: "trung-yen-3", Name: nhip.LocalizedText{Vi: "Trung Yên 3", En: "Trung Yen 3"}, At: []float64{105.7999, 21.0151},
			Owner: "Sở Nông nghiệp và Môi trường", Kind: Reference, Position: Private, Period: time.Hour,
			Zone: "Asia/Ho_Chi_Minh",
			Quantities: []Quantity{
				{Name: nhip.PM25, Calibration: []Calibration{
					{From: time.Date(2025, 12, 31, 17, 0, 0, 0, time.UTC), Slope: 0.92, Offset: 1.5},
					{From: time.Date(2026, 3, 1, 5, 0, 0, 0, time.UTC), Slope: 0.95},
				}},
				{Name: nhip.O3},
			},
		}},
		Vehicles: []Vehicle{
			{ID: "29B-12345", Plate: "29B-123.45", Agency: "transerco", Line: "32", Interval: 10 * time.Second},
		},
		Devices: []Device{
			{ID: "29B-12345", Feed: "position", Secrets: []string{digestOfA}},
			{ID: "bridge", Feed: "hfp", Topics: []string{"/hfp/v2/journey/#"}, Disabled: true},
		},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })); diff != "" {
		t.Error(diff)
	}
}

func TestReadReportsAllFaultsWithLines(t *testing.T) {
	_, err := Read("fleet.yaml", []byte(`
stations:
  - {id: a, kind: best, at: [200, 21], nmae: {vi: x}}
  - {kind: reference}
  - id: a
    kind: low-cost
    period: soon
    quantities:
      - {name: pm3}
      - name: pm25
        calibration: [{slope: 2}, {from: 2026-02-01}, {from: 2026-01-01, slope: 0}]
vehicles: {id: x}
devices:
  - {id: a/b, feed: position}
  - {id: nhip-api, feed: position}
  - {id: c, feed: nothing}
  - {id: d, feed: hfp}
  - {id: e, feed: position, topics: [nhip/live/#]}
  - {id: f, feed: position, topics: ["#"]}
  - {id: g, feed: position, topics: [nhip/in/import/x]}
  - {id: h, feed: position, secrets: [hunter2]}
  - {id: i, feed: position, secrets: [`+digestOfA+`, `+digestOfA+`, `+digestOfA+`]}
  - {id: i, feed: position, disabled: yes please}
buses: []
`), feeds)
	const stationKeys = `id, name, at, mobile, owner, kind, position, period, zone, area, quantities`
	const addTopics = `add topics, the filters under which the device may publish`
	want := `
3:19: stations[0].kind: must be reference or low-cost, got best
3:29: stations[0].at: must be longitude, latitude in degrees, got 200, 21
3:40: stations[0].nmae: is not a known key; expected one of ` + stationKeys + `
4:5: stations[1].id: is required
5:9: stations[2].id: is already the id of stations[0]
7:13: stations[2].period: must be a duration as in "90s" or "2m", got soon
9:16: stations[2].quantities[0].name: must be a quantity as in pm25, got pm3
11:23: stations[2].quantities[1].calibration[0].from: is required
11:62: stations[2].quantities[1].calibration[2].from: must be later than the previous one
11:81: stations[2].quantities[1].calibration[2].slope: must be between 0.01 and 100, got 0
12:11: vehicles: must be a list
14:10: devices[0].id: must not contain / + # % or $, or begin with nhip-, got a/b
15:10: devices[1].id: must not contain / + # % or $, or begin with nhip-, got nhip-api
16:19: devices[2].feed: must be a feed of the configuration (hfp, position, tasmota, tts), got nothing
17:19: devices[3].feed: has no topic of its own for each device; ` + addTopics + `
18:37: devices[4].topics: must not match topics of the roles, got nhip/live/#
19:37: devices[5].topics: must not match topics of the roles, got #
20:37: devices[6].topics: must not match topics of the roles, got nhip/in/import/x
21:38: devices[7].secrets: must have the form that nhip device add writes: sha256- and 64 hexadecimal digits
22:38: devices[8].secrets: may contain at most 2: the old and the new one
23:10: devices[9].id: is already the id of devices[8]
23:39: devices[9].disabled: must be true or false, got yes please
24:1: buses: is not a known key; expected one of stations, vehicles, devices`
	want = strings.ReplaceAll(want, "\n", "\nfleet.yaml:")[1:]
	if err == nil {
		t.Fatal("no fault found")
	}
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(err.Error(), "\n")); diff != "" {
		t.Error(diff)
	}
}

func TestFeedTopicsOfDevice(t *testing.T) {
	for _, c := range []struct {
		d    Device
		want string
	}{
		{Device{ID: "7", Feed: "position"}, "nhip/in/position/7"},
		{Device{ID: "7", Feed: "tasmota"}, "tele/7/SENSOR"},
		{Device{ID: "7", Feed: "tts"}, "v3/+/devices/7/up"},
		{Device{ID: "7", Feed: "hfp"}, ""},
		{Device{ID: "7", Feed: "hfp", Topics: []string{"/hfp/v2/#"}}, "/hfp/v2/#"},
	} {
		if got := strings.Join(feeds.Topics(&c.d), " "); got != c.want {
			t.Errorf("%+v: %q, want %q", c.d, got, c.want)
		}
	}
}

func TestDigest(t *testing.T) {
	if Digest("a") != digestOfA {
		t.Errorf("digest %s", Digest("a"))
	}
	if a, b := NewSecret(), NewSecret(); a == b || len(a) != 64 {
		t.Errorf("secrets %s and %s", a, b)
	}
	for _, bad := range []string{"", "sha256-", digestOfA[7:], digestOfA + "00", "sha256-" + strings.Repeat("g", 64)} {
		if _, err := ParseDigest(bad); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func TestDiff(t *testing.T) {
	old := &Fleet{
		Stations: []Station{{ID: "s", Kind: LowCost}},
		Vehicles: []Vehicle{{ID: "removed"}, {ID: "same", Line: "32"}},
		Devices:  []Device{{ID: "d", Feed: "position", Secrets: []string{digestOfA}}},
	}
	updated := &Fleet{
		Stations: []Station{{ID: "s", Kind: Reference, Period: time.Hour}},
		Vehicles: []Vehicle{{ID: "same", Line: "32"}, {ID: "fresh"}},
		Devices:  []Device{{ID: "d", Feed: "tasmota", Secrets: []string{Digest("b")}, Disabled: true}},
	}
	want := []string{
		"~ station s: kind low-cost → reference, period 0s → 1h",
		"+ vehicle fresh",
		"- vehicle removed",
		"~ device d: feed position → tasmota, secrets changed, disabled false → true",
	}
	if diff := cmp.Diff(want, Diff(old, updated)); diff != "" {
		t.Error(diff)
	}
	if got := Diff(updated, updated); len(got) != 0 {
		t.Errorf("a fleet differs from itself: %v", got)
	}
}

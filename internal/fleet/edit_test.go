package fleet

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAdd(t *testing.T) {
	for _, c := range []struct{ name, before, after string }{
		{"to nothing", "", "devices:\n- id: new\n  feed: position\n"},
		{"to a file without devices", "# ours\nvehicles:\n  - id: a # a bus", "# ours\nvehicles:\n  - id: a # a bus\ndevices:\n- id: new\n  feed: position\n"},
		{
			"behind the last, before what follows",
			"devices:\n  - id: a # first\n    feed: position\n\n# the buses\nvehicles:\n  - id: a\n",
			"devices:\n  - id: a # first\n    feed: position\n  - id: new\n    feed: position\n\n# the buses\nvehicles:\n  - id: a\n",
		},
		{
			"beside items on one line",
			"devices:\n- {id: a, feed: position}\n# the end\n",
			"devices:\n- {id: a, feed: position}\n- id: new\n  feed: position\n# the end\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Add("f", []byte(c.before), feeds, Device{ID: "new", Feed: "position"})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.after, string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAddKeepsWhatItWasGiven(t *testing.T) {
	d := Device{ID: "Xe số 7: mới", Feed: "hfp", Topics: []string{"/hfp/v2/journey/+/+/bus/7/#"}, Secrets: []string{digestOfA}, Rate: 500, Disabled: true, Mosquitto: MosquittoDigest("a")}
	got, err := Add("f", nil, feeds, d)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Read("f", got, feeds)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&d, f.Device(d.ID)); diff != "" {
		t.Errorf("%s\n%s", got, diff)
	}
}

func TestAddRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		before string
		d      Device
		want   string
	}{
		"an id that is there":            {"devices: [{id: new, feed: position}]", Device{ID: "new", Feed: "position"}, `"new" already`},
		"a list on one line":             {"devices: [{id: a, feed: position}]", Device{ID: "new", Feed: "position"}, "by hand"},
		"a file with faults":             {"devices: 7", Device{ID: "new", Feed: "position"}, "must be a list"},
		"a device that can't be":         {"", Device{ID: "a/b", Feed: "position"}, "id: must not hold"},
		"a feed that is not there":       {"", Device{ID: "a", Feed: "nowhere"}, "feed: must be a feed of the configuration"},
		"a bridge that looks like roles": {"", Device{ID: "nhip", Feed: "hfp", Topics: []string{"a/#"}}, "id: must not hold"},
		"a device without a topic":       {"", Device{ID: "a", Feed: "hfp"}, "feed: does not tell the topic of one device"},
	} {
		if _, err := Add("f", []byte(c.before), feeds, c.d); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestChange(t *testing.T) {
	disable := func(d *Device) error { d.Disabled = true; return nil }
	rotate := func(d *Device) error { d.Secrets = []string{digestOfA}; return nil }
	for _, c := range []struct {
		name, before, after string
		change              func(*Device) error
	}{
		{
			"a new key", "devices:\n  - id: x # the depot's\n    feed: position\n  - id: y\n    feed: position\n",
			"devices:\n  - id: x # the depot's\n    feed: position\n    disabled: true\n  - id: y\n    feed: position\n", disable,
		},
		{
			"a key that is there, between others", "devices:\n- id: w\n  feed: position\n- id: x\n  secrets:\n    - " + Digest("old") + "\n  # why\n  feed: position",
			"devices:\n- id: w\n  feed: position\n- id: x\n  feed: position\n  secrets: [" + digestOfA + "]\n", rotate,
		},
		{
			"the last one, before other keys", "devices:\n- id: x\n  feed: position\n  disabled: true\n\nvehicles: []\n",
			"devices:\n- id: x\n  feed: position\n\nvehicles: []\n", func(d *Device) error { d.Disabled = false; return nil },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Change("f", []byte(c.before), feeds, "x", c.change)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.after, string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, byHand := range []string{"devices:\n- {id: x, feed: position}\n", "devices:\n- disabled: false\n  id: x\n  feed: position\n"} {
		if _, err := Change("f", []byte(byHand), feeds, "x", disable); !errors.Is(err, ErrByHand) {
			t.Errorf("%q: %v", byHand, err)
		}
	}
	if _, err := Change("f", nil, feeds, "x", disable); err == nil || !strings.Contains(err.Error(), `no device "x"`) {
		t.Errorf("an unknown device: %v", err)
	}
}

// FuzzAdd: whatever a file holds, adding a device gives a file that holds it and all that was there, or an
// error.
func FuzzAdd(f *testing.F) {
	for _, seed := range []string{
		"", "devices:\n", "devices: []\n", "devices:\n- id: a\n  feed: position\n", "devices:\n  - {id: a, feed: position}\nvehicles:\n", "# x\n---\ndevices:\n- &a {id: a, feed: position}\n...\n",
	} {
		f.Add(seed, "new")
	}
	f.Fuzz(func(t *testing.T, before, id string) {
		after, err := Add("f", []byte(before), feeds, Device{ID: id, Feed: "position", Secrets: []string{digestOfA}})
		if err != nil {
			return
		}
		got, err := Read("f", after, feeds)
		if err != nil || got.Device(id) == nil {
			t.Fatalf("%q became %q: %v", before, after, err)
		}
	})
}

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
		{
			"to a file without devices", "# ours\nvehicles:\n  - id: a # a bus",
			"# ours\nvehicles:\n  - id: a # a bus\ndevices:\n- id: new\n  feed: position\n",
		},
		{
			"after the last device, before other keys",
			"devices:\n  - id: a # first\n    feed: position\n\n# the buses\nvehicles:\n  - id: a\n",
			"devices:\n  - id: a # first\n    feed: position\n  - id: new\n    feed: position\n\n# the buses\nvehicles:\n  - " +
				"id: a\n",
		},
		{
			"after an item on one line",
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

func TestAddWritesAllFields(t *testing.T) {
	d := Device{
		ID: "Xe số 7: mới", Feed: "hfp", Topics: []string{"/hfp/v2/journey/+/+/bus/7/#"}, Secrets: []string{digestOfA},
		Rate: 500, Disabled: true, Mosquitto: MosquittoDigest("a"),
	}
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
		"an id in use": {
			"devices: [{id: new, feed: position}]", Device{ID: "new", Feed: "position"}, `"new" already`,
		},
		"a list on one line": {
			"devices: [{id: a, feed: position}]", Device{ID: "new", Feed: "position"}, "by hand",
		},
		"a file with faults": {"devices: 7", Device{ID: "new", Feed: "position"}, "must be a list"},
		"an invalid device":  {"", Device{ID: "a/b", Feed: "position"}, "id: must not contain"},
		"an unknown feed":    {"", Device{ID: "a", Feed: "nowhere"}, "feed: must be a feed of the configuration"},
		"a bridge that looks like roles": {
			"", Device{ID: "nhip", Feed: "hfp", Topics: []string{"a/#"}}, "id: must not contain",
		},
		"a device without a topic": {"", Device{ID: "a", Feed: "hfp"}, "feed: has no topic of its own"},
	} {
		if _, err := Add("f", []byte(c.before), feeds, c.d); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAddAllAddsAllOrNone(t *testing.T) {
	before := []byte("devices:\n- id: a\n  feed: position\n# the end\n")
	got, err := AddAll("f", before, feeds, []Device{{ID: "b", Feed: "position"}, {ID: "c", Feed: "position", Rate: 5}})
	const want = "devices:\n- id: a\n  feed: position\n" +
		"- id: b\n  feed: position\n- id: c\n  feed: position\n  rate: 5\n# the end\n"
	if err != nil || string(got) != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	got, err = AddAll("f", before, feeds, []Device{
		{ID: "b", Feed: "position"}, {ID: "a", Feed: "position"}, {ID: "x/y", Feed: "position"}, {ID: "b", Feed: "position"},
	})
	var faults AddFaults
	if !errors.As(err, &faults) || got != nil || len(faults) != 3 || faults[0].Index != 1 || faults[1].Index != 2 ||
		faults[2].Index != 3 {
		t.Fatalf("%q, %v", got, err)
	}
	for i, want := range []string{`"a" already`, "must not contain", `"b" is given twice`} {
		if !strings.Contains(faults[i].Err.Error(), want) {
			t.Errorf("fault %d: %v, want %s", i, faults[i].Err, want)
		}
	}
}

func TestRemove(t *testing.T) {
	for _, c := range []struct {
		name, before, after string
		ids                 []string
	}{
		{
			"one of several", "# ours\ndevices:\n  - id: a # first\n    feed: position\n  - id: x\n    feed: position\n" +
				"    secrets:\n      - " + digestOfA + "\n\n  # the depot\n  - id: b\n    feed: position\nvehicles:\n  - id: x\n",
			"# ours\ndevices:\n  - id: a # first\n    feed: position\n" +
				"\n  # the depot\n  - id: b\n    feed: position\nvehicles:\n  - id: x\n",
			[]string{"x"},
		},
		{
			"several", "devices:\n- id: x\n  feed: position\n- {id: y, feed: position}\n- id: z\n  feed: position\n",
			"devices:\n- {id: y, feed: position}\n",
			[]string{"z", "x"},
		},
		{"the only one", "devices:\n- id: x\n  feed: position\n", "devices:\n", []string{"x"}},
		{
			"the last one, before other keys",
			"devices:\n- id: w\n  feed: position\n- id: x\n  feed: position\n\nvehicles: []\n",
			"devices:\n- id: w\n  feed: position\n\nvehicles: []\n",
			[]string{"x"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Remove("f", []byte(c.before), feeds, c.ids)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.after, string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
	oneLine := []byte("devices: [{id: x, feed: position}]")
	if _, err := Remove("f", oneLine, feeds, []string{"x"}); !errors.Is(err, ErrByHand) {
		t.Errorf("a list on one line: %v", err)
	}
	if _, err := Remove("f", nil, feeds, []string{"x"}); err == nil || !strings.Contains(err.Error(), `no device "x"`) {
		t.Errorf("an unknown device: %v", err)
	}
}

// FuzzRemove checks that Remove returns a file without the device, or an error, for a file with any content.
func FuzzRemove(f *testing.F) {
	for _, seed := range []string{
		"devices:\n- id: x\n  feed: position\n",
		"devices:\n  -\n    id: x\n    feed: position\n  - {id: y, feed: position}\n",
		"devices:\n  - {id: x,\n feed: position}\nvehicles:\n", "devices:\n- &a\n  id: x\n  feed: position\n...\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, before string) {
		was, err := Read("f", []byte(before), feeds)
		if err != nil || was.Device("x") == nil {
			return
		}
		after, err := Remove("f", []byte(before), feeds, []string{"x"})
		if err != nil {
			return
		}
		got, err := Read("f", after, feeds)
		if err != nil || got.Device("x") != nil || len(got.Devices) != len(was.Devices)-1 {
			t.Fatalf("%q became %q: %v", before, after, err)
		}
	})
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
			"devices:\n  - id: x # the depot's\n    feed: position\n    disabled: true\n  - id: y\n    feed: position\n",
			disable,
		},
		{
			"an existing key between others",
			"devices:\n- id: w\n  feed: position\n- id: x\n  secrets:\n    - " + Digest("old") + "\n  # why\n  feed: position",
			"devices:\n- id: w\n  feed: position\n- id: x\n  feed: position\n  secrets: [" + digestOfA + "]\n", rotate,
		},
		{
			"the last device, before other keys", "devices:\n- id: x\n  feed: position\n  disabled: true\n\nvehicles: []\n",
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
	for _, byHand := range []string{
		"devices:\n- {id: x, feed: position}\n", "devices:\n- disabled: false\n  id: x\n  feed: position\n",
	} {
		if _, err := Change("f", []byte(byHand), feeds, "x", disable); !errors.Is(err, ErrByHand) {
			t.Errorf("%q: %v", byHand, err)
		}
	}
	if _, err := Change("f", nil, feeds, "x", disable); err == nil || !strings.Contains(err.Error(), `no device "x"`) {
		t.Errorf("an unknown device: %v", err)
	}
}

// FuzzAdd checks that Add returns a file with the new device, or an error, for a file with any content.
func FuzzAdd(f *testing.F) {
	for _, seed := range []string{
		"", "devices:\n", "devices: []\n", "devices:\n- id: a\n  feed: position\n",
		"devices:\n  - {id: a, feed: position}\nvehicles:\n", "# x\n---\ndevices:\n- &a {id: a, feed: position}\n...\n",
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

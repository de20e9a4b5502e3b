package fleet_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"nhip/internal/fleet"
)

// TestTableIsRead reads a table as spreadsheets write it: with a byte order mark, capitals, semicolons and empty cells.
func TestTableIsRead(t *testing.T) {
	raw := "\ufeffID; Feed;topics;rate\r\nbus-1;position;a/+ b/#;3\r\nbus-2;;;\r\n"
	got, err := fleet.ReadTable("devices.csv", []byte(raw), fleet.Device{Feed: "hfp", Topics: []string{"c/+"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Devices) != 2 || !slices.Equal(got.Lines, []int{2, 3}) || got.WithFaults(nil) != nil {
		t.Fatalf("got %+v", got)
	}
	if d := got.Devices[0]; d.ID != "bus-1" || d.Feed != "position" || !slices.Equal(d.Topics, []string{"a/+", "b/#"}) ||
		d.Rate != 3 {
		t.Errorf("the first row is %+v", d)
	}
	if d := got.Devices[1]; d.ID != "bus-2" || d.Feed != "hfp" || !slices.Equal(d.Topics, []string{"c/+"}) || d.Rate != 0 {
		t.Errorf("the second row is %+v", d)
	}
}

// TestFaultsOfTableNameTheirRow has a faulty row between two good ones. A row that the fleet refuses, too, has one
// fault.
func TestFaultsOfTableNameTheirRow(t *testing.T) {
	raw := "id,feed,rate\na,hfp,1\nb,hfp,many\n,hfp,\n"
	table, err := fleet.ReadTable("devices.csv", []byte(raw), fleet.Device{})
	if err != nil {
		t.Fatal(err)
	}
	refused := fleet.AddFaults{{Index: 0, Err: errors.New("refused")}, {Index: 1, Err: errors.New("refused")}}
	var faults fleet.AddFaults
	if !errors.As(table.WithFaults(refused), &faults) || len(faults) != 3 {
		t.Fatalf("got %v", faults)
	}
	for i, want := range []string{"refused", "rate: ", "id: "} {
		if faults[i].Index != i || !strings.Contains(faults[i].Err.Error(), want) {
			t.Errorf("fault %d is that of row %d: %v", i, faults[i].Index, faults[i].Err)
		}
	}
	if other := errors.New("the disk is full"); !errors.Is(table.WithFaults(other), other) {
		t.Error("another error than the fleet's faults is lost")
	}
}

// TestTableWithoutColumnsIsRefused fails for a file whose header leaves open what its cells are.
func TestTableWithoutColumnsIsRefused(t *testing.T) {
	for raw, want := range map[string]string{
		"":                 "is empty",
		"id,feed\n":        "has no devices",
		"feed\nhfp\n":      ":1: the column id is missing",
		"id\na\n":          ":1: the column feed is missing",
		"id,feed,place\n":  ":1: the columns must be some of",
		"id,id\n":          ":1: the columns must be some of",
		"id,feed\na,b,c\n": ":2: ",
	} {
		_, err := fleet.ReadTable("devices.csv", []byte(raw), fleet.Device{})
		if err == nil || !strings.HasPrefix(err.Error(), "devices.csv") || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", raw, err, want)
		}
	}
}

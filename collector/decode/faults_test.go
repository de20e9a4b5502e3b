package decode

import (
	"errors"
	"fmt"
	"testing"

	"nhip"
)

func TestManyFaultsShareOne(t *testing.T) {
	seen := make(map[nhip.Error]int)
	in := Input{Reject: func(fault error) {
		var e *nhip.Error
		if !errors.As(fault, &e) {
			t.Fatalf("%v is not ours", fault)
		}
		seen[*e]++
	}}
	faults := in.Faults()
	for i := range 1000 {
		faults.Reject(nhip.Errorf(nhip.Malformed, fmt.Sprintf("line %d", i+1), "is broken"))
		faults.Reject(nhip.Errorf(nhip.UnknownField, fmt.Sprintf("line %d", i+1), "is unknown"))
	}
	rows := 0
	for _, n := range seen {
		rows += n
	}
	if len(seen) != maxFaults+2 || rows != 2000 {
		t.Errorf("%d faults for %d rows, want %d for 2000", len(seen), rows, maxFaults+2)
	}
}

func TestAFaultNamesItsRow(t *testing.T) {
	fault := nhip.Errorf(nhip.Malformed, "value", "must be a number")
	if got := Within("line 3", fault).Error(); got != "line 3 value: must be a number" {
		t.Error(got)
	}
	if got := Within("line 4", nhip.Errorf(nhip.Malformed, "", "is empty")).Error(); got != "line 4: is empty" {
		t.Error(got)
	}
	if fault.Field != "value" {
		t.Errorf("the fault itself is now of %q", fault.Field)
	}
}

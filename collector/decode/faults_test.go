package decode

import (
	"errors"
	"fmt"
	"testing"

	"nhip"
)

func TestFaultsBeyondLimitShareOne(t *testing.T) {
	seen := make(map[nhip.Error]int)
	in := Input{Reject: func(fault error) {
		var e *nhip.Error
		if !errors.As(fault, &e) {
			t.Fatalf("%v is not an *nhip.Error", fault)
		}
		seen[*e]++
	}}
	faults := in.Faults()
	for i := range 1000 {
		faults.Reject(nhip.Errorf(nhip.CodeMalformed, fmt.Sprintf("line %d", i+1), "is broken"))
		faults.Reject(nhip.Errorf(nhip.CodeUnknownField, fmt.Sprintf("line %d", i+1), "is unknown"))
	}
	rows := 0
	for _, n := range seen {
		rows += n
	}
	if len(seen) != MaxOwnFaults+2 || rows != 2000 {
		t.Errorf("%d faults for %d rows, want %d for 2000", len(seen), rows, MaxOwnFaults+2)
	}
}

func TestInRowNamesRow(t *testing.T) {
	fault := nhip.Errorf(nhip.CodeMalformed, "value", "must be a number")
	if got := InRow("line 3", fault).Error(); got != "line 3 value: must be a number" {
		t.Error(got)
	}
	if got := InRow("line 4", nhip.Errorf(nhip.CodeMalformed, "", "is empty")).Error(); got != "line 4: is empty" {
		t.Error(got)
	}
	if fault.Field != "value" {
		t.Errorf("InRow changed the field of the fault to %q", fault.Field)
	}
}

package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestLicensesNameWhatIsInThePrograms(t *testing.T) {
	var out, faults bytes.Buffer
	if code := executeShared(t.Context(), []string{"licenses"}, &out, &faults); code != 0 {
		t.Fatal(faults.String())
	}
	for _, want := range []string{
		"github.com/paulmach/orb v", "github.com/influxdata/influxdb v1.8.10 (MIT), in influxd", "maplibre-gl ", "std 1.",
		"Permission is hereby granted", "Apache License",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing", want)
		}
	}
}

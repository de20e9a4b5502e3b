package airnow

import (
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/decodetest"

	"github.com/google/go-cmp/cmp"
)

func TestGolden(t *testing.T) { decodetest.Golden(t, Decoder) }

func FuzzDecode(f *testing.F) { decodetest.Fuzz(f, Decoder) }

func TestDecodeCorrectsUSClockChange(t *testing.T) {
	file := "Site,Parameter,Date (LT),Raw Conc.,Conc. Unit,Duration,QC Name\n"
	for _, row := range []string{
		"2018-03-11 01:00 AM,47.8", "2018-03-11 03:00 AM,43.0", "2018-03-11 03:00 AM,44.1", // clock change
		"2018-03-18 03:00 AM,1", "2018-03-18 03:00 AM,2", // another Sunday
	} {
		file += "Hanoi,PM2.5 - Principal," + row + ",UG/M3,1 Hr,Valid\n"
	}
	var facts nhip.Facts
	in := decode.Input{
		Topic: "nhip/in/import/airnow/x", Payload: []byte(file), Feed: &decode.Feed{},
		Reject: func(err error) { t.Error(err) },
	}
	if err := Decoder.Decode(in, &facts); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range facts.Readings {
		got = append(got, r.Time.In(hanoi).Format("02 15"))
	}
	if want := strings.Split("11 01,11 02,11 03,18 03,18 03", ","); !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
	if facts.Readings[1].Value != 43 || facts.Readings[1].Period != time.Hour {
		t.Errorf("first of the repeated hours is %+v", facts.Readings[1])
	}
}

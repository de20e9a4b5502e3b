// Package stationfile decodes the files that Vietnam's automatic monitoring stations send to the authorities, according
// to Circular 10/2021/TT-BTNMT and its predecessor 24/2017. A payload is one file with a line for each parameter and
// columns separated by white space:
//
//	PM10	61.52	ug/m3	20260216225500	00
//	PM2,5	38,07	µg/Nm3	20260216225500	00
//	CO	0.8124	mg/m3	20260216225500	01
//	Temp	27.8	oC	20260216225500	00
//
// The columns are name, value, unit, time as yyyyMMddHHmmss, and the status of the instrument: 00 measuring, 01 in
// calibration, 02 faulty. The station is the last level of the topic, nhip/in/station-file/<station>. A value is the
// mean of the cycle that ends at its time; the cycle is the feed's period, or the 5 minutes of the Circular.
//
// Traps:
//
//   - Times are local, without an offset. They are read in the feed's zone, or at UTC+7 without one, because the format
//     is Vietnam's, which has no daylight saving time.
//   - Vietnamese programs write a decimal comma, in values (38,07) and in names (PM2,5). A comma never separates
//     thousands: 1.234,5 is an error, because 1,234 would be ambiguous.
//   - A value that is not a number is an error, never 0. Its line is rejected alone; the fault names it as in
//     "line 3 value".
//   - Status 00 becomes the flag good, 01 and 02 become fail: the value is stored, but not used in computations. A line
//     without status is not evaluated.
//   - The cubic metre is at 25 °C and 760 mmHg, also if it is written as Nm3 (QCVN 05:2023/BTNMT).
//   - Files are in UTF-8, with or without a byte order mark, or in a single-byte encoding: µ, °, ³ and the no-break
//     space have the same bytes in Windows-1258, Windows-1252 and Latin-1, and files contain no other characters
//     outside ASCII. UTF-16 is rejected.
//   - Wastewater and flue gas stations use the same format, with other meanings of SO2 and Temp. A file with a
//     parameter that only they have (pH, COD, TSS, NH4, O2 …) is accepted and contains no rows. Lines with parameters
//     of air that the platform does not store (H2S, NOx, rain …) are skipped. Other names are an error, so that
//     misspelt ones are noticed, and so is PM without a size.
//   - Files arrive late and out of order. A file that is sent again results in the same facts.
//
// To test one:
//
//	mosquitto_pub -t nhip/in/station-file/HN_CCMT_KHITY3 -f HN_CCMT_KHITY3_20260216225500.txt
package stationfile

import (
	"bytes"
	"strconv"
	"time"

	"nhip"
	"nhip/collector/decode"
)

// Decoder decodes files of Vietnam's monitoring stations.
var Decoder = decode.Decoder{Format: "station-file", Version: 2, Decode: read}

// cycle is the default interval of reports, which is the averaging period of values.
const cycle = 5 * time.Minute

// vietnam is Indochina Time, which has been UTC+7 without daylight saving time since 1975.
var vietnam = time.FixedZone("ICT", 7*3600)

// file holds what the lines of a file share.
type file struct {
	station string
	zone    *time.Location
	period  time.Duration
	faults  decode.Faults

	stamp [len(stamp)]byte // the last time that was read, as text
	end   time.Time        // the time of stamp
}

func read(in decode.Input, out *nhip.Facts) error {
	text, err := toUTF8(in.Payload)
	if err != nil {
		return err
	}
	lines, ofAir := countLines(text)
	if lines == 0 {
		return nhip.Errorf(nhip.CodeMissing, "", "the file has no lines")
	}
	if !ofAir {
		return nil
	}
	f := file{
		station: decode.Device(in.Topic), zone: in.Feed.Zone,
		period: in.Feed.PeriodOr(cycle), faults: in.Faults(),
	}
	if f.zone == nil {
		f.zone = vietnam
	}
	f.read(text, out)
	return nil
}

// countLines counts the lines that are not blank, and reports whether none of the parameters is one of wastewater or
// flue gas only.
func countLines(text []byte) (lines int, ofAir bool) {
	ofAir = true
	for line := range bytes.Lines(text) {
		name, _ := column(line)
		if len(name) > 0 {
			lines++
		}
		ofAir = ofAir && lookUp(name).use != notAir
	}
	return lines, ofAir
}

func (f *file) read(text []byte, out *nhip.Facts) {
	n := 0
	for line := range bytes.Lines(text) {
		n++
		out.BeginRow("line ", n, "")
		r, ok, err := f.line(line)
		if err != nil {
			f.faults.Reject(decode.InRow("line "+strconv.Itoa(n), err))
		} else if ok {
			out.Readings = append(out.Readings, r)
		}
	}
}

// line reads one line; ok is false for a line that is blank or has an ignored parameter.
func (f *file) line(line []byte) (r nhip.Reading, ok bool, err error) {
	name, rest := column(line)
	if len(name) == 0 {
		return r, false, nil
	}
	p := lookUp(name)
	switch p.use {
	case unknown:
		return r, false, nhip.Errorf(nhip.CodeUnknownField, "name",
			"%q is not a parameter of a station file", decode.Clip(string(name)))
	case ignored:
		return r, false, nil
	}
	c, err := split(rest)
	if err != nil {
		return r, false, err
	}
	r = nhip.Reading{Station: f.station, Quantity: p.quantity, Period: f.period}
	if r.Value, err = value(p.quantity, c.value, c.unit); err != nil {
		return r, false, err
	}
	if r.Time, err = f.time(c.time); err != nil {
		return r, false, err
	}
	r.Flag, err = flag(c.status)
	return r, err == nil, err
}

func value(q nhip.Quantity, text, unit []byte) (float64, error) {
	v, err := number(text)
	if err != nil {
		return 0, err
	}
	return decode.Convert(q, v, string(unit))
}

// flag converts the status of the instrument to a QARTOD flag. A value from an instrument in calibration or with a
// fault is not one of the air.
func flag(status []byte) (nhip.Flag, error) {
	switch string(status) {
	case "":
		return nhip.FlagNotEvaluated, nil
	case "00", "0":
		return nhip.FlagGood, nil
	case "01", "02", "1", "2":
		return nhip.FlagFail, nil
	}
	return 0, nhip.Errorf(nhip.CodeMalformed, "status", "must be 00, 01 or 02, got %q", decode.Clip(string(status)))
}

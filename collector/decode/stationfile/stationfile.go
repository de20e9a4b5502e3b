// Package stationfile decodes the files that Vietnam's automatic monitoring stations send to the
// authorities, under Circular 10/2021/TT-BTNMT and its forerunner 24/2017. One payload is one file, a
// line for each parameter, its columns apart by white space:
//
//	PM10	61.52	ug/m3	20260216225500	00
//	PM2,5	38,07	µg/Nm3	20260216225500	00
//	CO	0.8124	mg/m3	20260216225500	01
//	Temp	27.8	oC	20260216225500	00
//
// that is name, value, unit, time as yyyyMMddHHmmss, and the state of the instrument: 00 measuring,
// 01 being calibrated, 02 broken. The station is the last level of the topic,
// nhip/in/station-file/<station>. A value is the mean of the cycle that ends at its time; the cycle
// is the feed's period, or the 5 minutes of the Circular.
//
// Traps:
//
//   - Times are local and carry no offset. They are read in the feed's zone, or at UTC+7 where it
//     names none: the format is Vietnam's, which has no summer time.
//   - A comma is the decimal point of a Vietnamese program, in values (38,07) and in names (PM2,5). It
//     never groups thousands: 1.234,5 is an error, because in 1,234 nobody can tell.
//   - What is no number is an error and never 0. It costs its own line alone; the fault names it, as
//     in "line 3 value".
//   - State 00 is flagged good, 01 and 02 fail: the value stays, and nobody computes with it. A line
//     without the fifth column is not evaluated.
//   - The cubic metre is at 25 °C and 760 mmHg, also where it is written Nm3 (QCVN 05:2023/BTNMT).
//   - Files are UTF-8, with or without its mark, or in one byte a character: the bytes of µ, °, ³ and
//     the no-break space are the same in Windows-1258, Windows-1252 and Latin-1, and no other beyond
//     ASCII has a place in a file. UTF-16 is refused.
//   - Wastewater and chimneys report in the same format, with SO2 and Temp of their own. A file that
//     holds a parameter which only they have (pH, COD, TSS, NH4, O2 …) says nothing of the air: it is
//     taken, and gives no rows. Parameters of the air that we do not keep (wind, H2S, NOx …) are passed
//     over line by line. A name that is on neither list is an error, so that a misspelt one shows;
//     so is PM alone, which does not say which size.
//   - Files come late, and out of order; a file sent again gives the same facts.
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

// Decoder reads the files of Vietnam's monitoring stations.
var Decoder = decode.Decoder{Format: "station-file", Version: 1, Decode: read}

// cycle is how often a station reports, and thus what a value is the mean of.
const cycle = 5 * time.Minute

// vietnam is Indochina Time, which has stood at UTC+7 without summer time since 1975.
var vietnam = time.FixedZone("ICT", 7*3600)

// file is what all lines of a file share.
type file struct {
	station string
	zone    *time.Location
	period  time.Duration
	faults  decode.Faults

	stamp [len(stamp)]byte // the last time that was read, as it was written
	end   time.Time        // and what it is
}

func read(in decode.Input, out *nhip.Facts) error {
	text, err := plain(in.Payload)
	if err != nil {
		return err
	}
	lines, ofAir := survey(text)
	if lines == 0 {
		return nhip.Errorf(nhip.Missing, "", "the file holds no line")
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

// survey counts the lines that are not blank and reports whether the file can be of the air: none of
// its parameters is one of wastewater or chimneys only.
func survey(text []byte) (lines int, ofAir bool) {
	ofAir = true
	for line := range bytes.Lines(text) {
		name, _ := column(line)
		if len(name) > 0 {
			lines++
		}
		ofAir = ofAir && lookUp(name).of != elsewhere
	}
	return lines, ofAir
}

func (f *file) read(text []byte, out *nhip.Facts) {
	n := 0
	for line := range bytes.Lines(text) {
		n++
		r, ok, err := f.line(line)
		if err != nil {
			f.faults.Reject(decode.Within("line "+strconv.Itoa(n), err))
		} else if ok {
			out.Readings = append(out.Readings, r)
		}
	}
}

// line reads one line; ok is false for a line that is blank or of no quantity of ours.
func (f *file) line(line []byte) (r nhip.Reading, ok bool, err error) {
	name, rest := column(line)
	if len(name) == 0 {
		return r, false, nil
	}
	p := lookUp(name)
	switch p.of {
	case unknown:
		return r, false, nhip.Errorf(nhip.UnknownField, "name", "%q is no parameter of a station file", decode.Clip(string(name)))
	case passedOver:
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

// flag turns the state of the instrument into QARTOD's flags. A value that was measured while the
// instrument was being calibrated, or broken, is none of the air.
func flag(status []byte) (nhip.Flag, error) {
	switch string(status) {
	case "":
		return nhip.NotEvaluated, nil
	case "00", "0":
		return nhip.Good, nil
	case "01", "02", "1", "2":
		return nhip.Fail, nil
	}
	return 0, nhip.Errorf(nhip.Malformed, "status", "must be 00, 01 or 02, got %q", decode.Clip(string(status)))
}

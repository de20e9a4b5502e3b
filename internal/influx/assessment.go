package influx

import (
	"strconv"

	"nhip"
)

// AppendAssessment appends the assessment of a reading as one line of line protocol, including the newline, and
// returns the extended slice. InfluxDB stores it in the row of the reading, beside the reported value. Empty texts are
// written too, and so is the value if no correction applies, because they must overwrite a previous assessment.
func AppendAssessment(dst []byte, r *nhip.Reading, v *nhip.Assessment) []byte {
	dst = append(dst, ReadingMeasurement...)
	dst = appendPeriod(dst, r.Period)
	dst = appendTag(dst, colQuantity, string(r.Quantity))
	dst = appendTag(dst, colStation, r.Station)
	dst = append(dst, ' ')
	dst = append(dst, colAuto...)
	dst = append(dst, '=')
	dst = append(strconv.AppendInt(dst, int64(v.Flag), 10), 'i')
	dst = appendFloat(dst, colCorrected, v.Corrected.Or(r.Value))
	dst = appendMaybeEmptyText(dst, colRule, v.Rule)
	dst = appendMaybeEmptyText(dst, colTests, v.Tests)
	return appendTime(dst, r.Time)
}

// appendMaybeEmptyText is appendText, but also writes an empty text.
func appendMaybeEmptyText(dst []byte, key, text string) []byte {
	if text != "" {
		return appendText(dst, key, text)
	}
	return append(appendKey(dst, key), '"', '"')
}

// assessmentOf reads the assessment from a row of a reading. Without a rule there is no correction.
func assessmentOf(row *Row) nhip.Assessment {
	auto, _ := row.Int(readingAuto)
	v := nhip.Assessment{Flag: nhip.Flag(auto), Tests: row.Text(readingTests), Rule: row.Text(readingRule)}
	if corrected, ok := row.Float(readingCorrected); ok && v.Rule != "" {
		v.Corrected = nhip.Some(corrected)
	}
	return v
}

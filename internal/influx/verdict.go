package influx

import (
	"strconv"
	"time"

	"nhip"
)

// AppendVerdict appends what the platform makes of a reading as one line of line protocol, newline included, and
// returns the longer slice. InfluxDB keeps it in the row of the reading itself, beside what the device said. Texts
// are written even where they are empty, and a value even where no correction applies, so that they take the
// place of a former verdict's.
func AppendVerdict(dst []byte, r *nhip.Reading, v *nhip.Verdict) []byte {
	dst = append(dst, ReadingMeasurement...)
	dst = appendPeriod(dst, r.Period)
	dst = appendTag(dst, colQuantity, string(r.Quantity))
	dst = appendTag(dst, colStation, r.Station)
	dst = append(dst, ' ')
	dst = append(dst, colAuto...)
	dst = append(dst, '=')
	dst = append(strconv.AppendInt(dst, int64(v.Flag), 10), 'i')
	dst = appendFloat(dst, colCorrected, v.Corrected.Or(r.Value))
	dst = appendTextOrNone(dst, colRule, v.Rule)
	dst = appendTextOrNone(dst, colTests, v.Tests)
	return appendTime(dst, r.Time)
}

// appendTextOrNone is appendText that writes an empty text, too.
func appendTextOrNone(dst []byte, key, text string) []byte {
	if text != "" {
		return appendText(dst, key, text)
	}
	return append(appendKey(dst, key), '"', '"')
}

// verdictOf reads the verdict of a row. Where no rule applied there is no correction.
func verdictOf(row map[string]any) nhip.Verdict {
	auto, _ := row[colAuto].(int64)
	tests, _ := row[colTests].(string)
	rule, _ := row[colRule].(string)
	v := nhip.Verdict{Flag: nhip.Flag(auto), Tests: tests, Rule: rule}
	if corrected, ok := row[colCorrected].(float64); ok && rule != "" {
		v.Corrected = nhip.Some(corrected)
	}
	return v
}

// AppendReview appends r as one line of line protocol, newline included, and returns the longer slice. received
// is when it reached the first hop of ours.
func AppendReview(dst []byte, r *nhip.Review, received time.Time) []byte {
	dst = append(dst, ReviewMeasurement...)
	dst = appendTag(dst, colID, r.ID)
	dst = appendTag(dst, colStation, r.Station)
	dst = appendReceived(dst, received)
	dst = appendText(dst, colAction, string(r.Action))
	dst = appendText(dst, colBy, r.By)
	dst = appendInt(dst, colFrom, r.From.UnixMilli())
	dst = appendText(dst, colQuantity, string(r.Quantity))
	dst = appendInt(dst, colTo, r.To.UnixMilli())
	dst = appendText(dst, colWhy, r.Why)
	return appendTime(dst, r.Time)
}

// AppendAck is to an acknowledgement what AppendReview is to a review.
func AppendAck(dst []byte, a *nhip.Ack, received time.Time) []byte {
	dst = append(dst, AckMeasurement...)
	dst = appendTag(dst, colAlert, a.Alert)
	dst = appendReceived(dst, received)
	dst = appendText(dst, colBy, a.By)
	dst = appendText(dst, colNote, a.Note)
	return appendTime(dst, a.Time)
}

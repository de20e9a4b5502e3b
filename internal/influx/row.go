package influx

import (
	"math"
	"time"
)

// Row is a row of a measurement, or the result of a function. It is valid only until the next one.
type Row struct {
	Time   int64    // ms since 1970; of a span, its begin
	Tags   []string // values of Selection.GroupBy; "" where a row lacks the tag
	Values []Value  // of Selection.Columns; of Count, the number
}

// At returns the row's time.
func (r *Row) At() time.Time { return time.UnixMilli(r.Time).UTC() }

// Float returns the value of a column of type Float; false if the row lacks it.
func (r *Row) Float(i int) (float64, bool) {
	v := &r.Values[i]
	switch v.kind {
	case floatValue:
		return math.Float64frombits(v.bits), true
	case intValue: // JSON has one type of numbers
		return float64(int64(v.bits)), true
	}
	return 0, false
}

// Int returns the value of a column of type Int; false if the row lacks it.
func (r *Row) Int(i int) (int64, bool) {
	v := &r.Values[i]
	switch v.kind {
	case intValue:
		return int64(v.bits), true
	case floatValue:
		f := math.Float64frombits(v.bits)
		return int64(f), f == math.Trunc(f) && math.Abs(f) < 1<<53
	}
	return 0, false
}

// Text returns the value of a column of type String or Tag; "" if the row lacks it.
func (r *Row) Text(i int) string { return r.Values[i].text }

// TagText returns the value of a column of type Tag as it was before it was encoded for InfluxDB.
func (r *Row) TagText(i int) string { return tagText(r.Values[i].text) }

// Bool returns the value of a column of type Bool; false if the row lacks it.
func (r *Row) Bool(i int) bool { return r.Values[i].kind == boolValue && r.Values[i].bits != 0 }

// Has reports whether the row has a value in a column.
func (r *Row) Has(i int) bool { return r.Values[i].kind != noValue }

// Value is the value of a column.
type Value struct {
	kind valueKind
	bits uint64 // of a number or a bool
	text string
}

type valueKind uint8

const (
	noValue valueKind = iota
	floatValue
	intValue
	boolValue
	textValue
)

// FloatValue returns a value of a column of type Float.
func FloatValue(f float64) Value { return Value{kind: floatValue, bits: math.Float64bits(f)} }

// IntValue returns a value of a column of type Int.
func IntValue(n int64) Value { return Value{kind: intValue, bits: uint64(n)} }

// BoolValue returns a value of a column of type Bool.
func BoolValue(b bool) Value {
	v := Value{kind: boolValue}
	if b {
		v.bits = 1
	}
	return v
}

// TextValue returns a value of a column of type String, or Tag as it is stored.
func TextValue(text string) Value { return Value{kind: textValue, text: text} }

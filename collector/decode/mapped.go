package decode

import (
	"strings"
	"time"

	"nhip"
	"nhip/collector/decode/jsonscan"
)

// MappedPeriod is the default averaging period of mapped values: the usual time between two uplinks of a LoRaWAN air
// monitor.
const MappedPeriod = 10 * time.Minute

// Mapped reads a decoded device payload, an object at s whose structure depends on the device. It adds each value that
// the feed maps to a quantity to values, in the platform's unit. name is the name of the object in faults.
//
// Values without a mapping are skipped, and so are null, and words and numbers for "none". A number as text is a
// number. Values of other types are rejected alone, and so is a second value of a quantity. The error is one of the
// whole message: the feed has no fields, the object contains none of them, or the JSON is invalid.
func Mapped(in *Input, s *jsonscan.Scanner, name string, values *ValueSet) error {
	if len(in.Feed.Fields) == 0 {
		return nhip.Errorf(nhip.CodeMissing, "", "can't be read: the feed has no fields, which map values to quantities")
	}
	m := mapper{s: s, fields: in.Feed.Fields, faults: in.Faults(), name: name, values: values}
	if err := m.object(); err != nil {
		return err
	}
	if !m.found {
		return nhip.Errorf(nhip.CodeMissing, "", "contains none of the feed's fields (%s)", m.names())
	}
	return nil
}

// mapper reads one object.
type mapper struct {
	s      *jsonscan.Scanner
	fields []Field
	faults Faults
	name   string
	path   []byte // dotted path of the current value
	values *ValueSet
	found  bool // the object contains a field of the feed, perhaps as null
}

func (m *mapper) object() error {
	return m.s.Object(func(key []byte) error {
		outer := len(m.path)
		if outer > 0 {
			m.path = append(m.path, '.')
		}
		m.path = append(m.path, key...)
		err := m.value()
		m.path = m.path[:outer]
		return err
	})
}

// value reads the value at the path: a field of the feed, an object that contains some, or something else, which is
// skipped.
func (m *mapper) value() error {
	contains := false
	for i := range m.fields {
		rest, ok := strings.CutPrefix(m.fields[i].Name, string(m.path))
		if ok && rest == "" {
			return m.field(&m.fields[i])
		}
		contains = contains || ok && rest[0] == '.'
	}
	if contains && m.s.Next() == '{' {
		return m.object()
	}
	return m.s.Skip()
}

// field reads a value of the feed's fields. A faulty value is rejected alone.
func (m *mapper) field(f *Field) error {
	m.found = true
	v, err := m.measured()
	if err != nil {
		return err
	}
	value, ok := v.Get()
	if !ok {
		return nil
	}
	value, err = Convert(f.Quantity, value, f.Unit)
	if err == nil && m.values.Has(f.Quantity) {
		err = nhip.Errorf(nhip.CodeMalformed, "", "is a second value of %s in one message", f.Quantity)
	}
	if err != nil {
		m.reject(err)
		return nil
	}
	m.values.Add(f.Quantity, value)
	return nil
}

// measured reads a number, also as text, and rejects anything else. The error is invalid JSON.
func (m *mapper) measured() (nhip.Opt[float64], error) {
	none := nhip.Opt[float64]{}
	switch c := m.s.Next(); c {
	case '{', '[', 't', 'f':
		m.reject(nhip.Errorf(nhip.CodeMalformed, "", "must be a number, got %s", kindOf(c)))
		return none, m.s.Skip()
	case '"':
		text, err := m.s.Text()
		if err != nil {
			return none, err
		}
		v, err := ParseMeasured(text)
		if err != nil {
			m.reject(err)
			return none, nil
		}
		if x, ok := v.Get(); ok && nhip.IsNoValue(x) {
			return none, nil
		}
		return v, nil
	}
	return Measured(m.s)
}

func kindOf(c byte) string {
	switch c {
	case '{':
		return "an object"
	case '[':
		return "an array"
	}
	return "true or false"
}

func (m *mapper) reject(fault error) {
	m.faults.Reject(InRow(m.name+"."+string(m.path), fault))
}

func (m *mapper) names() string {
	var b strings.Builder
	for i := range m.fields {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(m.fields[i].Name)
	}
	return b.String()
}

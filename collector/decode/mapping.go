package decode

import (
	"strings"
	"time"

	"nhip"
	"nhip/collector/decode/jsonscan"
)

// MappedPeriod is the averaging period of mapped values where the feed does not say one: the usual
// time between two uplinks of a LoRaWAN air monitor.
const MappedPeriod = 10 * time.Minute

// Mapped reads the object that a network made of a device's own payload, at s, and adds each value
// that the feed has a field for to box, in our unit. name is the object's in faults.
//
// A value that the feed does not name is passed over, and one that is null, or text for "none", is
// one the device does not have. Text that holds a number is taken for it. A value of another kind is
// turned away alone, as is a second value of one quantity. The error is one of the whole message:
// the feed names no fields, the object has none of them, or the JSON is broken.
func Mapped(in *Input, s *jsonscan.Scanner, name string, box *Box) error {
	if len(in.Feed.Fields) == 0 {
		return nhip.Errorf(nhip.Missing, "", "can't be read: the feed names no fields, which say what value is what quantity")
	}
	m := mapping{s: s, fields: in.Feed.Fields, faults: in.Faults(), name: name, box: box}
	if err := m.object(); err != nil {
		return err
	}
	if !m.known {
		return nhip.Errorf(nhip.Missing, "", "holds none of the feed's fields (%s)", m.names())
	}
	return nil
}

// mapping is the walk through one object.
type mapping struct {
	s      *jsonscan.Scanner
	fields []Field
	faults Faults
	name   string
	path   []byte // dotted, of the value that is being read
	box    *Box
	known  bool // a field of the feed was there, perhaps as null
}

func (m *mapping) object() error {
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

// value reads what is at the path: a field of the feed, an object around some, or nothing of ours.
func (m *mapping) value() error {
	around := false
	for i := range m.fields {
		rest, ok := strings.CutPrefix(m.fields[i].Name, string(m.path))
		if ok && rest == "" {
			return m.field(&m.fields[i])
		}
		around = around || ok && rest[0] == '.'
	}
	if around && m.s.Next() == '{' {
		return m.object()
	}
	return m.s.Skip()
}

// field reads a value that the feed names. A fault of the value is that row's alone.
func (m *mapping) field(f *Field) error {
	m.known = true
	v, err := m.measured()
	if err != nil {
		return err
	}
	value, ok := v.Get()
	if !ok {
		return nil
	}
	value, err = Convert(f.Quantity, value, f.Unit)
	if err == nil && m.box.Holds(f.Quantity) {
		err = nhip.Errorf(nhip.Malformed, "", "is a second value of %s in one message", f.Quantity)
	}
	if err != nil {
		m.reject(err)
		return nil
	}
	m.box.Add(f.Quantity, value)
	return nil
}

// measured reads a number, also one in a string, and turns anything else away. The error is one of
// the JSON.
func (m *mapping) measured() (nhip.Opt[float64], error) {
	none := nhip.Opt[float64]{}
	switch c := m.s.Next(); c {
	case '{', '[', 't', 'f':
		m.reject(nhip.Errorf(nhip.Malformed, "", "must be a number, got %s", kind(c)))
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
		return v, nil
	}
	return Measured(m.s)
}

func kind(c byte) string {
	switch c {
	case '{':
		return "an object"
	case '[':
		return "an array"
	}
	return "true or false"
}

func (m *mapping) reject(fault error) {
	m.faults.Reject(Within(m.name+"."+string(m.path), fault))
}

func (m *mapping) names() string {
	var b strings.Builder
	for i := range m.fields {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(m.fields[i].Name)
	}
	return b.String()
}

package nhip

import "encoding/json"

// Opt holds a value that a device may leave out. The zero Opt is "not said".
type Opt[T any] struct {
	value T
	ok    bool
}

// Some returns an Opt that holds v.
func Some[T any](v T) Opt[T] { return Opt[T]{value: v, ok: true} }

// Get returns the value and whether there is one.
func (o Opt[T]) Get() (T, bool) { return o.value, o.ok }

// Or returns the value, or def when there is none.
func (o Opt[T]) Or(def T) T {
	if o.ok {
		return o.value
	}
	return def
}

// Known reports whether there is a value.
func (o Opt[T]) Known() bool { return o.ok }

// Equal reports whether both hold the same value, or both none. T must be comparable.
func (o Opt[T]) Equal(other Opt[T]) bool {
	return o.ok == other.ok && (!o.ok || any(o.value) == any(other.value))
}

// IsZero lets encoding/json leave the field out with omitzero.
func (o Opt[T]) IsZero() bool { return !o.ok }

// MarshalJSON writes the value, or null when there is none.
func (o Opt[T]) MarshalJSON() ([]byte, error) {
	if !o.ok {
		return []byte("null"), nil
	}
	return json.Marshal(o.value)
}

// UnmarshalJSON reads a value; null is "not said".
func (o *Opt[T]) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*o = Opt[T]{}
		return nil
	}
	if err := json.Unmarshal(b, &o.value); err != nil {
		return err
	}
	o.ok = true
	return nil
}

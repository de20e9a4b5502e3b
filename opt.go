package nhip

import "encoding/json"

// Opt is an optional value. The zero Opt has no value.
type Opt[T any] struct {
	value T
	ok    bool
}

// Some returns an Opt that holds v.
func Some[T any](v T) Opt[T] { return Opt[T]{value: v, ok: true} }

// Get returns the value and whether it is set.
func (o Opt[T]) Get() (T, bool) { return o.value, o.ok }

// Or returns the value, or def where it is not set.
func (o Opt[T]) Or(def T) T {
	if o.ok {
		return o.value
	}
	return def
}

// Known reports whether the value is set.
func (o Opt[T]) Known() bool { return o.ok }

// Equal reports whether both hold the same value or neither holds one. T must be comparable.
func (o Opt[T]) Equal(other Opt[T]) bool {
	return o.ok == other.ok && (!o.ok || any(o.value) == any(other.value))
}

// IsZero makes the omitzero option of encoding/json omit a value that is not set.
func (o Opt[T]) IsZero() bool { return !o.ok }

// MarshalJSON encodes the value, or null where it is not set.
func (o Opt[T]) MarshalJSON() ([]byte, error) {
	if !o.ok {
		return []byte("null"), nil
	}
	return json.Marshal(o.value)
}

// UnmarshalJSON decodes a value; null leaves it unset.
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

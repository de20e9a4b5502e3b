package protoscan

import "nhip"

// TypeError returns an error for the field called name if ok is false: it does not have the type of the schema.
func TypeError(ok bool, f Field, name, want string) error {
	if ok {
		return nil
	}
	return nhip.Errorf(nhip.CodeMalformed, name, "must be of type %s, got Protobuf's wire type %d", want, f.Type)
}

// ReadFloat returns the value of a field of type float. The error is an *nhip.Error for the field called name.
func ReadFloat(f Field, name string) (nhip.Opt[float64], error) {
	v, ok := f.Float()
	return nhip.Some(v), TypeError(ok, f, name, "float")
}

// ReadDouble is ReadFloat for a field of type double.
func ReadDouble(f Field, name string) (nhip.Opt[float64], error) {
	v, ok := f.Double()
	return nhip.Some(v), TypeError(ok, f, name, "double")
}

// ReadBytes is ReadFloat for a field of type string, bytes or message.
func ReadBytes(f Field, name string) ([]byte, error) {
	v, ok := f.Bytes()
	return v, TypeError(ok, f, name, "string or message")
}

package tasmota

import "bytes"

// withoutNaN returns a payload with null in place of the bare words nan and inf, which firmware before 6.3 writes for a
// sensor that has failed. It copies the payload only if there is one.
func withoutNaN(payload []byte) []byte {
	if !bytes.Contains(payload, []byte("nan")) && !bytes.Contains(payload, []byte("NaN")) &&
		!bytes.Contains(payload, []byte("inf")) {
		return payload
	}
	out := make([]byte, 0, len(payload)+len(payload)/8)
	quoted := false
	for i := 0; i < len(payload); i++ {
		c := payload[i]
		switch {
		case quoted && c == '\\' && i+1 < len(payload):
			out = append(out, c)
			i++
			c = payload[i]
		case c == '"':
			quoted = !quoted
		case !quoted:
			if n := bareNaN(payload[i:]); n > 0 {
				out = append(out, "null"...)
				i += n - 1
				continue
			}
		}
		out = append(out, c)
	}
	return out
}

// bareNaN returns the length of a word for "not a number" at the start of text, or 0.
func bareNaN(text []byte) int {
	for _, word := range [...]string{"nan", "NaN", "-nan", "inf", "-inf"} {
		if bytes.HasPrefix(text, []byte(word)) {
			return len(word)
		}
	}
	return 0
}

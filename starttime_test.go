package nhip

import "testing"

func TestParseStartTime(t *testing.T) {
	for _, c := range []struct {
		in   string
		h, m int
	}{
		{"08:30", 8, 30}, {"8:30:05", 8, 30}, {"25:10", 25, 10}, {"00:00:00", 0, 0}, {"99:59:59", 99, 59},
	} {
		if h, m, ok := ParseStartTime(c.in); !ok || h != c.h || m != c.m {
			t.Errorf("%q is %d:%d, %t", c.in, h, m, ok)
		}
	}
	for _, in := range []string{
		"", ":", "12", "12:", ":30", "12:中", "12:3", "12:60", "100:00", "-1:30", "+1:30", "12:30:", "12:30:60", "12:30:0",
		"12:30:00:00", "12:30 ", " 12:30", "6:48 pm", "１２:３０", "12:\xff\xff", "12:\x00\x00", "1.2:30",
	} {
		if _, _, ok := ParseStartTime(in); ok {
			t.Errorf("%q is taken for a time", in)
		}
	}
}

package rest

import (
	"testing"
	"time"

	"nhip"
)

func TestCSVRow(t *testing.T) {
	now := time.Date(2026, 2, 16, 12, 0, 0, 0, time.UTC)
	r := NewCSVRow(nil)
	r.Raw("pm25")
	r.Text(`Bến xe "Giáp Bát", phía Nam`)
	r.Number(21.02849, 1000)
	r.Optional(nhip.Some(0.1))
	r.Optional(nhip.Opt[float64]{})
	r.Integer(-1)
	r.Time(now)
	r.Age(now.Add(-1250*time.Millisecond), now)
	r.Age(now.Add(time.Second), now)
	const want = `pm25,"Bến xe ""Giáp Bát"", phía Nam",21.028,0.1,,-1,2026-02-16T12:00:00.000Z,1.3,0` + "\n"
	if got := string(r.End()); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestCSVTimesAreOfOneKind: whatever zone and fraction a time has.
func TestCSVTimesAreOfOneKind(t *testing.T) {
	hanoi := time.FixedZone("", 7*3600)
	r := NewCSVRow(nil)
	r.Time(time.Date(2026, 2, 16, 19, 0, 0, 0, hanoi))
	r.Time(time.Date(2026, 2, 16, 12, 0, 0, 250e6, time.UTC))
	r.Time(time.Date(2026, 1, 1, 0, 0, 1, 999_999, hanoi))
	const want = "2026-02-16T12:00:00.000Z,2026-02-16T12:00:00.250Z,2025-12-31T17:00:01.000Z\n"
	if got := string(r.End()); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestCSVTextIsNoFormula(t *testing.T) {
	for text, want := range map[string]string{
		"=1+1": "'=1+1\n", "+84": "'+84\n", "-2": "'-2\n", "@x": "'@x\n", "\tx": "\"'\tx\"\n", "=A1,B1": "\"'=A1,B1\"\n",
		"a=1": "a=1\n", "": "\n", "a;b": "\"a;b\"\n", "=1;2": "\"'=1;2\"\n", ";": "\";\"\n",
	} {
		r := NewCSVRow(nil)
		if r.Text(text); string(r.B[:len(r.B)-1])+"\n" != want {
			t.Errorf("%q: %q, want %q", text, r.B, want)
		}
	}
}

func TestAttachmentEncodesName(t *testing.T) {
	if got := Attachment("Phố Huế", ".csv"); got != "attachment; filename*=UTF-8''Ph%E1%BB%91%20Hu%E1%BA%BF.csv" {
		t.Error(got)
	}
}

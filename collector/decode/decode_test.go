package decode

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/collector/decode/jsonscan"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// rfc3339 matches the times of RFC 3339; the standard library accepts some others too.
var rfc3339 = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

// TestTimeMatchesStandardLibrary compares parseTime with time.Time.UnmarshalText.
func TestTimeMatchesStandardLibrary(t *testing.T) {
	check := func(t interface{ Fatalf(string, ...any) }, text string) {
		var want time.Time
		err := want.UnmarshalText([]byte(text))
		got, ok := parseTime([]byte(text))
		if !rfc3339.MatchString(text) {
			err = errors.New("not RFC 3339")
		}
		if ok != (err == nil) || ok && (!got.Equal(want.Truncate(time.Millisecond)) || got.Location() != time.UTC) {
			t.Fatalf("%q: %s, %v; want %s, %v", text, got, ok, want, err)
		}
	}
	for _, text := range []string{
		"2026-02-16T15:58:02Z", "2026-02-16T15:58:02.1Z", "2026-02-16T15:58:02.123456789Z", "2026-02-16T22:58:02.999+07:00",
		"2026-12-31T23:59:59-23:59", "2024-02-29T00:00:00Z", "2026-02-29T00:00:00Z", "2000-02-29T00:00:00Z",
		"1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
		"2026-01-00T00:00:00Z",
		"2026-02-16T24:00:00Z", "2026-02-16T15:60:02Z", "2026-02-16T15:58:60Z", "2026-02-16T15:58:02",
		"2026-02-16T15:58:02.Z",
		"2026-02-16 15:58:02Z", "2026-02-16t15:58:02z", "2026-02-16T15:58:02,5Z", "2026-02-16T5:58:02Z",
		"2026-02-16T15:58:02+0700",
		"2026-02-16T15:58:02+24:00", "2026-02-16T15:58:02+07:60", "2026-02-16T15:58:02ZZ", "2026-02-16T15:58:02.5", "",
		"0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "+026-02-16T15:58:02Z", "2026-02-16T15:58:02\u00a0",
	} {
		check(t, text)
	}
	rapid.Check(t, func(t *rapid.T) {
		at := time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "at")).In(time.FixedZone("",
			60*rapid.IntRange(-1439, 1439).Draw(t, "offset")))
		text := []byte(at.Format(time.RFC3339Nano))
		if rapid.Bool().Draw(t, "spoiled") {
			text[rapid.IntRange(0, len(text)-1).Draw(t, "where")] = rapid.SampledFrom([]byte("0129:-.TZ+ ")).Draw(t, "byte")
		}
		check(t, string(text))
	})
}

func TestCloneStringsOutlivePayload(t *testing.T) {
	payload := []byte(`["32","","Nhổn"]`)
	var texts [3]string
	s, n := jsonscan.New(payload), 0
	err := s.Array(func() (err error) {
		texts[n], err = s.View()
		n++
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	CloneStrings(&texts[0], &texts[1], &texts[2])
	clear(payload)
	if diff := cmp.Diff([3]string{"32", "", "Nhổn"}, texts); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestDeviceIsLastTopicLevel(t *testing.T) {
	for topic, want := range map[string]string{
		"nhip/in/position/5473": "5473", "a": "a", "a/": "", "a/29B%2F123": "29B/123",
	} {
		if got := Device(topic); got != want {
			t.Errorf("%s: %q, want %q", topic, got, want)
		}
	}
}

// readBatch reads a batch of objects with numbers, each of which becomes a reading, and returns their values.
func readBatch(payload string, reject func(error)) ([]float64, error) {
	var out nhip.Facts
	s := jsonscan.New([]byte(payload))
	err := Batch(&s, &out, reject, func() error {
		return s.Object(func([]byte) error {
			v, err := s.Float()
			out.Readings = append(out.Readings, nhip.Reading{Value: v})
			return err
		})
	})
	var values []float64
	for _, r := range out.Readings {
		values = append(values, r.Value)
	}
	return values, err
}

func TestBatchRejectsOnlyFaultyElement(t *testing.T) {
	const payload = `[{"a":1,"b":2}, {"a":3,"b":{"c":"x"},"d":4}, {"a":5}, "text", {"a":6,"a":7}, {"a":8}]`
	var faults []string
	values, err := readBatch(payload, func(err error) { faults = append(faults, err.Error()) })
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]float64{1, 2, 5, 8}, values); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	want := []string{
		"[1].b: expected a number at byte 27, got '{'", "[3]: expected an object at byte 54, got '\"'", "[4].a: occurs twice",
	}
	if diff := cmp.Diff(want, faults); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestBatchRejectsWholeMessage(t *testing.T) {
	many := "[" + strings.Repeat(`{"a":1},`, MaxBatch) + `{"a":1}]`
	for _, c := range []struct {
		payload string
		reject  bool // call Batch with a reject function
		code    nhip.Code
		fault   string
	}{
		{`[{"a":1},{"a":"x"}]`, false, nhip.CodeMalformed, "[1].a: expected a number at byte 14, got '\"'"},
		{`[{"a":1},{"a":x}]`, true, nhip.CodeMalformed, "[1].a: expected a number at byte 14, got 'x'"},
		{`[{"a":1},{"a":"x"},`, true, nhip.CodeMalformed, "[2]: the JSON ends at byte 19 where an object was expected"},
		{`[{"a":1}]]`, true, nhip.CodeMalformed, "expected the end of the payload at byte 9, got ']'"},
		{`{"a":1}{}`, true, nhip.CodeMalformed, "expected the end of the payload at byte 7, got '{'"},
		{`{"a":"x"}`, true, nhip.CodeMalformed, "a: expected a number at byte 5, got '\"'"},
		{`[]`, true, nhip.CodeMissing, "must contain at least one element"},
		{many, true, nhip.CodeOutOfRange, "must contain at most 500 elements"},
	} {
		var reject func(error)
		if c.reject {
			reject = func(error) {}
		}
		_, err := readBatch(c.payload, reject)
		if err == nil || nhip.ErrorCode(err) != c.code {
			t.Errorf("%.60s: %v, want %s", c.payload, err, c.code)
			continue
		}
		if c.fault != "" && err.Error() != c.fault {
			t.Errorf("%.60s: %q, want %q", c.payload, err, c.fault)
		}
	}
	if values, err := readBatch(many[:len(many)-len(`,{"a":1}]`)]+"]", nil); err != nil || len(values) != MaxBatch {
		t.Errorf("%d elements: %d values, %v", MaxBatch, len(values), err)
	}
}

func TestTableRefusesManyColumns(t *testing.T) {
	in := Input{Payload: []byte("a" + strings.Repeat(",b", 1000) + "\n")}
	_, err := NewTable(&in, []string{"a"}, nil, true)
	if err == nil || nhip.ErrorCode(err) != nhip.CodeOutOfRange {
		t.Errorf("%v", err)
	}
}

package zone

import (
	"strings"
	"testing"

	"nhip/internal/memorytest"
)

func TestHostileFilesNeedLittleMemory(t *testing.T) {
	const head, tail = `{"type":"FeatureCollection","features":[`, `]}`
	for name, text := range map[string]func() string{
		"empty features": func() string { return head + strings.Repeat("{},", 5e6) + "{}" + tail },
		"empty rings": func() string {
			return head + `{"geometry":{"coordinates":[` + strings.Repeat("[],", 5e6) + `[]]}}` + tail
		},
		"numbers": func() string {
			return head + `{"geometry":{"coordinates":[` + strings.Repeat("1,", 10e6) + `1]}}` + tail
		},
		"many properties": func() string { return head + `{"properties":{` + strings.Repeat(`"":1,`, 3e6) + `"":1}}` + tail },
		"deep":            func() string { return strings.Repeat("[", 2e6) },
	} {
		t.Run(name, func(t *testing.T) {
			peak, measured := memorytest.Peak(t, func() {
				if _, err := Read([]byte(text()), FileSpec{Kind: "ward"}); err == nil {
					t.Error("no error")
				}
			})
			if most := int64(160 << 20); measured && peak > most {
				t.Errorf("%d MB of memory, want at most %d", peak>>20, most>>20)
			}
		})
	}
}

// TestMain removes what the tests of memory have built.
func TestMain(m *testing.M) { memorytest.Main(m) }

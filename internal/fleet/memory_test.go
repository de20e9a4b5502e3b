package fleet_test

import (
	"strings"
	"testing"
	"time"

	"nhip/internal/fleet"
	"nhip/internal/memorytest"
	"nhip/internal/suitetest"
)

// An alias may stand for a long list, so that a short file has any number of values.
func TestRepeatedAliasesNeedLittleMemory(t *testing.T) {
	suitetest.Only(t)
	peak, measured := memorytest.Peak(t, func() {
		text := "stations:\n- id: a\n  kind: reference\n  quantities: &q\n  - name: pm25\n    calibration:\n" +
			calibrations(5000) + strings.Repeat("- {id: b, kind: reference, quantities: *q}\n", 2000)
		_, err := fleet.Read("fleet.yaml", []byte(text), nil)
		if err == nil || !strings.Contains(err.Error(), "too many values") {
			t.Errorf("%.300v", err)
		}
	})
	if most := int64(512 << 20); measured && peak > most {
		t.Errorf("%d MB of memory, want at most %d", peak>>20, most>>20)
	}
	t.Logf("%d MB", peak>>20)
}

func calibrations(n int) string {
	var b strings.Builder
	for i := range n {
		from := time.Date(2026, 1, 1, 0, i, 0, 0, time.UTC)
		b.WriteString("    - {from: " + from.Format(time.RFC3339) + ", slope: 1}\n")
	}
	return b.String()
}

// TestMain removes what the tests of memory have built.
func TestMain(m *testing.M) { memorytest.Main(m) }

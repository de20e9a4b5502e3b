package app_test

import (
	"os"
	"testing"

	"nhip/internal/mqtt/mqtttest"
)

// TestMain lets the benchmarks run their devices in another process.
func TestMain(m *testing.M) {
	mqtttest.RunIfCrowd()
	os.Exit(m.Run())
}

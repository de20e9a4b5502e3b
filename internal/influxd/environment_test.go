package influxd

import (
	"slices"
	"testing"
)

func TestChildGetsNoSecrets(t *testing.T) {
	got := childEnvironment([]string{
		"PATH=/bin", "NHIP_BROKER_PASSWORD=s3cret", "NHIP_INFLUX_TOKEN=s3cret", "AWS_SECRET_ACCESS_KEY=s3cret", "GOGC=50",
		"INFLUXDB_HTTP_BIND_ADDRESS=0.0.0.0:8086", "NHIP_TEST_AS_INFLUXD=serves",
	})
	if want := []string{"PATH=/bin", "GOGC=50", "NHIP_TEST_AS_INFLUXD=serves"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

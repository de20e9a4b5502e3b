package app

import (
	"os"
	"strings"
	"testing"

	"nhip/internal/config"
	"nhip/internal/fleet"
)

// TestDocumentedFleetIsValid reads the example of docs/fleet.md.
func TestDocumentedFleetIsValid(t *testing.T) {
	raw, err := os.ReadFile("../docs/fleet.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(raw), "```yaml\n")
	example, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("docs/fleet.md has no example")
	}
	conf := config.Default()
	f, err := fleet.Read("docs/fleet.md", []byte(example), FleetFeeds(&conf))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Stations) != 1 || len(f.Vehicles) != 1 || len(f.Devices) != 2 {
		t.Errorf("the example has %+v", f)
	}
}

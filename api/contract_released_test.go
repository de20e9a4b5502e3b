package api

import (
	"os"
	"testing"

	"nhip/api/compattest"
)

// TestContractBreaksNothingReleased compares the contract with the one that clients were written for. A deliberate
// break changes that file, in a commit of its own; see CONTRIBUTING.md.
func TestContractBreaksNothingReleased(t *testing.T) {
	released, err := os.ReadFile("testdata/openapi-released.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, broken := range compattest.Breaks(compattest.Load(t, released), compattest.Load(t, contract)) {
		t.Error(broken)
	}
}
